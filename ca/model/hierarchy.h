#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ca/base/clock.h"
#include "ca/base/host_name.h"
#include "ca/base/spiffe_id.h"
#include "ca/model/approval_policy.h"
#include "ca/model/enrollment_rule.h"
#include "ca/model/ids.h"
#include "ca/model/status_policy.h"
#include "ca/x509/public_key.h"

namespace ca {

struct Validity {
  TimePoint not_before;
  TimePoint not_after;  // the last second in which the certificate is valid
};

// The bounds of a certificate.
struct CertificateProfile {
  static constexpr std::chrono::seconds kLifetimeMin = std::chrono::minutes(5);
  static constexpr std::chrono::seconds kLifetimeMax = std::chrono::hours(24 * 7);
  static constexpr std::chrono::seconds kStatusFreeLifetimeMax = std::chrono::minutes(15);
  // Certificates begin this much early, for relying parties whose clocks are behind ours.
  static constexpr std::chrono::seconds kBackdate = std::chrono::minutes(1);
  static constexpr size_t kNameMax = 32;

  std::string name;  // [a-z0-9-]+
  std::chrono::seconds lifetime = std::chrono::hours(1);
  std::set<KeyType> key_types = {KeyType::kP256, KeyType::kP384};
  bool client_auth = true;  // id-kp-clientAuth
  bool server_auth = true;  // id-kp-serverAuth
  bool host_names = false;  // its agents may have DNS names and IP addresses
  // The certificates say that they have no status service (RFC 9608), have no CRL or OCSP pointers,
  // and live at most kStatusFreeLifetimeMax. Our own call gate still refuses a revoked one.
  bool status_free = false;

  // kInvalidArgument, rule `profile.key-type`, names the types that it allows.
  Status Admit(KeyType type) const;
  Status Admit(const PublicKey& key) const { return Admit(key.type()); }

  // From `now` less kBackdate to `now` plus the lifetime, in whole seconds (RFC 5280 section
  // 4.1.2.5.2). Never beyond the issuer's: no certificate outlives its issuer.
  Validity ValidityAt(TimePoint now, const Validity& issuer) const;

  friend bool operator==(const CertificateProfile&, const CertificateProfile&) = default;
};

// One tenant's PKI in one environment. Its certificates name nothing outside the trust domain, the
// DNS subtrees and the IP ranges. A new member needs a row in ca/model/hierarchy_fields.cc.
struct Hierarchy {
  static constexpr size_t kNameMax = 32;
  static constexpr size_t kSubtreesMax = 32;
  static constexpr size_t kProfilesMax = 32;
  static constexpr size_t kExternalRootsMax = 4;
  static constexpr size_t kTokenLabelMax = 32;  // the size of CK_TOKEN_INFO.label
  static constexpr std::chrono::seconds kAuthorityLifetimeMin = std::chrono::hours(24);
  static constexpr std::chrono::seconds kAuthorityLifetimeMax = std::chrono::hours(24 * 366 * 25);
  // After this time every replica knows of a published authority.
  static constexpr std::chrono::seconds kPublishAheadMin = std::chrono::seconds(15);

  HierarchyId id{};
  std::string tenant;       // [a-z0-9-]+
  std::string environment;  // [a-z0-9-]+
  TrustDomain trust_domain;
  bool is_system = false;  // it identifies servers and operators; there is one
  // The label of the token that has to hold its keys; "" for the one that the configuration names.
  std::string token;
  // DER, oldest first: roots that others own; one of them signs each of its issuing authorities. If
  // there are none, its root is ours.
  std::vector<Bytes> external_roots;
  std::chrono::seconds root_lifetime = std::chrono::hours(24 * 3650);
  std::chrono::seconds issuing_lifetime = std::chrono::hours(24 * 365);
  // An issuing authority issues for rotate_every. The next one is published publish_ahead before it
  // takes over.
  std::chrono::seconds rotate_every = std::chrono::hours(24 * 90);
  std::chrono::seconds publish_ahead = std::chrono::hours(24);
  // The next one takes over when this percentage of the live agents has acknowledged a trust bundle
  // that has it, or when it has been in one for acknowledge_within. 0: it does not wait.
  int acknowledged_share = 0;
  std::chrono::seconds acknowledge_within = std::chrono::hours(24);
  std::vector<std::string> dns_subtrees;  // besides the trust domain itself
  std::vector<IpRange> ip_ranges;
  std::vector<CertificateProfile> profiles;  // the first is the default
  // Decide on requests that pass all other checks (ca/certificates/policy.h); without rules every
  // such request is admitted.
  std::vector<EnrollmentRule> enrollment_rules;
  ApprovalPolicy approvals;
  StatusPolicy status;

  // acme/prod
  std::string Name() const { return tenant + "/" + environment; }

  bool HasExternalRoot() const { return !external_roots.empty(); }
  bool TrustsExternalRoot(const Bytes& certificate) const;
  bool TrustsExternalRootsOf(const Hierarchy& other) const;  // each of them

  // kInvalidArgument names the profiles that exist.
  Result<const CertificateProfile*> FindProfile(std::string_view profile) const;

  // kInvalidArgument names the field that is out of its bounds.
  Status Validate() const;

  // The longest lifetime of a certificate, over all profiles.
  std::chrono::seconds LongestLifetime() const;

  // Says whether `name` is the trust domain, one of the DNS subtrees, or below one of them.
  bool CoversDnsName(std::string_view name) const;
  bool CoversIpAddress(const IpAddress& address) const;

  friend bool operator==(const Hierarchy&, const Hierarchy&) = default;

 private:
  Status ValidateGate() const;
  Status ValidateExternalRoots() const;
};

}  // namespace ca
