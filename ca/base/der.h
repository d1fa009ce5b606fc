#pragma once

#include <optional>

#include "ca/base/bytes.h"

// DER (X.690 sections 8 to 11), read without OpenSSL, which reads BER as well. It knows the types
// that certificates have, with tag numbers up to 30.
namespace ca {

inline constexpr unsigned char kDerBoolean = 0x01;
inline constexpr unsigned char kDerInteger = 0x02;
inline constexpr unsigned char kDerBitString = 0x03;
inline constexpr unsigned char kDerOctetString = 0x04;
inline constexpr unsigned char kDerNull = 0x05;
inline constexpr unsigned char kDerObjectIdentifier = 0x06;
inline constexpr unsigned char kDerUtf8String = 0x0c;
inline constexpr unsigned char kDerUtcTime = 0x17;
inline constexpr unsigned char kDerGeneralizedTime = 0x18;
inline constexpr unsigned char kDerSequence = 0x30;
inline constexpr unsigned char kDerSet = 0x31;

// [number], primitive or constructed.
constexpr unsigned char DerContext(int number, bool is_constructed) {
  return static_cast<unsigned char>((is_constructed ? 0xa0 : 0x80) | number);
}

struct DerElement {
  unsigned char tag = 0;  // the identifier octet
  BytesView content;
  BytesView whole;  // with tag and length
};

// Reads one element after another. It refers to the octets of its constructor.
class DerReader {
 public:
  explicit DerReader(BytesView der) : rest_(der) {}

  bool AtEnd() const { return rest_.empty(); }
  // Whether an element with this tag comes next.
  bool Sees(unsigned char tag) const {
    return !rest_.empty() && static_cast<unsigned char>(rest_.front()) == tag;
  }

  // nullopt unless tag and length are in DER and the content is complete. After nullopt, AtEnd()
  // has no meaning.
  std::optional<DerElement> Next();
  // nullopt also if the next element has another tag.
  std::optional<DerElement> Next(unsigned char tag);

 private:
  BytesView rest_;
};

// The content of the one element that fills `der`, if its tag is `tag`.
std::optional<BytesView> OnlyDer(unsigned char tag, BytesView der);

// One element that contains `content`.
Bytes EncodeDer(unsigned char tag, BytesView content);
inline Bytes DerSequence(BytesView content) { return EncodeDer(kDerSequence, content); }

// Whether `der` is one element in DER, with all elements that it contains: their lengths, and the
// contents of the universal types above (X.690 sections 10 and 11). It does not look into octet
// strings.
bool IsDer(BytesView der);

}  // namespace ca
