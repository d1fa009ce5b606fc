#include "ocsp/signed_serials.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace ocsp {

SignedSerials::SignedSerials(size_t serials_max)
    : generation_max_(std::max<size_t>(1, serials_max / kShardCount / 2)),
      shards_(std::make_unique<std::array<Shard, kShardCount>>()) {}

// What is in here was signed by us, so nobody else has chosen the random octets at a serial's end.
size_t SignedSerials::KeyHash::operator()(const Key& key) const {
  size_t hash = 0;
  std::memcpy(&hash, key.serial.data() + key.serial.size() - sizeof hash, sizeof hash);
  return hash;
}

SignedSerials::Key SignedSerials::KeyOf(ca::AuthorityId authority, const ca::SerialNumber& serial) {
  Key key{.authority = authority};
  std::copy(serial.bytes().begin(), serial.bytes().end(), key.serial.begin());
  return key;
}

void SignedSerials::Add(ca::AuthorityId authority, const ca::SerialNumber& serial) {
  const Key key = KeyOf(authority, serial);
  Shard& shard = ShardOf(key);
  Generation forgotten;  // freed when the lock is
  const std::lock_guard lock(shard.mutex);
  if (shard.young.size() >= generation_max_) {
    forgotten = std::exchange(shard.old, std::exchange(shard.young, Generation()));
  }
  shard.young.insert(key);
}

bool SignedSerials::Contains(ca::AuthorityId authority, const ca::SerialNumber& serial) const {
  const Key key = KeyOf(authority, serial);
  const Shard& shard = ShardOf(key);
  const std::shared_lock lock(shard.mutex);
  return shard.young.contains(key) || shard.old.contains(key);
}

}  // namespace ocsp
