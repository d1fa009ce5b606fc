// Files that people write: anything outside the schema is refused with its line and a hint.

#include "ca/files/yaml_message.h"

#include <gtest/gtest.h>

#include <fstream>

#include "agentpki/v1/config.pb.h"
#include "agentpki/v1/hierarchy.pb.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/temporary_folder.h"

namespace files {
namespace {

using agentpki::v1::HierarchySpec;
using agentpki::v1::ServerConfig;
using ca::StatusCode;
using ca::testing::Says;

template <typename Message>
Message Parsed(const std::string& text) {
  Message message;
  const ca::Status status = ParseYaml(text, "file.yaml", message);
  EXPECT_TRUE(status.ok()) << status;
  return message;
}

template <typename Message = HierarchySpec>
::testing::AssertionResult Refuses(const std::string& text, std::string_view words) {
  Message message;
  return Says(ParseYaml(text, "file.yaml", message), StatusCode::kInvalidArgument, words);
}

// ---- what is taken ------------------------------------------------------------------------------

TEST(YamlMessageTest, FillsFieldsOfEveryType) {
  const auto config = Parsed<ServerConfig>(
      "listen:\n"
      "  grpc: 127.0.0.1:0\n"
      "advertise: 'ca.example:8443'  # quoted\n"
      "server_names: [a.example, \"10.0.0.1\"]\n"
      "hsm: {module: /m.so, timeout: 90s}\n"
      "limits:\n"
      "  concurrent_calls: 17\n");
  EXPECT_EQ(config.listen().grpc(), "127.0.0.1:0");
  EXPECT_EQ(config.advertise(), "ca.example:8443");
  ASSERT_EQ(config.server_names_size(), 2);
  EXPECT_EQ(config.server_names(1), "10.0.0.1");
  EXPECT_EQ(config.hsm().timeout().seconds(), 90);
  EXPECT_EQ(config.limits().concurrent_calls(), 17);
}

TEST(YamlMessageTest, FillsListsOfMessages) {
  const auto spec = Parsed<HierarchySpec>(
      "profiles:\n"
      "- name: agent\n"
      "  lifetime: 1h\n"
      "  host_names: true\n"
      "- name: other\n"
      "  key_types:\n"
      "    - p256\n"
      "    - ed25519\n");
  ASSERT_EQ(spec.profiles_size(), 2);
  EXPECT_EQ(spec.profiles(0).lifetime().seconds(), 3600);
  EXPECT_TRUE(spec.profiles(0).host_names());
  EXPECT_EQ(spec.profiles(1).key_types(1), "ed25519");
  EXPECT_FALSE(spec.profiles(1).has_lifetime());
}

TEST(YamlMessageTest, KeepsTextAsItIsWritten) {
  const auto spec = Parsed<HierarchySpec>("tenant: 007\nenvironment: 'true'\n");
  EXPECT_EQ(spec.tenant(), "007");
  EXPECT_EQ(spec.environment(), "true");
}

TEST(YamlMessageTest, WritesTextOfSeveralLinesInItsLines) {
  HierarchySpec spec;
  spec.set_tenant("acme");
  spec.mutable_root()->set_external_certificates("one\n  two: 'x'\n\nthree\n");
  const std::string yaml = ToYaml(spec);
  EXPECT_NE(yaml.find("external_certificates: |\n    one\n"), std::string::npos) << yaml;
  const auto read = Parsed<HierarchySpec>(yaml);
  EXPECT_EQ(read.root().external_certificates(), spec.root().external_certificates()) << yaml;
  EXPECT_EQ(read.tenant(), "acme");
}

TEST(YamlMessageTest, ReadsDurationsOfEveryUnit) {
  for (const auto& [text, seconds] : std::initializer_list<std::pair<std::string, int>>{
           {"90s", 90}, {"5m", 300}, {"1h", 3600}, {"365d", 365 * 86400}}) {
    EXPECT_EQ(Parsed<HierarchySpec>("root: {lifetime: " + text + "}").root().lifetime().seconds(),
              seconds);
  }
}

TEST(YamlMessageTest, TakesAnchorsAndAliases) {
  const auto spec = Parsed<HierarchySpec>(
      "root: &long {lifetime: 100d}\n"
      "issuing: *long\n");
  EXPECT_EQ(spec.issuing().lifetime().seconds(), 100 * 86400);
}

// ---- unknown keys -------------------------------------------------------------------------------

TEST(YamlMessageTest, NamesTheLineOfAnUnknownKeyAndTheNearestThereIs) {
  EXPECT_TRUE(Refuses("tenant: acme\ntrust_domian: a.example\n",
                      "file.yaml:2: trust_domian: there is no such key; is it 'trust_domain'?"));
  EXPECT_TRUE(
      Refuses("profiles:\n- name: agent\n  lifetme: 1h\n",
              "file.yaml:3: profiles[0]: lifetme: there is no such key; is it 'lifetime'?"));
  EXPECT_TRUE(Refuses<ServerConfig>("hsm:\n  tokenlabel: x\n", "file.yaml:2: hsm: tokenlabel"));
}

TEST(YamlMessageTest, ListsTheKeysThereAreWhenNoneIsNear) {
  EXPECT_TRUE(Refuses("xyzzy: 1\n", "there is no such key, but: tenant, environment"));
}

TEST(YamlMessageTest, DoesNotTakeAFieldByItsJsonName) {
  EXPECT_TRUE(Refuses("trustDomain: a.example\n", "trustDomain: there is no such key"));
}

TEST(YamlMessageTest, ShowsAnUnknownKeyInPrintableCharacters) {
  EXPECT_TRUE(Refuses("\"\\e[2J\": 1\n", R"(\x1b[2J: there is no such key)"));
}

TEST(YamlMessageTest, RefusesKeysThatAreNotText) {
  for (const char* text : {"? [a, b]\n: 1\n", "? {a: b}\n: 1\n", "~: 1\n"}) {
    EXPECT_TRUE(Refuses(text, "there is no such key")) << text;
  }
}

// The merge key of YAML 1.1 would be a way around the schema, so it is a key like any other.
TEST(YamlMessageTest, DoesNotMergeMappings) {
  EXPECT_TRUE(Refuses("root: &r {lifetime: 1d}\nissuing:\n  <<: *r\n",
                      "file.yaml:3: issuing: <<: there is no such key"));
}

// ---- duplicates ---------------------------------------------------------------------------------

TEST(YamlMessageTest, RefusesAKeyThatIsThereTwice) {
  EXPECT_TRUE(Refuses("tenant: acme\ntenant: globex\n", "file.yaml:2: tenant: it is there twice"));
  EXPECT_TRUE(Refuses("root:\n  lifetime: 1d\n  lifetime: 1d\n", "file.yaml:3: root: lifetime"));
}

TEST(YamlMessageTest, TakesTheSameKeyInTwoElements) {
  EXPECT_EQ(Parsed<HierarchySpec>("profiles: [{name: a}, {name: b}]").profiles_size(), 2);
}

// ---- wrong types --------------------------------------------------------------------------------

TEST(YamlMessageTest, SaysWhichTypeIsWanted) {
  EXPECT_TRUE(Refuses("tenant: [acme]\n", "file.yaml:1: tenant: write a single value"));
  EXPECT_TRUE(Refuses("tenant: {a: b}\n", "tenant: write a single value"));
  EXPECT_TRUE(Refuses("tenant:\n", "tenant: write a single value"));
  EXPECT_TRUE(Refuses("dns_subtrees: a.example\n", "dns_subtrees: write a list"));
  EXPECT_TRUE(Refuses("dns_subtrees: [a, [b]]\n", "dns_subtrees[1]: write a single value"));
  EXPECT_TRUE(Refuses("root: 1d\n", "root: write a mapping of: lifetime"));
  EXPECT_TRUE(Refuses("profiles: [agent]\n", "profiles[0]: write a mapping of: name"));
  EXPECT_TRUE(Refuses("profiles: [{host_names: maybe}]\n", "host_names: write true or false"));
  EXPECT_TRUE(Refuses<ServerConfig>("limits: {concurrent_calls: many}", "write a whole number"));
  EXPECT_TRUE(Refuses<ServerConfig>("limits: {concurrent_calls: 1.5}", "write a whole number"));
  EXPECT_TRUE(
      Refuses<ServerConfig>("limits: {concurrent_calls: 99999999999}", "write a whole number"));
}

TEST(YamlMessageTest, SaysWhatADurationLooksLike) {
  for (const char* text : {"90", "1h30m", "-5m", "[5m]", "{seconds: 5}", "''", "1w"}) {
    EXPECT_TRUE(Refuses(std::string("tenant: a\nroot: {lifetime: ") + text + "}\n",
                        "file.yaml:2: root: lifetime: "))
        << text;
    EXPECT_TRUE(Refuses(std::string("root: {lifetime: ") + text + "}\n", "such as 90d")) << text;
  }
}

TEST(YamlMessageTest, RefusesAFileThatIsNoMapping) {
  for (const char* text : {"", "# nothing but a comment\n", "acme", "[a, b]", "42", "---\n"}) {
    EXPECT_TRUE(Refuses(text, "the file: write a mapping of: tenant")) << text;
  }
}

TEST(YamlMessageTest, RefusesASecondDocumentWhichWouldBePassedOverInSilence) {
  EXPECT_TRUE(Refuses("tenant: acme\n---\nenvironment: prod\n", "more than one document"));
}

TEST(YamlMessageTest, NamesTheLineWhereItIsNotYaml) {
  EXPECT_TRUE(Refuses("tenant: acme\nprofiles: [\n", "file.yaml:3: not YAML"));
  EXPECT_TRUE(Refuses("tenant: acme\n\tenvironment: prod\n", "file.yaml:2: not YAML"));
  EXPECT_TRUE(Refuses("root: *nowhere\n", "file.yaml:1: not YAML"));
}

// ---- what would blow it up ----------------------------------------------------------------------

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// 20,000 profiles of 20,000 key types each, in 200 kB.
TEST(YamlMessageTest, DoesNotExpandAliasesWithoutEnd) {
  const std::string bomb = "profiles:\n- &p {name: a, key_types: [" + Repeated("p256, ", 20'000) +
                           "]}\n" + Repeated("- *p\n", 20'000);
  EXPECT_TRUE(Refuses(bomb, "more than 10000 values"));
}

TEST(YamlMessageTest, DoesNotFollowTheClassicBomb) {
  std::string bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
            Repeated(before + ", ", 8) + before + "]\n";
  }
  EXPECT_TRUE(Refuses(bomb, "a0: there is no such key"));
  EXPECT_TRUE(Refuses("dns_subtrees:\n- &a [x, x]\n- &b [*a, *a]\n", "write a single value"));
}

TEST(YamlMessageTest, DoesNotFollowAnAliasToItself) {
  EXPECT_FALSE(
      ParseYaml("profiles: &p [*p]\n", "file.yaml", *std::make_unique<HierarchySpec>()).ok());
  EXPECT_FALSE(
      ParseYaml("root: &r {lifetime: *r}\n", "file.yaml", *std::make_unique<HierarchySpec>()).ok());
}

TEST(YamlMessageTest, DoesNotSinkIntoDeepNesting) {
  for (const char* open : {"[", "{a: ", "- ", "? ", "{? "}) {
    HierarchySpec message;
    const ca::Status status = ParseYaml(Repeated(open, 100'000), "file.yaml", message);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << open;
  }
}

// ---- files --------------------------------------------------------------------------------------

TEST(YamlMessageTest, ReadsAFile) {
  const ca::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "a.yaml") << "tenant: acme\n";
  HierarchySpec message;
  EXPECT_TRUE(ParseYamlFile(folder.path() / "a.yaml", message).ok());
  EXPECT_EQ(message.tenant(), "acme");
}

TEST(YamlMessageTest, NamesTheFileThatItCannotRead) {
  const ca::testing::TemporaryFolder folder;
  HierarchySpec message;
  EXPECT_TRUE(Says(ParseYamlFile(folder.path() / "none.yaml", message), StatusCode::kNotFound,
                   "none.yaml"));
  std::ofstream(folder.path() / "bad.yaml") << "tenannt: acme\n";
  EXPECT_TRUE(Says(ParseYamlFile(folder.path() / "bad.yaml", message), StatusCode::kInvalidArgument,
                   (folder.path() / "bad.yaml").string() + ":1: "));
}

TEST(YamlMessageTest, ReadsNoFileBeyondItsBound) {
  const ca::testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "large.yaml") << "# " << std::string(1024 * 1024, 'x');
  HierarchySpec message;
  EXPECT_TRUE(Says(ParseYamlFile(folder.path() / "large.yaml", message),
                   StatusCode::kInvalidArgument, "larger than 1048576 octets"));
}

}  // namespace
}  // namespace files
