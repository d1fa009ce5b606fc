#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ca/base/host_name.h"
#include "ca/base/result.h"
#include "ca/base/spiffe_id.h"
#include "ca/model/approval_policy.h"
#include "ca/model/quotas.h"
#include "ca/model/status_policy.h"
#include "ca/model/status_urls.h"

namespace server {

// How OCSP and CRLs are made and served.
struct StatusConfig {
  ca::StatusUrls urls;
  ca::StatusSettings settings;       // a hierarchy's file may override them
  int connections_per_address = 64;  // to `listen_http`
};

// The tenant of the system hierarchy, agentpki/system.
inline constexpr char kSystemTenant[] = "agentpki";

// A token that holds CA keys.
struct TokenConfig {
  std::filesystem::path module;
  std::string label;
  std::filesystem::path pin_file;  // either this or `pin_credential` is empty
  std::string pin_credential;
  std::set<std::string> tenants;  // those with keys on a dedicated token; none for the common token
};

// The configuration of proto/agentpki/v1/config.proto, validated. Immutable once loaded.
struct Config {
  std::string listen_grpc;
  std::string listen_http;     // "" if not served
  std::string listen_metrics;  // "" if not served
  std::string advertise;
  std::vector<std::string> dns_names;       // from `server_names`
  std::vector<ca::IpAddress> ip_addresses;  // from `server_names`
  std::filesystem::path runtime_directory;
  std::string database_server;
  std::string database_owner;  // "" if not given
  TokenConfig token;
  std::vector<TokenConfig> tenant_tokens;
  std::chrono::seconds hsm_timeout = std::chrono::seconds(15);
  ca::TrustDomain system_trust_domain;
  // Name constraints of the system hierarchy, which servers' names must match; `init` makes them
  // permanent.
  std::vector<std::string> system_dns_subtrees;
  std::vector<ca::IpRange> system_ip_ranges;
  ca::ApprovalPolicy system_approvals;
  int concurrent_calls = 256;
  StatusConfig status;
  std::map<std::string, ca::TenantQuota> quotas;  // by tenant
};

// kInvalidArgument names the problem and the fix: as FILE:LINE: KEY for a key that is not in the
// schema, as FILE: KEY for an invalid value. kNotFound if there is no file.
ca::Result<Config> LoadConfig(const std::filesystem::path& path);

}  // namespace server
