#pragma once

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "ca/model/recorded_request.h"

// Requests for certificates, as the rows of agentpki.audit_events have them.
namespace db {

// What the column `request` holds: JSON, without what `subject` and `action` say.
std::string RequestText(const ca::RequestFacts& facts);

// A row with the columns `subject` and `action`, and those that kRequestColumns makes.
extern const char kRequestColumns[];
ca::Operation OperationOf(const pqxx::row& row);
std::optional<ca::RequestFacts> FactsOf(const pqxx::row& row);

// In a transaction that has named the hierarchy.
std::vector<ca::RecordedRequest> ListRequests(pqxx::transaction_base& transaction,
                                              const ca::RequestQuery& query);

}  // namespace db
