#include "ca/server/run/config.h"

#include <algorithm>

#include "agentpki/v1/config.pb.h"
#include "ca/files/hierarchy_file.h"
#include "ca/files/yaml_message.h"
#include "ca/model/hierarchy.h"
#include "ca/model/short_name.h"

namespace server {
namespace {

using agentpki::v1::ServerConfig;
using ca::Error;
using ca::Status;
using ca::StatusCode;

constexpr int kConcurrentCallsMax = 4096;
constexpr int kAgentsQuotaMax = 100'000'000;
constexpr int kCertificatesQuotaMax = 1'000'000;
constexpr int kConnectionsPerAddressMax = 4096;  // the default of HttpLimits::connections
constexpr int kTenantTokensMax = 16;
constexpr std::chrono::seconds kHsmTimeoutMin(1);
constexpr std::chrono::seconds kHsmTimeoutMax(120);

Status Wrong(std::string_view key, std::string_view what) {
  return Error(StatusCode::kInvalidArgument, "{}: {}", key, what);
}

Status CheckPresent(std::string_view key, const std::string& value, std::string_view example) {
  if (!value.empty()) return ca::Ok();
  return Wrong(key, fmt::format("it is missing; write for example {}", example));
}

Status CheckAddress(std::string_view key, const std::string& value, bool allow_zero) {
  const size_t colon = value.rfind(':');
  const std::string port = colon == std::string::npos ? "" : value.substr(colon + 1);
  const bool is_number =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const int number = is_number ? std::stoi(port) : -1;
  if (colon != 0 && number >= (allow_zero ? 0 : 1) && number <= 65535) return ca::Ok();
  return Wrong(key, fmt::format("'{}' is not HOST:PORT", ca::Printable(value)));
}

// People show configuration files to each other, so a file contains no secret. libpq has better
// places for a password.
Status CheckConninfo(std::string_view key, const std::string& conninfo) {
  if (conninfo.starts_with("postgres://") || conninfo.starts_with("postgresql://")) {
    return Wrong(key, "it is a URI; write keywords, such as host=/run/postgresql dbname=agentpki");
  }
  if (conninfo.find("password") == std::string::npos) return ca::Ok();
  return Wrong(key,
               "it contains a password; use passfile=, sslcert= or peer authentication instead");
}

Status FillServerNames(const ServerConfig& yaml, Config& config) {
  for (const std::string& name : yaml.server_names()) {
    if (const auto address = ca::IpAddress::Parse(name); address.ok()) {
      config.ip_addresses.push_back(*address);
    } else if (ca::IsDnsName(name)) {
      config.dns_names.push_back(name);
    } else {
      return Wrong("server_names",
                   fmt::format("'{}' is neither a lower-case DNS name nor an IP address",
                               ca::Printable(name)));
    }
  }
  if (yaml.server_names().empty()) {
    return Wrong("server_names", "write the names by which agents reach this server");
  }
  return ca::Ok();
}

Status CheckExpireAfter(std::chrono::seconds expire_after) {
  if (expire_after >= ca::ApprovalPolicy::kExpireAfterMin &&
      expire_after <= ca::ApprovalPolicy::kExpireAfterMax) {
    return ca::Ok();
  }
  return Wrong("system: approvals: expire_after", "write 5m to 30d");
}

// The name constraints of the system hierarchy. Without them in the file, the names of this server.
Status FillSystem(const agentpki::v1::SystemConfig& yaml, Config& config) {
  for (const std::string& subtree : yaml.dns_subtrees()) {
    if (!ca::IsDnsName(subtree)) {
      return Wrong("system: dns_subtrees",
                   fmt::format("'{}' is not a lower-case DNS name", ca::Printable(subtree)));
    }
    config.system_dns_subtrees.push_back(subtree);
  }
  std::vector<std::string> ranges(yaml.ip_ranges().begin(), yaml.ip_ranges().end());
  if (yaml.dns_subtrees().empty() && ranges.empty()) {
    config.system_dns_subtrees = config.dns_names;
    for (const ca::IpAddress& address : config.ip_addresses) ranges.push_back(address.ToString());
  }
  for (const std::string& range : ranges) {
    auto parsed = ca::IpRange::Parse(range);
    if (!parsed.ok()) return ca::Annotate(parsed.status(), "system: ip_ranges: ");
    config.system_ip_ranges.push_back(*std::move(parsed));
  }
  config.system_approvals = files::ApprovalPolicyOf(yaml.approvals());
  return CheckExpireAfter(config.system_approvals.expire_after);
}

// The keys that the common token and a dedicated token share.
template <typename TokenYaml>
Status FillToken(const std::string& key, const TokenYaml& yaml, TokenConfig& token) {
  TRY(CheckPresent(key + ": token_label", yaml.token_label(), "agentpki"));
  if (yaml.pin_file().empty() == yaml.pin_credential().empty()) {
    return Wrong(key, "write either pin_file or pin_credential");
  }
  token.label = yaml.token_label();
  token.pin_file = yaml.pin_file();
  token.pin_credential = yaml.pin_credential();
  return ca::Ok();
}

Status FillTenants(const std::string& key, const agentpki::v1::TenantTokenConfig& yaml,
                   TokenConfig& token) {
  for (const std::string& tenant : yaml.tenants()) {
    TRY(ca::CheckShortName(key + ": tenants", tenant, ca::Hierarchy::kNameMax));
    if (tenant == kSystemTenant) {
      return Wrong(
          key + ": tenants",
          fmt::format("'{}' is the system hierarchy's tenant, and its keys are on the token "
                      "of hsm: token_label; remove it here",
                      tenant));
    }
    if (!token.tenants.insert(tenant).second) {
      return Wrong(key + ": tenants", fmt::format("'{}' is there twice", tenant));
    }
  }
  if (!token.tenants.empty()) return ca::Ok();
  return Wrong(key + ": tenants",
               "it is missing; write the tenants whose keys are on it, for example [acme]");
}

// Two tokens may not share a label, a PIN or a tenant.
Status CheckDedicated(const std::string& key, const TokenConfig& token, const TokenConfig& other) {
  if (token.label == other.label) {
    return Wrong(key + ": token_label",
                 fmt::format("'{}' is the label of another token of this file too; give each token "
                             "its own label",
                             ca::Printable(token.label)));
  }
  if (!token.pin_file.empty() && token.pin_file == other.pin_file) {
    return Wrong(key + ": pin_file", "another token reads the same; give each token its own PIN");
  }
  if (!token.pin_credential.empty() && token.pin_credential == other.pin_credential) {
    return Wrong(key + ": pin_credential",
                 "another token reads the same; give each token its own PIN");
  }
  for (const std::string& tenant : token.tenants) {
    if (!other.tenants.contains(tenant)) continue;
    return Wrong(key + ": tenants",
                 fmt::format("'{}' is at token '{}' already; a tenant has one token", tenant,
                             ca::Printable(other.label)));
  }
  return ca::Ok();
}

Status FillTenantTokens(const agentpki::v1::HsmConfig& yaml, Config& config) {
  if (yaml.tokens_size() > kTenantTokensMax) {
    return Wrong("hsm: tokens", fmt::format("there are {}; write at most {}", yaml.tokens_size(),
                                            kTenantTokensMax));
  }
  for (int i = 0; i < yaml.tokens_size(); ++i) {
    const agentpki::v1::TenantTokenConfig& one = yaml.tokens(i);
    const std::string key = fmt::format("hsm: tokens[{}]", i);
    TokenConfig token;
    token.module = one.module().empty() ? yaml.module() : one.module();
    TRY(FillToken(key, one, token));
    TRY(FillTenants(key, one, token));
    TRY(CheckDedicated(key, token, config.token));
    for (const TokenConfig& other : config.tenant_tokens) TRY(CheckDedicated(key, token, other));
    config.tenant_tokens.push_back(std::move(token));
  }
  return ca::Ok();
}

Status FillHsm(const agentpki::v1::HsmConfig& yaml, Config& config) {
  TRY(CheckPresent("hsm: module", yaml.module(), "/usr/lib/softhsm/libsofthsm2.so"));
  config.token.module = yaml.module();
  TRY(FillToken("hsm", yaml, config.token));
  TRY(FillTenantTokens(yaml, config));
  if (!yaml.has_timeout()) return ca::Ok();
  config.hsm_timeout = std::chrono::seconds(yaml.timeout().seconds());
  if (config.hsm_timeout >= kHsmTimeoutMin && config.hsm_timeout <= kHsmTimeoutMax) return ca::Ok();
  return Wrong("hsm: timeout", "write 1s to 120s");
}

Status FillLimits(const agentpki::v1::LimitsConfig& yaml, Config& config) {
  if (yaml.concurrent_calls() == 0) return ca::Ok();
  config.concurrent_calls = yaml.concurrent_calls();
  if (config.concurrent_calls > 0 && config.concurrent_calls <= kConcurrentCallsMax)
    return ca::Ok();
  return Wrong("limits: concurrent_calls", fmt::format("write 1 to {}", kConcurrentCallsMax));
}

Status FillQuotas(const ServerConfig& yaml, Config& config) {
  for (const agentpki::v1::TenantQuota& quota : yaml.quotas()) {
    const Status named = ca::CheckShortName("tenant", quota.tenant(), ca::Hierarchy::kNameMax);
    if (!named.ok()) return ca::Annotate(named, "quotas: ");
    const std::string of = "quotas: " + quota.tenant();
    if (quota.agents() < 0 || quota.agents() > kAgentsQuotaMax) {
      return Wrong(of, fmt::format("agents: write 1 to {}, or 0 for no quota", kAgentsQuotaMax));
    }
    if (quota.certificates_per_minute() < 0 ||
        quota.certificates_per_minute() > kCertificatesQuotaMax) {
      return Wrong(of, fmt::format("certificates_per_minute: write 1 to {}, or 0 for no quota",
                                   kCertificatesQuotaMax));
    }
    const ca::TenantQuota checked{quota.agents(), quota.certificates_per_minute()};
    if (!config.quotas.emplace(quota.tenant(), checked).second) {
      return Wrong(of, "it is there twice; write each tenant once");
    }
  }
  return ca::Ok();
}

Status FillStatusSettings(const agentpki::v1::StatusConfig& yaml, ca::StatusSettings& settings) {
  if (const auto seconds = yaml.crl_lifetime().seconds()) {
    settings.crl_lifetime = std::chrono::seconds(seconds);
  }
  if (const auto seconds = yaml.ocsp_lifetime().seconds()) {
    settings.ocsp_lifetime = std::chrono::seconds(seconds);
  }
  if (yaml.crl_shard_size() != 0) settings.crl_shard_size = yaml.crl_shard_size();
  settings.delta_crls = yaml.delta_crls();
  return ca::Annotate(settings.Validate(), "status: ");
}

Status FillConnectionsPerAddress(int yaml, Config& config) {
  if (yaml == 0) return ca::Ok();
  config.status.connections_per_address = yaml;
  if (yaml > 0 && yaml <= kConnectionsPerAddressMax) return ca::Ok();
  return Wrong("status: connections_per_address",
               fmt::format("write 1 to {}", kConnectionsPerAddressMax));
}

Status FillStatus(const ServerConfig& yaml, Config& config) {
  const agentpki::v1::StatusConfig& status = yaml.status();
  config.listen_http = yaml.listen().http();
  config.listen_metrics = yaml.listen().metrics();
  if (!config.listen_http.empty()) TRY(CheckAddress("listen: http", config.listen_http, true));
  if (!config.listen_metrics.empty()) {
    TRY(CheckAddress("listen: metrics", config.listen_metrics, true));
  }
  if (!status.url().empty()) {
    auto urls = ca::StatusUrls::At(status.url());
    if (!urls.ok()) return ca::Annotate(urls.status(), "status: url: ");
    config.status.urls = *std::move(urls);
  } else if (!config.listen_http.empty()) {
    return Wrong(
        "status: url",
        "it is missing; write the URL at which relying parties reach listen: http, such as "
        "http://pki.acme.example");
  }
  TRY(FillStatusSettings(status, config.status.settings));
  return FillConnectionsPerAddress(status.connections_per_address(), config);
}

ca::Result<Config> Checked(const ServerConfig& yaml) {
  TRY(CheckPresent("system: trust_domain", yaml.system().trust_domain(),
                   "system.agentpki.internal"));
  auto trust_domain = ca::TrustDomain::Parse(yaml.system().trust_domain());
  if (!trust_domain.ok()) return ca::Annotate(trust_domain.status(), "system: trust_domain: ");

  Config config{
      .listen_grpc = yaml.listen().grpc(),
      .advertise = yaml.advertise(),
      .runtime_directory = yaml.runtime_directory(),
      .database_server = yaml.database().server(),
      .database_owner = yaml.database().owner(),
      .system_trust_domain = *std::move(trust_domain),
  };
  TRY(CheckAddress("listen: grpc", config.listen_grpc, true));
  TRY(CheckAddress("advertise", config.advertise, false));
  TRY(CheckPresent("runtime_directory", yaml.runtime_directory(), "/run/agentpki"));
  TRY(CheckPresent("database: server", config.database_server,
                   "host=/run/postgresql dbname=agentpki user=agentpki_server"));
  TRY(CheckConninfo("database: server", config.database_server));
  TRY(CheckConninfo("database: owner", config.database_owner));
  TRY(FillServerNames(yaml, config));
  TRY(FillSystem(yaml.system(), config));
  TRY(FillHsm(yaml.hsm(), config));
  TRY(FillLimits(yaml.limits(), config));
  TRY(FillStatus(yaml, config));
  TRY(FillQuotas(yaml, config));
  return config;
}

}  // namespace

ca::Result<Config> LoadConfig(const std::filesystem::path& path) {
  ServerConfig yaml;
  TRY(files::ParseYamlFile(path, yaml));
  auto config = Checked(yaml);
  if (!config.ok()) return ca::Annotate(config.status(), path.string() + ": ");
  return config;
}

}  // namespace server
