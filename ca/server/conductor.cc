#include "ca/server/conductor.h"

#include <spdlog/spdlog.h>

namespace server {
namespace {

using ca::Status;

constexpr char kActor[] = "conductor";
constexpr char kLockName[] = "agentpki.conductor";
constexpr std::chrono::seconds kInterval(1);
constexpr std::chrono::minutes kResponderInterval(1);
constexpr std::chrono::seconds kKeyInterval(5);

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
  return last_round_;
}

void Conductor::ConductForEver() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    const Status status = Leads() ? Round() : ca::Ok();
    if (!status.ok() && status.message() != last_round_.message()) {
      spdlog::error("conductor: {}", status.ToString());
      observers_.failed(status);
    }
    lock.lock();
    last_round_ = status;
    changed_.wait_for(lock, kInterval, [&] { return is_stopping_; });
  }
}

bool Conductor::Leads() {
  if (lock_ && lock_->IsHeld()) return true;
  if (std::exchange(lock_, std::nullopt)) spdlog::warn("conductor: no more");
  auto taken = db::AdvisoryLock::TryTake(database_, kLockName);
  if (!taken.ok()) return false;
  lock_ = *std::move(taken);
  responders_due_ = {};
  keys_due_ = {};
  spdlog::info("conductor: this process");
  return true;
}

// What one part cannot do must not keep the others from their work; the first failure is told.
Status Conductor::Round() {
  const Status rotated = Rotate();
  if (clock_.Now() >= responders_due_) {
    TRY(EnsureResponders());
    responders_due_ = clock_.Now() + kResponderInterval;
  }
  TRY(PublishCrls());
  Dismantle();
  RetireKeys();
  return rotated;
}

Status Conductor::Rotate() {
  const auto catalog = catalogs_.Snapshot();
  Status first;
  for (const ca::Hierarchy& hierarchy : catalog->hierarchies()) {
    const Status advanced = parts_.rotation.Advance(hierarchy);
    if (first.ok()) first = ca::Annotate(advanced, "rotation of " + hierarchy.Name() + ": ");
    const Status published = parts_.bundles.Publish(hierarchy, kActor);
    if (first.ok()) first = ca::Annotate(published, "bundle of " + hierarchy.Name() + ": ");
  }
  return first;
}

// A key that does not go is no reason to serve nobody: it is logged, and `agentpki doctor` finds
// it.
void Conductor::RetireKeys() {
  if (clock_.Now() < keys_due_) return;
  const auto catalog = catalogs_.Snapshot();
  Status first;
  for (const ca::Hierarchy& hierarchy : catalog->hierarchies()) {
    const Status retired = parts_.key_retirement.Advance(hierarchy);
    if (first.ok()) first = ca::Annotate(retired, "end of a key of " + hierarchy.Name() + ": ");
  }
  if (!first.ok() && first.message() != keys_retired_.message()) {
    spdlog::error("conductor: {}", first.ToString());
  }
  keys_retired_ = first;
  keys_due_ = clock_.Now() + kKeyInterval;
}

// As with a key that does not go.
void Conductor::Dismantle() {
  const auto catalog = catalogs_.Snapshot();
  Status first;
  for (const ca::HierarchyDestruction& destruction : catalog->destructions()) {
    if (destruction.finished_at) continue;
    const Status done = Dismantle(*catalog, destruction);
    if (first.ok()) {
      first = ca::Annotate(done, "destruction of " + destruction.hierarchy.Name() + ": ");
    }
  }
  if (!first.ok() && first.message() != dismantled_.message()) {
    spdlog::error("conductor: {}", first.ToString());
  }
  dismantled_ = first;
}

// Its keys go when they have said the last that they have to say.
Status Conductor::Dismantle(const ca::Catalog& catalog,
                            const ca::HierarchyDestruction& destruction) {
  TRY(Observe(parts_.publisher.PublishLast(catalog.AuthoritiesOf(destruction.hierarchy.id))));
  return parts_.destroying.Advance(destruction);
}

Status Conductor::EnsureResponders() {
  const auto catalog = catalogs_.Snapshot();
  const ca::TimePoint now = clock_.Now();
  for (const ca::Hierarchy& hierarchy : catalog->hierarchies()) {
    for (const ca::AuthorityView& view : ca::AuthoritiesAt(*catalog, hierarchy, now)) {
      // A responder ends with its authority: for one that has ended, each would be followed by the
      // next at once, for ever.
      if (!ca::IsAskedAbout(view, now)) continue;
      const auto authority = TRY(catalog->FindAuthority(view.record.id));
      const auto responder = parts_.provisioning.EnsureResponder(hierarchy, *authority);
      if (!responder.ok()) {
        return ca::Annotate(responder.status(), "OCSP responder of " + view.name + ": ");
      }
    }
  }
  return parts_.feed.Refresh();
}

Status Conductor::PublishCrls() {
  const auto catalog = catalogs_.Snapshot();
  std::vector<std::shared_ptr<const ca::Authority>> authorities;
  for (const ca::Hierarchy& hierarchy : catalog->hierarchies()) {
    for (auto& authority : catalog->AuthoritiesOf(hierarchy.id)) authorities.push_back(authority);
  }
  return Observe(parts_.publisher.PublishDue(authorities));
}

Status Conductor::Observe(const crl::Publisher::Round& round) {
  for (const ca::PublishedCrl& crl : round.published) observers_.published(crl);
  if (!round.published.empty()) TRY(parts_.shelf.Refresh(parts_.crls));
  return round.error;
}

}  // namespace server
