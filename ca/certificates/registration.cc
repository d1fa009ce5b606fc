#include "ca/certificates/registration.h"

#include "ca/base/rules.h"

namespace ca {

Result<Recorded<Agent>> Registration::RegisterAgent(Call& call,
                                                    const AgentRegistration& registration) const {
  call.event().subject = registration.id.ToString();
  const auto catalog = catalogs_.Snapshot();
  const auto snapshot = TRY(catalog->FindByTrustDomain(registration.id.trust_domain()));
  const Hierarchy& hierarchy = snapshot->hierarchy();
  call.event().hierarchy = hierarchy.id;
  TRY(authorization_.Require(call.caller(), Action::kRegisterAgent, hierarchy.id));

  const Agent agent{
      .hierarchy = hierarchy.id,
      .id = registration.id,
      .owner = registration.owner,
      .role = registration.role,
      .version = registration.version,
      .profile =
          registration.profile.empty() ? hierarchy.profiles.front().name : registration.profile,
      .dns_names = registration.dns_names,
      .ip_addresses = registration.ip_addresses,
      .registered_at = call.now(),
  };
  TRY(agent.Validate(hierarchy));
  TRY(CheckQuota(*catalog, hierarchy.tenant));
  return registry_.RegisterAgent(agent, call.event());
}

// Concurrent registrations may exceed the quota, each by one.
Status Registration::CheckQuota(const Catalog& catalog, const std::string& tenant) const {
  const std::int64_t quota = quotas_.AgentsOf(tenant);
  if (quota == 0) return Ok();
  std::int64_t count = 0;
  for (const HierarchySnapshotPtr& hierarchy : catalog.hierarchies()) {
    if (hierarchy->hierarchy().tenant != tenant) continue;
    count += TRY(registry_.CountAgents(hierarchy->id()));
  }
  if (count < quota) return Ok();
  return Refusal<kQuotaAgents>(tenant, count, quota);
}

Result<Recorded<Registration::Created>> Registration::CreateJoinToken(
    Call& call, const SpiffeId& id, std::chrono::seconds lifetime) const {
  call.event().subject = id.ToString();
  const auto catalog = catalogs_.Snapshot();
  const auto hierarchy = TRY(catalog->FindByTrustDomain(id.trust_domain()));
  call.event().hierarchy = hierarchy->id();
  TRY(authorization_.Require(call.caller(), Action::kCreateJoinToken, hierarchy->id()));

  if (lifetime < JoinTokenRecord::kLifetimeMin || lifetime > JoinTokenRecord::kLifetimeMax) {
    return Error(StatusCode::kInvalidArgument, "lifetime: {} is out of bounds; write {} to {}",
                 HumanDuration(lifetime), HumanDuration(JoinTokenRecord::kLifetimeMin),
                 HumanDuration(JoinTokenRecord::kLifetimeMax));
  }
  const Agent agent = TRY(registry_.FindAgent(hierarchy->id(), id));
  if (agent.disabled) {
    return Refusal<kAgentDisabled>(id.ToString());
  }
  const auto system = TRY(catalog->System());
  // The token names the oldest trusted root: each server presents a chain to it, whichever root its
  // own certificate is under.
  JoinToken token = JoinToken::New(address_, Sha256(system->Roots().front()));
  JoinTokenRecord record =
      JoinTokenRecord::Of(token, id, call.caller().Name(), call.now(), lifetime);
  auto recorded = TRY(registry_.CreateJoinToken(hierarchy->id(), record, call.event()));
  return Recorded(std::move(recorded), Created{std::move(token), std::move(record)});
}

Result<Recorded<JoinTokenRecord>> Registration::RevokeJoinToken(Call& call, HierarchyId hierarchy,
                                                                const std::string& id) const {
  call.event().subject = "join-token:" + id;
  call.event().hierarchy = hierarchy;
  TRY(authorization_.Require(call.caller(), Action::kRevokeJoinToken, hierarchy));
  return registry_.RevokeJoinToken(hierarchy, id, call.now(), call.event());
}

}  // namespace ca
