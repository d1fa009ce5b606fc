#include "tests/ca/der_mutator.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "ca/base/openssl.h"

namespace ca::testing {
namespace {

// Ends of ranges, signs, and the identifier octets and lengths that mean something special.
constexpr unsigned char kTellingOctets[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c,
                                            0x13, 0x14, 0x16, 0x1e, 0x1f, 0x20, 0x30, 0x31, 0x7f,
                                            0x80, 0x81, 0x82, 0x86, 0xa0, 0xa4, 0xfe, 0xff};

// Where each element of `der` has the first octet of its length.
void CollectLengths(BytesView der, size_t offset, std::vector<size_t>& lengths) {
  while (!der.empty()) {
    const unsigned char* content = Octets(der);
    long size = 0;
    int tag = 0;
    int tag_class = 0;
    const int flags =
        ASN1_get_object(&content, &size, &tag, &tag_class, static_cast<long>(der.size()));
    if ((flags & 0x80) != 0) return;
    lengths.push_back(offset + 1);
    const auto header_size = static_cast<size_t>(content - Octets(der));
    const auto content_size = static_cast<size_t>(size);
    if ((flags & V_ASN1_CONSTRUCTED) != 0) {
      CollectLengths(der.substr(header_size, content_size), offset + header_size, lengths);
    }
    der.remove_prefix(header_size + content_size);
    offset += header_size + content_size;
  }
}

// Every node but the root, as its parent and its place.
using Place = std::pair<DerNode*, size_t>;
void CollectPlaces(DerNode& parent, std::vector<Place>& places) {
  for (size_t i = 0; i < parent.children.size(); ++i) {
    places.emplace_back(&parent, i);
    CollectPlaces(parent.children[i], places);
  }
}

}  // namespace

Bytes DerMutator::RandomOctets(size_t size) {
  Bytes octets(size, '\0');
  for (char& octet : octets) octet = static_cast<char>(random_());
  return octets;
}

Bytes DerMutator::MutateOctets(BytesView der) {
  Bytes mutated(der);
  const size_t place = Below(mutated.size());
  const size_t size = 1 + Below(8);
  switch (Below(8)) {
    case 0:
    case 1:
      mutated[place] = static_cast<char>(mutated[place] ^ 1 << Below(8));
      break;
    case 2:
      mutated[place] = static_cast<char>(kTellingOctets[Below(std::size(kTellingOctets))]);
      break;
    case 3:
      mutated.resize(place);
      break;
    case 4:
      mutated.insert(place, RandomOctets(size));
      break;
    case 5:
      mutated.erase(place, size);
      break;
    case 6:
      mutated.insert(place, mutated.substr(Below(mutated.size()), size));
      break;
    default: {
      std::vector<size_t> lengths;
      CollectLengths(der, 0, lengths);
      char& length = mutated[lengths.empty() ? place : lengths[Below(lengths.size())]];
      length = static_cast<char>(Below(2) == 0 ? length + (Below(2) == 0 ? 1 : -1)
                                               : static_cast<char>(0x7f + Below(8)));
    }
  }
  return mutated;
}

void DerMutator::MutateContent(DerNode& node) {
  node.children.clear();
  const size_t place = Below(node.content.size() + 1);
  const auto telling = static_cast<char>(kTellingOctets[Below(std::size(kTellingOctets))]);
  switch (Below(6)) {
    case 0:
      node.content.clear();
      break;
    case 1:
      node.content = RandomOctets(Below(80));
      break;
    case 2:
      node.content.insert(place, 1, telling);
      break;
    case 3:
      node.content.resize(place);
      break;
    default:
      if (place < node.content.size()) node.content[place] = telling;
  }
}

void DerMutator::MutateNode(DerNode& parent, size_t index, const DerNode& spare) {
  auto& siblings = parent.children;
  DerNode& node = siblings[index];
  const auto at = siblings.begin() + static_cast<std::ptrdiff_t>(index);
  switch (Below(9)) {
    case 0:
      siblings.erase(at);
      break;
    case 1:
      siblings.insert(at, 1 + Below(2) * Below(70), DerNode(node));
      break;
    case 2:
      std::swap(node, siblings[Below(siblings.size())]);
      break;
    case 3:
      node = spare;
      break;
    case 4:
      siblings.insert(at, spare);
      break;
    case 5:
      node.tag = kTellingOctets[Below(std::size(kTellingOctets))];
      break;
    case 6:
      node.length = Below(2) == 0 ? DerNode::Length::kLong : DerNode::Length::kIndefinite;
      break;
    default:
      MutateContent(node);
  }
}

Bytes DerMutator::MutateTree(DerNode tree) {
  for (size_t changes = 1 + Below(3); changes > 0; --changes) {
    std::vector<Place> places;
    CollectPlaces(tree, places);
    if (places.empty()) break;
    const auto [spare_parent, spare_index] = places[Below(places.size())];
    const DerNode spare = spare_parent->children[spare_index];
    const auto [parent, index] = places[Below(places.size())];
    MutateNode(*parent, index, spare);
  }
  return Encode(tree);
}

}  // namespace ca::testing
