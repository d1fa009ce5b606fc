#include "crl/crl_cache.h"

#include <mutex>

#include "ca/base/bytes.h"

namespace crl {
namespace {

constexpr size_t kEtagOctets = 16;

// Identifies a CRL to the store. Its octets, which may be megabytes, are not needed for that.
ca::PublishedCrl WithoutOctets(const ca::PublishedCrl& crl) {
  return {.authority = crl.authority,
          .shard = crl.shard,
          .number = crl.number,
          .base_number = crl.base_number,
          .this_update = crl.this_update,
          .next_update = crl.next_update};
}

}  // namespace

CrlCache::Key CrlCache::KeyOf(const ca::PublishedCrl& crl) {
  return {crl.authority, crl.shard, crl.base_number != 0};
}

ca::Status CrlCache::Refresh(ca::CrlStore& store) {
  std::vector<ca::PublishedCrl> known;
  for (const auto& entry : All()) known.push_back(WithoutOctets(entry->crl));
  std::vector<ca::PublishedCrl> newer = TRY(store.LoadNewerThan(known));
  for (ca::PublishedCrl& crl : newer) {
    const std::string digest = ca::Hex(ca::Sha256(crl.der).substr(0, kEtagOctets));
    auto entry = std::make_shared<const Entry>(Entry{std::move(crl), "\"" + digest + "\""});
    const std::lock_guard lock(mutex_);
    auto& place = entries_[KeyOf(entry->crl)];
    // Another thread may have refreshed meanwhile.
    if (!place || place->crl.number < entry->crl.number) place.swap(entry);
  }
  return ca::Ok();
}

std::shared_ptr<const CrlCache::Entry> CrlCache::Find(const Key& key) const {
  const std::shared_lock lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second;
}

std::shared_ptr<const CrlCache::Entry> CrlCache::Find(ca::AuthorityId authority,
                                                      ca::CrlShard shard) const {
  return Find(Key{authority, shard, false});
}

std::shared_ptr<const CrlCache::Entry> CrlCache::FindDelta(ca::AuthorityId authority,
                                                           ca::CrlShard shard) const {
  return Find(Key{authority, shard, true});
}

std::vector<std::shared_ptr<const CrlCache::Entry>> CrlCache::All() const {
  std::vector<std::shared_ptr<const Entry>> all;
  const std::shared_lock lock(mutex_);
  for (const auto& [key, entry] : entries_) all.push_back(entry);
  return all;
}

}  // namespace crl
