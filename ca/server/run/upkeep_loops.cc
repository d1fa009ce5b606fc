#include "ca/server/run/upkeep_loops.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "ca/base/rules.h"
#include "ca/issuance/lint.h"

namespace server {
namespace {

using ca::Status;

// A hierarchy's file overrides the configuration, field by field.
crl::PublisherOptions CrlOptionsOf(const ca::HierarchySnapshotPtr& hierarchy,
                                   const ca::StatusSettings& configured) {
  const auto settings = hierarchy ? hierarchy->hierarchy().status.Over(configured) : configured;
  return {.lifetime = settings.crl_lifetime,
          .shard_size = settings.crl_shard_size,
          .deltas = settings.delta_crls};
}

// A token that is there may lack a key, and the catalog is loaded without that key.
Status CheckTenantToken(const hsm::TenantKeyStore::Token& token, const ca::KeyStore& keys,
                        const ca::LiveCatalog& catalogs) {
  TRY(hsm::TenantKeyStore::CheckHealth(token));
  const auto catalog = catalogs.Snapshot();
  for (const ca::Catalog::MissingKey& key : catalog->missing_keys()) {
    if (keys.TokenOf(key.label) == token.label) return key.why;
  }
  return ca::Ok();
}

std::vector<HealthMonitor::Check> HealthChecks(
    const Backends& backends, PartitionKeeper& partitions, const ca::LiveCatalog& catalogs,
    const StatusPlane& status, const Conductor& conductor, const ServerIdentity& identity) {
  std::vector<HealthMonitor::Check> checks = {
      {"database", [&] { return backends.ledger->CheckHealth(); }},
      {"partitions", [&] { return partitions.Keep(); }},
      {"token", [&] { return backends.keys->common().CheckHealth(); }},
      {"status",
       [&]() -> Status {
         TRY(status.CheckHealth());
         return conductor.CheckHealth();
       }},
      {"certificate", [&] { return identity.CheckHealth(); }},
  };
  for (const hsm::TenantKeyStore::Token& token : backends.keys->dedicated()) {
    checks.push_back({.name = "token " + token.label,
                      .look = [&] { return CheckTenantToken(token, *backends.keys, catalogs); },
                      .tenants = token.tenants});
  }
  return checks;
}

}  // namespace

UpkeepLoops::UpkeepLoops(const Config& config, const Backends& backends,
                         PartitionKeeper& partitions, const ca::LiveCatalog& catalogs,
                         UseCases& use_cases, StatusPlane& status, const ServerIdentity& identity,
                         std::function<void(bool)> tell_health, const ca::Clock& clock)
    : ledger_(*backends.ledger),
      status_(status),
      clock_(clock),
      publisher_(
          *backends.crls, status.index(), [&status] { return status.feed().CatchUp(); },
          config.status.urls, clock,
          [&catalogs, configured = config.status.settings](ca::HierarchyId id) {
            return CrlOptionsOf(catalogs.Snapshot()->Find(id), configured);
          }),
      conductor_({config.database_server},
                 {*backends.keys, use_cases.publication, use_cases.rotation,
                  use_cases.key_retirement, use_cases.decommissioning, use_cases.bundles,
                  publisher_, status.crl_cache(), *backends.crls, status.feed()},
                 catalogs, clock,
                 {[this](const ca::PublishedCrl& crl) { ObserveCrl(crl); },
                  [this](const Status& failed_round) { RecordLintError(failed_round); }}),
      consistency_watch_(
          catalogs,
          [&status](const ca::HierarchySnapshot& hierarchy,
                    const std::function<bool()>& is_given_up) {
            return status.consistency().Check(hierarchy, is_given_up);
          },
          status.metrics(), clock),
      health_(HealthChecks(backends, partitions, catalogs, status, conductor_, identity),
              std::move(tell_health)) {}

UpkeepLoops::~UpkeepLoops() {
  consistency_watch_.Stop();
  conductor_.Stop();
}

void UpkeepLoops::Start() {
  conductor_.Start();
  consistency_watch_.Start();
}

void UpkeepLoops::ObserveCrl(const ca::PublishedCrl& crl) {
  const ca::TimePoint now = clock_.Now();
  ca::TimePoint& until = seen_in_crl_until_[{crl.authority, crl.shard}];
  for (const ca::Revocation& revocation : status_.index().Listed(crl.authority, crl.shard)) {
    if (until != ca::TimePoint{} && revocation.revoked_at > until) {
      status_.metrics().ObserveRevocationVisibleInCrl(std::max(revocation.revoked_at, now) -
                                                      revocation.revoked_at);
    }
  }
  until = crl.this_update;
}

// The linter also refuses certificates of authorities and OCSP responders. Such a refusal is
// recorded as one of an agent's certificate is.
void UpkeepLoops::RecordLintError(const Status& failed_round) {
  const std::string rule = ca::RuleOf(failed_round);
  if (!ca::kLintRules.Has(rule)) return;
  status_.metrics().CountLintError(rule);
  ca::AuditEvent event = ca::LocalEvent("conductor", "PrepareCertificate", clock_.Now());
  event.decision = ca::Decision::kFailed;
  event.rule = rule;
  event.reason = ca::MessageOf(failed_round);
  const Status recorded = ledger_.RecordEvent(event).status();
  if (!recorded.ok()) {
    spdlog::error("the audit event of a lint error was not recorded: {}", recorded.ToString());
  }
}

}  // namespace server
