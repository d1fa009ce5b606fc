// What widens a policy: a table, and nothing that is not in it is taken for narrower.

#include "ca/hierarchies/policy_widening.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/fakes/must.h"
#include "tests/fakes/samples.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

EnrollmentRule Rule(const std::string& name, EnrollmentRule::Effect effect) {
  return {.name = name, .effect = effect, .agents = {"billing/**"}};
}

// With something of everything.
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
  const char* what;
  std::function<void(HierarchyDeclaration&)> change;
  std::vector<std::string> fields;  // that widen, as a plan names them
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
     {"profiles.batch", "profiles"}},
    {"another default",
     [](D& d) { std::swap(d.hierarchy.profiles[0], d.hierarchy.profiles[1]); },
     {"profiles"}},
    {"a profile renamed",
     [](D& d) { d.hierarchy.profiles[1].name = "batch"; },
     {"profiles.batch", "profiles"}},
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
    {"a rule less", [](D& d) { d.hierarchy.enrollment_rules.pop_back(); }, {"enrollment"}},
    {"no rule", [](D& d) { d.hierarchy.enrollment_rules.clear(); }, {"enrollment"}},
    {"a new rule that admits",
     [](D& d) {
       d.hierarchy.enrollment_rules.push_back(Rule("third", EnrollmentRule::Effect::kAdmit));
     },
     {"enrollment"}},
    {"rules in another order",
     [](D& d) { std::swap(d.hierarchy.enrollment_rules[0], d.hierarchy.enrollment_rules[1]); },
     {"enrollment"}},
    {"a rule that speaks of less",
     [](D& d) { d.hierarchy.enrollment_rules[1].agents = {"billing/one"}; },
     {"enrollment"}},
    {"a rule that is put otherwise",
     [](D& d) { d.hierarchy.enrollment_rules[1].reason = "because"; },
     {"enrollment"}},
    {"an operator more",
     [](D& d) {
       d.operators.push_back({"carol", {Role::kAuditor}});
     },
     {"operators.carol", "operators"}},
    {"a role more", [](D& d) { d.operators[1].roles.insert(Role::kAdmin); }, {"operators.bob"}},
    {"another role", [](D& d) { d.operators[0].roles = {Role::kAuditor}; }, {"operators.alice"}},
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
    {"what cannot change, or is new here", [](D& d) { d.hierarchy.dns_subtrees.clear(); }, {""}},
    {"less of one and more of another",
     [](D& d) {
       d.hierarchy.profiles[0].lifetime = minutes(10);
       d.hierarchy.profiles[0].host_names = true;
     },
     {"profiles.agent.host_names"}},
};

std::vector<std::string> FieldsOf(const std::vector<Widening>& widenings) {
  std::vector<std::string> fields;
  for (const Widening& widening : widenings) fields.push_back(widening.field);
  return fields;
}

TEST(PolicyWideningTest, IsWhatTheTableSays) {
  for (const auto& table : {kNarrower, kWider}) {
    for (const Case& of : table) {
      HierarchyDeclaration wanted = Standing();
      of.change(wanted);
      EXPECT_EQ(FieldsOf(WideningsOf(Standing(), wanted)), of.fields) << of.what;
    }
  }
}

TEST(PolicyWideningTest, TakesAnApprovalUnlessThatIsSwitchedOff) {
  HierarchyDeclaration off = Standing();
  off.hierarchy.approvals.policy_widening = false;
  for (const Case& of : kWider) {
    HierarchyDeclaration wanted = Standing();
    of.change(wanted);
    EXPECT_TRUE(TakesApproval(Standing(), wanted)) << of.what;
    if (wanted.hierarchy.approvals != Standing().hierarchy.approvals) continue;
    wanted.hierarchy.approvals.policy_widening = false;
    EXPECT_FALSE(TakesApproval(off, wanted)) << of.what;
  }
  for (const Case& of : kNarrower) {
    HierarchyDeclaration wanted = Standing();
    of.change(wanted);
    EXPECT_FALSE(TakesApproval(Standing(), wanted)) << of.what;
  }
}

// Or the one who may widen without asking would switch off the rest without asking.
TEST(PolicyWideningTest, TakesAnApprovalToLoosenApprovalsForAsLongAsThereIsOne) {
  HierarchyDeclaration standing = Standing();
  standing.hierarchy.approvals = ApprovalPolicy::Off();
  standing.hierarchy.approvals.root_rotation = true;
  HierarchyDeclaration wanted = standing;
  wanted.hierarchy.approvals.root_rotation = false;
  EXPECT_TRUE(TakesApproval(standing, wanted));
  wanted = standing;
  wanted.hierarchy.approvals.expire_after += hours(1);
  EXPECT_TRUE(TakesApproval(standing, wanted));
  wanted = standing;
  wanted.hierarchy.approvals.destruction = true;
  EXPECT_FALSE(TakesApproval(standing, wanted));
  standing.hierarchy.approvals.root_rotation = false;
  wanted = standing;
  wanted.hierarchy.approvals.expire_after += hours(1);
  EXPECT_FALSE(TakesApproval(standing, wanted)) << "nothing is left to be loosened";
}

TEST(PolicyWideningTest, CoversTheFieldsOfAPlan) {
  const Widening lifetime{"profiles.agent.lifetime", false};
  EXPECT_TRUE(lifetime.Covers("profiles.agent.lifetime"));
  EXPECT_FALSE(lifetime.Covers("profiles.agent.lifetime.x"));
  const Widening profile{"profiles.agent", true};
  EXPECT_TRUE(profile.Covers("profiles.agent"));
  EXPECT_TRUE(profile.Covers("profiles.agent.lifetime"));
  EXPECT_FALSE(profile.Covers("profiles.agent-two.lifetime"));
  EXPECT_FALSE(profile.Covers("profiles"));
  EXPECT_TRUE((Widening{"", true}).Covers("whatever"));
}

}  // namespace
}  // namespace ca
