#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "ca/base/clock.h"
#include "ca/catalog/revocation_index.h"
#include "ca/catalog/status_directory.h"
#include "ca/issuance/authority.h"
#include "ca/ports/crl_store.h"
#include "crl/cert_list.h"

namespace crl {

struct PublisherOptions {
  std::chrono::seconds lifetime = std::chrono::hours(1);  // nextUpdate - thisUpdate
  std::int64_t shard_size = 1'000'000;  // certificates in a shard before the next one is opened
  bool deltas = false;

  friend bool operator==(const PublisherOptions&, const PublisherOptions&) = default;
};

// Publishes CRLs: decides which are due, numbers, fills, signs and stores them. The conductor runs
// it in one thread. If two replicas run it at once by accident, nothing wrong is published: the
// store refuses the second CRL with one number, and a CRL with a higher number never lists less.
//
// Without deltas, a revocation causes a new complete CRL in the next round. With deltas, it causes
// a delta CRL (RFC 5280 section 5.2.4), whose base is the newest complete CRL and which lists all
// revocations since then. A new complete CRL is then due at half the lifetime, or instead of a
// delta that would list more than a quarter of it. A relying party that reads only complete CRLs
// learns of a revocation that much later, and RFC 5280 section 5.2.4 lets relying parties ignore
// deltas. So deltas are off by default.
class Publisher {
 public:
  // A new CRL is due after this time, or after half the lifetime if that is shorter. So a revoked
  // certificate is on a regularly scheduled CRL within RevocationIndex::kKeptAfterExpiry of its
  // expiry.
  static constexpr std::chrono::hours kRefreshMax{12};

  // `catch_up` reads into `index` all revocations that were committed before the call. `options_of`
  // returns the present options of a hierarchy; after a change its next CRLs are due at once.
  using OptionsOf = std::function<PublisherOptions(ca::HierarchyId)>;
  Publisher(ca::CrlStore& store, const ca::RevocationIndex& index,
            std::function<ca::Status()> catch_up, const ca::StatusUrls& urls,
            const ca::Clock& clock, OptionsOf options_of);

  // One round over the authorities (roots and issuing authorities) that have their key. Opens the
  // shards that are due. Publishes a complete CRL for each shard that has new entries, whose CRL
  // has passed half its lifetime, whose options changed, or that this publisher has not yet
  // published; with deltas, a delta CRL between two complete ones. An authority that fails does not
  // stop the round: the first error is in `error`, and the CRL is due again in the next round.
  //   kUnavailable         the database or the token is unavailable
  //   kAborted             other replicas published again and again meanwhile
  //   kFailedPrecondition  an authority has several shards, and no URL distinguishes their CRLs
  //   kInternal            the token's signature does not verify
  struct Round {
    std::vector<ca::PublishedCrl> published;
    // All shards that need CRLs. CrlStore leaves out a shard whose certificates expired long ago.
    std::vector<ca::CrlShardRecord> shards;
    ca::Status error;
  };
  using Authorities = std::vector<std::shared_ptr<const ca::Authority>>;
  Round PublishDue(const Authorities& authorities);

  // Like PublishDue, for authorities that will never sign again: publishes the last CRL of each
  // shard. It is complete, and valid until the authority itself expires, because no CRL follows it.
  Round PublishLast(const Authorities& authorities);

 private:
  struct Key {
    ca::AuthorityId authority;
    ca::CrlShard shard;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  // The certificates that one CRL covers.
  struct Scope {
    const ca::Authority& authority;
    ca::CrlShard shard = 0;
    bool is_partition = false;  // one of several shards, so it needs a distribution point
    PublisherOptions options;
    Key key() const { return {authority.id(), shard}; }
  };
  enum class Due { kNothing, kDelta, kComplete, kLast };

  // The last CRLs of a shard that this publisher has published.
  struct LastPublished {
    std::uint64_t generation = 0;  // the index's, that the newest CRL lists
    std::int64_t number = 0;       // of the newest CRL, complete or delta
    ca::TimePoint this_update;
    bool is_partition = false;
    PublisherOptions options;
    bool is_last = false;
    std::int64_t complete_number = 0;
    ca::TimePoint complete_this_update;
    std::vector<ca::SerialNumber> base;  // with deltas: the complete CRL's serials, sorted
  };

  // A CRL before it is signed, with the generation of the index that it lists.
  struct Draft {
    CertList list;
    std::uint64_t generation = 0;
    std::vector<ca::SerialNumber> listed;  // with deltas: the serials of a complete CRL
  };

  ca::Result<std::vector<ca::CrlShardRecord>> LoadShards(const Authorities& authorities,
                                                         ca::Status& error);
  ca::Status OpenShardIfDue(const ca::Authority& authority,
                            const std::vector<ca::CrlShardRecord>& shards, bool& opened);
  enum class Mode { kOngoing, kLast };
  Round Publish(const Authorities& authorities, Mode mode);
  void PublishDueOf(const ca::Authority& authority, Mode mode, Round& round);
  Due DueOf(const Scope& scope, Mode mode) const;
  ca::Result<ca::PublishedCrl> PublishOne(const Scope& scope, Due due);
  ca::Result<Draft> DraftNext(const Scope& scope, Due due);
  void MakeDelta(Draft& draft, const LastPublished& last) const;
  ca::Result<ca::PublishedCrl> Sign(const Scope& scope, const CertList& list) const;
  void RecordPublished(const Scope& scope, Due due, Draft draft);

  ca::CrlStore& store_;
  const ca::RevocationIndex& index_;
  const std::function<ca::Status()> catch_up_;
  const ca::StatusUrls urls_;
  const ca::Clock& clock_;
  const OptionsOf options_of_;
  std::map<Key, LastPublished> last_;
};

}  // namespace crl
