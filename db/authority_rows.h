#pragma once

#include <pqxx/pqxx>
#include <vector>

#include "ca/ports/activation_store.h"
#include "ca/ports/authority_store.h"

// Authorities, and which of them issue and are to be trusted, as rows: of hierarchies that are not
// settled (db/hierarchy_rows.h).
namespace db {

// All, oldest first.
std::vector<ca::AuthorityRecord> SelectAuthorities(pqxx::transaction_base& transaction);

// What is recorded of an authority's own certificate; the signature is "" before it is signed.
ca::Certificate SelectIssuance(pqxx::transaction_base& transaction, ca::AuthorityId authority);

// One that is planned, before there is a key.
struct AuthorityPlan {
  ca::AuthorityKind kind{};
  int generation = 0;
  ca::AuthorityId issuer{};  // 0 for a root
  std::string key_label;     // but of a link, which has its root's
  ca::TimePoint at;
};
// unique_violation when there is one of that kind and generation.
ca::AuthorityRecord InsertPlan(pqxx::work& transaction, ca::HierarchyId hierarchy,
                               const AuthorityPlan& plan);
// The same, of a root that has its certificate.
ca::AuthorityRecord InsertExternalRoot(pqxx::work& transaction, ca::HierarchyId hierarchy,
                                       int generation, const ca::Bytes& certificate,
                                       ca::TimePoint now);
// unique_violation when it has its certificate.
void InsertImport(pqxx::work& transaction, ca::AuthorityId authority, ca::AuthorityId root,
                  const ca::ExternalCertificate& certificate, ca::TimePoint now);

// Held until the transaction ends: alone by a transaction that activates an authority or decides to
// destroy a key in the hierarchy; shared by each transaction that records an intent there.
void LockActivations(pqxx::work& transaction, ca::HierarchyId hierarchy);

// False unless it is the next of its hierarchy, and may be: an activation of what has a
// certificate, a key and no taint.
bool InsertActivation(pqxx::work& transaction, const ca::Activation& activation);
bool InsertTrustBundle(pqxx::work& transaction, const ca::TrustBundleRecord& bundle);

// By hierarchy, then by sequence or version.
std::vector<ca::Activation> SelectActivations(pqxx::transaction_base& transaction);
std::vector<ca::TrustBundleRecord> SelectTrustBundles(pqxx::transaction_base& transaction);

}  // namespace db
