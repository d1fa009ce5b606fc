#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "ca/model/recorded_request.h"

// Requests for certificates, read from the rows of agentpki.audit_events.
namespace db {

// The JSON of the column `request`; the columns `subject` and `action` have the rest.
std::string RequestText(const ca::RequestFacts& facts);

// For a row with the columns `subject` and `action`, and with kRequestColumns.
extern const char kRequestColumns[];
ca::Operation OperationOf(const pqxx::row& row);
std::optional<ca::RequestFacts> FactsOf(const pqxx::row& row);

// In a transaction that has named the hierarchy.
std::vector<ca::RecordedRequest> ListRequests(pqxx::transaction_base& transaction,
                                              const ca::RequestQuery& query);

}  // namespace db
