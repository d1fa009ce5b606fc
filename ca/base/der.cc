#include "ca/base/der.h"

#include <algorithm>

namespace ca {
namespace {

constexpr unsigned char kConstructed = 0x20;
constexpr unsigned char kTagNumberMask = 0x1f;
constexpr unsigned char kClassMask = 0xc0;
constexpr int kDepthMax = 16;  // a certificate takes 8

unsigned char At(BytesView octets, size_t index) {
  return static_cast<unsigned char>(octets[index]);
}

// X.690 section 11.1: "If the encoding represents the boolean value TRUE, its single contents octet
// shall have all eight bits set to one."
bool IsBoolean(BytesView content) {
  return content.size() == 1 && (At(content, 0) == 0 || At(content, 0) == 0xff);
}

// Section 8.3.2: "the bits of the first octet and bit 8 of the second octet: a) shall not all be
// ones; and b) shall not all be zero."
bool IsInteger(BytesView content) {
  if (content.empty()) return false;
  if (content.size() == 1) return true;
  const bool second_is_negative = (At(content, 1) & 0x80) != 0;
  return !(At(content, 0) == 0x00 && !second_is_negative) &&
         !(At(content, 0) == 0xff && second_is_negative);
}

// Section 11.2.1: "Each unused bit in the final octet of the encoding of a bit string value shall
// be set to zero."
bool IsBitString(BytesView content) {
  if (content.empty() || At(content, 0) > 7) return false;
  if (content.size() == 1) return At(content, 0) == 0;
  const int unused_mask = (1 << At(content, 0)) - 1;
  return (At(content, content.size() - 1) & unused_mask) == 0;
}

// Section 8.19.2: subidentifiers "in the fewest possible octets", the last of each without bit 8.
bool IsObjectIdentifier(BytesView content) {
  bool begins = true;
  for (const char octet : content) {
    const auto value = static_cast<unsigned char>(octet);
    if (begins && value == 0x80) return false;
    begins = (value & 0x80) == 0;
  }
  return !content.empty() && begins;
}

bool HasDerContent(const DerElement& element) {
  switch (element.tag) {
    case kDerBoolean:
      return IsBoolean(element.content);
    case kDerInteger:
      return IsInteger(element.content);
    case kDerBitString:
      return IsBitString(element.content);
    case kDerNull:
      return element.content.empty();
    case kDerObjectIdentifier:
      return IsObjectIdentifier(element.content);
    default:
      return true;
  }
}

bool HoldsDer(const DerElement& element, int depth) {
  const bool is_constructed = (element.tag & kConstructed) != 0;
  const bool is_universal = (element.tag & kClassMask) == 0;
  const int number = element.tag & kTagNumberMask;
  const bool must_be_constructed =
      number == (kDerSequence & kTagNumberMask) || number == (kDerSet & kTagNumberMask);
  // Section 10.2: strings "shall not use the constructed form".
  if (is_universal && is_constructed != must_be_constructed) return false;
  if (!is_constructed) return HasDerContent(element);
  if (depth == kDepthMax) return false;
  DerReader reader(element.content);
  BytesView before;
  while (!reader.AtEnd()) {
    const auto child = reader.Next();
    if (!child || !HoldsDer(*child, depth + 1)) return false;
    // Section 11.6: the components of a SET OF "shall appear in ascending order".
    if (element.tag == kDerSet && child->whole < before) return false;
    before = child->whole;
  }
  return true;
}

}  // namespace

std::optional<DerElement> DerReader::Next() {
  if (rest_.size() < 2 || (At(rest_, 0) & kTagNumberMask) == kTagNumberMask) return std::nullopt;
  size_t size = At(rest_, 1);
  size_t header_size = 2;
  if (size >= 0x80) {
    // Section 10.1: "The definite form of length encoding shall be used, encoded in the minimum
    // number of octets."
    const size_t length_size = size & 0x7f;
    if (length_size == 0 || length_size > 3 || rest_.size() < 2 + length_size) return std::nullopt;
    size = 0;
    for (size_t i = 0; i < length_size; ++i) size = size << 8 | At(rest_, 2 + i);
    if (size < 0x80 || At(rest_, 2) == 0) return std::nullopt;
    header_size += length_size;
  }
  if (rest_.size() - header_size < size) return std::nullopt;
  const DerElement element{At(rest_, 0), rest_.substr(header_size, size),
                           rest_.substr(0, header_size + size)};
  rest_.remove_prefix(header_size + size);
  return element;
}

std::optional<DerElement> DerReader::Next(unsigned char tag) {
  if (!Sees(tag)) return std::nullopt;
  return Next();
}

std::optional<BytesView> OnlyDer(unsigned char tag, BytesView der) {
  DerReader reader(der);
  const auto element = reader.Next(tag);
  if (!element || !reader.AtEnd()) return std::nullopt;
  return element->content;
}

Bytes EncodeDer(unsigned char tag, BytesView content) {
  Bytes der(1, static_cast<char>(tag));
  der.reserve(content.size() + 5);
  if (content.size() < 0x80) {
    der += static_cast<char>(content.size());
  } else {
    const int length_size = content.size() < 0x100 ? 1 : content.size() < 0x10000 ? 2 : 3;
    der += static_cast<char>(0x80 | length_size);
    for (int i = length_size - 1; i >= 0; --i) {
      der += static_cast<char>(content.size() >> 8 * i & 0xff);
    }
  }
  return der.append(content);
}

bool IsDer(BytesView der) {
  DerReader reader(der);
  const auto element = reader.Next();
  return element && reader.AtEnd() && HoldsDer(*element, 0);
}

}  // namespace ca
