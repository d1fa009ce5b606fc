#include "ca/files/hierarchy_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "ca/files/yaml_message.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/temporary_folder.h"

namespace files {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;
using std::chrono::hours;
using std::chrono::minutes;

class HierarchyFileTest : public ::testing::Test {
 protected:
  // The smallest hierarchy, and `more`.
  ca::Result<ca::Hierarchy> LoadWith(const std::string& more,
                                     const std::string& profiles = "[{name: agent}]") {
    std::ofstream(path_) << "tenant: acme\nenvironment: prod\ntrust_domain: prod.acme.example\n"
                         << "profiles: " << profiles << "\n"
                         << more << "\n";
    const auto declaration = LoadHierarchyFile(path_);
    if (!declaration.ok()) return declaration.status();
    return declaration->hierarchy;
  }

  template <typename T>
  ::testing::AssertionResult Refuses(const ca::Result<T>& result, const std::string& words) {
    return Says(result.status(), StatusCode::kInvalidArgument, path_.string() + ": " + words);
  }

  const ca::testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "acme.yaml";
};

TEST_F(HierarchyFileTest, IsAHierarchyWithTheDefaultsThatAreDocumented) {
  const ca::Hierarchy hierarchy = Must(LoadWith(""));
  EXPECT_EQ(hierarchy.Name(), "acme/prod");
  EXPECT_EQ(hierarchy.trust_domain.name(), "prod.acme.example");
  EXPECT_FALSE(hierarchy.is_system);
  EXPECT_EQ(hierarchy.root_lifetime, hours(24 * 3650));
  EXPECT_EQ(hierarchy.issuing_lifetime, hours(24 * 365));
  EXPECT_EQ(hierarchy.acknowledged_share, 0);
  EXPECT_EQ(hierarchy.acknowledge_within, hours(24));
  ASSERT_EQ(hierarchy.profiles.size(), 1u);
  const ca::CertificateProfile& profile = hierarchy.profiles[0];
  EXPECT_EQ(profile.name, "agent");
  EXPECT_EQ(profile.lifetime, hours(1));
  EXPECT_EQ(profile.key_types, (std::set{ca::KeyType::kP256, ca::KeyType::kP384}));
  EXPECT_TRUE(profile.client_auth && profile.server_auth);
  EXPECT_FALSE(profile.host_names);
  EXPECT_EQ(hierarchy.approvals, ca::ApprovalPolicy()) << "everything that may takes two";
  EXPECT_TRUE(hierarchy.approvals.root_rotation && hierarchy.approvals.destruction &&
              hierarchy.approvals.policy_widening && hierarchy.approvals.authority_revocation);
  EXPECT_EQ(hierarchy.approvals.expire_after, hours(24));
}

TEST_F(HierarchyFileTest, SwitchesEachApprovalOffByItsName) {
  EXPECT_EQ(Must(LoadWith("approvals: {root_rotation: false, destruction: false, policy_widening: "
                          "false, authority_revocation: false}"))
                .approvals,
            ca::ApprovalPolicy::Off());
  const ca::ApprovalPolicy approvals =
      Must(LoadWith("approvals: {destruction: false, root_rotation: true, expire_after: 5m}"))
          .approvals;
  EXPECT_EQ(approvals, (ca::ApprovalPolicy{.destruction = false, .expire_after = minutes(5)}));
}

TEST_F(HierarchyFileTest, HasWhatTheFileSays) {
  const ca::Hierarchy hierarchy = Must(
      LoadWith("root: {lifetime: 100d}\n"
               "issuing: {lifetime: 50d}\n"
               "dns_subtrees: [svc.acme.example]\n"
               "ip_ranges: [10.0.0.0/8, 2001:db8::/32]\n",
               "[{name: service, lifetime: 5m, key_types: [rsa2048, ed25519], usages: [server], "
               "host_names: true}, {name: agent, usages: [client]}]"));
  EXPECT_EQ(hierarchy.root_lifetime, hours(24 * 100));
  EXPECT_EQ(hierarchy.issuing_lifetime, hours(24 * 50));
  EXPECT_EQ(hierarchy.dns_subtrees, std::vector<std::string>{"svc.acme.example"});
  ASSERT_EQ(hierarchy.ip_ranges.size(), 2u);
  EXPECT_EQ(hierarchy.ip_ranges[1].ToString(), "2001:db8::/32");
  ASSERT_EQ(hierarchy.profiles.size(), 2u) << "in their order: the first is the default";
  EXPECT_EQ(hierarchy.profiles[0].name, "service");
  EXPECT_EQ(hierarchy.profiles[0].lifetime, minutes(5));
  EXPECT_EQ(hierarchy.profiles[0].key_types,
            (std::set{ca::KeyType::kRsa2048, ca::KeyType::kEd25519}));
  EXPECT_FALSE(hierarchy.profiles[0].client_auth);
  EXPECT_TRUE(hierarchy.profiles[0].server_auth);
  EXPECT_TRUE(hierarchy.profiles[0].host_names);
  EXPECT_TRUE(hierarchy.profiles[1].client_auth);
  EXPECT_FALSE(hierarchy.profiles[1].server_auth);
}

TEST_F(HierarchyFileTest, IsReadAgainFromWhatIsWrittenOfIt) {
  const ca::Hierarchy hierarchy = Must(LoadWith(
      "token: hsm-acme\n"
      "status: {crl_lifetime: 24h, ocsp_lifetime: 1m, crl_shard_size: 10, delta_crls: false}\n"
      "issuing: {lifetime: 50d, rotate_every: 36h, publish_ahead: 90m, "
      "acknowledged_share: 95, acknowledge_within: 12h}\n"
      "approvals: {policy_widening: false, expire_after: 2d}\n"
      "dns_subtrees: [svc.acme.example, '7.example']\n"
      "ip_ranges: [10.0.0.0/8, 2001:db8::/32]\n",
      "[{name: 'true', lifetime: 5m, key_types: [rsa2048, ed25519], usages: [server], "
      "host_names: true}, {name: short, lifetime: 15m, status_free: true}]"));
  const ca::HierarchyDeclaration declaration{
      hierarchy,
      {{"alice", {ca::Role::kAdmin}}, {"bob", {ca::Role::kRevoker, ca::Role::kAuditor}}}};
  const std::string yaml = ToYaml(SpecOf(declaration));
  std::ofstream(path_) << yaml;
  EXPECT_EQ(Must(LoadHierarchyFile(path_)), declaration) << yaml;
}

TEST_F(HierarchyFileTest, LeavesToTheConfigurationWhatItDoesNotSayOfStatus) {
  const ca::StatusSettings configured{.crl_lifetime = minutes(7), .delta_crls = true};
  for (const char* nothing : {"", "status: {}"}) {
    const ca::Hierarchy hierarchy = Must(LoadWith(nothing));
    EXPECT_EQ(hierarchy.status.Over(configured), configured);
    EXPECT_FALSE(SpecOf({hierarchy, {}}).has_status());
  }
  const ca::Hierarchy hierarchy =
      Must(LoadWith("status: {ocsp_lifetime: 5m, crl_shard_size: 20, delta_crls: false}"));
  EXPECT_EQ(hierarchy.status.Over(configured), (ca::StatusSettings{.crl_lifetime = minutes(7),
                                                                   .ocsp_lifetime = minutes(5),
                                                                   .crl_shard_size = 20,
                                                                   .delta_crls = false}));
}

TEST_F(HierarchyFileTest, IsReadFromEachThatIsThereToBeCopied) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(PROJECT_SOURCE_DIR "/deploy/environments")) {
    if (!entry.path().filename().string().starts_with("acme-")) continue;
    const auto declaration = LoadHierarchyFile(entry.path());
    EXPECT_TRUE(declaration.ok()) << declaration.status();
    ++files;
  }
  EXPECT_EQ(files, 3);
}

TEST_F(HierarchyFileTest, IsReadFromTheOneOfTheDemo) {
  EXPECT_TRUE(LoadHierarchyFile(PROJECT_SOURCE_DIR "/deploy/demo/acme-dev.yaml").ok());
}

TEST_F(HierarchyFileTest, NamesTheFieldThatIsWrong) {
  EXPECT_TRUE(Refuses(LoadWith("ip_ranges: [10.0.0.1/8]"), "ip_ranges: "));
  EXPECT_TRUE(Refuses(LoadWith("dns_subtrees: ['*.x']"), "dns_subtrees: "));
  EXPECT_TRUE(Refuses(LoadWith("root: {lifetime: 1h}"), "root lifetime: "));
  EXPECT_TRUE(Refuses(LoadWith("token: " + std::string(33, 'x')), "token: 'xxx"));
  EXPECT_TRUE(Refuses(LoadWith("token: \"a\\nb\""), "token: 'a"));
  EXPECT_TRUE(Refuses(LoadWith("issuing: {acknowledged_share: 101}"),
                      "issuing acknowledged_share: 101 is no percentage"));
  EXPECT_TRUE(Refuses(LoadWith("issuing: {acknowledged_share: 1, acknowledge_within: 91d}"),
                      "issuing acknowledge_within: 91d"));
  EXPECT_TRUE(Refuses(LoadWith("issuing: {lifetime: 30d, rotate_every: 29d, publish_ahead: 1h, "
                               "acknowledged_share: 1, acknowledge_within: 28d}"),
                      "issuing acknowledge_within: 28d"));
  for (const char* duration : {"299s", "31d"}) {
    EXPECT_TRUE(Refuses(LoadWith(fmt::format("approvals: {{expire_after: {}}}", duration)),
                        "approvals expire_after: "));
  }
  for (const char* lifetime : {"59s", "25h", "0s"}) {
    for (const char* field : {"crl_lifetime", "ocsp_lifetime"}) {
      EXPECT_TRUE(Refuses(LoadWith(fmt::format("status: {{{}: {}}}", field, lifetime)),
                          fmt::format("status: {}: ", field)));
    }
  }
  for (const char* size : {"-1", "0", "9", "10000001"}) {
    EXPECT_TRUE(Refuses(LoadWith(fmt::format("status: {{crl_shard_size: {}}}", size)),
                        "status: crl_shard_size: "));
  }
  EXPECT_TRUE(Refuses(LoadWith("", "[]"), "profiles: write 1 to 32"));
  EXPECT_TRUE(
      Refuses(LoadWith("", "[{name: agent, key_types: [p224]}]"), "profiles: agent: 'p224'"));
  EXPECT_TRUE(Refuses(LoadWith("", "[{name: agent, usages: [both]}]"),
                      "profiles: agent: usages: 'both' is neither client nor server"));
  EXPECT_TRUE(
      Refuses(LoadWith("", "[{name: agent, lifetime: 8d}]"), "profiles: agent: lifetime: "));
  EXPECT_TRUE(Refuses(LoadWith("", "[{name: Agent}]"), "profiles: name: "));
  EXPECT_TRUE(
      Refuses(LoadWith("operators: [{name: eve}]"), "operators: eve: roles: name at least"));
  EXPECT_TRUE(Refuses(LoadWith("operators: [{name: eve, roles: [root]}]"), "operators: eve: "));
  EXPECT_TRUE(Refuses(LoadWith("operators: [{name: eve, roles: [admin]}, "
                               "{name: eve, roles: [auditor]}]"),
                      "operators: 'eve' is there twice"));
}

TEST_F(HierarchyFileTest, NamesTheTrustDomainThatIsMissing) {
  std::ofstream(path_) << "tenant: acme\nenvironment: prod\nprofiles: [{name: agent}]\n";
  EXPECT_TRUE(Refuses(LoadHierarchyFile(path_), "trust_domain: "));
}

TEST_F(HierarchyFileTest, NamesTheLineOfAKeyThatItDoesNotKnow) {
  EXPECT_TRUE(
      Says(LoadWith("dns_subtree: [x.example]").status(), StatusCode::kInvalidArgument,
           path_.string() + ":5: dns_subtree: there is no such key; is it 'dns_subtrees'?"));
}

TEST_F(HierarchyFileTest, SaysThatThereIsNoFile) {
  EXPECT_EQ(LoadHierarchyFile(folder_.path() / "none").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace files
