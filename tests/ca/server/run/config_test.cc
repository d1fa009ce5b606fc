#include "ca/server/run/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/temporary_folder.h"

namespace server {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;
using std::chrono::seconds;

// A configuration with every required field, as lines by key. A test changes one.
class ConfigTest : public ::testing::Test {
 protected:
  using Lines = std::map<std::string, std::string>;

  static Lines Whole() {
    return {
        {"listen", "{grpc: '0.0.0.0:8443'}"},
        {"advertise", "ca.example:8443"},
        {"server_names", "[ca.example, 10.0.0.1]"},
        {"runtime_directory", "/run/agentpki"},
        {"database", "{server: 'host=/run/postgresql dbname=agentpki user=agentpki_server'}"},
        {"hsm", "{module: /m.so, token_label: agentpki, pin_file: /etc/agentpki/pin}"},
        {"system", "{trust_domain: system.example}"},
    };
  }

  ca::Result<Config> Load(const Lines& lines) {
    std::ofstream file(path_);
    for (const auto& [key, value] : lines) file << key << ": " << value << "\n";
    file.close();
    return LoadConfig(path_);
  }
  ca::Result<Config> LoadWith(const std::string& key, const std::string& value) {
    Lines lines = Whole();
    lines[key] = value;
    return Load(lines);
  }

  ::testing::AssertionResult Refuses(const std::string& key, const std::string& value,
                                     const std::string& words) {
    return Says(LoadWith(key, value).status(), StatusCode::kInvalidArgument,
                path_.string() + ": " + words);
  }

  const ca::testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "server.yaml";
};

TEST_F(ConfigTest, HasTheQuotasOfListedTenants) {
  EXPECT_TRUE(Must(Load(Whole())).quotas.empty());
  const auto quotas =
      Must(LoadWith("quotas",
                    "[{tenant: acme, agents: 7}, {tenant: b, certificates_per_minute: 9}]"))
          .quotas;
  ASSERT_EQ(quotas.size(), 2u);
  EXPECT_EQ(quotas.at("acme").agents, 7);
  EXPECT_EQ(quotas.at("acme").certificates_per_minute, 0);
  EXPECT_EQ(quotas.at("b").certificates_per_minute, 9);
  EXPECT_TRUE(Refuses("quotas", "[{agents: 7}]", "quotas: tenant: "));
  EXPECT_TRUE(Refuses("quotas", "[{tenant: acme, agents: -1}]", "quotas: acme: agents: "));
  EXPECT_TRUE(Refuses("quotas", "[{tenant: acme, certificates_per_minute: 1000001}]",
                      "quotas: acme: certificates_per_minute: "));
  EXPECT_TRUE(
      Refuses("quotas", "[{tenant: acme}, {tenant: acme}]", "quotas: acme: it is there twice"));
}

TEST_F(ConfigTest, HasTheValuesOfTheFile) {
  Lines lines = Whole();
  lines["database"] = "{server: dbname=a, owner: dbname=b}";
  lines["hsm"] = "{module: /m.so, token_label: t, pin_credential: pin, timeout: 20s}";
  lines["system"] =
      "{trust_domain: system.example, dns_subtrees: [x.example], ip_ranges: [192.0.2.0/24], "
      "approvals: {root_rotation: false, expire_after: 2h}}";
  lines["limits"] = "{concurrent_calls: 7}";
  const Config config = Must(Load(lines));
  EXPECT_EQ(config.listen_grpc, "0.0.0.0:8443");
  EXPECT_EQ(config.advertise, "ca.example:8443");
  EXPECT_EQ(config.dns_names, std::vector<std::string>{"ca.example"});
  ASSERT_EQ(config.ip_addresses.size(), 1u);
  EXPECT_EQ(config.ip_addresses[0].ToString(), "10.0.0.1");
  EXPECT_EQ(config.runtime_directory, "/run/agentpki");
  EXPECT_EQ(config.database_server, "dbname=a");
  EXPECT_EQ(config.database_owner, "dbname=b");
  EXPECT_EQ(config.token.module, "/m.so");
  EXPECT_EQ(config.token.label, "t");
  EXPECT_EQ(config.token.pin_credential, "pin");
  EXPECT_TRUE(config.token.pin_file.empty());
  EXPECT_EQ(config.hsm_timeout, seconds(20));
  EXPECT_EQ(config.system_trust_domain.name(), "system.example");
  EXPECT_EQ(config.system_dns_subtrees, std::vector<std::string>{"x.example"});
  EXPECT_EQ(config.system_approvals,
            (ca::ApprovalPolicy{.root_rotation = false, .expire_after = std::chrono::hours(2)}));
  ASSERT_EQ(config.system_ip_ranges.size(), 1u);
  EXPECT_EQ(config.system_ip_ranges[0].ToString(), "192.0.2.0/24");
  EXPECT_EQ(config.concurrent_calls, 7);
}

TEST_F(ConfigTest, HasDefaultsForMissingFields) {
  const Config config = Must(Load(Whole()));
  EXPECT_EQ(config.database_owner, "");
  EXPECT_EQ(config.hsm_timeout, seconds(15));
  EXPECT_EQ(config.concurrent_calls, 256);
}

TEST_F(ConfigTest, ConstrainsServersToTheirNamesByDefault) {
  const Config config = Must(Load(Whole()));
  EXPECT_EQ(config.system_dns_subtrees, std::vector<std::string>{"ca.example"});
  ASSERT_EQ(config.system_ip_ranges.size(), 1u);
  EXPECT_EQ(config.system_ip_ranges[0].ToString(), "10.0.0.1/32");
}

TEST_F(ConfigTest, ReadsTheDeployedExample) {
  EXPECT_TRUE(LoadConfig(PROJECT_SOURCE_DIR "/deploy/agentpki-server.yaml").ok());
}

TEST_F(ConfigTest, NamesEachMissingField) {
  const std::map<std::string, std::string> words = {
      {"listen", "listen: grpc: "},
      {"advertise", "advertise: "},
      {"server_names", "server_names: "},
      {"runtime_directory", "runtime_directory: it is missing"},
      {"database", "database: server: it is missing"},
      {"hsm", "hsm: module: it is missing"},
      {"system", "system: trust_domain: it is missing"},
  };
  for (const auto& [key, value] : Whole()) {
    Lines lines = Whole();
    lines.erase(key);
    EXPECT_TRUE(Says(Load(lines).status(), StatusCode::kInvalidArgument,
                     path_.string() + ": " + words.at(key)));
  }
}

TEST_F(ConfigTest, NamesTheLineOfAnUnknownKey) {
  EXPECT_TRUE(Says(LoadWith("advertize", "x").status(), StatusCode::kInvalidArgument,
                   path_.string() + ":2: advertize: there is no such key; is it 'advertise'?"));
}

TEST_F(ConfigTest, RefusesInvalidAddresses) {
  for (const char* address : {"ca.example", "':8443'", "'ca.example:'", "'ca.example:x'",
                              "'ca.example:65536'", "'ca.example:-1'", "'ca.example:123456'"}) {
    EXPECT_TRUE(Refuses("advertise", address, "advertise: '")) << address;
    EXPECT_TRUE(Refuses("listen", std::string("{grpc: ") + address + "}", "listen: grpc: '"))
        << address;
  }
  EXPECT_TRUE(Refuses("advertise", "'ca.example:0'", "advertise: ")) << "nobody could reach it";
  EXPECT_TRUE(LoadWith("listen", "{grpc: '127.0.0.1:0'}").ok()) << "the system chooses";
  EXPECT_TRUE(LoadWith("listen", "{grpc: '[::1]:8443'}").ok());
}

TEST_F(ConfigTest, RefusesInvalidServerNames) {
  for (const char* names : {"['*.example']", "[CA.example]", "['10.0.0.1/24']", "['']"}) {
    EXPECT_TRUE(Refuses("server_names", names, "server_names: '")) << names;
  }
  EXPECT_TRUE(Refuses("server_names", "[]", "server_names: write the names"));
}

TEST_F(ConfigTest, RefusesPasswordsInConnectionStrings) {
  for (const char* conninfo :
       {"'dbname=a password=swordfish'", "'postgresql://user:swordfish@host/agentpki'",
        "'postgres://host/agentpki'"}) {
    EXPECT_TRUE(
        Refuses("database", std::string("{server: ") + conninfo + "}", "database: server: "));
    EXPECT_TRUE(Refuses("database", std::string("{server: dbname=a, owner: ") + conninfo + "}",
                        "database: owner: "));
    EXPECT_EQ(
        ca::MessageOf(LoadWith("database", std::string("{server: ") + conninfo + "}").status())
            .find("swordfish"),
        std::string::npos);
  }
  EXPECT_TRUE(LoadWith("database", "{server: 'dbname=a passfile=/etc/pgpass'}").ok());
}

TEST_F(ConfigTest, NeedsExactlyOneSourceOfThePin) {
  const std::string start = "{module: /m.so, token_label: t";
  EXPECT_TRUE(Refuses("hsm", start + "}", "hsm: write either pin_file or pin_credential"));
  EXPECT_TRUE(Refuses("hsm", start + ", pin_file: /a, pin_credential: b}", "hsm: write either"));
  EXPECT_TRUE(Refuses("hsm", "{module: /m.so, pin_file: /a}", "hsm: token_label: it is missing"));
}

std::string HsmWith(const std::string& tokens) {
  return "{module: /m.so, token_label: t, pin_file: /pin, tokens: [" + tokens + "]}";
}

TEST_F(ConfigTest, HasTheDedicatedTokensOfTenants) {
  const Config config =
      Must(LoadWith("hsm", HsmWith("{token_label: a, pin_file: /a, tenants: [acme, initech]}, "
                                   "{module: /n.so, token_label: b, pin_credential: b, "
                                   "tenants: [globex]}")));
  ASSERT_EQ(config.tenant_tokens.size(), 2u);
  EXPECT_EQ(config.tenant_tokens[0].module, "/m.so");
  EXPECT_EQ(config.tenant_tokens[0].label, "a");
  EXPECT_EQ(config.tenant_tokens[0].pin_file, "/a");
  EXPECT_EQ(config.tenant_tokens[0].tenants, (std::set<std::string>{"acme", "initech"}));
  EXPECT_EQ(config.tenant_tokens[1].module, "/n.so");
  EXPECT_EQ(config.tenant_tokens[1].pin_credential, "b");
  EXPECT_TRUE(config.token.tenants.empty());
}

TEST_F(ConfigTest, RefusesInvalidDedicatedTokens) {
  const std::string a = "{token_label: a, pin_file: /a, tenants: [acme]}";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"{pin_file: /a, tenants: [acme]}", "tokens[0]: token_label: it is missing"},
      {"{token_label: a, tenants: [acme]}", "tokens[0]: write either pin_file or"},
      {"{token_label: a, pin_file: /a, pin_credential: a, tenants: [acme]}", "tokens[0]: write"},
      {"{token_label: a, pin_file: /a}", "tokens[0]: tenants: it is missing"},
      {"{token_label: a, pin_file: /a, tenants: [Acme]}", "tokens[0]: tenants"},
      {"{token_label: a, pin_file: /a, tenants: [acme, acme]}",
       "tokens[0]: tenants: 'acme' is there twice"},
      {"{token_label: a, pin_file: /a, tenants: [agentpki]}",
       "tokens[0]: tenants: 'agentpki' is the system hierarchy"},
      {"{token_label: t, pin_file: /a, tenants: [acme]}",
       "tokens[0]: token_label: 't' is the label of another token"},
      {"{token_label: a, pin_file: /pin, tenants: [acme]}",
       "tokens[0]: pin_file: another token reads the same"},
      {a + ", {token_label: b, pin_file: /b, tenants: [globex, acme]}",
       "tokens[1]: tenants: 'acme' is at token 'a' already"},
      {a + ", {token_label: a, pin_file: /b, tenants: [globex]}", "tokens[1]: token_label: 'a'"},
      {a + ", {token_label: b, pin_file: /a, tenants: [globex]}", "tokens[1]: pin_file: "},
  };
  for (const auto& [tokens, words] : wrong) {
    EXPECT_TRUE(Refuses("hsm", HsmWith(tokens), "hsm: " + words));
  }
  std::string many;
  for (int i = 0; i < 17; ++i) {
    many += fmt::format("{{token_label: a{0}, pin_file: /a{0}, tenants: [t{0}]}}, ", i);
  }
  EXPECT_TRUE(Refuses("hsm", HsmWith(many), "hsm: tokens: there are 17; write at most 16"));
}

TEST_F(ConfigTest, BoundsTheTimeForOpeningTheToken) {
  for (const char* timeout : {"0s", "121s", "1d"}) {
    EXPECT_TRUE(Refuses("hsm",
                        std::string("{module: /m.so, token_label: t, pin_file: /a, "
                                    "timeout: ") +
                            timeout + "}",
                        "hsm: timeout: write 1s to 120s"));
  }
}

TEST_F(ConfigTest, RefusesAnInvalidSystemHierarchy) {
  EXPECT_TRUE(Refuses("system", "{trust_domain: localhost}", "system: trust_domain: "));
  EXPECT_TRUE(Refuses("system", "{trust_domain: a.example, approvals: {expire_after: 31d}}",
                      "system: approvals: expire_after: write 5m to 30d"));
  EXPECT_TRUE(Refuses("system", "{trust_domain: a.example, dns_subtrees: ['*.x']}",
                      "system: dns_subtrees: '*.x'"));
  EXPECT_TRUE(Refuses("system", "{trust_domain: a.example, ip_ranges: [10.0.0.1/8]}",
                      "system: ip_ranges: "));
}

TEST_F(ConfigTest, BoundsConcurrentCalls) {
  for (const char* calls : {"-1", "4097"}) {
    EXPECT_TRUE(Refuses("limits", std::string("{concurrent_calls: ") + calls + "}",
                        "limits: concurrent_calls: write 1 to 4096"));
  }
}

TEST_F(ConfigTest, BoundsTheConnectionsOfOneAddress) {
  EXPECT_EQ(Must(Load(Whole())).status.connections_per_address, 64);
  for (const int connections : {1, 4096}) {
    const auto config =
        LoadWith("status", fmt::format("{{connections_per_address: {}}}", connections));
    EXPECT_EQ(Must(config).status.connections_per_address, connections);
  }
  for (const char* connections : {"-1", "4097"}) {
    EXPECT_TRUE(Refuses("status", std::string("{connections_per_address: ") + connections + "}",
                        "status: connections_per_address: write 1 to 4096"));
  }
}

TEST_F(ConfigTest, BoundsTheStatusSettings) {
  EXPECT_EQ(Must(Load(Whole())).status.settings, ca::StatusSettings());
  EXPECT_EQ(Must(LoadWith("status",
                          "{crl_lifetime: 24h, ocsp_lifetime: 1m, crl_shard_size: 10, "
                          "delta_crls: true}"))
                .status.settings,
            (ca::StatusSettings{.crl_lifetime = std::chrono::hours(24),
                                .ocsp_lifetime = std::chrono::minutes(1),
                                .crl_shard_size = 10,
                                .delta_crls = true}));
  EXPECT_TRUE(Refuses("status", "{crl_lifetime: 25h}", "status: crl_lifetime: 25h is out of"));
  EXPECT_TRUE(Refuses("status", "{ocsp_lifetime: 59s}", "status: ocsp_lifetime: 59s is out of"));
  EXPECT_TRUE(Refuses("status", "{crl_shard_size: 9}", "status: crl_shard_size: 9 is out of"));
}

TEST_F(ConfigTest, SaysThatTheFileIsMissing) {
  EXPECT_TRUE(
      Says(LoadConfig(folder_.path() / "none.yaml").status(), StatusCode::kNotFound, "none.yaml"));
}

}  // namespace
}  // namespace server
