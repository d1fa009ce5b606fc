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
  TimePoint not_after;  // the last second in which the certificate stands
};

// What a certificate may be.
struct CertificateProfile {
  static constexpr std::chrono::seconds kLifetimeMin = std::chrono::minutes(5);
  static constexpr std::chrono::seconds kLifetimeMax = std::chrono::hours(24 * 7);
  static constexpr std::chrono::seconds kStatusFreeLifetimeMax = std::chrono::minutes(15);
  // Backdating, for relying parties whose clock is behind ours.
  static constexpr std::chrono::seconds kBackdate = std::chrono::minutes(1);
  static constexpr size_t kNameMax = 32;

  std::string name;  // [a-z0-9-]+
  std::chrono::seconds lifetime = std::chrono::hours(1);
  std::set<KeyType> key_types = {KeyType::kP256, KeyType::kP384};
  bool client_auth = true;  // id-kp-clientAuth
  bool server_auth = true;  // id-kp-serverAuth
  bool host_names = false;  // whether its agents may have DNS names and IP addresses
  // Certificates without a status service: they say so (RFC 9608) and point nowhere, and are gone
  // within kStatusFreeLifetimeMax. Our own call gate refuses a revoked one all the same.
  bool status_free = false;

  // kInvalidArgument, rule `profile.key-type`, naming the types it allows.
  Status Admit(KeyType type) const;
  Status Admit(const PublicKey& key) const { return Admit(key.type()); }

  // Whole seconds (RFC 5280 section 4.1.2.5.2), from `now` less kBackdate to `now` plus the
  // lifetime, and never beyond the issuer: no certificate outlives its issuer.
  Validity ValidityAt(TimePoint now, const Validity& issuer) const;

  friend bool operator==(const CertificateProfile&, const CertificateProfile&) = default;
};

// One tenant's PKI in one environment. Its certificates name nothing outside the trust domain, the
// DNS subtrees and the IP ranges.
struct Hierarchy {
  static constexpr size_t kNameMax = 32;
  static constexpr size_t kSubtreesMax = 32;
  static constexpr size_t kProfilesMax = 32;
  static constexpr size_t kExternalRootsMax = 4;
  static constexpr size_t kTokenLabelMax = 32;  // CK_TOKEN_INFO has no room for more
  static constexpr std::chrono::seconds kAuthorityLifetimeMin = std::chrono::hours(24);
  static constexpr std::chrono::seconds kAuthorityLifetimeMax = std::chrono::hours(24 * 366 * 25);
  // Every replica has heard of an authority that was published so long ago.
  static constexpr std::chrono::seconds kPublishAheadMin = std::chrono::seconds(15);

  HierarchyId id{};
  std::string tenant;       // [a-z0-9-]+
  std::string environment;  // [a-z0-9-]+
  TrustDomain trust_domain;
  bool is_system = false;  // the one that identifies servers and operators
  // The label of the token that its keys have to be on; "": that which the configuration names.
  std::string token;
  // DER, oldest first: somebody else's, one of which signs each of its issuing authorities. None:
  // its root is ours.
  std::vector<Bytes> external_roots;
  std::chrono::seconds root_lifetime = std::chrono::hours(24 * 3650);
  std::chrono::seconds issuing_lifetime = std::chrono::hours(24 * 365);
  // An issuing authority issues for so long; the next is published so much before it takes over.
  std::chrono::seconds rotate_every = std::chrono::hours(24 * 90);
  std::chrono::seconds publish_ahead = std::chrono::hours(24);
  // It takes over when so many of a hundred live agents have acknowledged a trust bundle that has
  // it, or when it has been in one for acknowledge_within. 0: it waits for nobody.
  int acknowledged_share = 0;
  std::chrono::seconds acknowledge_within = std::chrono::hours(24);
  std::vector<std::string> dns_subtrees;  // beside the trust domain's own name
  std::vector<IpRange> ip_ranges;
  std::vector<CertificateProfile> profiles;  // the first is the default
  // Who may have a certificate of those who could (ca/certificates/policy.h); everybody when there
  // are none.
  std::vector<EnrollmentRule> enrollment_rules;
  ApprovalPolicy approvals;
  StatusPolicy status;

  // acme/prod
  std::string Name() const { return tenant + "/" + environment; }

  bool HasExternalRoot() const { return !external_roots.empty(); }
  bool TrustsExternalRoot(const Bytes& certificate) const;

  // kInvalidArgument, naming the profiles there are.
  Result<const CertificateProfile*> FindProfile(std::string_view profile) const;

  // kInvalidArgument with the field that breaks a rule of the above.
  Status Validate() const;

  // Whether it may become `wanted`, which says what it is to be: a name, a trust domain, what its
  // name constraints are made of and whose its roots are stay for ever. kFailedPrecondition, rule
  // `hierarchy.fixed`, naming the first field that would not.
  Status CheckChangeTo(const Hierarchy& wanted) const;

  // Of all profiles.
  std::chrono::seconds LongestLifetime() const;

  // Whether `name` is the trust domain, one of the DNS subtrees, or below one of them.
  bool CoversDnsName(std::string_view name) const;
  bool CoversIpAddress(const IpAddress& address) const;

  friend bool operator==(const Hierarchy&, const Hierarchy&) = default;

 private:
  Status ValidateGate() const;
  Status ValidateExternalRoots() const;
};

}  // namespace ca
