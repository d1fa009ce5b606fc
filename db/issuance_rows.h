#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <vector>

#include "ca/ports/ledger.h"

// Certificates of agents as rows. Each function runs in a transaction that has named their
// hierarchy.
namespace db {

struct Issuance {
  ca::IssuanceRecord record;
  std::optional<ca::Bytes> signature;  // none: recorded, never signed
};

// None when no issuance has that serial.
std::optional<Issuance> FindIssuance(pqxx::transaction_base& transaction,
                                     const ca::SerialNumber& serial);

// Newest serial first.
std::vector<ca::CertificateEntry> ListIssuances(pqxx::transaction_base& transaction,
                                                const ca::CertificateQuery& query);

}  // namespace db
