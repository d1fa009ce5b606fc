#pragma once

#include <map>
#include <mutex>

#include "ca/issuance/tbs_certificate.h"
#include "ca/model/status_urls.h"

namespace ca {

// The status URLs that an authority writes into the certificates that it issues now. Thread-safe.
class StatusDirectory {
 public:
  explicit StatusDirectory(StatusUrls urls) : urls_(std::move(urls)) {}

  const StatusUrls& urls() const { return urls_; }
  StatusPointers For(AuthorityId authority) const;

  // The CRL shard of new certificates; 0 before the first call. A replica that learns of a new
  // shard late puts some more certificates into the one before, which does no harm.
  void SetNewestShard(AuthorityId authority, CrlShard shard);

 private:
  const StatusUrls urls_;
  mutable std::mutex mutex_;
  std::map<AuthorityId, CrlShard> newest_;
};

}  // namespace ca
