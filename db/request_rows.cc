#include "db/request_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "db/row.h"

namespace db {
namespace {

// The condition on `action` repeats that of the index audit_events_requests word for word. The
// condition on `at` selects the partitions.
constexpr char kListRequests[] =
    "SELECT at, sequence, subject, action, decision, rule, {} "
    "  FROM agentpki.audit_events "
    " WHERE hierarchy = $1 AND action IN ('Enroll', 'Renew') AND rule <> 'replay' "
    "   AND at >= $2 AND (at, sequence) > ($3, $4) "
    " ORDER BY at, sequence LIMIT $5";

}  // namespace

const char kRequestColumns[] =
    "request IS NOT NULL AS has_request, request->>'owner' AS request_owner, "
    "request->>'role' AS request_role, request->>'version' AS request_version, "
    "request->>'profile' AS request_profile, request->>'key_type' AS request_key_type";

std::string RequestText(const ca::RequestFacts& facts) {
  // Agent::Validate() lets only UTF-8 in. If it ever did not, the event must still be recorded.
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  return nlohmann::json{{"owner", facts.owner},
                        {"role", facts.role},
                        {"version", facts.version},
                        {"profile", facts.profile},
                        {"key_type", std::string(NameOf(facts.key_type))}}
      .dump(-1, ' ', false, kReplace);
}

ca::Operation OperationOf(const pqxx::row& row) {
  return row["action"].as<std::string>() == "Renew" ? ca::Operation::kRenew
                                                    : ca::Operation::kEnroll;
}

std::optional<ca::RequestFacts> FactsOf(const pqxx::row& row) {
  if (!row["has_request"].as<bool>()) return std::nullopt;
  return ca::RequestFacts{
      .agent = std::string(SpiffeIdOf(row["subject"]).path()),
      .owner = row["request_owner"].as<std::string>(),
      .role = row["request_role"].as<std::string>(),
      .version = row["request_version"].as<std::string>(),
      .profile = row["request_profile"].as<std::string>(),
      .key_type = Expect(ca::KeyTypeFrom(row["request_key_type"].as<std::string>()),
                         row["request_key_type"]),
      .operation = OperationOf(row),
  };
}

std::vector<ca::RecordedRequest> ListRequests(pqxx::transaction_base& transaction,
                                              const ca::RequestQuery& query) {
  const ca::RequestPosition after = query.after.value_or(ca::RequestPosition{query.since, 0});
  const pqxx::result rows = transaction.exec_params(
      fmt::format(kListRequests, kRequestColumns), static_cast<int>(query.hierarchy),
      TimeText(std::max(query.since, after.at)), TimeText(after.at), after.sequence,
      query.page_size);
  std::vector<ca::RecordedRequest> requests;
  for (const pqxx::row& row : rows) {
    requests.push_back({
        .position = {TimeOf(row["at"]), row["sequence"].as<std::int64_t>()},
        .operation = OperationOf(row),
        .subject = row["subject"].as<std::string>(),
        .decision = Expect(ca::DecisionFrom(row["decision"].as<std::string>()), row["decision"]),
        .rule = row["rule"].as<std::string>(),
        .facts = FactsOf(row),
    });
  }
  return requests;
}

}  // namespace db
