#include "db/hierarchy_rows.h"

#include <algorithm>
#include <map>
#include <optional>

#include "ca/base/rules.h"
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

ca::ApprovalPolicy ApprovalPolicyOf(const pqxx::row& row) {
  return ca::ApprovalPolicy{
      .root_rotation = row["approve_root_rotation"].as<bool>(),
      .destruction = row["approve_destruction"].as<bool>(),
      .policy_widening = row["approve_policy_widening"].as<bool>(),
      .authority_revocation = row["approve_authority_revocation"].as<bool>(),
      .expire_after =
          std::chrono::seconds(row["approvals_expire_after_seconds"].as<std::int64_t>()),
  };
}

template <typename T>
std::optional<T> OptionalOf(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(field.as<T>());
}
// For a parameter, of which SQL makes NULL by nullif($1, '').
std::string OptionalText(std::optional<std::int64_t> value) {
  return value ? std::to_string(*value) : "";
}
std::string OptionalText(std::optional<std::chrono::seconds> duration) {
  return duration ? std::to_string(duration->count()) : "";
}
std::string OptionalText(std::optional<bool> value) { return value ? pqxx::to_string(*value) : ""; }

std::optional<std::chrono::seconds> OptionalSecondsOf(const pqxx::field& field) {
  const auto count = OptionalOf<std::int64_t>(field);
  return count ? std::optional(std::chrono::seconds(*count)) : std::nullopt;
}

ca::StatusPolicy StatusPolicyOf(const pqxx::row& row) {
  return {
      .crl_lifetime = OptionalSecondsOf(row["crl_lifetime_seconds"]),
      .ocsp_lifetime = OptionalSecondsOf(row["ocsp_lifetime_seconds"]),
      .crl_shard_size = OptionalOf<std::int64_t>(row["crl_shard_size"]),
      .delta_crls = OptionalOf<bool>(row["delta_crls"]),
  };
}

Hierarchy HierarchyOf(const pqxx::row& row) {
  std::vector<ca::IpRange> ip_ranges;
  for (const std::string& text : TextsOf(row["ip_ranges"])) {
    ip_ranges.push_back(Expect(ca::IpRange::Parse(text), row["ip_ranges"]));
  }
  return Hierarchy{
      .id = static_cast<HierarchyId>(row["id"].as<int>()),
      .tenant = row["tenant"].as<std::string>(),
      .environment = row["environment"].as<std::string>(),
      .trust_domain =
          Expect(ca::TrustDomain::Parse(row["trust_domain"].c_str()), row["trust_domain"]),
      .is_system = row["is_system"].as<bool>(),
      .token = row["token"].as<std::string>(),
      .external_roots = CertificatesOf(row["external_roots"]),
      .root_lifetime = std::chrono::seconds(row["root_lifetime_seconds"].as<std::int64_t>()),
      .issuing_lifetime = std::chrono::seconds(row["issuing_lifetime_seconds"].as<std::int64_t>()),
      .rotate_every = std::chrono::seconds(row["rotate_every_seconds"].as<std::int64_t>()),
      .publish_ahead = std::chrono::seconds(row["publish_ahead_seconds"].as<std::int64_t>()),
      .acknowledged_share = row["acknowledged_share"].as<int>(),
      .acknowledge_within =
          std::chrono::seconds(row["acknowledge_within_seconds"].as<std::int64_t>()),
      .dns_subtrees = TextsOf(row["dns_subtrees"]),
      .ip_ranges = std::move(ip_ranges),
      .approvals = ApprovalPolicyOf(row),
      .status = StatusPolicyOf(row),
  };
}

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

// `position` is from 1 on; an earlier profile of that name becomes this one.
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

// Rule profile.in-use while agents have it.
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

// `position` is from 1 on.
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
  std::vector<std::string> ip_ranges;
  for (const ca::IpRange& range : hierarchy.ip_ranges) ip_ranges.push_back(range.ToString());
  const pqxx::row row = transaction.exec_params1(
      "INSERT INTO agentpki.hierarchies (tenant, environment, trust_domain, is_system, "
      "root_lifetime_seconds, issuing_lifetime_seconds, rotate_every_seconds, "
      "publish_ahead_seconds, acknowledged_share, acknowledge_within_seconds, dns_subtrees, "
      "ip_ranges, created_at, approve_root_rotation, approve_destruction, "
      "approve_policy_widening, approve_authority_revocation, approvals_expire_after_seconds, "
      "external_roots, token, crl_lifetime_seconds, ocsp_lifetime_seconds, crl_shard_size, "
      "delta_crls) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
      "$17, $18, $19, $20, nullif($21, '')::bigint, nullif($22, '')::bigint, "
      "nullif($23, '')::bigint, nullif($24, '')::boolean) "
      "RETURNING id",
      hierarchy.tenant, hierarchy.environment, hierarchy.trust_domain.name(), hierarchy.is_system,
      Seconds(hierarchy.root_lifetime), Seconds(hierarchy.issuing_lifetime),
      Seconds(hierarchy.rotate_every), Seconds(hierarchy.publish_ahead),
      hierarchy.acknowledged_share, Seconds(hierarchy.acknowledge_within),
      TextArray(hierarchy.dns_subtrees), TextArray(ip_ranges), TimeText(now),
      hierarchy.approvals.root_rotation, hierarchy.approvals.destruction,
      hierarchy.approvals.policy_widening, hierarchy.approvals.authority_revocation,
      Seconds(hierarchy.approvals.expire_after), CertificatesText(hierarchy.external_roots),
      hierarchy.token, OptionalText(hierarchy.status.crl_lifetime),
      OptionalText(hierarchy.status.ocsp_lifetime), OptionalText(hierarchy.status.crl_shard_size),
      OptionalText(hierarchy.status.delta_crls));
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
  transaction.exec_params(
      "UPDATE agentpki.hierarchies SET root_lifetime_seconds = $2, "
      "issuing_lifetime_seconds = $3, rotate_every_seconds = $4, publish_ahead_seconds = $5, "
      "acknowledged_share = $6, acknowledge_within_seconds = $7, approve_root_rotation = $8, "
      "approve_destruction = $9, approve_policy_widening = $10, "
      "approve_authority_revocation = $11, approvals_expire_after_seconds = $12, "
      "external_roots = $13, token = $14, crl_lifetime_seconds = nullif($15, '')::bigint, "
      "ocsp_lifetime_seconds = nullif($16, '')::bigint, crl_shard_size = nullif($17, '')::bigint, "
      "delta_crls = nullif($18, '')::boolean WHERE id = $1",
      id, Seconds(wanted.root_lifetime), Seconds(wanted.issuing_lifetime),
      Seconds(wanted.rotate_every), Seconds(wanted.publish_ahead), wanted.acknowledged_share,
      Seconds(wanted.acknowledge_within), wanted.approvals.root_rotation,
      wanted.approvals.destruction, wanted.approvals.policy_widening,
      wanted.approvals.authority_revocation, Seconds(wanted.approvals.expire_after),
      CertificatesText(wanted.external_roots), wanted.token,
      OptionalText(wanted.status.crl_lifetime), OptionalText(wanted.status.ocsp_lifetime),
      OptionalText(wanted.status.crl_shard_size), OptionalText(wanted.status.delta_crls));
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
