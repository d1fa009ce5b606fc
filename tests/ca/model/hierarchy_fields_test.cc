// The list of a hierarchy's fields: what differs, what widens, what is fixed and what is digested.

#include "ca/model/hierarchy_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "tests/fakes/hierarchy_field_samples.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::FullDeclaration;
using testing::HierarchyFieldSample;
using testing::HierarchyFieldSamples;

EnrollmentRule Rule(const std::string& name, EnrollmentRule::Effect effect) {
  return {.name = name, .effect = effect, .agents = {"billing/**"}};
}

HierarchyDeclaration Standing() {
  Hierarchy hierarchy = testing::AcmeProd();
  hierarchy.acknowledged_share = 50;
  hierarchy.profiles[1].server_auth = false;
  hierarchy.enrollment_rules = {Rule("first", EnrollmentRule::Effect::kAdmit),
                                Rule("second", EnrollmentRule::Effect::kRefuse)};
  hierarchy.approvals = {};
  hierarchy.status = {.crl_lifetime = hours(2), .delta_crls = false};
  return {hierarchy, {{"alice", {Role::kAdmin}}, {"bob", {Role::kAuditor, Role::kRevoker}}}};
}

struct Case {
  const char* name;
  std::function<void(HierarchyDeclaration&)> change;
  std::vector<std::string> widening;  // the fields whose changes widen
};

using D = HierarchyDeclaration;

const std::vector<Case> kNarrower = {
    {"nothing", [](D&) {}, {}},
    {"authorities that end sooner",
     [](D& d) {
       d.hierarchy.root_lifetime -= hours(24);
       d.hierarchy.issuing_lifetime -= hours(24);
       d.hierarchy.rotate_every -= hours(24);
     },
     {}},
    {"a successor that more know, for longer",
     [](D& d) {
       d.hierarchy.publish_ahead += hours(1);
       d.hierarchy.acknowledged_share = 60;
       d.hierarchy.acknowledge_within += hours(1);
     },
     {}},
    {"a profile less", [](D& d) { d.hierarchy.profiles.pop_back(); }, {}},
    {"a profile that allows less",
     [](D& d) {
       CertificateProfile& profile = d.hierarchy.profiles[1];
       profile.lifetime = minutes(10);
       profile.key_types = {KeyType::kP384};
       profile.host_names = false;
     },
     {}},
    {"a usage less", [](D& d) { d.hierarchy.profiles[0].server_auth = false; }, {}},
    {"new rules that refuse, anywhere",
     [](D& d) {
       auto& rules = d.hierarchy.enrollment_rules;
       rules.insert(rules.begin(), Rule("zeroth", EnrollmentRule::Effect::kRefuse));
       rules.push_back(Rule("third", EnrollmentRule::Effect::kRefuse));
     },
     {}},
    {"a token that is pinned", [](D& d) { d.hierarchy.token = "hsm-acme"; }, {}},
    {"a status that is known sooner",
     [](D& d) {
       d.hierarchy.status.crl_lifetime = hours(1);
       d.hierarchy.status.ocsp_lifetime = StatusSettings::kLifetimeMin;
       d.hierarchy.status.crl_shard_size = 10;
     },
     {}},
    {"an operator less", [](D& d) { d.operators.pop_back(); }, {}},
    {"a role less", [](D& d) { d.operators[1].roles = {Role::kAuditor}; }, {}},
    {"approvals that expire sooner",
     [](D& d) { d.hierarchy.approvals.expire_after = hours(1); },
     {}},
};

const std::vector<Case> kWider = {
    {"a root that lives longer",
     [](D& d) { d.hierarchy.root_lifetime += hours(1); },
     {"root.lifetime"}},
    {"an issuing authority that lives longer",
     [](D& d) { d.hierarchy.issuing_lifetime += hours(1); },
     {"issuing.lifetime"}},
    {"an issuing authority that issues longer",
     [](D& d) { d.hierarchy.rotate_every += hours(1); },
     {"issuing.rotate_every"}},
    {"a successor that is known for less",
     [](D& d) { d.hierarchy.publish_ahead -= hours(1); },
     {"issuing.publish_ahead"}},
    {"a successor that fewer know",
     [](D& d) { d.hierarchy.acknowledged_share = 49; },
     {"issuing.acknowledged_share"}},
    {"a successor that waits for less",
     [](D& d) { d.hierarchy.acknowledge_within -= hours(1); },
     {"issuing.acknowledge_within"}},
    {"a profile more",
     [](D& d) { d.hierarchy.profiles.push_back({.name = "batch"}); },
     {"profiles.batch.name", "profiles.batch.lifetime", "profiles.batch.key_types",
      "profiles.batch.usages", "profiles.batch.host_names", "profiles.batch.status_free",
      "profiles"}},
    {"another default",
     [](D& d) { std::swap(d.hierarchy.profiles[0], d.hierarchy.profiles[1]); },
     {"profiles"}},
    {"a profile renamed",
     [](D& d) { d.hierarchy.profiles[1].name = "batch"; },
     {"profiles.batch.name", "profiles.batch.lifetime", "profiles.batch.key_types",
      "profiles.batch.usages", "profiles.batch.host_names", "profiles.batch.status_free",
      "profiles"}},
    {"a longer lifetime",
     [](D& d) { d.hierarchy.profiles[0].lifetime += std::chrono::seconds(1); },
     {"profiles.agent.lifetime"}},
    {"a key type more",
     [](D& d) { d.hierarchy.profiles[0].key_types.insert(KeyType::kRsa2048); },
     {"profiles.agent.key_types"}},
    {"another key type",
     [](D& d) { d.hierarchy.profiles[0].key_types = {KeyType::kEd25519}; },
     {"profiles.agent.key_types"}},
    {"a usage more",
     [](D& d) { d.hierarchy.profiles[1].server_auth = true; },
     {"profiles.service.usages"}},
    {"another usage",
     [](D& d) {
       d.hierarchy.profiles[1].server_auth = true;
       d.hierarchy.profiles[1].client_auth = false;
     },
     {"profiles.service.usages"}},
    {"host names",
     [](D& d) { d.hierarchy.profiles[0].host_names = true; },
     {"profiles.agent.host_names"}},
    {"no status",
     [](D& d) {
       d.hierarchy.profiles[0].status_free = true;
       d.hierarchy.profiles[0].lifetime = minutes(10);
     },
     {"profiles.agent.status_free"}},
    {"a rule less",
     [](D& d) { d.hierarchy.enrollment_rules.pop_back(); },
     {"enrollment.rules", "enrollment.rules.second.name", "enrollment.rules.second.effect",
      "enrollment.rules.second.agents"}},
    {"no rule",
     [](D& d) { d.hierarchy.enrollment_rules.clear(); },
     {"enrollment.rules.first.name", "enrollment.rules.first.effect",
      "enrollment.rules.first.agents", "enrollment.rules.second.name",
      "enrollment.rules.second.effect", "enrollment.rules.second.agents", "enrollment.rules"}},
    {"a new rule that admits",
     [](D& d) {
       d.hierarchy.enrollment_rules.push_back(Rule("third", EnrollmentRule::Effect::kAdmit));
     },
     {"enrollment.rules.third.name", "enrollment.rules.third.effect",
      "enrollment.rules.third.agents", "enrollment.rules"}},
    {"rules in another order",
     [](D& d) { std::swap(d.hierarchy.enrollment_rules[0], d.hierarchy.enrollment_rules[1]); },
     {"enrollment.rules"}},
    {"a rule that speaks of less",
     [](D& d) { d.hierarchy.enrollment_rules[1].agents = {"billing/one"}; },
     {"enrollment.rules.second.agents"}},
    {"a rule that is put otherwise",
     [](D& d) { d.hierarchy.enrollment_rules[1].reason = "because"; },
     {"enrollment.rules.second.reason"}},
    {"an operator more",
     [](D& d) {
       d.operators.push_back({"carol", {Role::kAuditor}});
     },
     {"operators.carol.name", "operators.carol.roles", "operators"}},
    {"a role more",
     [](D& d) { d.operators[1].roles.insert(Role::kAdmin); },
     {"operators.bob.roles"}},
    {"another role",
     [](D& d) { d.operators[0].roles = {Role::kAuditor}; },
     {"operators.alice.roles"}},
    {"CRLs that stand longer",
     [](D& d) { d.hierarchy.status.crl_lifetime = hours(3); },
     {"status.crl_lifetime"}},
    {"CRLs that stand as long as the configuration says",
     [](D& d) { d.hierarchy.status.crl_lifetime.reset(); },
     {"status.crl_lifetime"}},
    {"OCSP responses that may stand longer than the configuration says",
     [](D& d) { d.hierarchy.status.ocsp_lifetime = minutes(2); },
     {"status.ocsp_lifetime"}},
    {"delta CRLs", [](D& d) { d.hierarchy.status.delta_crls = true; }, {"status.delta_crls"}},
    {"delta CRLs if the configuration says so",
     [](D& d) { d.hierarchy.status.delta_crls.reset(); },
     {"status.delta_crls"}},
    {"no approval of roots",
     [](D& d) { d.hierarchy.approvals.root_rotation = false; },
     {"approvals.root_rotation"}},
    {"no approval of destruction",
     [](D& d) { d.hierarchy.approvals.destruction = false; },
     {"approvals.destruction"}},
    {"no approval of widening",
     [](D& d) { d.hierarchy.approvals.policy_widening = false; },
     {"approvals.policy_widening"}},
    {"no approval of revocation",
     [](D& d) { d.hierarchy.approvals.authority_revocation = false; },
     {"approvals.authority_revocation"}},
    {"approvals that last longer",
     [](D& d) { d.hierarchy.approvals.expire_after += std::chrono::seconds(1); },
     {"approvals.expire_after"}},
    {"a field that cannot change",
     [](D& d) { d.hierarchy.dns_subtrees.clear(); },
     {"dns_subtrees"}},
    {"another external root",
     [](D& d) { d.hierarchy.external_roots = {"another"}; },
     {"root.external_certificates"}},
    {"less of one and more of another",
     [](D& d) {
       d.hierarchy.profiles[0].lifetime = minutes(10);
       d.hierarchy.profiles[0].host_names = true;
     },
     {"profiles.agent.host_names"}},
};

std::vector<std::string> WideningFields(const HierarchyDeclaration& wanted) {
  std::vector<std::string> fields;
  for (const FieldChange& change : ChangesOf(Standing(), wanted)) {
    if (change.widens) fields.push_back(change.field);
  }
  return fields;
}

TEST(HierarchyFieldsTest, WidenAsTheTableSays) {
  for (const auto& table : {kNarrower, kWider}) {
    for (const Case& of : table) {
      HierarchyDeclaration wanted = Standing();
      of.change(wanted);
      EXPECT_EQ(WideningFields(wanted), of.widening) << of.name;
    }
  }
}

TEST(HierarchyFieldsTest, WidenNothingInANewHierarchyAndShowAllOfIt) {
  std::set<std::string> shown;
  for (const FieldChange& change : ChangesOf(std::nullopt, FullDeclaration())) {
    EXPECT_FALSE(change.widens) << change.field;
    EXPECT_EQ(change.before, "") << change.field;
    shown.insert(change.field);
  }
  EXPECT_TRUE(shown.contains("issuing.acknowledged_share"));
  EXPECT_TRUE(shown.contains("profiles.service.host_names"));
}

// ---- each field ---------------------------------------------------------------------------------

TEST(HierarchyFieldsTest, ShowTheChangeOfEachField) {
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) {
    HierarchyDeclaration wanted = FullDeclaration();
    sample.change(wanted);
    const auto changes = ChangesOf(FullDeclaration(), wanted);
    const auto shown = std::find_if(changes.begin(), changes.end(), [&](const FieldChange& change) {
      return sample.IsAbout(change.field);
    });
    ASSERT_NE(shown, changes.end()) << sample.path;
    EXPECT_NE(shown->before, shown->after) << sample.path;
    EXPECT_EQ(shown->is_fixed, sample.is_fixed) << sample.path;
  }
}

TEST(HierarchyFieldsTest, RefuseTheChangeOfAFixedFieldByItsName) {
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) {
    HierarchyDeclaration wanted = FullDeclaration();
    sample.change(wanted);
    const Status checked = CheckChange(FullDeclaration().hierarchy, wanted.hierarchy);
    EXPECT_EQ(checked.ok(), !sample.is_fixed) << sample.path;
    if (!sample.is_fixed) continue;
    EXPECT_TRUE(testing::IsRefusal(checked, StatusCode::kFailedPrecondition, "hierarchy.fixed"))
        << sample.path;
  }
  Hierarchy external = FullDeclaration().hierarchy;
  external.external_roots = {testing::ExternalRootSample()};
  EXPECT_TRUE(MessageOf(CheckChange(FullDeclaration().hierarchy, external))
                  .starts_with("root: external_certificates: "));
  Hierarchy followed = external;
  followed.external_roots.push_back("another");
  EXPECT_TRUE(CheckChange(external, followed).ok()) << "a root can follow another";
}

TEST(HierarchyFieldsTest, AreAllDigested) {
  std::set<Bytes> digests = {DigestOf(FullDeclaration())};
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) {
    HierarchyDeclaration wanted = FullDeclaration();
    sample.change(wanted);
    EXPECT_TRUE(digests.insert(DigestOf(wanted)).second) << sample.path;
  }
  EXPECT_EQ(DigestOf(FullDeclaration()), DigestOf(FullDeclaration()));
}

// "a, b" is not the same as "a", "b", though a plan shows both alike.
TEST(HierarchyFieldsTest, AreDigestedItemByItem) {
  HierarchyDeclaration one = FullDeclaration();
  one.hierarchy.enrollment_rules[0].owners = {"a, b"};
  HierarchyDeclaration two = FullDeclaration();
  two.hierarchy.enrollment_rules[0].owners = {"a", "b"};
  EXPECT_NE(DigestOf(one), DigestOf(two));
  EXPECT_EQ(ChangesOf(one, two).size(), 1u);
}

// ---- as people read it --------------------------------------------------------------------------

std::vector<FieldChange> Changes(const std::function<void(HierarchyDeclaration&)>& change) {
  HierarchyDeclaration wanted = FullDeclaration();
  change(wanted);
  return ChangesOf(FullDeclaration(), wanted);
}
using ChangeList = std::vector<FieldChange>;

TEST(HierarchyFieldsTest, AreNoneOfTheSame) {
  EXPECT_TRUE(Changes([](D&) {}).empty());
}

TEST(HierarchyFieldsTest, AreWrittenAsInTheFile) {
  EXPECT_EQ(Changes([](D& d) {
              d.hierarchy.rotate_every = hours(36);
              d.hierarchy.profiles[0].key_types = {KeyType::kP256};
              d.hierarchy.status.delta_crls.reset();
            }),
            (ChangeList{{"issuing.rotate_every", "90d", "36h", false, false},
                        {"profiles.agent.key_types", "p256, p384", "p256", false, false},
                        {"status.delta_crls", "false", "", true, false}}));
}

TEST(HierarchyFieldsTest, CompareElementsOfTheSameName) {
  EXPECT_EQ(Changes([](D& d) {
              std::swap(d.hierarchy.profiles[0], d.hierarchy.profiles[1]);
              d.hierarchy.profiles[0].lifetime = hours(2);
            }),
            (ChangeList{{"profiles.service.lifetime", "1h", "2h", true, false},
                        {"profiles", "agent, service", "service, agent", true, false}}));
}

TEST(HierarchyFieldsTest, ShowCertificatesByTheirFingerprints) {
  const ChangeList changes = Changes([](D& d) { d.hierarchy.external_roots = {"one", "two"}; });
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0].field, "root.external_certificates");
  EXPECT_EQ(changes[0].after, "SHA-256 " + Hex(Sha256("one")) + ", " + Hex(Sha256("two")));
}

TEST(HierarchyFieldsTest, ShowEveryValueThatIsAddedOrGone) {
  EXPECT_EQ(Changes([](D& d) {
              d.operators[0] = {"eve", {Role::kRevoker, Role::kAuditor}};
            }),
            (ChangeList{{"operators.eve.name", "", "eve", true, false},
                        {"operators.eve.roles", "", "revoker, auditor", true, false},
                        {"operators", "alice, bob", "eve, bob", true, false},
                        {"operators.alice.name", "alice", "", false, false},
                        {"operators.alice.roles", "admin", "", false, false}}));
}

}  // namespace
}  // namespace ca
