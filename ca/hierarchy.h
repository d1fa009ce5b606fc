#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ca/base/spiffe_id.h"
#include "ca/public_key.h"

namespace ca {

enum class HierarchyId : std::int32_t {};
enum class AuthorityId : std::int64_t {};
enum class AgentNumber : std::int64_t {};

// What a certificate may be. Made by ca/server from the hierarchy file and checked there.
struct CertificateProfile {
  static constexpr std::chrono::seconds kLifetimeMin = std::chrono::minutes(5);
  static constexpr std::chrono::seconds kLifetimeMax = std::chrono::hours(24 * 7);
  // Backdating, for relying parties whose clock is behind ours.
  static constexpr std::chrono::seconds kBackdate = std::chrono::minutes(1);

  std::string name;
  std::chrono::seconds lifetime = std::chrono::hours(1);
  std::set<KeyType> key_types;
  bool client_auth = true;
  bool server_auth = true;
  bool dns_names = false;  // whether its agents may be registered with DNS names
};

// One tenant's PKI in one environment.
struct Hierarchy {
  HierarchyId id{};  // given by the ledger
  std::string tenant;
  std::string environment;
  TrustDomain trust_domain;
  bool is_system = false;  // the one that identifies servers and operators
  std::chrono::seconds root_lifetime{};
  std::chrono::seconds issuing_lifetime{};
  std::vector<std::string>
      dns_names;  // DNS subtrees its certificates may name beside the trust domain
  std::vector<CertificateProfile> profiles;

  // acme/prod
  std::string Name() const { return tenant + "/" + environment; }
  // kNotFound naming the profiles there are.
  Result<const CertificateProfile*> FindProfile(const std::string& name) const;
};

}  // namespace ca
