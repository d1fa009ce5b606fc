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

// How others learn whether a certificate still stands.
struct StatusConfig {
  ca::StatusUrls urls;
  ca::StatusSettings settings;       // of a hierarchy whose file says nothing else
  int connections_per_address = 64;  // to `listen_http`
};

// Of the system hierarchy, agentpki/system.
inline constexpr char kSystemTenant[] = "agentpki";

// Where CA keys are.
struct TokenConfig {
  std::filesystem::path module;
  std::string label;
  std::filesystem::path pin_file;  // one of these two is empty
  std::string pin_credential;
  std::set<std::string> tenants;  // whose it is; of the common one, none: all others'
};

// What proto/agentpki/v1/config.proto describes, checked. Immutable once loaded.
struct Config {
  std::string listen_grpc;
  std::string listen_http;     // "" when not served
  std::string listen_metrics;  // "" when not served
  std::string advertise;
  std::vector<std::string> dns_names;       // of `server_names`
  std::vector<ca::IpAddress> ip_addresses;  // of `server_names`
  std::filesystem::path runtime_directory;
  std::string database_server;
  std::string database_owner;  // "" when not given
  TokenConfig token;
  std::vector<TokenConfig> tenant_tokens;
  std::chrono::seconds hsm_timeout = std::chrono::seconds(15);
  ca::TrustDomain system_trust_domain;
  std::vector<std::string> system_dns_subtrees;  // what servers may be called, for good
  std::vector<ca::IpRange> system_ip_ranges;
  ca::ApprovalPolicy system_approvals;
  int concurrent_calls = 256;
  StatusConfig status;
  std::map<std::string, ca::TenantQuota> quotas;  // by tenant
};

// kInvalidArgument as FILE:LINE: KEY for what is not in the schema and as FILE: KEY for a value
// that cannot be, with what is wrong and the fix; kNotFound when there is no file.
ca::Result<Config> LoadConfig(const std::filesystem::path& path);

}  // namespace server
