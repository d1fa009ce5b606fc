#include "db/hierarchy_columns.h"

#include <fmt/format.h>

#include <optional>

#include "db/row.h"

namespace db {
namespace {

using ca::Hierarchy;

// ---- members as the text of a parameter ---------------------------------------------------------

std::string ParameterOf(const std::string& text) { return text; }
std::string ParameterOf(bool value) { return value ? "true" : "false"; }
std::string ParameterOf(int value) { return std::to_string(value); }
std::string ParameterOf(std::int64_t value) { return std::to_string(value); }
std::string ParameterOf(std::chrono::seconds value) { return std::to_string(value.count()); }
std::string ParameterOf(const ca::TrustDomain& domain) { return domain.name(); }
std::string ParameterOf(const std::vector<std::string>& texts) { return TextArray(texts); }
std::string ParameterOf(const std::vector<ca::IpRange>& ranges) {
  std::vector<std::string> texts;
  for (const ca::IpRange& range : ranges) texts.push_back(range.ToString());
  return TextArray(texts);
}
template <typename T>
std::string ParameterOf(const std::optional<T>& value) {
  return value ? ParameterOf(*value) : "";
}

// ---- members from a field -----------------------------------------------------------------------

void Read(const pqxx::field& field, std::string& text) { text = field.as<std::string>(); }
void Read(const pqxx::field& field, bool& value) { value = field.as<bool>(); }
void Read(const pqxx::field& field, int& value) { value = field.as<int>(); }
void Read(const pqxx::field& field, std::int64_t& value) { value = field.as<std::int64_t>(); }
void Read(const pqxx::field& field, std::chrono::seconds& value) {
  value = std::chrono::seconds(field.as<std::int64_t>());
}
void Read(const pqxx::field& field, ca::TrustDomain& domain) {
  domain = Expect(ca::TrustDomain::Parse(field.c_str()), field);
}
void Read(const pqxx::field& field, std::vector<std::string>& texts) { texts = TextsOf(field); }
void Read(const pqxx::field& field, std::vector<ca::IpRange>& ranges) {
  for (const std::string& text : TextsOf(field)) {
    ranges.push_back(Expect(ca::IpRange::Parse(text), field));
  }
}
template <typename T>
void Read(const pqxx::field& field, std::optional<T>& value) {
  if (field.is_null()) return;
  T present{};
  Read(field, present);
  value = present;
}

// ---- columns ------------------------------------------------------------------------------------

// A member of a hierarchy, or of a member of it.
template <typename... Members>
HierarchyColumn Of(std::string name, bool can_change, Members... members) {
  return {
      .name = std::move(name),
      .can_change = can_change,
      .nullable_as = "",
      .write = [=](const Hierarchy& of) { return ParameterOf((of.*....*members)); },
      .read = [=](const pqxx::field& field, Hierarchy& to) { Read(field, (to.*....*members)); }};
}
template <typename... Members>
HierarchyColumn Fixed(std::string name, Members... members) {
  return Of(std::move(name), false, members...);
}
template <typename... Members>
HierarchyColumn Changeable(std::string name, Members... members) {
  return Of(std::move(name), true, members...);
}
template <typename... Members>
HierarchyColumn Nullable(std::string name, std::string type, Members... members) {
  HierarchyColumn column = Of(std::move(name), true, members...);
  column.nullable_as = std::move(type);
  return column;
}

HierarchyColumn ExternalRoots() {
  return {.name = "external_roots",
          .can_change = true,
          .nullable_as = "",
          .write = [](const Hierarchy& of) { return CertificatesText(of.external_roots); },
          .read = [](const pqxx::field& field,
                     Hierarchy& to) { to.external_roots = CertificatesOf(field); }};
}

std::vector<HierarchyColumn> MakeColumns() {
  using H = Hierarchy;
  using A = ca::ApprovalPolicy;
  using S = ca::StatusPolicy;
  return {
      Fixed("tenant", &H::tenant),
      Fixed("environment", &H::environment),
      Fixed("trust_domain", &H::trust_domain),
      Fixed("is_system", &H::is_system),
      Fixed("dns_subtrees", &H::dns_subtrees),
      Fixed("ip_ranges", &H::ip_ranges),
      Changeable("token", &H::token),
      ExternalRoots(),
      Changeable("root_lifetime_seconds", &H::root_lifetime),
      Changeable("issuing_lifetime_seconds", &H::issuing_lifetime),
      Changeable("rotate_every_seconds", &H::rotate_every),
      Changeable("publish_ahead_seconds", &H::publish_ahead),
      Changeable("acknowledged_share", &H::acknowledged_share),
      Changeable("acknowledge_within_seconds", &H::acknowledge_within),
      Changeable("approve_root_rotation", &H::approvals, &A::root_rotation),
      Changeable("approve_destruction", &H::approvals, &A::destruction),
      Changeable("approve_policy_widening", &H::approvals, &A::policy_widening),
      Changeable("approve_authority_revocation", &H::approvals, &A::authority_revocation),
      Changeable("approvals_expire_after_seconds", &H::approvals, &A::expire_after),
      Nullable("crl_lifetime_seconds", "bigint", &H::status, &S::crl_lifetime),
      Nullable("ocsp_lifetime_seconds", "bigint", &H::status, &S::ocsp_lifetime),
      Nullable("crl_shard_size", "bigint", &H::status, &S::crl_shard_size),
      Nullable("delta_crls", "boolean", &H::status, &S::delta_crls),
  };
}

}  // namespace

std::string HierarchyColumn::Parameter(size_t number) const {
  if (nullable_as.empty()) return fmt::format("${}", number);
  return fmt::format("nullif(${}, '')::{}", number, nullable_as);
}

const std::vector<HierarchyColumn>& HierarchyColumns() {
  static const std::vector<HierarchyColumn> columns = MakeColumns();
  return columns;
}

Hierarchy HierarchyOf(const pqxx::row& row) {
  const pqxx::field trust_domain = row["trust_domain"];
  Hierarchy hierarchy{
      .id = static_cast<ca::HierarchyId>(row["id"].as<int>()),
      .tenant = "",
      .environment = "",
      .trust_domain = Expect(ca::TrustDomain::Parse(trust_domain.c_str()), trust_domain),
  };
  for (const HierarchyColumn& column : HierarchyColumns()) {
    column.read(row[column.name], hierarchy);
  }
  return hierarchy;
}

}  // namespace db
