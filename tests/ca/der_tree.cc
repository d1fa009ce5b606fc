#include "tests/ca/der_tree.h"

#include "ca/base/openssl.h"

namespace ca::testing {
namespace {

constexpr unsigned char kConstructed = V_ASN1_CONSTRUCTED;

// The elements that fill `der` to its last octet; nothing when it is something else.
std::optional<std::vector<DerNode>> ParseAll(BytesView der) {
  std::vector<DerNode> nodes;
  while (!der.empty()) {
    const unsigned char* content = Octets(der);
    long size = 0;
    int tag = 0;
    int tag_class = 0;
    const int flags =
        ASN1_get_object(&content, &size, &tag, &tag_class, static_cast<long>(der.size()));
    const bool is_definite_and_low = (flags & 0x81) == 0 && tag < V_ASN1_PRIMITIVE_TAG;
    if (!is_definite_and_low) return std::nullopt;
    DerNode node;
    node.tag = static_cast<unsigned char>(der.front());
    node.content.assign(reinterpret_cast<const char*>(content), static_cast<size_t>(size));
    der.remove_prefix(static_cast<size_t>(content - Octets(der)) + node.content.size());
    const bool may_hold_der = (node.tag & kConstructed) != 0 || node.tag == V_ASN1_OCTET_STRING;
    if (auto children = may_hold_der ? ParseAll(node.content) : std::nullopt) {
      node.children = *std::move(children);
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace

std::optional<DerNode> TryParseDer(BytesView der) {
  auto nodes = ParseAll(der);
  if (!nodes || nodes->size() != 1) return std::nullopt;
  return std::move(nodes->front());
}

DerNode ParseDer(BytesView der) {
  auto node = TryParseDer(der);
  if (!node) AbortOnOpenSslFailure("ParseDer");
  return *std::move(node);
}

Bytes Tlv(unsigned char tag, BytesView content) {
  Bytes header(16, '\0');
  unsigned char* cursor = MutableOctets(header);
  ASN1_put_object(&cursor, tag & kConstructed, static_cast<int>(content.size()), tag & 0x1f,
                  tag & V_ASN1_PRIVATE);
  header.resize(static_cast<size_t>(cursor - Octets(header)));
  return header.append(content);
}

Bytes Encode(const DerNode& node) {
  Bytes content;
  for (const DerNode& child : node.children) content += Encode(child);
  if (node.children.empty()) content = node.content;
  switch (node.length) {
    case DerNode::Length::kShortest:
      break;
    case DerNode::Length::kLong: {
      Bytes long_form = {static_cast<char>(node.tag), '\x83'};
      for (const int shift : {16, 8, 0}) {
        long_form.push_back(static_cast<char>(content.size() >> shift & 0xff));
      }
      return long_form + content;
    }
    case DerNode::Length::kIndefinite:
      return Bytes{static_cast<char>(node.tag), '\x80'} + content + Bytes(2, '\0');
  }
  return Tlv(node.tag, content);
}

}  // namespace ca::testing
