#pragma once

#include <vector>

#include "ca/ports/revocation.h"

namespace ca {

// One signed CRL.
struct PublishedCrl {
  AuthorityId authority{};
  CrlShard shard = 0;
  std::int64_t number = 0;       // CRLNumber (RFC 5280 section 5.2.3), from 1 on
  std::int64_t base_number = 0;  // of a delta CRL, the number of the CRL it is a delta to; or 0
  TimePoint this_update;
  TimePoint next_update;
  Bytes der;
};

// A range of an authority's certificates that have one CRL together: those that were issued while
// it was the newest.
struct CrlShardRecord {
  // A shard whose certificates have all ended needs a CRL for so long, as
  // RevocationIndex::kKeptAfterExpiry says.
  static constexpr std::chrono::hours kKeptAfterExpiry{25};

  AuthorityId authority{};
  CrlShard shard = 0;   // from 0 on
  TimePoint opened_at;  // of shard 0, which is open from the beginning, 1970
  // When the last of its certificates ends, or up to a day later; 1970 for none.
  TimePoint last_not_after;
  // About, of those that have not ended: what its CRL would list if all of them were revoked.
  std::int64_t certificate_count = 0;
};

// CRLs and their shards in the ledger. Thread-safe, blocking. Errors: kUnavailable while the
// database is away.
class CrlStore {
 public:
  virtual ~CrlStore() = default;

  // The newest shard of each root and issuing authority, and every one before it whose certificates
  // have not all ended more than CrlShardRecord::kKeptAfterExpiry ago; by authority and shard. An
  // authority that has none yet has shard 0. The certificates of OCSP responders, which point to no
  // CRL, do not count.
  virtual Result<std::vector<CrlShardRecord>> LoadShards(TimePoint now) = 0;
  // Opens the shard after `newest`. kAborted when somebody else did.
  virtual Status OpenShard(AuthorityId authority, CrlShard newest, TimePoint now) = 0;

  // The numbers of an authority's shard so far: the last that was published, 0 for none.
  virtual Result<std::int64_t> LastNumber(AuthorityId authority, CrlShard shard) = 0;
  // Numbers strictly increase: kAlreadyExists when somebody else has published this number or a
  // higher one; then begin again with reading LastNumber(). Complete and delta CRLs of a shard
  // share the numbers. What was superseded some minutes ago is not kept.
  virtual Status Publish(HierarchyId hierarchy, const PublishedCrl& crl) = 0;
  // The newest complete and the newest delta CRL of each shard, if its number is higher than in
  // `known`; to be asked again and again with what it gave before, of which only the latest counts.
  virtual Result<std::vector<PublishedCrl>> LoadNewerThan(
      const std::vector<PublishedCrl>& known) = 0;
};

}  // namespace ca
