#include "ca/catalog/status_directory.h"

namespace ca {

StatusPointers StatusDirectory::For(AuthorityId authority) const {
  StatusPointers pointers;
  {
    const std::lock_guard lock(mutex_);
    const auto found = newest_.find(authority);
    if (found != newest_.end()) pointers.shard = found->second;
  }
  if (urls_.empty()) return pointers;
  pointers.ocsp = urls_.Ocsp(authority);
  pointers.ca_issuers = urls_.CaIssuers(authority);
  pointers.crl = urls_.Crl(authority, pointers.shard);
  return pointers;
}

void StatusDirectory::SetNewestShard(AuthorityId authority, CrlShard shard) {
  const std::lock_guard lock(mutex_);
  newest_[authority] = shard;
}

}  // namespace ca
