#pragma once

#include <pqxx/pqxx>
#include <vector>

#include "ca/hierarchy_store.h"

// Authorities, and which of them issue and are to be trusted, as rows: of hierarchies that are not
// settled (db/hierarchy_rows.h).
namespace db {

// All, oldest first.
std::vector<ca::AuthorityRecord> SelectAuthorities(pqxx::transaction_base& transaction);

// What is recorded of an authority's own certificate; the signature is "" before it is signed.
ca::Certificate SelectIssuance(pqxx::transaction_base& transaction, ca::AuthorityId authority);

// By hierarchy, then by sequence or version.
std::vector<ca::Activation> SelectActivations(pqxx::transaction_base& transaction);
std::vector<ca::TrustBundleRecord> SelectTrustBundles(pqxx::transaction_base& transaction);

}  // namespace db
