#include "ca/server/upkeep/conductor.h"

#include <spdlog/spdlog.h>

namespace server {
namespace {

using ca::Status;

constexpr char kActor[] = "conductor";
constexpr char kLockName[] = "agentpki.conductor";
constexpr std::chrono::seconds kInterval(1);
constexpr std::chrono::minutes kResponderInterval(1);
constexpr std::chrono::seconds kKeyInterval(5);

// Logs a failure once while it has the same message.
void LogNews(const Status& status, Status& last) {
  if (!status.ok() && status.message() != last.message()) {
    spdlog::error("conductor: {}", status.ToString());
  }
  last = status;
}

}  // namespace

Conductor::Conductor(db::Endpoint database, Parts parts, const ca::LiveCatalog& catalogs,
                     const ca::Clock& clock, Observers observers)
    : database_(std::move(database)),
      parts_(parts),
      catalogs_(catalogs),
      clock_(clock),
      observers_(std::move(observers)) {}

Conductor::~Conductor() { Stop(); }

void Conductor::Start() {
  thread_ = std::thread([this] { ConductForEver(); });
}

void Conductor::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Status Conductor::CheckHealth() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

void Conductor::ConductForEver() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    if (Leads()) {
      Round();
    } else {
      common_.last_round = ca::Ok();
      apart_.last_round = ca::Ok();
    }
    lock.lock();
    health_ = common_.last_round;
    changed_.wait_for(lock, kInterval, [&] { return is_stopping_; });
  }
}

bool Conductor::Leads() {
  if (lock_ && lock_->IsHeld()) return true;
  if (std::exchange(lock_, std::nullopt)) spdlog::warn("conductor: no more");
  auto taken = db::AdvisoryLock::TryTake(database_, kLockName);
  if (!taken.ok()) return false;
  lock_ = *std::move(taken);
  common_.responders_due = {};
  apart_.responders_due = {};
  keys_due_ = {};
  spdlog::info("conductor: this process");
  return true;
}

void Conductor::Round() {
  for (Group* const group : {&common_, &apart_}) {
    const Status status = RoundOf(*group);
    if (!status.ok() && status.message() != group->last_round.message()) {
      spdlog::error("conductor: {}", status.ToString());
      observers_.failed(status);
    }
    group->last_round = status;
  }
  Dismantle();
  RetireKeys();
}

// A part that fails must not hold up the others. The first failure is returned.
Status Conductor::RoundOf(Group& group) {
  auto catalog = catalogs_.Snapshot();
  Hierarchies hierarchies = Of(group, *catalog);
  if (hierarchies.empty()) return ca::Ok();
  Status first = Rotate(hierarchies);
  catalog = catalogs_.Snapshot();  // with what that has made
  hierarchies = Of(group, *catalog);
  if (clock_.Now() >= group.responders_due) {
    const Status ensured = EnsureResponders(hierarchies);
    group.responders_due =
        clock_.Now() + (ensured.ok() ? kResponderInterval : group.responder_patience);
    if (first.ok()) first = ensured;
  }
  const Status published = PublishCrls(hierarchies);
  return first.ok() ? published : first;
}

Conductor::Hierarchies Conductor::Of(const Group& group, const ca::Catalog& catalog) const {
  Hierarchies found;
  for (const ca::HierarchySnapshotPtr& hierarchy : catalog.hierarchies()) {
    if (parts_.keys.IsApart(hierarchy->name() + "/") == group.is_apart) found.push_back(hierarchy);
  }
  return found;
}

Status Conductor::Rotate(const Hierarchies& hierarchies) {
  Status first;
  for (const ca::HierarchySnapshotPtr& hierarchy : hierarchies) {
    const Status advanced = parts_.rotation.Advance(*hierarchy);
    if (first.ok()) first = ca::Annotate(advanced, "rotation of " + hierarchy->name() + ": ");
    const Status published = parts_.bundles.Publish(*hierarchy, kActor);
    if (first.ok()) first = ca::Annotate(published, "bundle of " + hierarchy->name() + ": ");
  }
  return first;
}

// A key that cannot be destroyed is no reason to stop serving: it is logged, and `agentpki doctor`
// finds it.
void Conductor::RetireKeys() {
  if (clock_.Now() < keys_due_) return;
  const auto catalog = catalogs_.Snapshot();
  Status first;
  for (const ca::HierarchySnapshotPtr& hierarchy : catalog->hierarchies()) {
    const Status retired = RetireKeysOf(*hierarchy);
    if (first.ok()) first = ca::Annotate(retired, "end of a key of " + hierarchy->name() + ": ");
  }
  LogNews(first, keys_retired_);
  keys_due_ = clock_.Now() + kKeyInterval;
}

// The last CRL of a key is valid as long as its authority: the cross-certificate of the next root
// has its status from the last CRL of the old root.
Status Conductor::RetireKeysOf(const ca::HierarchySnapshot& hierarchy) {
  crl::Publisher::Authorities spent;
  for (const ca::SpentKey& key : ca::SpentKeysAt(hierarchy, clock_.Now())) {
    if (auto authority = hierarchy.FindAuthority(key.record.id)) spent.push_back(authority);
  }
  if (!spent.empty()) TRY(Observe(parts_.publisher.PublishLast(spent)));
  return parts_.key_retirement.Advance(hierarchy);
}

// A failure is logged, as for a key that cannot be destroyed.
void Conductor::Dismantle() {
  const auto catalog = catalogs_.Snapshot();
  Status first;
  for (const ca::HierarchySnapshotPtr& hierarchy : catalog->all_hierarchies()) {
    if (!hierarchy->is_destroyed() || hierarchy->records().destruction->finished_at) continue;
    const Status done = Dismantle(*hierarchy);
    if (first.ok()) first = ca::Annotate(done, "destruction of " + hierarchy->name() + ": ");
  }
  LogNews(first, dismantled_);
}

// Its keys are destroyed after they have signed their last CRLs.
Status Conductor::Dismantle(const ca::HierarchySnapshot& hierarchy) {
  TRY(Observe(parts_.publisher.PublishLast(hierarchy.authorities())));
  return parts_.decommissioning.Advance(hierarchy);
}

Status Conductor::EnsureResponders(const Hierarchies& hierarchies) {
  Status first;
  for (const ca::HierarchySnapshotPtr& hierarchy : hierarchies) {
    const Status ensured =
        parts_.publication
            .EnsureResponders(hierarchy, ca::AuthoritiesToAnswerFor(*hierarchy, clock_.Now()),
                              kActor)
            .status();
    if (first.ok()) first = ensured;
  }
  const Status refreshed = parts_.feed.Refresh();
  return first.ok() ? refreshed : first;
}

Status Conductor::PublishCrls(const Hierarchies& hierarchies) {
  std::vector<std::shared_ptr<const ca::Authority>> authorities;
  for (const ca::HierarchySnapshotPtr& hierarchy : hierarchies) {
    const auto& of = hierarchy->authorities();
    authorities.insert(authorities.end(), of.begin(), of.end());
  }
  return Observe(parts_.publisher.PublishDue(authorities));
}

Status Conductor::Observe(const crl::Publisher::Round& round) {
  for (const ca::PublishedCrl& crl : round.published) observers_.published(crl);
  if (!round.published.empty()) TRY(parts_.crl_cache.Refresh(parts_.crls));
  return round.error;
}

}  // namespace server
