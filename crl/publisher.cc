#include "crl/publisher.h"

#include <algorithm>

namespace crl {
namespace {

using ca::Result;
using ca::Status;
using ca::StatusCode;

constexpr int kAttemptsMax = 5;
constexpr size_t kDeltaShareMax = 4;  // a delta lists at most 1/4 of the complete CRL's entries

ca::TimePoint WholeSeconds(ca::TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

void KeepFirst(Status& error, Status status) {
  if (error.ok()) error = std::move(status);
}

// The shards of one authority, of all that CrlStore::LoadShards() lists in this order.
auto ShardsOf(ca::AuthorityId authority, const std::vector<ca::CrlShardRecord>& shards) {
  return std::ranges::equal_range(shards, authority, {}, &ca::CrlShardRecord::authority);
}

std::vector<ca::SerialNumber> SerialsOf(const std::vector<ca::Revocation>& revoked) {
  std::vector<ca::SerialNumber> serials;
  serials.reserve(revoked.size());
  for (const ca::Revocation& revocation : revoked) serials.push_back(revocation.serial);
  return serials;
}

}  // namespace

Publisher::Publisher(ca::CrlStore& store, const ca::RevocationIndex& index,
                     std::function<Status()> catch_up, const ca::StatusUrls& urls,
                     const ca::Clock& clock, OptionsOf options_of)
    : store_(store),
      index_(index),
      catch_up_(std::move(catch_up)),
      urls_(urls),
      clock_(clock),
      options_of_(std::move(options_of)) {}

Publisher::Round Publisher::PublishDue(const Authorities& authorities) {
  return Publish(authorities, Mode::kOngoing);
}

Publisher::Round Publisher::PublishLast(const Authorities& authorities) {
  return Publish(authorities, Mode::kLast);
}

Publisher::Round Publisher::Publish(const Authorities& authorities, Mode mode) {
  Round round;
  auto shards = LoadShards(authorities, round.error);
  if (!shards.ok()) {
    round.error = std::move(shards).status();
    return round;
  }
  round.shards = *std::move(shards);
  // The index must have all that is committed before it can say which CRLs are due.
  if (Status status = catch_up_(); !status.ok()) {
    KeepFirst(round.error, std::move(status));
    return round;
  }
  for (const auto& authority : authorities) PublishDueOf(*authority, mode, round);
  return round;
}

// ---- shards -------------------------------------------------------------------------------------

Result<std::vector<ca::CrlShardRecord>> Publisher::LoadShards(const Authorities& authorities,
                                                              Status& error) {
  std::vector<ca::CrlShardRecord> shards = TRY(store_.LoadShards(clock_.Now()));
  bool opened = false;
  for (const auto& authority : authorities) {
    Status status = OpenShardIfDue(*authority, shards, opened);
    if (!status.ok()) KeepFirst(error, std::move(status));
  }
  if (!opened) return shards;
  return store_.LoadShards(clock_.Now());
}

// Only for issuing authorities: a root issues few certificates.
Status Publisher::OpenShardIfDue(const ca::Authority& authority,
                                 const std::vector<ca::CrlShardRecord>& shards, bool& opened) {
  if (authority.kind() != ca::AuthorityKind::kIssuing || urls_.empty()) return ca::Ok();
  const auto of = ShardsOf(authority.id(), shards);
  if (of.empty()) return ca::Ok();
  const ca::CrlShardRecord& newest = of.back();
  const std::int64_t size_max = options_of_(authority.hierarchy()).shard_size;
  if (newest.certificate_count < size_max) return ca::Ok();
  const Status status = store_.OpenShard(authority.id(), newest.shard, clock_.Now());
  // kAborted: another replica has opened it.
  if (!status.ok() && status.code() != StatusCode::kAborted) return status;
  opened = true;
  return ca::Ok();
}

// ---- due CRLs --------------------------------------------------------------------------------

void Publisher::PublishDueOf(const ca::Authority& authority, Mode mode, Round& round) {
  const ca::TimePoint now = clock_.Now();
  const bool has_ended =
      authority.validity().not_after < now - ca::RevocationIndex::kKeptAfterExpiry;
  // An authority without its key signs no more: its certificates have all expired.
  if (authority.kind() == ca::AuthorityKind::kResponder || has_ended || !authority.has_key())
    return;
  const auto shards = ShardsOf(authority.id(), round.shards);
  if (shards.empty()) return;
  const ca::CrlShard newest = shards.back().shard;
  const PublisherOptions options = options_of_(authority.hierarchy());
  for (const ca::CrlShardRecord& shard : shards) {
    // A partition also if only the newest shard is left: certificates of earlier shards may be in
    // use.
    const Scope scope{authority, shard.shard, newest > 0, options};
    const Due due = DueOf(scope, mode);
    if (due == Due::kNothing) continue;
    auto published = PublishOne(scope, due);
    if (published.ok()) {
      round.published.push_back(*std::move(published));
    } else {
      KeepFirst(round.error,
                ca::Annotate(std::move(published).status(),
                             fmt::format("CRL {} of '{}': ", shard.shard, authority.key_label())));
    }
  }
}

Publisher::Due Publisher::DueOf(const Scope& scope, Mode mode) const {
  const auto found = last_.find(scope.key());
  if (mode == Mode::kLast) {
    return found != last_.end() && found->second.is_last ? Due::kNothing : Due::kLast;
  }
  if (found == last_.end()) return Due::kComplete;
  const LastPublished& last = found->second;
  // A second shard was opened, so the first shard's CRL becomes a partition.
  if (last.is_partition != scope.is_partition) return Due::kComplete;
  if (last.options != scope.options) return Due::kComplete;
  // A negative age: the clock was wrong, and relying parties reject a CRL from the future.
  const auto age = clock_.Now() - last.complete_this_update;
  const auto refresh_after =
      std::min<std::chrono::microseconds>(scope.options.lifetime / 2, kRefreshMax);
  if (age >= refresh_after || age < age.zero()) return Due::kComplete;

  const bool has_grown = index_.Generation(scope.authority.id(), scope.shard) != last.generation;
  if (!scope.options.deltas) return has_grown ? Due::kComplete : Due::kNothing;
  // Each complete CRL points to its delta, so one is due at once, which lists nothing at first. Not
  // in the same second, though: RFC 5280 section 5.2.3, "If a delta CRL and a complete CRL that
  // cover the same scope are issued at the same time, they MUST have the same CRL number".
  const bool is_alone = last.number == last.complete_number;
  if (!has_grown && !is_alone) return Due::kNothing;
  return WholeSeconds(clock_.Now()) > last.this_update ? Due::kDelta : Due::kNothing;
}

// ---- one CRL ------------------------------------------------------------------------------------

Result<ca::PublishedCrl> Publisher::PublishOne(const Scope& scope, Due due) {
  if (scope.is_partition && urls_.empty()) {
    return ca::Error(
        StatusCode::kFailedPrecondition,
        "it is one of several CRLs of its authority, which only their URLs distinguish; "
        "configure the base URL of the status service");
  }
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Draft draft = TRY(DraftNext(scope, due));
    ca::PublishedCrl crl = TRY(Sign(scope, draft.list));
    const Status status = store_.Publish(scope.authority.hierarchy(), crl);
    if (status.ok()) {
      RecordPublished(scope, due, std::move(draft));
      return crl;
    }
    if (status.code() != StatusCode::kAlreadyExists) return status;
  }
  return ca::Error(StatusCode::kAborted, "other replicas published {} times meanwhile",
                   kAttemptsMax);
}

// The order of the steps ensures that a CRL with a higher number never lists less. The number is
// higher than that of every published CRL; their entries were committed before they were published;
// and the index catches up after the number is read. The time is read first, so that the CRL lists
// every certificate that was revoked before thisUpdate.
Result<Publisher::Draft> Publisher::DraftNext(const Scope& scope, Due due) {
  const ca::AuthorityId authority = scope.authority.id();
  const ca::TimePoint now = WholeSeconds(clock_.Now());
  const std::int64_t last_number = TRY(store_.LastNumber(authority, scope.shard));
  TRY(catch_up_());
  Draft draft;
  // Read before the entries: an entry that is added in between makes another CRL due, which is
  // safe.
  draft.generation = index_.Generation(authority, scope.shard);
  draft.list.issuer = scope.authority.name();
  draft.list.authority_key_identifier = scope.authority.key_identifier();
  draft.list.number = last_number + 1;
  draft.list.this_update = now;
  draft.list.next_update =
      due == Due::kLast ? scope.authority.validity().not_after : now + scope.options.lifetime;
  if (scope.is_partition) draft.list.distribution_point = urls_.Crl(authority, scope.shard);
  draft.list.revoked = index_.Listed(authority, scope.shard);
  if (!scope.options.deltas || due == Due::kLast) return draft;

  if (!urls_.empty()) draft.list.freshest_crl = urls_.DeltaCrl(authority, scope.shard);
  // The base of a delta is this publisher's complete CRL. If another replica has published since,
  // that is not the newest.
  const auto last = last_.find(scope.key());
  if (due == Due::kDelta && last->second.number == last_number) MakeDelta(draft, last->second);
  if (draft.list.base_number == 0) draft.listed = SerialsOf(draft.list.revoked);
  return draft;
}

// Leaves the draft complete if the delta would list too much. A delta need not name the entries of
// the base that are gone, because their certificates have expired (RFC 5280 section 5.2.4).
void Publisher::MakeDelta(Draft& draft, const LastPublished& last) const {
  std::vector<ca::Revocation> added;
  for (const ca::Revocation& revocation : draft.list.revoked) {
    if (!std::binary_search(last.base.begin(), last.base.end(), revocation.serial)) {
      added.push_back(revocation);
    }
  }
  if (added.size() * kDeltaShareMax > draft.list.revoked.size()) return;
  draft.list.base_number = last.complete_number;
  draft.list.revoked = std::move(added);
}

Result<ca::PublishedCrl> Publisher::Sign(const Scope& scope, const CertList& list) const {
  const auto tbs = TRY(ca::TbsCertList::Parse(list.EncodeTbs()));
  const ca::Bytes signature = TRY(scope.authority.Sign(tbs));
  // A wrong CRL would be served for half its lifetime, so its signature is verified here. An OCSP
  // response is not.
  if (!IsSignedBy(scope.authority, tbs.der(), signature)) {
    return ca::Error(StatusCode::kInternal, "the token's signature does not verify");
  }
  return ca::PublishedCrl{
      .authority = scope.authority.id(),
      .shard = scope.shard,
      .number = list.number,
      .base_number = list.base_number,
      .this_update = list.this_update,
      .next_update = list.next_update,
      .der = EncodeCrl(tbs.der(), signature),
  };
}

void Publisher::RecordPublished(const Scope& scope, Due due, Draft draft) {
  LastPublished& last = last_[scope.key()];
  last.generation = draft.generation;
  last.number = draft.list.number;
  last.this_update = draft.list.this_update;
  last.is_partition = scope.is_partition;
  last.options = scope.options;
  last.is_last = due == Due::kLast;
  if (draft.list.base_number != 0) return;
  last.complete_number = draft.list.number;
  last.complete_this_update = draft.list.this_update;
  last.base = std::move(draft.listed);
}

}  // namespace crl
