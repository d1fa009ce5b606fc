#include "ocsp/signed_serials.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace ocsp {

SignedSerials::SignedSerials(size_t serials_max)
    : generation_max_(std::max<size_t>(1, serials_max / kShardCount / 2)),
      shards_(std::make_unique<std::array<Shard, kShardCount>>()) {}

// The last octets of a serial are random, and only this CA chooses them: these serials are signed.
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
  Generation dropped;  // freed after the lock is released
  const std::lock_guard lock(shard.mutex);
  if (shard.young.size() >= generation_max_) {
    dropped = std::exchange(shard.old, std::exchange(shard.young, Generation()));
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
