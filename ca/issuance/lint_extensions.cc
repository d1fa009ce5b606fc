#include <algorithm>
#include <array>

#include "ca/base/der.h"
#include "ca/base/openssl.h"
#include "ca/issuance/lint_findings.h"

namespace ca::lint {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// ---- the extensions that a certificate must have ------------------------------------------------

Bytes ObjectIdentifier(BytesView octets) { return EncodeDer(kDerObjectIdentifier, octets); }

// GeneralName (RFC 5280 section 4.2.1.6), by its context tag.
constexpr int kRfc822Name = 1, kDnsName = 2, kUri = 6, kIpAddress = 7;
Bytes GeneralName(int tag, BytesView value) { return EncodeDer(DerContext(tag, false), value); }

constexpr std::string_view kNull = "\x05\x00"sv;

Bytes BasicConstraints(const LintTerms& terms) {
  if (!IsCa(terms)) return "\x30\x00"s;  // DER leaves out cA, because FALSE is its default
  // Below a root there are cross-certificates and one issuing authority, and below that no CA.
  const int path_length = Is(terms, AuthorityKind::kIssuing) ? 0 : kLinksMax + 1;
  return "\x30\x06\x01\x01\xff\x02\x01"s + static_cast<char>(path_length);
}

// Section 4.2.1.3, bits from the left: keyCertSign (5) and cRLSign (6), or digitalSignature (0).
Bytes KeyUsage(const LintTerms& terms) {
  return IsCa(terms) ? "\x03\x02\x01\x06"s : "\x03\x02\x07\x80"s;
}

// id-kp (section 4.2.1.12).
constexpr std::string_view kServerAuth = "\x2b\x06\x01\x05\x05\x07\x03\x01"sv;
constexpr std::string_view kClientAuth = "\x2b\x06\x01\x05\x05\x07\x03\x02"sv;
constexpr std::string_view kOcspSigning = "\x2b\x06\x01\x05\x05\x07\x03\x09"sv;
constexpr std::string_view kDocumentSigning = "\x2b\x06\x01\x05\x05\x07\x03\x24"sv;  // RFC 9336

std::optional<Bytes> ExtendedKeyUsage(const LintTerms& terms) {
  if (IsCa(terms)) return std::nullopt;
  const AgentTerms* const agent = AgentOf(terms);
  if (Is(terms, AuthorityKind::kRecorder)) return DerSequence(ObjectIdentifier(kDocumentSigning));
  if (!agent) return DerSequence(ObjectIdentifier(kOcspSigning));
  Bytes purposes;
  if (agent->profile.client_auth) purposes += ObjectIdentifier(kClientAuth);
  if (agent->profile.server_auth) purposes += ObjectIdentifier(kServerAuth);
  return DerSequence(purposes);
}

// Exactly one URI, the SPIFFE ID (X509-SVID section 2).
std::optional<Bytes> SubjectAlternativeName(const LintTerms& terms) {
  const AgentTerms* const agent = AgentOf(terms);
  if (!agent && !IsCa(terms)) return std::nullopt;
  if (!agent) {
    return DerSequence(GeneralName(kUri, "spiffe://" + terms.hierarchy.trust_domain.name()));
  }
  Bytes names = GeneralName(kUri, agent->agent.id.ToString());
  for (const std::string& name : agent->agent.dns_names) names += GeneralName(kDnsName, name);
  for (const IpAddress& address : agent->agent.ip_addresses) {
    names += GeneralName(kIpAddress, address.bytes());
  }
  return DerSequence(names);
}

// Section 4.2.1.2 method (1): "the 160-bit SHA-1 hash of the value of the BIT STRING
// subjectPublicKey (excluding the tag, length, and number of unused bits)".
std::optional<Bytes> SubjectKeyIdentifier(const Parts& parts) {
  DerReader spki(OnlyDer(kDerSequence, parts.spki).value_or(""));
  const auto algorithm = spki.Next();
  const auto key = algorithm ? spki.Next(kDerBitString) : std::nullopt;
  const BytesView bits = key ? key->content.substr(1) : BytesView();
  Bytes digest(20, '\0');
  if (EVP_Digest(bits.data(), bits.size(), MutableOctets(digest), nullptr, EVP_sha1(), nullptr) !=
      1) {
    AbortOnOpenSslFailure("EVP_Digest");
  }
  return EncodeDer(kDerOctetString, digest);
}

std::optional<Bytes> AuthorityKeyIdentifier(const LintTerms& terms) {
  if (!terms.issuer) return std::nullopt;
  return DerSequence(EncodeDer(DerContext(0, false), terms.issuer->key_identifier));
}

// Section 4.2.1.10: GeneralSubtree. DER leaves out `minimum`, because 0 is its default.
Bytes Subtree(int tag, BytesView base) { return DerSequence(GeneralName(tag, base)); }

std::optional<Bytes> NameConstraints(const LintTerms& terms) {
  if (!Is(terms, AuthorityKind::kIssuing)) return std::nullopt;
  const Hierarchy& hierarchy = terms.hierarchy;
  const std::string& host = hierarchy.trust_domain.name();
  Bytes permitted = Subtree(kUri, host) + Subtree(kDnsName, host);
  for (const std::string& subtree : hierarchy.dns_subtrees) permitted += Subtree(kDnsName, subtree);
  permitted += Subtree(kRfc822Name, host);
  Bytes excluded;
  for (const size_t size : {size_t{8}, size_t{32}}) {  // address and mask, of version 4 and 6
    Bytes ranges;
    for (const IpRange& range : hierarchy.ip_ranges) {
      const Bytes octets = range.AddressAndMask();
      if (octets.size() == size) ranges += Subtree(kIpAddress, octets);
    }
    if (ranges.empty()) excluded += Subtree(kIpAddress, Bytes(size, '\0'));
    permitted += ranges;
  }
  Bytes constraints = EncodeDer(DerContext(0, true), permitted);
  if (!excluded.empty()) constraints += EncodeDer(DerContext(1, true), excluded);
  return DerSequence(constraints);
}

// Whether the certificate points to its status service. A root has no issuer that could answer,
// relying parties do not ask about an OCSP responder (RFC 6960 section 4.2.2.2.1), and a
// status-free profile has no status service.
bool HasStatus(const LintTerms& terms) {
  const AgentTerms* const agent = AgentOf(terms);
  return agent ? !agent->profile.status_free
               : !Is(terms, AuthorityKind::kRoot) && !Is(terms, AuthorityKind::kResponder);
}

// id-ad (section 4.2.2.1).
constexpr std::string_view kOcsp = "\x2b\x06\x01\x05\x05\x07\x30\x01"sv;
constexpr std::string_view kCaIssuers = "\x2b\x06\x01\x05\x05\x07\x30\x02"sv;

std::optional<Bytes> AuthorityInformationAccess(const LintTerms& terms) {
  if (!HasStatus(terms)) return std::nullopt;
  Bytes access;
  const auto add = [&](BytesView method, const std::string& url) {
    if (!url.empty()) access += DerSequence(ObjectIdentifier(method) + GeneralName(kUri, url));
  };
  add(kOcsp, terms.status.ocsp);
  add(kCaIssuers, terms.status.ca_issuers);
  if (access.empty()) return std::nullopt;
  return DerSequence(access);
}

// Section 4.2.1.13: one DistributionPoint, its distributionPoint [0] a fullName [0].
std::optional<Bytes> CrlDistributionPoints(const LintTerms& terms) {
  if (!HasStatus(terms) || terms.status.crl.empty()) return std::nullopt;
  const Bytes full_name = EncodeDer(DerContext(0, true), GeneralName(kUri, terms.status.crl));
  return DerSequence(DerSequence(EncodeDer(DerContext(0, true), full_name)));
}

std::optional<Bytes> NoRevAvail(const LintTerms& terms) {
  const AgentTerms* const agent = AgentOf(terms);
  if (!agent || !agent->profile.status_free) return std::nullopt;
  return Bytes(kNull);
}

std::optional<Bytes> OcspNoCheck(const LintTerms& terms) {
  if (!Is(terms, AuthorityKind::kResponder)) return std::nullopt;
  return Bytes(kNull);
}

// One of the extensions that our certificates may have.
struct Wanted {
  std::string_view name;  // in the names of rules
  std::string_view section;
  std::string_view oid;
  bool critical;
  std::optional<Bytes> value;  // nullopt if this certificate must not have it
};

std::array<Wanted, 11> WantedIn(const Parts& parts, const LintTerms& terms) {
  return {{
      {"basic-constraints", "RFC 5280 section 4.2.1.9", "\x55\x1d\x13"sv, true,
       BasicConstraints(terms)},
      {"key-usage", "RFC 5280 section 4.2.1.3", "\x55\x1d\x0f"sv, true, KeyUsage(terms)},
      {"extended-key-usage", "RFC 5280 section 4.2.1.12", "\x55\x1d\x25"sv, false,
       ExtendedKeyUsage(terms)},
      {"subject-alternative-name", "RFC 5280 section 4.2.1.6", "\x55\x1d\x11"sv, false,
       SubjectAlternativeName(terms)},
      {"subject-key-identifier", "RFC 5280 section 4.2.1.2", "\x55\x1d\x0e"sv, false,
       SubjectKeyIdentifier(parts)},
      {"authority-key-identifier", "RFC 5280 section 4.2.1.1", "\x55\x1d\x23"sv, false,
       AuthorityKeyIdentifier(terms)},
      {"name-constraints", "RFC 5280 section 4.2.1.10", "\x55\x1d\x1e"sv, true,
       NameConstraints(terms)},
      {"authority-information-access", "RFC 5280 section 4.2.2.1",
       "\x2b\x06\x01\x05\x05\x07\x01\x01"sv, false, AuthorityInformationAccess(terms)},
      {"crl-distribution-points", "RFC 5280 section 4.2.1.13", "\x55\x1d\x1f"sv, false,
       CrlDistributionPoints(terms)},
      {"no-rev-avail", "RFC 9608 section 2", "\x55\x1d\x38"sv, false, NoRevAvail(terms)},
      {"ocsp-no-check", "RFC 6960 section 4.2.2.2.1", "\x2b\x06\x01\x05\x05\x07\x30\x01\x05"sv,
       false, OcspNoCheck(terms)},
  }};
}

// ---- the extensions that it has -----------------------------------------------------------------

struct Extension {
  BytesView oid;
  bool critical = false;
  BytesView value;
};

// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }; DER
// leaves out a default value (X.690 section 11.5).
std::optional<Extension> NextExtension(DerReader& list) {
  const auto sequence = list.Next(kDerSequence);
  DerReader reader(sequence ? sequence->content : BytesView());
  const auto oid = reader.Next(kDerObjectIdentifier);
  if (!oid) return std::nullopt;
  Extension extension{.oid = oid->content};
  if (reader.Sees(kDerBoolean)) {
    const auto critical = reader.Next();
    if (!critical || critical->content != "\xff"sv) return std::nullopt;
    extension.critical = true;
  }
  const auto value = reader.Next(kDerOctetString);
  if (!value || !reader.AtEnd() || !IsDer(value->content)) return std::nullopt;
  extension.value = value->content;
  return extension;
}

std::vector<Extension> ReadExtensions(const Parts& parts, Findings& findings) {
  std::vector<Extension> extensions;
  DerReader list(parts.extensions);
  while (!list.AtEnd()) {
    const auto extension = NextExtension(list);
    if (!extension) {
      findings.Add("extension.form", "RFC 5280 section 4.1", "extension {} is not in DER",
                   extensions.size() + 1);
      return {};
    }
    // "A certificate MUST NOT include more than one instance of a particular extension."
    if (std::any_of(extensions.begin(), extensions.end(),
                    [&](const Extension& other) { return other.oid == extension->oid; })) {
      findings.Add("extension.duplicate", "RFC 5280 section 4.2",
                   "the extension with the OID {} is there twice", Hex(extension->oid));
    }
    extensions.push_back(*extension);
  }
  return extensions;
}

void Compare(const Wanted& wanted, const Extension* extension, Findings& findings) {
  const auto add = [&](std::string_view fault, std::string_view text) {
    findings.Add(fmt::format("{}.{}", wanted.name, fault), wanted.section, "{}", text);
  };
  if (!extension) {
    if (wanted.value) add("missing", "the extension is missing");
    return;
  }
  if (!wanted.value) return add("unexpected", "the extension has no place in this certificate");
  if (extension->critical != wanted.critical) {
    add("critical", wanted.critical ? "it must be critical" : "it must not be critical");
  }
  if (extension->value != *wanted.value) {
    add("value", fmt::format("its DER is {} and should be {}", Printable(Hex(extension->value)),
                             Printable(Hex(*wanted.value))));
  }
}

// The hierarchy and the profile decide, not the agent's own record.
void CheckHostNames(const LintTerms& terms, Findings& findings) {
  const AgentTerms* const terms_of_agent = AgentOf(terms);
  if (!terms_of_agent) return;
  const Agent& agent = terms_of_agent->agent;
  const bool has_host_names = !agent.dns_names.empty() || !agent.ip_addresses.empty();
  const bool are_within =
      std::all_of(agent.dns_names.begin(), agent.dns_names.end(),
                  [&](const std::string& name) { return terms.hierarchy.CoversDnsName(name); }) &&
      std::all_of(agent.ip_addresses.begin(), agent.ip_addresses.end(),
                  [&](const IpAddress& ip) { return terms.hierarchy.CoversIpAddress(ip); });
  if (has_host_names && !terms_of_agent->profile.host_names) {
    findings.Add("subject-alternative-name.host-names", "docs/architecture.md",
                 "profile '{}' grants no host names", terms_of_agent->profile.name);
  }
  if (!are_within) {
    findings.Add("subject-alternative-name.outside", "RFC 5280 section 4.2.1.10",
                 "a host name is outside {}", terms.hierarchy.Name());
  }
}

}  // namespace

void CheckExtensions(const Parts& parts, const LintTerms& terms, Findings& findings) {
  const std::vector<Extension> extensions = ReadExtensions(parts, findings);
  if (extensions.empty()) {
    if (findings.empty()) {
      findings.Add("extension.form", "RFC 5280 section 4.1", "there are no extensions");
    }
    return;
  }
  const auto all_wanted = WantedIn(parts, terms);
  for (const Wanted& wanted : all_wanted) {
    const auto found = std::find_if(extensions.begin(), extensions.end(),
                                    [&](const Extension& e) { return e.oid == wanted.oid; });
    Compare(wanted, found == extensions.end() ? nullptr : &*found, findings);
  }
  for (const Extension& extension : extensions) {
    const bool is_known =
        std::any_of(all_wanted.begin(), all_wanted.end(),
                    [&](const Wanted& wanted) { return wanted.oid == extension.oid; });
    if (is_known) continue;
    findings.Add("extension.unknown", "RFC 5280 section 4.2",
                 "no certificate of ours has the extension with the OID {}", Hex(extension.oid));
  }
  CheckHostNames(terms, findings);
}

}  // namespace ca::lint
