#include "db/hierarchy_rows.h"

#include <algorithm>
#include <map>
#include <optional>

#include "ca/base/rules.h"
#include "db/hierarchy_columns.h"
#include "db/row.h"

namespace db {
namespace {

using ca::CertificateProfile;
using ca::EnrollmentRule;
using ca::Error;
using ca::Hierarchy;
using ca::HierarchyId;
using ca::Status;
using ca::StatusCode;

std::int64_t Seconds(std::chrono::seconds duration) { return duration.count(); }

CertificateProfile ProfileOf(const pqxx::row& row) {
  std::set<ca::KeyType> key_types;
  for (const std::string& name : TextsOf(row["key_types"])) {
    key_types.insert(Expect(ca::KeyTypeFrom(name), row["key_types"]));
  }
  return CertificateProfile{
      .name = row["name"].as<std::string>(),
      .lifetime = std::chrono::seconds(row["lifetime_seconds"].as<std::int64_t>()),
      .key_types = std::move(key_types),
      .client_auth = row["client_auth"].as<bool>(),
      .server_auth = row["server_auth"].as<bool>(),
      .host_names = row["host_names"].as<bool>(),
      .status_free = row["status_free"].as<bool>(),
  };
}

// `position` counts from 1. Replaces an earlier profile of that name.
void InsertProfile(pqxx::work& transaction, HierarchyId hierarchy,
                   const CertificateProfile& profile, int position) {
  std::vector<std::string> key_types;
  for (const ca::KeyType type : profile.key_types) key_types.emplace_back(ca::NameOf(type));
  transaction.exec_params(
      "INSERT INTO agentpki.profiles (hierarchy, name, lifetime_seconds, key_types, client_auth, "
      "server_auth, host_names, status_free, position) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
      "ON CONFLICT (hierarchy, name) DO UPDATE SET "
      "lifetime_seconds = $3, key_types = $4, client_auth = $5, server_auth = $6, host_names = $7, "
      "status_free = $8, position = $9",
      static_cast<int>(hierarchy), profile.name, Seconds(profile.lifetime), TextArray(key_types),
      profile.client_auth, profile.server_auth, profile.host_names, profile.status_free, position);
}

// Refuses by rule profile.in-use while agents have the profile.
Status DeleteProfile(pqxx::work& transaction, const Hierarchy& hierarchy, const std::string& name) {
  try {
    pqxx::subtransaction attempt(transaction);
    attempt.exec_params("DELETE FROM agentpki.profiles WHERE hierarchy = $1 AND name = $2",
                        static_cast<int>(hierarchy.id), name);
    attempt.commit();
    return ca::Ok();
  } catch (const pqxx::foreign_key_violation&) {
    return ca::Refusal<ca::kProfileInUse>(name, hierarchy.Name());
  }
}

EnrollmentRule RuleOf(const pqxx::row& row) {
  EnrollmentRule rule{
      .name = row["name"].as<std::string>(),
      .effect = Expect(ca::EffectFrom(row["effect"].c_str()), row["effect"]),
      .reason = row["reason"].as<std::string>(),
      .agents = TextsOf(row["agents"]),
      .owners = TextsOf(row["owners"]),
      .roles = TextsOf(row["roles"]),
      .versions = TextsOf(row["versions"]),
      .profiles = TextsOf(row["profiles"]),
  };
  for (const std::string& name : TextsOf(row["key_types"])) {
    rule.key_types.insert(Expect(ca::KeyTypeFrom(name), row["key_types"]));
  }
  for (const std::string& name : TextsOf(row["operations"])) {
    rule.operations.insert(Expect(ca::OperationFrom(name), row["operations"]));
  }
  return rule;
}

// `position` counts from 1.
void InsertRule(pqxx::work& transaction, HierarchyId hierarchy, const EnrollmentRule& rule,
                int position) {
  std::vector<std::string> key_types;
  for (const ca::KeyType type : rule.key_types) key_types.emplace_back(ca::NameOf(type));
  std::vector<std::string> operations;
  for (const ca::Operation operation : rule.operations) {
    operations.emplace_back(ca::NameOf(operation));
  }
  transaction.exec_params(
      "INSERT INTO agentpki.enrollment_rules (hierarchy, position, name, effect, reason, agents, "
      "owners, roles, versions, profiles, key_types, operations) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      static_cast<int>(hierarchy), position, rule.name, std::string(ca::NameOf(rule.effect)),
      rule.reason, TextArray(rule.agents), TextArray(rule.owners), TextArray(rule.roles),
      TextArray(rule.versions), TextArray(rule.profiles), TextArray(key_types),
      TextArray(operations));
}

void InsertRules(pqxx::work& transaction, HierarchyId hierarchy,
                 const std::vector<EnrollmentRule>& rules) {
  int position = 0;
  for (const EnrollmentRule& rule : rules) {
    InsertRule(transaction, hierarchy, rule, ++position);
  }
}

}  // namespace

std::vector<Hierarchy> SelectHierarchies(pqxx::transaction_base& transaction,
                                         const std::string& condition) {
  const auto select = [&](const std::string& table, const std::string& order) {
    return transaction.exec("SELECT t.* FROM agentpki." + table +
                            " AS t JOIN agentpki.hierarchies AS h ON h.id = t.hierarchy WHERE " +
                            condition + " ORDER BY t.hierarchy, " + order);
  };
  std::map<int, std::vector<CertificateProfile>> profiles;
  for (const pqxx::row& row : select("profiles", "t.position")) {
    profiles[row["hierarchy"].as<int>()].push_back(ProfileOf(row));
  }
  std::map<int, std::vector<EnrollmentRule>> rules;
  for (const pqxx::row& row : select("enrollment_rules", "t.position")) {
    rules[row["hierarchy"].as<int>()].push_back(RuleOf(row));
  }
  std::vector<Hierarchy> hierarchies;
  for (const pqxx::row& row : transaction.exec("SELECT h.* FROM agentpki.hierarchies AS h WHERE " +
                                               condition + " ORDER BY h.id")) {
    hierarchies.push_back(HierarchyOf(row));
    hierarchies.back().profiles = std::move(profiles[row["id"].as<int>()]);
    hierarchies.back().enrollment_rules = std::move(rules[row["id"].as<int>()]);
  }
  return hierarchies;
}

std::vector<ca::HierarchyDestruction> SelectDestructions(pqxx::transaction_base& transaction,
                                                         const std::string& condition,
                                                         const std::string& order) {
  std::map<HierarchyId, Hierarchy> hierarchies;
  for (Hierarchy& hierarchy :
       SelectHierarchies(transaction, "h.destroyed_at IS NOT NULL AND (" + condition + ")")) {
    hierarchies.emplace(hierarchy.id, std::move(hierarchy));
  }
  std::vector<ca::HierarchyDestruction> destructions;
  for (const pqxx::row& row : transaction.exec(
           "SELECT d.*, r.record, r.recorded_at FROM agentpki.hierarchy_destructions AS d "
           "  JOIN agentpki.hierarchies AS h ON h.id = d.hierarchy "
           "  LEFT JOIN agentpki.destruction_records AS r ON r.hierarchy = d.hierarchy "
           " WHERE " +
           condition + " " + order)) {
    ca::HierarchyDestruction destruction{
        .hierarchy = hierarchies.at(static_cast<HierarchyId>(row["hierarchy"].as<int>())),
        .reason = row["reason"].as<std::string>(),
        .decided_by = row["decided_by"].as<std::string>(),
        .decided_at = TimeOf(row["decided_at"]),
        .revoked_count = row["revoked_count"].as<std::int64_t>(),
        .finished_at = std::nullopt,
    };
    if (!row["record"].is_null()) {
      destruction.record = BytesOf(row["record"]);
      destruction.finished_at = TimeOf(row["recorded_at"]);
    }
    destructions.push_back(std::move(destruction));
  }
  return destructions;
}

HierarchyId InsertHierarchy(pqxx::work& transaction, const Hierarchy& hierarchy,
                            ca::TimePoint now) {
  std::string names = "created_at";
  std::string parameters = "$1";
  std::vector<std::string> values = {TimeText(now)};
  for (const HierarchyColumn& column : HierarchyColumns()) {
    values.push_back(column.write(hierarchy));
    names += ", " + column.name;
    parameters += ", " + column.Parameter(values.size());
  }
  const pqxx::row row = transaction.exec_params1(
      "INSERT INTO agentpki.hierarchies (" + names + ") VALUES (" + parameters + ") RETURNING id",
      pqxx::prepare::make_dynamic_params(values));
  const auto id = static_cast<HierarchyId>(row[0].as<int>());
  int position = 0;
  for (const CertificateProfile& profile : hierarchy.profiles) {
    InsertProfile(transaction, id, profile, ++position);
  }
  InsertRules(transaction, id, hierarchy.enrollment_rules);
  return id;
}

Status UpdateHierarchy(pqxx::work& transaction, const Hierarchy& standing,
                       const Hierarchy& wanted) {
  const int id = static_cast<int>(standing.id);
  transaction.exec_params("SELECT FROM agentpki.hierarchies WHERE id = $1 FOR UPDATE", id);
  const std::vector<Hierarchy> all = SelectHierarchies(transaction, kStandingHierarchies);
  if (std::find(all.begin(), all.end(), standing) == all.end()) {
    return Error(StatusCode::kAborted, "{} was changed by somebody else just now; plan again",
                 standing.Name());
  }
  std::string assignments;
  std::vector<std::string> values = {std::to_string(id)};
  for (const HierarchyColumn& column : HierarchyColumns()) {
    if (!column.can_change) continue;
    values.push_back(column.write(wanted));
    assignments +=
        (assignments.empty() ? "" : ", ") + column.name + " = " + column.Parameter(values.size());
  }
  transaction.exec_params("UPDATE agentpki.hierarchies SET " + assignments + " WHERE id = $1",
                          pqxx::prepare::make_dynamic_params(values));
  for (const CertificateProfile& profile : standing.profiles) {
    if (wanted.FindProfile(profile.name).ok()) continue;
    TRY(DeleteProfile(transaction, standing, profile.name));
  }
  int position = 0;
  for (const CertificateProfile& profile : wanted.profiles) {
    InsertProfile(transaction, standing.id, profile, ++position);
  }
  transaction.exec_params("DELETE FROM agentpki.enrollment_rules WHERE hierarchy = $1", id);
  InsertRules(transaction, standing.id, wanted.enrollment_rules);
  return ca::Ok();
}

}  // namespace db
