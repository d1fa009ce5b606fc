#pragma once

#include <array>
#include <memory>
#include <shared_mutex>
#include <unordered_set>

#include "ca/base/serial_number.h"
#include "ca/issuance/authority.h"

namespace ocsp {

// Certificates that the ledger has said to be signed. That stays true for ever, so the ledger need
// not be asked twice; whether they are revoked is for the RevocationIndex to say. Thread-safe.
//
// Bounded as AnswerCache is: by two generations, of which the old one is forgotten as a whole.
class SignedSerials {
 public:
  // Holds `serials_max` at most, rounded up to two a shard; about 70 octets each.
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
