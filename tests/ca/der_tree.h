#pragma once

#include <optional>
#include <vector>

#include "ca/base/bytes.h"

// DER taken apart and put together again, for tests that need what no encoder would write. It reads
// what the tests have encoded themselves; it is no parser for input.
namespace ca::testing {

struct DerNode {
  // How the length is written. Only kShortest is DER; the others are BER.
  enum class Length { kShortest, kLong, kIndefinite };

  unsigned char tag = 0;  // the identifier octet
  Bytes content = {};     // when there are no children
  std::vector<DerNode> children =
      {};  // of a constructed node, or of an OCTET STRING that holds DER
  Length length = Length::kShortest;

  DerNode& operator[](size_t child) { return children.at(child); }
};

// Nothing unless `der` is one element with a low tag number and a definite length.
std::optional<DerNode> TryParseDer(BytesView der);
// Aborts where TryParseDer has nothing.
DerNode ParseDer(BytesView der);
Bytes Encode(const DerNode& node);

// One element around `content`.
Bytes Tlv(unsigned char tag, BytesView content);

}  // namespace ca::testing
