#pragma once

#include <pqxx/pqxx>
#include <vector>

#include "ca/ports/activation_store.h"
#include "ca/ports/authority_store.h"

// Authorities, activations and trust bundles as rows, in hierarchies that are not settled
// (db/hierarchy_rows.h).
namespace db {

// All, oldest first.
std::vector<ca::AuthorityRecord> SelectAuthorities(pqxx::transaction_base& transaction);

// The recorded certificate of an authority itself; its signature is "" before it is signed.
ca::Certificate SelectIssuance(pqxx::transaction_base& transaction, ca::AuthorityId authority);

// An authority that is planned, before its key exists.
struct AuthorityPlan {
  ca::AuthorityKind kind{};
  int generation = 0;
  ca::AuthorityId issuer{};  // 0 for a root
  std::string key_label;     // ignored for a cross-certificate, which has its root's
  ca::TimePoint at;
};
// unique_violation when the hierarchy has an authority of that kind and generation.
ca::AuthorityRecord InsertPlan(pqxx::work& transaction, ca::HierarchyId hierarchy,
                               const AuthorityPlan& plan);
// Inserts an external root with its certificate; unique_violation likewise.
ca::AuthorityRecord InsertExternalRoot(pqxx::work& transaction, ca::HierarchyId hierarchy,
                                       int generation, const ca::Bytes& certificate,
                                       ca::TimePoint now);
// unique_violation when the authority has its certificate.
void InsertImport(pqxx::work& transaction, ca::AuthorityId authority, ca::AuthorityId root,
                  const ca::ExternalCertificate& certificate, ca::TimePoint now);

// Held until the transaction ends: alone by a transaction that activates an authority or decides to
// destroy a key in the hierarchy; shared by each transaction that records an intent there.
void LockActivations(pqxx::work& transaction, ca::HierarchyId hierarchy);

// False, and nothing is inserted, unless the sequence (or version) is the next of its hierarchy. An
// activated authority must also have a certificate and a key, and no taint.
bool InsertActivation(pqxx::work& transaction, const ca::Activation& activation);
bool InsertTrustBundle(pqxx::work& transaction, const ca::TrustBundleRecord& bundle);

// Ordered by hierarchy, then by sequence or version.
std::vector<ca::Activation> SelectActivations(pqxx::transaction_base& transaction);
std::vector<ca::TrustBundleRecord> SelectTrustBundles(pqxx::transaction_base& transaction);

}  // namespace db
