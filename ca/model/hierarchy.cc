#include "ca/model/hierarchy.h"

#include <algorithm>

#include "ca/base/rules.h"
#include "ca/model/external_root.h"
#include "ca/model/short_name.h"

namespace ca {
namespace {

Status CheckLifetime(std::string_view field, std::chrono::seconds lifetime,
                     std::chrono::seconds min, std::chrono::seconds max) {
  if (lifetime >= min && lifetime <= max) return Ok();
  return Error(StatusCode::kInvalidArgument, "{}: {} is out of bounds; write {} to {}", field,
               HumanDuration(lifetime), HumanDuration(min), HumanDuration(max));
}

Status ValidateProfile(const CertificateProfile& profile) {
  const std::string field = "profiles: " + profile.name;
  TRY(CheckShortName("profiles: name", profile.name, CertificateProfile::kNameMax));
  TRY(CheckLifetime(field + ": lifetime", profile.lifetime, CertificateProfile::kLifetimeMin,
                    CertificateProfile::kLifetimeMax));
  if (profile.status_free && profile.lifetime > CertificateProfile::kStatusFreeLifetimeMax) {
    return Error(StatusCode::kInvalidArgument,
                 "{}: lifetime: {} is too long for status_free, which allows at most {}", field,
                 HumanDuration(profile.lifetime),
                 HumanDuration(CertificateProfile::kStatusFreeLifetimeMax));
  }
  if (profile.key_types.empty()) {
    return Error(StatusCode::kInvalidArgument, "{}: key_types: name at least one, such as p256",
                 field);
  }
  if (!profile.client_auth && !profile.server_auth) {
    return Error(StatusCode::kInvalidArgument, "{}: allow client_auth, server_auth or both", field);
  }
  return Ok();
}

// Says whether `name` is `subtree` or below it (RFC 5280 section 4.2.1.10: "Any DNS name that can
// be constructed by simply adding zero or more labels to the left-hand side of the name").
bool IsWithin(std::string_view name, std::string_view subtree) {
  if (!name.ends_with(subtree)) return false;
  return name.size() == subtree.size() || name[name.size() - subtree.size() - 1] == '.';
}

template <typename Items, typename NameOfItem>
std::string Listed(const Items& items, NameOfItem name_of) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + std::string(name_of(item));
  return text.empty() ? "none" : text;
}

}  // namespace

Status CertificateProfile::Admit(KeyType type) const {
  if (key_types.contains(type)) return Ok();
  return Refusal<kProfileKeyType>(
      NameOf(type), name, Listed(key_types, [](KeyType allowed) { return NameOf(allowed); }));
}

Validity CertificateProfile::ValidityAt(TimePoint now, const Validity& issuer) const {
  const TimePoint whole = std::chrono::floor<std::chrono::seconds>(now);
  return {std::max(whole - kBackdate, issuer.not_before),
          std::min(whole + lifetime, issuer.not_after)};
}

Result<const CertificateProfile*> Hierarchy::FindProfile(std::string_view profile) const {
  for (const CertificateProfile& candidate : profiles) {
    if (candidate.name == profile) return &candidate;
  }
  return Error(StatusCode::kInvalidArgument, "profile: {} has no '{}', but {}", Name(),
               Printable(profile),
               Listed(profiles, [](const CertificateProfile& p) { return p.name; }));
}

Status Hierarchy::Validate() const {
  TRY(CheckShortName("tenant", tenant, kNameMax));
  TRY(CheckShortName("environment", environment, kNameMax));
  if (token.size() > kTokenLabelMax || !IsPrintable(token)) {
    return Error(StatusCode::kInvalidArgument,
                 "token: '{}' is no token's label; write at most {} printable ASCII characters",
                 Printable(token), kTokenLabelMax);
  }
  TRY(ValidateExternalRoots());
  TRY(CheckLifetime("root lifetime", root_lifetime, kAuthorityLifetimeMin, kAuthorityLifetimeMax));
  TRY(CheckLifetime("issuing lifetime", issuing_lifetime, kAuthorityLifetimeMin, root_lifetime));
  const std::chrono::seconds longest = LongestLifetime();
  TRY(CheckLifetime("issuing publish_ahead", publish_ahead, kPublishAheadMin, rotate_every));
  TRY(ValidateGate());
  TRY(CheckLifetime("approvals expire_after", approvals.expire_after,
                    ApprovalPolicy::kExpireAfterMin, ApprovalPolicy::kExpireAfterMax));
  TRY(Annotate(status.Over({}).Validate(), "status: "));
  // The last certificate of an authority has to fit into what is left of its life.
  if (rotate_every + longest > issuing_lifetime) {
    return Error(
        StatusCode::kInvalidArgument,
        "issuing rotate_every: {} and the longest lifetime of a profile, {}, are more than "
        "the issuing lifetime, {}",
        HumanDuration(rotate_every), HumanDuration(longest), HumanDuration(issuing_lifetime));
  }
  if (dns_subtrees.size() > kSubtreesMax || ip_ranges.size() > kSubtreesMax) {
    return Error(StatusCode::kInvalidArgument, "dns_subtrees, ip_ranges: write at most {} of each",
                 kSubtreesMax);
  }
  for (const std::string& subtree : dns_subtrees) {
    if (!IsDnsName(subtree)) {
      return Error(StatusCode::kInvalidArgument, "dns_subtrees: '{}' is not a lower-case DNS name",
                   Printable(subtree));
    }
  }
  if (profiles.empty() || profiles.size() > kProfilesMax) {
    return Error(StatusCode::kInvalidArgument, "profiles: write 1 to {}", kProfilesMax);
  }
  std::set<std::string, std::less<>> names;
  for (const CertificateProfile& profile : profiles) {
    TRY(ValidateProfile(profile));
    if (!names.insert(profile.name).second) {
      return Error(StatusCode::kInvalidArgument, "profiles: '{}' is there twice", profile.name);
    }
  }
  return ValidateRules(enrollment_rules, names);
}

Status Hierarchy::ValidateExternalRoots() const {
  if (external_roots.size() > kExternalRootsMax) {
    return Error(StatusCode::kInvalidArgument, "root: external_certificates: write at most {}",
                 kExternalRootsMax);
  }
  for (const Bytes& root : external_roots) {
    TRY(Annotate(CheckExternalRoot(root), "root: external_certificates: "));
    if (std::count(external_roots.begin(), external_roots.end(), root) > 1) {
      return Error(StatusCode::kInvalidArgument, "root: external_certificates: {} is there twice",
                   Hex(Sha256(root)));
    }
  }
  return Ok();
}

bool Hierarchy::TrustsExternalRoot(const Bytes& certificate) const {
  return std::find(external_roots.begin(), external_roots.end(), certificate) !=
         external_roots.end();
}

bool Hierarchy::TrustsExternalRootsOf(const Hierarchy& other) const {
  return std::all_of(other.external_roots.begin(), other.external_roots.end(),
                     [&](const Bytes& root) { return TrustsExternalRoot(root); });
}

Status Hierarchy::ValidateGate() const {
  if (acknowledged_share < 0 || acknowledged_share > 100) {
    return Error(StatusCode::kInvalidArgument,
                 "issuing acknowledged_share: {} is no percentage; write 0 to 100",
                 acknowledged_share);
  }
  if (acknowledged_share == 0) return Ok();
  TRY(CheckLifetime("issuing acknowledge_within", acknowledge_within, kPublishAheadMin,
                    rotate_every));
  // While the next authority waits for stragglers, this one goes on issuing, and the certificates
  // of that time have to fit into its life as well.
  const auto longest_wait = std::max(acknowledge_within - publish_ahead, std::chrono::seconds(0));
  if (rotate_every + longest_wait + LongestLifetime() <= issuing_lifetime) return Ok();
  return Error(StatusCode::kInvalidArgument,
               "issuing acknowledge_within: {} is too long: with rotate_every and the longest "
               "lifetime of a profile it is beyond the issuing lifetime, {}",
               HumanDuration(acknowledge_within), HumanDuration(issuing_lifetime));
}

std::chrono::seconds Hierarchy::LongestLifetime() const {
  std::chrono::seconds longest(0);
  for (const CertificateProfile& profile : profiles) longest = std::max(longest, profile.lifetime);
  return longest;
}

bool Hierarchy::CoversDnsName(std::string_view name) const {
  return IsWithin(name, trust_domain.name()) ||
         std::any_of(dns_subtrees.begin(), dns_subtrees.end(),
                     [&](const std::string& subtree) { return IsWithin(name, subtree); });
}

bool Hierarchy::CoversIpAddress(const IpAddress& address) const {
  return std::any_of(ip_ranges.begin(), ip_ranges.end(),
                     [&](const IpRange& range) { return range.Contains(address); });
}

}  // namespace ca
