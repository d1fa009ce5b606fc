#pragma once

#include <memory>
#include <string>

#include "ca/access/call.h"
#include "ca/catalog/live_catalog.h"
#include "ca/model/quotas.h"
#include "ca/ports/registry.h"

namespace ca {

// The fields of a new agent, as an operator gives them.
struct AgentRegistration {
  SpiffeId id;
  std::string owner;
  std::string role;
  std::string version;
  std::string profile;  // "" for the first profile of its hierarchy
  std::vector<std::string> dns_names;
  std::vector<IpAddress> ip_addresses;
};

// The use case of admitting agents: registers them and creates their join tokens. Thread-safe;
// calls block. Each may also fail as Authorization::Require does.
class Registration {
 public:
  // Join tokens carry `address`, which is where agents reach the server. All outlive it.
  Registration(const LiveCatalog& catalogs, const Authorization& authorization, Registry& registry,
               std::string address, const Quotas& quotas = Quotas::None())
      : catalogs_(catalogs),
        authorization_(authorization),
        registry_(registry),
        address_(std::move(address)),
        quotas_(quotas) {}

  // kInvalidArgument naming the field; kNotFound when no hierarchy has its trust domain;
  // kAlreadyExists; kResourceExhausted, rule quota.agents, when its tenant has reached its quota.
  Result<Recorded<Agent>> RegisterAgent(Call& call, const AgentRegistration& registration) const;

  struct Created {
    JoinToken token;  // shown once
    JoinTokenRecord record;
  };
  // kInvalidArgument when the lifetime is out of JoinTokenRecord's bounds; kNotFound;
  // kPermissionDenied, rule agent.disabled.
  Result<Recorded<Created>> CreateJoinToken(Call& call, const SpiffeId& agent,
                                            std::chrono::seconds lifetime) const;

  // kNotFound; kFailedPrecondition, rule join-token.used.
  Result<Recorded<JoinTokenRecord>> RevokeJoinToken(Call& call, HierarchyId hierarchy,
                                                    const std::string& id) const;

 private:
  Status CheckQuota(const Catalog& catalog, const std::string& tenant) const;

  const LiveCatalog& catalogs_;
  const Authorization& authorization_;
  Registry& registry_;
  const std::string address_;
  const Quotas& quotas_;
};

}  // namespace ca
