#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ca/catalog/live_catalog.h"
#include "ca/catalog/status_directory.h"
#include "ca/ports/ledger.h"
#include "ca/ports/registry.h"
#include "tests/fakes/event_log.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_acknowledgement_store.h"
#include "tests/fakes/memory_activation_store.h"
#include "tests/fakes/memory_approval_store.h"
#include "tests/fakes/memory_authority_store.h"
#include "tests/fakes/memory_crl_store.h"
#include "tests/fakes/memory_hierarchy_store.h"
#include "tests/fakes/memory_key_store.h"
#include "tests/fakes/memory_ledger.h"
#include "tests/fakes/memory_registry.h"
#include "tests/fakes/memory_revocation_store.h"
#include "tests/fakes/samples.h"

namespace ca::testing {

// The ports of a deployment.
struct Ports {
  Ports(const HierarchyPorts& stores, Registry& of_agents, Ledger& of_issuances, KeyStore& of_keys)
      : hierarchies(stores.hierarchies),
        authorities(stores.authorities),
        activations(stores.activations),
        registry(of_agents),
        ledger(of_issuances),
        keys(of_keys) {}

  HierarchyStore& hierarchies;
  AuthorityStore& authorities;
  ActivationStore& activations;
  Registry& registry;
  Ledger& ledger;
  KeyStore& keys;

  HierarchyPorts stores() const { return {hierarchies, authorities, activations}; }
};

// Certificates of the tests point to http://status.test.
inline const StatusDirectory& Directory() {
  static const StatusDirectory directory(*StatusUrls::At("http://status.test"));
  return directory;
}

// The records of one hierarchy, as the stores have them.
HierarchyRecords RecordsOf(const HierarchyPorts& stores, const Hierarchy& hierarchy);

// The hierarchies of tests/fakes/samples.h with their authorities, as `init` makes them. Aborts if
// that fails.
class Deployment {
 public:
  Deployment(Ports ports, const Clock& clock);

  Hierarchy system;
  Hierarchy acme;
  Hierarchy globex;
  std::unique_ptr<LiveCatalog> catalogs;
  std::shared_ptr<const Catalog> catalog;  // the snapshot of now

  const Hierarchy& HierarchyOf(const Agent& agent) const {
    return catalog->Find(agent.hierarchy)->hierarchy();
  }
  // As `catalogs` has it now, and after a reload.
  HierarchySnapshotPtr Now(const Hierarchy& hierarchy) const;
  HierarchySnapshotPtr Reloaded(const Hierarchy& hierarchy) const;

  // The hierarchy's next issuing authority issues from now on.
  void ActivateSuccessor(const Hierarchy& hierarchy);

  Agent Register(const Agent& agent);
  Agent Register(const Hierarchy& hierarchy, std::string_view path) {
    return Register(AgentOf(hierarchy, path));
  }

  // A join token that is ready.
  JoinToken Invite(const Agent& agent, std::chrono::seconds lifetime = std::chrono::hours(1));

  // The certificate that the hierarchy's issuer would sign for the agent now.
  PreparedCertificate Prepare(const Agent& agent, const PublicKey& key) const;

  // Issues a certificate without a credential, as the server does for itself.
  Certificate Issue(const Agent& agent, const PublicKey& key);
  Certificate Issue(const Agent& agent) { return Issue(agent, PublicHalf(NewSubjectKey())); }

  // By the issuer that the record names.
  Certificate Sign(RecordedIssuance recorded) const;

 private:
  const Ports ports_;
  const Clock& clock_;
};

// The ports of a deployment in memory.
struct MemoryPorts {
  explicit MemoryPorts(const Clock& clock) : ledger(registry, events, clock) {}
  operator Ports() {  // NOLINT(*-explicit-*)
    return {stores(), registry, ledger, keys};
  }
  HierarchyPorts stores() { return {hierarchies, authorities, activations}; }

  EventLog events;
  MemoryHierarchyTables tables;
  MemoryHierarchyStore hierarchies{tables, events};
  MemoryAuthorityStore authorities{tables, events};
  MemoryActivationStore activations{tables, events};
  MemoryRegistry registry{tables, events};
  MemoryLedger ledger;
  MemoryKeyStore keys;
  MemoryRevocationStore revocations{ledger, tables, events};
  MemoryCrlStore crls{ledger, tables};
  MemoryApprovalStore approvals{events};
  MemoryAcknowledgementStore acknowledgements{tables, registry, ledger, events};
};

}  // namespace ca::testing
