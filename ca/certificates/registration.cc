#include "ca/certificates/registration.h"

#include "ca/base/rules.h"

namespace ca {

Result<Agent> Registration::RegisterAgent(const Caller& caller,
                                          const AgentRegistration& registration,
                                          AuditEvent& event) const {
  event.subject = registration.id.ToString();
  const auto catalog = catalogs_.Snapshot();
  const Hierarchy* hierarchy = TRY(catalog->FindByTrustDomain(registration.id.trust_domain()));
  event.hierarchy = hierarchy->id;
  TRY(authorization_.Require(caller, Action::kRegisterAgent, hierarchy->id));

  const Agent agent{
      .hierarchy = hierarchy->id,
      .id = registration.id,
      .owner = registration.owner,
      .role = registration.role,
      .version = registration.version,
      .profile =
          registration.profile.empty() ? hierarchy->profiles.front().name : registration.profile,
      .dns_names = registration.dns_names,
      .ip_addresses = registration.ip_addresses,
      .registered_at = clock_.Now(),
  };
  TRY(agent.Validate(*hierarchy));
  TRY(CheckQuota(*catalog, hierarchy->tenant));
  return registry_.RegisterAgent(agent, event);
}

// Those who register at the same instant may go beyond it, by as many as they are.
Status Registration::CheckQuota(const Catalog& catalog, const std::string& tenant) const {
  const std::int64_t quota = quotas_.AgentsOf(tenant);
  if (quota == 0) return Ok();
  std::int64_t count = 0;
  for (const Hierarchy& hierarchy : catalog.hierarchies()) {
    if (hierarchy.tenant == tenant) count += TRY(registry_.CountAgents(hierarchy.id));
  }
  if (count < quota) return Ok();
  return Refusal<kQuotaAgents>(tenant, count, quota);
}

Result<Registration::Created> Registration::CreateJoinToken(const Caller& caller,
                                                            const SpiffeId& id,
                                                            std::chrono::seconds lifetime,
                                                            AuditEvent& event) const {
  event.subject = id.ToString();
  const auto catalog = catalogs_.Snapshot();
  const Hierarchy* hierarchy = TRY(catalog->FindByTrustDomain(id.trust_domain()));
  event.hierarchy = hierarchy->id;
  TRY(authorization_.Require(caller, Action::kCreateJoinToken, hierarchy->id));

  if (lifetime < JoinTokenRecord::kLifetimeMin || lifetime > JoinTokenRecord::kLifetimeMax) {
    return Error(StatusCode::kInvalidArgument, "lifetime: {} is out of bounds; write {} to {}",
                 HumanDuration(lifetime), HumanDuration(JoinTokenRecord::kLifetimeMin),
                 HumanDuration(JoinTokenRecord::kLifetimeMax));
  }
  const Agent agent = TRY(registry_.FindAgent(hierarchy->id, id));
  if (agent.disabled) {
    return Refusal<kAgentDisabled>(id.ToString());
  }
  const Hierarchy* system = TRY(catalog->System());
  // By the oldest root that is trusted: every server has a chain to it, whichever root its own
  // certificate is under.
  JoinToken token = JoinToken::New(address_, Sha256(catalog->Roots(system->id).front()));
  JoinTokenRecord record = JoinTokenRecord::Of(token, id, caller.Name(), clock_.Now(), lifetime);
  TRY(registry_.CreateJoinToken(hierarchy->id, record, event));
  return Created{std::move(token), std::move(record)};
}

Result<JoinTokenRecord> Registration::RevokeJoinToken(const Caller& caller, HierarchyId hierarchy,
                                                      const std::string& id,
                                                      AuditEvent& event) const {
  event.subject = "join-token:" + id;
  event.hierarchy = hierarchy;
  TRY(authorization_.Require(caller, Action::kRevokeJoinToken, hierarchy));
  return registry_.RevokeJoinToken(hierarchy, id, clock_.Now(), event);
}

}  // namespace ca
