#include "tests/fakes/deployment.h"

#include <algorithm>

#include "ca/authorities/provisioning.h"
#include "tests/fakes/must.h"

namespace ca::testing {

HierarchyRecords RecordsOf(const HierarchyPorts& stores, const Hierarchy& hierarchy) {
  CatalogRecords records = Must(CatalogRecords::Load(stores));
  const auto found =
      std::find_if(records.hierarchies.begin(), records.hierarchies.end(),
                   [&](const HierarchyRecords& of) { return of.hierarchy.id == hierarchy.id; });
  return found == records.hierarchies.end() ? HierarchyRecords{hierarchy, {}, {}, {}, {}}
                                            : std::move(*found);
}

Deployment::Deployment(Ports ports, const Clock& clock)
    : system(SystemHierarchy()),
      acme(AcmeProd()),
      globex(GlobexProd()),
      ports_(ports),
      clock_(clock) {
  Provisioning provisioning(ports.stores(), ports.keys, Directory(), clock);
  for (Hierarchy* hierarchy : {&system, &acme, &globex}) {
    *hierarchy = Must(provisioning.hierarchies.EnsureHierarchy(*hierarchy, "init"));
  }
  catalogs = Must(LiveCatalog::Load(ports.stores(), ports.keys));
  catalog = catalogs->Snapshot();
}

void Deployment::ActivateSuccessor(const Hierarchy& hierarchy) {
  Provisioning provisioning(ports_.stores(), ports_.keys, Directory(), clock_);
  const AuthorityRecord successor =
      Must(provisioning.hierarchies.EnsureSuccessor(RecordsOf(ports_.stores(), hierarchy), "test"));
  const int sequence = static_cast<int>(catalog->Find(hierarchy.id)->activations().size()) + 1;
  Must(ports_.activations.Activate({hierarchy.id, sequence, successor.id, clock_.Now()},
                                   EventAt(clock_.Now(), "ActivateAuthority")));
  Must(catalogs->Reload());
  catalog = catalogs->Snapshot();
}

HierarchySnapshotPtr Deployment::Now(const Hierarchy& hierarchy) const {
  return Must(catalogs->Find(hierarchy.id));
}

HierarchySnapshotPtr Deployment::Reloaded(const Hierarchy& hierarchy) const {
  return Must(catalogs->ReloadHierarchy(hierarchy.id));
}

Agent Deployment::Register(const Agent& wanted) {
  Agent agent = wanted;
  agent.registered_at = clock_.Now();
  AuditEvent event = EventAt(clock_.Now(), "RegisterAgent");
  event.hierarchy = agent.hierarchy;
  return Must(ports_.registry.RegisterAgent(agent, event));
}

JoinToken Deployment::Invite(const Agent& agent, std::chrono::seconds lifetime) {
  JoinToken token = JoinToken::New("ca.example:8443", Bytes(32, 'r'));
  const JoinTokenRecord record =
      JoinTokenRecord::Of(token, agent.id, "test", clock_.Now(), lifetime);
  AuditEvent event = EventAt(clock_.Now(), "CreateJoinToken");
  event.hierarchy = agent.hierarchy;
  Must(ports_.registry.CreateJoinToken(agent.hierarchy, record, event));
  return token;
}

PreparedCertificate Deployment::Prepare(const Agent& agent, const PublicKey& key) const {
  const Hierarchy& hierarchy = HierarchyOf(agent);
  const CertificateProfile* const profile = Must(hierarchy.FindProfile(agent.profile));
  const auto issuer = Must(catalog->Find(hierarchy.id)->ActiveIssuer());
  return Must(issuer->Prepare(hierarchy, agent, *profile, key, Directory().For(issuer->id()),
                              clock_.Now()));
}

Certificate Deployment::Issue(const Agent& agent, const PublicKey& key) {
  AuditEvent event = EventAt(clock_.Now(), "Enroll");
  event.hierarchy = agent.hierarchy;
  auto intent = Must(ports_.ledger.RecordIntent(Prepare(agent, key), SystemGrounds{},
                                                RequestId::New(clock_.Now()), event));
  return Must(ports_.ledger.RecordCertificate(Sign(std::get<RecordedIssuance>(std::move(intent)))));
}

Certificate Deployment::Sign(RecordedIssuance recorded) const {
  const auto authority = Must(catalog->FindAuthority(recorded.record().authority));
  return Must(authority->Sign(std::move(recorded)));
}

}  // namespace ca::testing
