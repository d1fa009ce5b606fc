#pragma once

#include <memory>

#include "ca/ports/crl_store.h"

namespace db {

using ca::Result;
using ca::Status;

struct Endpoint;
class Pool;

// CRLs and their shards in PostgreSQL (migrations/0004_revocation.sql). Opening a shard and
// publishing a CRL wake the callers of RevocationStore::AwaitNews().
class PostgresCrlStore final : public ca::CrlStore {
 public:
  // Connects when first used.
  explicit PostgresCrlStore(const Endpoint& endpoint);
  ~PostgresCrlStore() override;

  Result<std::vector<ca::CrlShardRecord>> LoadShards(ca::TimePoint now) override;
  Status OpenShard(ca::AuthorityId authority, ca::CrlShard newest, ca::TimePoint now) override;
  Result<std::int64_t> LastNumber(ca::AuthorityId authority, ca::CrlShard shard) override;
  Status Publish(ca::HierarchyId hierarchy, const ca::PublishedCrl& crl) override;
  Result<std::vector<ca::PublishedCrl>> LoadNewerThan(
      const std::vector<ca::PublishedCrl>& known) override;

 private:
  std::unique_ptr<Pool> pool_;
};

}  // namespace db
