#pragma once

#include <string>

#include "tests/contract/contract_test.h"

namespace contract {

// The steps that a server takes with hierarchies and authorities.
class HierarchyStoreContract : public ContractTest {
 protected:
  ca::Result<ca::Hierarchy> Create(const ca::Hierarchy& hierarchy) {
    return hierarchies().CreateHierarchy(hierarchy,
                                         ca::testing::EventAt(clock_.Now(), "CreateHierarchy"));
  }

  ca::Result<ca::AuthorityRecord> Plan(const ca::Hierarchy& hierarchy, ca::AuthorityKind kind,
                                       int generation, ca::AuthorityId issuer) {
    return authorities().PlanAuthority(hierarchy, kind, generation, issuer,
                                       EventIn(hierarchy, "PlanAuthority"));
  }
  ca::AuthorityRecord PlanRoot(const ca::Hierarchy& hierarchy) {
    return ca::testing::Must(Plan(hierarchy, ca::AuthorityKind::kRoot, 1, ca::AuthorityId{}));
  }

  ca::PreparedCertificate PrepareRoot(const ca::Hierarchy& hierarchy,
                                      const ca::AuthorityRecord& root, const ca::SigningKey& key) {
    return ca::testing::Must(ca::Authority::PrepareRoot(hierarchy, root, key, clock_.Now()));
  }

  ca::RecordedIssuance Record(const ca::Hierarchy& hierarchy, const ca::AuthorityRecord& root,
                              const ca::SigningKey& key) {
    return ca::testing::Must(authorities().RecordAuthority(
        root.id, PrepareRoot(hierarchy, root, key), EventIn(hierarchy, "CreateAuthority")));
  }

  ca::AuthorityRecord Find(ca::AuthorityId id) {
    for (const ca::AuthorityRecord& record : ca::testing::Must(authorities().LoadAuthorities())) {
      if (record.id == id) return record;
    }
    ADD_FAILURE() << "no such authority";
    return {};
  }

  std::shared_ptr<const ca::SigningKey> NewKey(const std::string& label) {
    return ca::testing::Must(world_.ports().keys.Generate(label));
  }
};

// Adds authorities that have their certificate and can be activated.
class ActivationContract : public HierarchyStoreContract {
 protected:
  // With a certificate; that it is self-signed makes no difference here.
  ca::AuthorityRecord NewAuthority(const ca::Hierarchy& hierarchy, int generation) {
    const ca::AuthorityRecord root =
        ca::testing::Must(Plan(hierarchy, ca::AuthorityKind::kRoot, generation, ca::AuthorityId{}));
    const auto key = NewKey(root.key_label);
    const ca::Certificate certificate =
        ca::testing::Must(SignRecorded(*key, Record(hierarchy, root, *key)));
    ca::testing::Must(authorities().RecordAuthorityCertificate(root.id, certificate, clock_.Now()));
    return root;
  }

  ca::Status Activate(const ca::Hierarchy& hierarchy, int sequence, ca::AuthorityId authority) {
    return activations()
        .Activate({hierarchy.id, sequence, authority, clock_.Now()},
                  EventIn(hierarchy, "ActivateAuthority"))
        .status();
  }
};

}  // namespace contract
