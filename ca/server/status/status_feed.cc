#include "ca/server/status/status_feed.h"

#include <spdlog/spdlog.h>

#include "ca/catalog/responders.h"

namespace server {
namespace {

using ca::Status;

constexpr std::chrono::milliseconds kPatience(500);  // a notification that is lost costs so much
constexpr std::chrono::milliseconds kPauseAfterFailure(500);
constexpr std::chrono::seconds kRefreshInterval(5);
constexpr std::chrono::milliseconds kRefreshSoon(250);
constexpr std::chrono::hours kPruneInterval(1);
constexpr std::chrono::seconds kStaleAfter(10);

}  // namespace

Status StatusFeed::Load() {
  TRY(CatchUp());
  TRY(Refresh());
  TRY(sinks_.crl_cache.Refresh(sources_.crls));
  followed_at_ = clock_.Now();
  return ca::Ok();
}

void StatusFeed::Start() {
  thread_ = std::thread([this] { FollowForEver(); });
}

void StatusFeed::Stop() {
  is_stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

Status StatusFeed::CatchUp() {
  const std::lock_guard lock(catching_up_);
  const ca::TimePoint begin = clock_.Now();
  const auto revocations =
      TRY(sources_.revocations.ReadSince(cursor_, begin - ca::RevocationIndex::kKeptAfterExpiry));
  for (const ca::Revocation& revocation : revocations) {
    // A revocation from before this process began says nothing about how fast it became visible.
    if (sinks_.index.Add(revocation) && is_loaded_) observers_.revocation(revocation);
  }
  is_loaded_ = true;
  sinks_.index.SetCompleteUntil(begin);
  return ca::Ok();
}

Status StatusFeed::Refresh() {
  const std::lock_guard lock(refreshing_);
  TRY(catalogs_.Reload());
  const auto catalog = catalogs_.Snapshot();
  const auto responders = ca::RespondersAt(*catalog, sources_.keys, clock_.Now());
  auto answered = std::make_shared<ocsp::AnsweredAuthorities>();
  lacks_responder_ = false;
  for (const ca::HierarchySnapshotPtr& hierarchy : catalog->hierarchies()) {
    // A dedicated token may be unavailable for days.
    const bool is_apart = sources_.keys.IsApart(hierarchy->name() + "/");
    for (const ca::AuthorityView& view : hierarchy->ViewsAt(clock_.Now())) {
      if (!ca::NeedsStatusService(view, clock_.Now())) continue;
      if (!responders.contains(view.record.id) && !is_apart) lacks_responder_ = true;
    }
  }
  for (const ca::HierarchySnapshotPtr& hierarchy : catalog->all_hierarchies()) {
    const auto& authorities = hierarchy->authorities();
    for (const auto& authority : authorities) {
      if (authority->IsExternalRoot()) continue;
      // When its responder is gone, too, the last CRL alone speaks for it.
      if (hierarchy->is_destroyed() && !responders.contains(authority->id())) continue;
      ocsp::AnsweredAuthority entry{.issuer = authority};
      entry.lifetime = hierarchy->hierarchy().status.ocsp_lifetime;
      if (const auto found = responders.find(authority->id()); found != responders.end()) {
        entry.responder = found->second;
        entry.issued_authorities.push_back(*found->second->serial());
      }
      for (const auto& other : authorities) {
        const bool is_of_it = other->issuer() == authority->id() || other == authority;
        if (is_of_it && other->serial()) entry.issued_authorities.push_back(*other->serial());
      }
      for (const ca::CrossCertificate& cross : hierarchy->cross_certificates()) {
        if (cross.issuer == authority->id()) entry.issued_authorities.push_back(cross.serial);
      }
      answered->emplace(authority->id(), std::move(entry));
    }
  }
  sinks_.responder.SetAuthorities(std::move(answered));

  const auto shards = TRY(sources_.crls.LoadShards(clock_.Now()));
  std::map<ca::AuthorityId, ca::CrlShard> newest;
  for (const ca::CrlShardRecord& shard : shards) {
    newest[shard.authority] = std::max(newest[shard.authority], shard.shard);
  }
  for (const auto& [authority, shard] : newest) sinks_.directory.SetNewestShard(authority, shard);
  return ca::Ok();
}

Status StatusFeed::CheckHealth() const {
  const auto behind = clock_.Now() - followed_at_.load();
  if (behind < kStaleAfter) return ca::Ok();
  return ca::Error(ca::StatusCode::kUnavailable,
                   "revocations have not been read for {}: is the database there?",
                   ca::HumanDuration(behind));
}

void StatusFeed::FollowForEver() {
  bool was_well = true;
  while (!is_stopping_) {
    const Status status = Follow();
    if (status.ok() != was_well) {
      was_well = status.ok();
      if (was_well) {
        spdlog::info("revocations are read again");
      } else {
        spdlog::error("revocations cannot be read: {}", status.ToString());
      }
    }
    if (!was_well) std::this_thread::sleep_for(kPauseAfterFailure);
  }
}

Status StatusFeed::Follow() {
  TRY(sources_.revocations.AwaitNews(kPatience));
  TRY(CatchUp());
  TRY(sinks_.crl_cache.Refresh(sources_.crls));
  const ca::TimePoint now = clock_.Now();
  if (now >= refresh_due_) {
    TRY(Refresh());
    // The conductor is making a responder, as at the very first start.
    refresh_due_ = now + (lacks_responder_ ? kRefreshSoon : kRefreshInterval);
  }
  if (now >= prune_due_) {
    sinks_.index.Prune(now);
    prune_due_ = now + kPruneInterval;
  }
  followed_at_ = now;
  return ca::Ok();
}

}  // namespace server
