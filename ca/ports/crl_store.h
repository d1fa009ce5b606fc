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

// A shard is a range of an authority's certificates that share one CRL: those that were issued
// while it was the newest shard.
struct CrlShardRecord {
  // A shard still needs a CRL for this long after its last certificate has ended; see
  // RevocationIndex::kKeptAfterExpiry.
  static constexpr std::chrono::hours kKeptAfterExpiry{25};

  AuthorityId authority{};
  CrlShard shard = 0;   // from 0 on
  TimePoint opened_at;  // 1970 for shard 0, which is open from the beginning
  // When the last of its certificates ends, or up to a day later; 1970 if it has none.
  TimePoint last_not_after;
  // About how many of its certificates have not ended: the length of its CRL if all were revoked.
  std::int64_t certificate_count = 0;
};

// CRLs and their shards in the ledger. Thread-safe, blocking. Errors: kUnavailable while the
// database is unavailable.
class CrlStore {
 public:
  virtual ~CrlStore() = default;

  // Returns the newest shard of each root and issuing authority, and each earlier shard that still
  // needs a CRL (CrlShardRecord::kKeptAfterExpiry); by authority and shard. An authority without
  // shards is listed with shard 0. Certificates of OCSP responders point to no CRL and do not
  // count.
  virtual Result<std::vector<CrlShardRecord>> LoadShards(TimePoint now) = 0;
  // Opens the shard after `newest`. kAborted when another call opened it.
  virtual Status OpenShard(AuthorityId authority, CrlShard newest, TimePoint now) = 0;

  // The last CRL number that was published for the shard; 0 if none was.
  virtual Result<std::int64_t> LastNumber(AuthorityId authority, CrlShard shard) = 0;
  // Numbers strictly increase; complete and delta CRLs of a shard share them. kAlreadyExists when
  // this number or a higher one is published: begin again with LastNumber(). A CRL is dropped some
  // minutes after it was superseded.
  virtual Status Publish(HierarchyId hierarchy, const PublishedCrl& crl) = 0;
  // Returns the newest complete and the newest delta CRL of each shard, if its number is higher
  // than in `known`. Callers poll it, and pass the newest CRLs that they have.
  virtual Result<std::vector<PublishedCrl>> LoadNewerThan(
      const std::vector<PublishedCrl>& known) = 0;
};

}  // namespace ca
