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
  std::int64_t shard_size = 1'000'000;  // certificates in a shard, after which the next is opened
  bool deltas = false;

  friend bool operator==(const PublisherOptions&, const PublisherOptions&) = default;
};

// The story of a CRL: what is due, its number, its entries, its signature, its publication. Run by
// the conductor, one thread; two that run it at once by accident publish nothing wrong: of two CRLs
// with one number one is dropped, and a higher number never lists less.
//
// Without deltas, a revocation makes a new complete CRL in the next round. With deltas it makes a
// delta CRL (RFC 5280 section 5.2.4), which is to the newest complete CRL and lists everything
// since that one; the complete CRL is made anew at half its life, and instead of a delta that would
// list more than a quarter of it. Who relies on complete CRLs alone then waits so long: RFC 5280
// section 5.2.4 leaves it to the reader whether it takes deltas, and so deltas are off unless asked
// for.
class Publisher {
 public:
  // A CRL is made anew when so much of its life, or half of it, has passed: within
  // RevocationIndex::kKeptAfterExpiry of its end a certificate is on a regularly scheduled CRL.
  static constexpr std::chrono::hours kRefreshMax{12};

  // `catch_up` brings `index` up to what is committed when it is called. `options_of` says how a
  // hierarchy's CRLs are to be now: when that changes, the next one comes at once.
  using OptionsOf = std::function<PublisherOptions(ca::HierarchyId)>;
  Publisher(ca::CrlStore& store, const ca::RevocationIndex& index,
            std::function<ca::Status()> catch_up, const ca::StatusUrls& urls,
            const ca::Clock& clock, OptionsOf options_of);

  // One round over those of `authorities` (roots and issuing ones) that have their key: opens the
  // shards that are due, publishes a CRL for each shard that lists something new, that has passed
  // half its life, whose options are others by now, or that this publisher has not yet published;
  // and with deltas, a delta CRL between two complete ones. Returns the new CRLs. What fails for
  // one authority does not keep the others waiting: the first error is returned after all were
  // tried, in `error`; what failed is due again in the next round.
  //   kUnavailable         the database or the token is away
  //   kAborted             others published again and again meanwhile
  //   kFailedPrecondition  an authority has several shards, and there is no URL to tell them apart
  //   kInternal            the token signed something else
  struct Round {
    std::vector<ca::PublishedCrl> published;
    // As they stand. Every one of them needs CRLs: CrlStore leaves out those whose certificates
    // ended long ago.
    std::vector<ca::CrlShardRecord> shards;
    ca::Status error;
  };
  using Authorities = std::vector<std::shared_ptr<const ca::Authority>>;
  Round PublishDue(const Authorities& authorities);

  // Likewise the last CRL of each shard of those which are never to sign again: complete, and
  // standing until the authority itself ends, because nothing follows it.
  Round PublishLast(const Authorities& authorities);

 private:
  struct Key {
    ca::AuthorityId authority;
    ca::CrlShard shard;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  // What one CRL speaks of.
  struct Scope {
    const ca::Authority& authority;
    ca::CrlShard shard = 0;
    bool is_partition = false;  // of several shards: it says which
    PublisherOptions options;
    Key key() const { return {authority.id(), shard}; }
  };
  enum class Due { kNothing, kDelta, kComplete, kLast };

  // By this publisher.
  struct LastPublished {
    std::uint64_t generation = 0;  // that it lists, of the index
    std::int64_t number = 0;       // complete or delta
    ca::TimePoint this_update;
    bool is_partition = false;
    PublisherOptions options;
    bool is_last = false;
    std::int64_t complete_number = 0;
    ca::TimePoint complete_this_update;
    std::vector<ca::SerialNumber> base;  // that the complete one lists, by serial; with deltas
  };

  // A CRL before it is signed, and what of the index is in it.
  struct Draft {
    CertList list;
    std::uint64_t generation = 0;
    std::vector<ca::SerialNumber> listed;  // of a complete one, with deltas
  };

  ca::Result<std::vector<ca::CrlShardRecord>> LoadShards(const Authorities& authorities,
                                                         ca::Status& error);
  ca::Status OpenShardIfDue(const ca::Authority& authority,
                            const std::vector<ca::CrlShardRecord>& shards, bool& opened);
  enum class Mode { kOngoing, kLast };
  Round Publish(const Authorities& authorities, Mode mode);
  void PublishDueOf(const ca::Authority& authority, Mode mode, Round& round);
  Due WhatIsDue(const Scope& scope, Mode mode) const;
  ca::Result<ca::PublishedCrl> PublishOne(const Scope& scope, Due due);
  ca::Result<Draft> DraftNext(const Scope& scope, Due due);
  void MakeDelta(Draft& draft, const LastPublished& last) const;
  ca::Result<ca::PublishedCrl> Sign(const Scope& scope, const CertList& list) const;
  void Remember(const Scope& scope, Due due, Draft draft);

  ca::CrlStore& store_;
  const ca::RevocationIndex& index_;
  const std::function<ca::Status()> catch_up_;
  const ca::StatusUrls urls_;
  const ca::Clock& clock_;
  const OptionsOf options_of_;
  std::map<Key, LastPublished> last_;
};

}  // namespace crl
