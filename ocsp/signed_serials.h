#pragma once

#include <array>
#include <memory>
#include <shared_mutex>
#include <unordered_set>

#include "ca/base/serial_number.h"
#include "ca/issuance/authority.h"

namespace ocsp {

// Certificates that the ledger knows as signed. A signed certificate stays signed, so the ledger is
// read only once; the RevocationIndex knows whether it is revoked. Thread-safe.
//
// Bounded by two generations, as AnswerCache is. The old generation is dropped as a whole.
class SignedSerials {
 public:
  // Holds `serials_max` serials at most, rounded up to two a shard. One takes about 70 octets.
  explicit SignedSerials(size_t serials_max);

  void Add(ca::AuthorityId authority, const ca::SerialNumber& serial);
  bool Contains(ca::AuthorityId authority, const ca::SerialNumber& serial) const;

 private:
  struct Key {
    ca::AuthorityId authority{};
    std::array<char, ca::SerialNumber::kSize> serial{};

    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  using Generation = std::unordered_set<Key, KeyHash>;
  struct alignas(64) Shard {
    mutable std::shared_mutex mutex;
    Generation young;
    Generation old;
  };
  static constexpr size_t kShardCount = 16;

  static Key KeyOf(ca::AuthorityId authority, const ca::SerialNumber& serial);
  Shard& ShardOf(const Key& key) const { return (*shards_)[KeyHash()(key) % kShardCount]; }

  const size_t generation_max_;
  const std::unique_ptr<std::array<Shard, kShardCount>> shards_;
};

}  // namespace ocsp
