#include "ca/model/hierarchy_fields.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "ca/base/rules.h"

namespace ca {
namespace {

using Declaration = HierarchyDeclaration;

constexpr auto kFixed = FieldStability::kFixed;
constexpr auto kChangeable = FieldStability::kChangeable;
constexpr auto kPresenceFixed = FieldStability::kPresenceFixed;

// ---- when a change of a member widens -----------------------------------------------------------

constexpr auto kAlways = [](const auto&, const auto&) { return true; };
constexpr auto kNever = [](const auto&, const auto&) { return false; };
constexpr auto kIfMore = [](const auto& before, const auto& after) { return after > before; };
constexpr auto kIfLess = [](const auto& before, const auto& after) { return after < before; };
constexpr auto kIfSwitchedOn = [](bool before, bool after) { return after && !before; };
constexpr auto kIfSwitchedOff = [](bool before, bool after) { return before && !after; };
constexpr auto kIfOneMore = [](const auto& before, const auto& after) {
  return !std::includes(before.begin(), before.end(), after.begin(), after.end());
};
// A status lifetime that the file leaves out may be anything within the bounds.
constexpr auto kIfStatusLivesLonger = [](const auto& before, const auto& after) {
  return after.value_or(StatusSettings::kLifetimeMax) >
         before.value_or(StatusSettings::kLifetimeMin);
};
// With delta CRLs, a relying party that reads only complete CRLs learns of a revocation later.
constexpr auto kIfDeltasMayAppear = [](std::optional<bool> before, std::optional<bool> after) {
  return after.value_or(true) && !before.value_or(false);
};

bool AddsExternalRoot(const Declaration& before, const Declaration& after) {
  return !before.hierarchy.TrustsExternalRootsOf(after.hierarchy);
}

// The first profile is the default.
bool AddsProfileOrMovesDefault(const Declaration& before, const Declaration& after) {
  const std::vector<CertificateProfile>& profiles = after.hierarchy.profiles;
  if (profiles.empty()) return false;
  if (before.hierarchy.profiles.empty()) return true;
  return profiles.front().name != before.hierarchy.profiles.front().name ||
         std::any_of(profiles.begin(), profiles.end(), [&](const CertificateProfile& profile) {
           return !before.hierarchy.FindProfile(profile.name).ok();
         });
}

bool AddsOperator(const Declaration& before, const Declaration& after) {
  std::set<std::string_view> names;
  for (const OperatorRoles& of : before.operators) names.insert(of.name);
  return std::any_of(after.operators.begin(), after.operators.end(),
                     [&](const OperatorRoles& of) { return !names.contains(of.name); });
}

// The first rule that speaks of a request decides, and a request of which no rule speaks is
// admitted. So rules are evidently narrower only if they are the same rules in the same order, with
// new ones between them that refuse.
bool RulesMayAdmitMore(const Declaration& before, const Declaration& after) {
  auto expected = before.hierarchy.enrollment_rules.begin();
  const auto end = before.hierarchy.enrollment_rules.end();
  for (const EnrollmentRule& rule : after.hierarchy.enrollment_rules) {
    if (expected != end && rule == *expected) {
      ++expected;
    } else if (rule.effect != EnrollmentRule::Effect::kRefuse) {
      return true;
    }
  }
  return expected != end;
}

// ---- members as text ----------------------------------------------------------------------------

FieldItems ItemsOf(const std::string& text) {
  return text.empty() ? FieldItems() : FieldItems{text};
}
FieldItems ItemsOf(bool value) { return {value ? "true" : "false"}; }
FieldItems ItemsOf(int value) { return {std::to_string(value)}; }
FieldItems ItemsOf(std::int64_t value) { return {std::to_string(value)}; }
FieldItems ItemsOf(std::chrono::seconds duration) { return {DurationText(duration)}; }
FieldItems ItemsOf(const TrustDomain& domain) { return {domain.name()}; }
FieldItems ItemsOf(EnrollmentRule::Effect effect) { return {std::string(NameOf(effect))}; }
FieldItems ItemsOf(const std::vector<std::string>& texts) { return texts; }
FieldItems ItemsOf(const std::vector<IpRange>& ranges) {
  FieldItems items;
  for (const IpRange& range : ranges) items.push_back(range.ToString());
  return items;
}
template <typename Named>
FieldItems ItemsOf(const std::set<Named>& values) {
  FieldItems items;
  for (const Named value : values) items.emplace_back(NameOf(value));
  return items;
}
template <typename T>
FieldItems ItemsOf(const std::optional<T>& value) {
  return value ? ItemsOf(*value) : FieldItems();
}

// An external root's lifetime is its owner's.
FieldItems RootLifetimeOf(const Declaration& of) {
  return of.hierarchy.HasExternalRoot() ? FieldItems() : ItemsOf(of.hierarchy.root_lifetime);
}

// People compare certificates by their fingerprints.
FieldItems ExternalRootsOf(const Declaration& of) {
  FieldItems items;
  for (const Bytes& root : of.hierarchy.external_roots) {
    items.push_back((items.empty() ? "SHA-256 " : "") + Hex(Sha256(root)));
  }
  return items;
}

FieldItems UsagesOf(const CertificateProfile& profile) {
  FieldItems items;
  if (profile.client_auth) items.emplace_back("client");
  if (profile.server_auth) items.emplace_back("server");
  return items;
}

// ---- rows ---------------------------------------------------------------------------------------

// A member of a hierarchy, or of a member of it.
template <typename... Members>
auto Of(Members... members) {
  return [=](auto& declaration) -> auto& { return (declaration.hierarchy.*....*members); };
}
// A member of a list's element.
template <typename Element, typename Member>
auto In(Member Element::*member) {
  return [=](auto& element) -> auto& { return element.*member; };
}

template <typename T, typename Member, typename Widens>
std::shared_ptr<SingleField<T>> Row(std::string path, Member member, FieldStability stability,
                                    Widens widens) {
  auto row = std::make_shared<SingleField<T>>();
  row->path = std::move(path);
  row->stability = stability;
  row->read = [=](const T& of) { return ItemsOf(member(of)); };
  row->is_same = [=](const T& a, const T& b) { return member(a) == member(b); };
  row->copy = [=](const T& from, T& to) { member(to) = member(from); };
  row->widens = [=](const T& before, const T& after) {
    return widens(member(before), member(after));
  };
  return row;
}

template <typename Element, typename Member>
std::shared_ptr<FieldList<Declaration, Element>> List(
    std::string path, Member member, ListWidening how,
    bool (*widens)(const Declaration&, const Declaration&),
    std::vector<std::shared_ptr<const FieldRow<Element>>> rows) {
  auto list = std::make_shared<FieldList<Declaration, Element>>();
  list->path = std::move(path);
  list->elements = FieldTable<Element>(std::move(rows));
  list->read = [=](const Declaration& of) -> const std::vector<Element>& { return member(of); };
  list->copy = [=](const Declaration& from, Declaration& to) { member(to) = member(from); };
  list->widens = widens;
  list->how = how;
  return list;
}

// Members that no file has: the database's number of the hierarchy, and whether it is the system
// hierarchy.
class NotInTheFile final : public FieldRow<Declaration> {
 public:
  void AddPaths(const std::string&, std::vector<std::string>&) const override {}
  void AddValues(const std::string&, const Declaration&, std::vector<FieldValue>&) const override {}
  void AddChanges(const std::string&, const Declaration*, const Declaration*, Verdict,
                  FieldChanges&) const override {}
  void Copy(const Declaration& from, Declaration& to) const override {
    to.hierarchy.id = from.hierarchy.id;
    to.hierarchy.is_system = from.hierarchy.is_system;
  }
};

// ---- the list -----------------------------------------------------------------------------------

auto Profiles() {
  using P = CertificateProfile;
  auto usages = Row<P>("usages", In(&P::client_auth), kChangeable, kNever);
  usages->read = UsagesOf;
  usages->is_same = [](const P& a, const P& b) { return UsagesOf(a) == UsagesOf(b); };
  usages->copy = [](const P& from, P& to) {
    to.client_auth = from.client_auth;
    to.server_auth = from.server_auth;
  };
  usages->widens = [](const P& before, const P& after) {
    return kIfOneMore(UsagesOf(before), UsagesOf(after));
  };
  return List<P>("profiles", Of(&Hierarchy::profiles), ListWidening::kByElement,
                 AddsProfileOrMovesDefault,
                 {
                     Row<P>("name", In(&P::name), kChangeable, kAlways),
                     Row<P>("lifetime", In(&P::lifetime), kChangeable, kIfMore),
                     Row<P>("key_types", In(&P::key_types), kChangeable, kIfOneMore),
                     usages,
                     Row<P>("host_names", In(&P::host_names), kChangeable, kIfSwitchedOn),
                     Row<P>("status_free", In(&P::status_free), kChangeable, kIfSwitchedOn),
                 });
}

auto Operators() {
  using O = OperatorRoles;
  return List<O>("operators", In(&Declaration::operators), ListWidening::kByElement, AddsOperator,
                 {
                     Row<O>("name", In(&O::name), kChangeable, kAlways),
                     Row<O>("roles", In(&O::roles), kChangeable, kIfOneMore),
                 });
}

// Its fields do not say when they widen: RulesMayAdmitMore() judges all rules together.
auto EnrollmentRules() {
  using R = EnrollmentRule;
  const auto field = [](const char* path, auto member) {
    return Row<R>(path, In(member), kChangeable, kAlways);
  };
  return List<R>("enrollment.rules", Of(&Hierarchy::enrollment_rules), ListWidening::kWhole,
                 RulesMayAdmitMore,
                 {
                     field("name", &R::name),
                     field("effect", &R::effect),
                     field("reason", &R::reason),
                     field("agents", &R::agents),
                     field("owners", &R::owners),
                     field("roles", &R::roles),
                     field("versions", &R::versions),
                     field("profiles", &R::profiles),
                     field("key_types", &R::key_types),
                     field("operations", &R::operations),
                 });
}

template <typename Member, typename Widens>
auto Field(std::string path, FieldStability stability, Widens widens, Member member) {
  return Row<Declaration>(std::move(path), member, stability, widens);
}

FieldTable<Declaration> MakeFields() {
  using H = Hierarchy;
  using A = ApprovalPolicy;
  using S = StatusPolicy;
  // Changing a token moves no key: Hierarchies refuses a token that is not where the keys are.
  auto token = Field("token", kChangeable, kNever, Of(&H::token));
  auto root_lifetime = Field("root.lifetime", kChangeable, kIfMore, Of(&H::root_lifetime));
  root_lifetime->read = RootLifetimeOf;
  auto external_roots =
      Field("root.external_certificates", kPresenceFixed, kNever, Of(&H::external_roots));
  external_roots->read = ExternalRootsOf;
  external_roots->widens = AddsExternalRoot;
  // Nobody waits so long where no share has to be reached.
  auto acknowledge_within =
      Field("issuing.acknowledge_within", kChangeable, kIfLess, Of(&H::acknowledge_within));
  acknowledge_within->widens = [](const Declaration& before, const Declaration& after) {
    return before.hierarchy.acknowledged_share > 0 &&
           after.hierarchy.acknowledge_within < before.hierarchy.acknowledge_within;
  };
  const auto approval = [](const char* path, bool A::*member) {
    return Field(path, kChangeable, kIfSwitchedOff, Of(&H::approvals, member));
  };
  const auto status = [](const char* path, auto widens, auto member) {
    return Field(path, kChangeable, widens, Of(&H::status, member));
  };
  return FieldTable<Declaration>({
      std::make_shared<NotInTheFile>(),
      Field("tenant", kFixed, kAlways, Of(&H::tenant)),
      Field("environment", kFixed, kAlways, Of(&H::environment)),
      Field("trust_domain", kFixed, kAlways, Of(&H::trust_domain)),
      token,
      root_lifetime,
      external_roots,
      Field("issuing.lifetime", kChangeable, kIfMore, Of(&H::issuing_lifetime)),
      Field("issuing.rotate_every", kChangeable, kIfMore, Of(&H::rotate_every)),
      // A successor that fewer know, or that they know for less time, takes over sooner.
      Field("issuing.publish_ahead", kChangeable, kIfLess, Of(&H::publish_ahead)),
      Field("issuing.acknowledged_share", kChangeable, kIfLess, Of(&H::acknowledged_share)),
      acknowledge_within,
      Field("dns_subtrees", kFixed, kAlways, Of(&H::dns_subtrees)),
      Field("ip_ranges", kFixed, kAlways, Of(&H::ip_ranges)),
      Profiles(),
      Operators(),
      EnrollmentRules(),
      approval("approvals.root_rotation", &A::root_rotation),
      approval("approvals.destruction", &A::destruction),
      approval("approvals.policy_widening", &A::policy_widening),
      approval("approvals.authority_revocation", &A::authority_revocation),
      Field("approvals.expire_after", kChangeable, kIfMore, Of(&H::approvals, &A::expire_after)),
      status("status.crl_lifetime", kIfStatusLivesLonger, &S::crl_lifetime),
      status("status.ocsp_lifetime", kIfStatusLivesLonger, &S::ocsp_lifetime),
      // CRLs list every revocation, whatever the size of their shards.
      status("status.crl_shard_size", kNever, &S::crl_shard_size),
      status("status.delta_crls", kIfDeltasMayAppear, &S::delta_crls),
  });
}

const FieldTable<Declaration>& Fields() {
  static const FieldTable<Declaration> fields = MakeFields();
  return fields;
}

// As other refusals name it: root: external_certificates.
std::string Spoken(std::string field) {
  for (size_t at = field.find('.'); at != std::string::npos; at = field.find('.', at + 2)) {
    field.replace(at, 1, ": ");
  }
  return field;
}

// A text that no other text is the beginning of.
std::string Framed(std::string_view text) { return fmt::format("{}:{}", text.size(), text); }

}  // namespace

std::vector<std::string> HierarchyFieldPaths() {
  std::vector<std::string> paths;
  Fields().AddPaths("", paths);
  return paths;
}

std::vector<FieldChange> ChangesOf(const std::optional<HierarchyDeclaration>& standing,
                                   const HierarchyDeclaration& wanted) {
  using Verdict = FieldRow<Declaration>::Verdict;
  FieldChanges changes;
  Fields().AddChanges("", standing ? &*standing : nullptr, &wanted,
                      standing ? Verdict::kByField : Verdict::kNone, changes);
  return changes.Take();
}

Status CheckChange(const Hierarchy& standing, const Hierarchy& wanted) {
  for (const FieldChange& change : ChangesOf(Declaration{standing, {}}, {wanted, {}})) {
    if (!change.is_fixed) continue;
    return Refusal<kHierarchyFixed>(Spoken(change.field), standing.Name());
  }
  return Ok();
}

Bytes DigestOf(const HierarchyDeclaration& declaration) {
  std::vector<FieldValue> values;
  Fields().AddValues("", declaration, values);
  std::string text;
  for (const FieldValue& value : values) {
    text += Framed(value.field) + Framed(std::to_string(value.items.size()));
    for (const std::string& item : value.items) text += Framed(item);
  }
  return Sha256(text);
}

}  // namespace ca
