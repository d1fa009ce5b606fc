#pragma once

#include <cstdint>
#include <random>

#include "ca/base/bytes.h"
#include "tests/ca/der_tree.h"

namespace ca::testing {

// Changes DER in ways that break parsers. The same seed makes the same changes.
class DerMutator {
 public:
  explicit DerMutator(uint64_t seed) : random_(seed) {}

  // As noise would: bits flipped; octets changed, inserted, removed, repeated; the end cut off; a
  // length made wrong.
  Bytes MutateOctets(BytesView der);

  // As an attacker would: elements removed, repeated, exchanged, retagged, filled with something
  // else, or their lengths written in BER, while the lengths around them stay right.
  Bytes MutateTree(DerNode tree);

  // 0 to `bound` - 1.
  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }

 private:
  Bytes RandomOctets(size_t size);
  void MutateNode(DerNode& parent, size_t index, const DerNode& spare);
  void MutateContent(DerNode& node);

  std::mt19937_64 random_;
};

}  // namespace ca::testing
