#include "ca/catalog/revocation_index.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace ca {
namespace {

std::int64_t Micros(TimePoint time) { return time.time_since_epoch().count(); }
TimePoint TimeFrom(std::int64_t micros) { return TimePoint(std::chrono::microseconds(micros)); }

}  // namespace

void RevocationIndex::SetCompleteUntil(TimePoint time) {
  TimePoint before = complete_until_.load();
  while (before < time && !complete_until_.compare_exchange_weak(before, time)) {
  }
}

// The last octets of a serial are random.
size_t RevocationIndex::KeyHash::operator()(const Key& key) const {
  size_t hash = 0;
  std::memcpy(&hash, key.data() + key.size() - sizeof hash, sizeof hash);
  return hash;
}

RevocationIndex::Key RevocationIndex::KeyOf(const SerialNumber& serial) {
  Key key;
  std::copy(serial.bytes().begin(), serial.bytes().end(), key.begin());
  return key;
}

Revocation RevocationIndex::RevocationOf(const Key& key, const Entry& entry) {
  // The octets were a serial number when they were added.
  return Revocation{
      .serial = *SerialNumber::FromBytes({key.data(), key.size()}),
      .hierarchy = entry.hierarchy,
      .authority = entry.authority,
      .shard = entry.shard,
      .not_after = TimeFrom(entry.not_after),
      .revoked_at = TimeFrom(entry.revoked_at),
      .reason = entry.reason,
      .invalidity_date =
          entry.has_invalidity_date ? std::optional(TimeFrom(entry.invalidity_date)) : std::nullopt,
  };
}

bool RevocationIndex::Add(const Revocation& revocation) {
  const Key key = KeyOf(revocation.serial);
  const Entry entry{
      .revoked_at = Micros(revocation.revoked_at),
      .invalidity_date = revocation.invalidity_date ? Micros(*revocation.invalidity_date) : 0,
      .not_after = Micros(revocation.not_after),
      .authority = revocation.authority,
      .hierarchy = revocation.hierarchy,
      .shard = revocation.shard,
      .reason = revocation.reason,
      .has_invalidity_date = revocation.invalidity_date.has_value(),
  };
  const std::lock_guard lock(mutex_);
  if (!entries_.emplace(key, entry).second) return false;
  ShardEntries& shard = shards_[{revocation.authority, revocation.shard}];
  ++shard.generation;
  shard.serials.push_back(key);
  return true;
}

std::optional<Revocation> RevocationIndex::Find(const SerialNumber& serial) const {
  const Key key = KeyOf(serial);
  const std::shared_lock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  return RevocationOf(key, found->second);
}

bool RevocationIndex::Contains(const SerialNumber& serial) const {
  const std::shared_lock lock(mutex_);
  return entries_.contains(KeyOf(serial));
}

std::vector<Revocation> RevocationIndex::Listed(AuthorityId authority, CrlShard shard) const {
  std::vector<Revocation> listed;
  {
    const std::shared_lock lock(mutex_);
    const auto found = shards_.find({authority, shard});
    if (found == shards_.end()) return {};
    listed.reserve(found->second.serials.size());
    for (const Key& key : found->second.serials) {
      listed.push_back(RevocationOf(key, entries_.at(key)));
    }
  }
  std::sort(listed.begin(), listed.end(),
            [](const Revocation& a, const Revocation& b) { return a.serial < b.serial; });
  return listed;
}

std::uint64_t RevocationIndex::Generation(AuthorityId authority, CrlShard shard) const {
  const std::shared_lock lock(mutex_);
  const auto found = shards_.find({authority, shard});
  return found == shards_.end() ? 0 : found->second.generation;
}

void RevocationIndex::Prune(TimePoint now) {
  const std::int64_t oldest = Micros(now - kKeptAfterExpiry);
  const std::lock_guard lock(mutex_);
  for (auto& [id, shard] : shards_) {
    std::erase_if(shard.serials, [&](const Key& key) {
      const auto found = entries_.find(key);
      if (found->second.not_after >= oldest) return false;
      entries_.erase(found);
      return true;
    });
  }
}

size_t RevocationIndex::size() const {
  const std::shared_lock lock(mutex_);
  return entries_.size();
}

}  // namespace ca
