#pragma once

#include <map>
#include <mutex>

#include "ca/issuance/tbs_certificate.h"
#include "ca/model/status_urls.h"

namespace ca {

// Where the certificates that an authority issues now say that their status is to be had.
// Thread-safe.
class StatusDirectory {
 public:
  explicit StatusDirectory(StatusUrls urls) : urls_(std::move(urls)) {}

  const StatusUrls& urls() const { return urls_; }
  StatusPointers For(AuthorityId authority) const;

  // Which shard new certificates belong to; 0 until somebody says otherwise. A replica that hears
  // of it late puts some more certificates into the shard before, which does no harm.
  void SetNewestShard(AuthorityId authority, CrlShard shard);

 private:
  const StatusUrls urls_;
  mutable std::mutex mutex_;
  std::map<AuthorityId, CrlShard> newest_;
};

}  // namespace ca
