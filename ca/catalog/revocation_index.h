#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "ca/ports/revocation.h"

namespace ca {

// The revocations of certificates that may still be accepted, in memory: every decision looks here
// first. It only grows, except that Prune() forgets certificates that ended long ago. Thread-safe;
// a lookup waits only for a writer, which holds the lock for one insertion.
class RevocationIndex {
 public:
  // A revoked certificate stays listed for so long after its end: RFC 5280 section 3.3, "An entry
  // MUST NOT be removed from the CRL until it appears on one regularly scheduled CRL issued beyond
  // the revoked certificate's validity period".
  static constexpr std::chrono::hours kKeptAfterExpiry{25};
  static constexpr std::chrono::seconds kCurrentFor{1};

  // False when it was there already.
  bool Add(const Revocation& revocation);

  std::optional<Revocation> Find(const SerialNumber& serial) const;
  bool Contains(const SerialNumber& serial) const;

  // It holds everything that was committed before `time`. Times may come in any order.
  void SetCompleteUntil(TimePoint time);
  // Whether it is complete until so short a time before `now` that a certificate that it does not
  // hold may be taken for not revoked: a revocation acts on every replica within a second.
  bool IsCurrent(TimePoint now) const { return now - complete_until_.load() <= kCurrentFor; }

  // The revocations that one CRL lists, by serial.
  std::vector<Revocation> Listed(AuthorityId authority, CrlShard shard) const;
  // How many were ever added to one CRL: when it has not grown, the CRL need not be made anew.
  std::uint64_t Generation(AuthorityId authority, CrlShard shard) const;

  // Forgets what ended more than kKeptAfterExpiry before `now`.
  void Prune(TimePoint now);

  size_t size() const;

 private:
  // The hash of a serial is 64 of its random bits. Entries are packed, because there may be
  // millions.
  struct Entry {
    std::int64_t revoked_at;  // microseconds since 1970
    std::int64_t invalidity_date;
    std::int64_t not_after;
    AuthorityId authority;
    HierarchyId hierarchy;
    CrlShard shard;
    RevocationReason reason;
    bool has_invalidity_date;
  };
  using Key = std::array<char, SerialNumber::kSize>;
  struct KeyHash {
    size_t operator()(const Key& key) const;
  };
  using Shard = std::pair<AuthorityId, CrlShard>;
  struct ShardEntries {
    std::uint64_t generation = 0;
    std::vector<Key> serials;
  };

  static Key KeyOf(const SerialNumber& serial);
  static Revocation RevocationOf(const Key& key, const Entry& entry);

  std::atomic<TimePoint> complete_until_ = TimePoint{};
  mutable std::shared_mutex mutex_;
  std::unordered_map<Key, Entry, KeyHash> entries_;
  std::map<Shard, ShardEntries> shards_;
};

}  // namespace ca
