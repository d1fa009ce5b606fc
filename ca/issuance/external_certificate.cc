#include "ca/issuance/external_certificate.h"

#include <algorithm>
#include <set>

#include "ca/base/asn1.h"
#include "ca/base/der.h"
#include "ca/base/rules.h"
#include "ca/issuance/tbs_certificate.h"
#include "ca/x509/certificate_chain.h"

namespace ca {
namespace {

// The certificate that is for the key, and the others.
struct Brought {
  X509Ptr certificate;
  X509StackPtr others{sk_X509_new_null()};
};

Result<Brought> Sort(const std::vector<Bytes>& brought, const PublicKey& key) {
  Brought sorted;
  if (!sorted.others) AbortOnOpenSslFailure("sk_X509_new_null");
  for (const Bytes& der : brought) {
    X509Ptr parsed = TRY(ParseExternalCertificate(der));
    const bool is_it = SpkiOf(parsed.get()) == key.spki();
    if (is_it && sorted.certificate) {
      return Refusal<kImportKey>("two of them are for the authority's key; bring one");
    }
    if (is_it) {
      sorted.certificate = std::move(parsed);
    } else {
      sk_X509_push(sorted.others.get(), parsed.release());
    }
  }
  if (!sorted.certificate) {
    return Refusal<kImportKey>(
        fmt::format("none of them is for the authority's key, whose "
                    "SubjectPublicKeyInfo has the SHA-256 {}; was it made for another "
                    "certification request?",
                    Hex(key.fingerprint())));
  }
  return sorted;
}

Result<CertificateChain> FindChain(const Brought& brought, const Bytes& root,
                                   const Hierarchy& hierarchy, TimePoint now) {
  std::vector<X509Ptr> roots;
  roots.push_back(TRY(ParseExternalCertificate(root)));
  auto chain = VerifyChain(brought.certificate.get(), brought.others.get(), roots, now);
  if (chain.ok()) return chain;
  return Refusal<kImportChain>(
      fmt::format("it has no chain to a root in root: external_certificates of {}: {}; "
                  "bring it with the certificates between the two",
                  hierarchy.Name(), MessageOf(chain.status())));
}

// ---- what it says -------------------------------------------------------------------------------

Status CheckCa(X509* certificate) {
  if (X509_check_ca(certificate) != 1) {
    return Refusal<kImportCa>("CA:TRUE");
  }
  if (X509_get_pathlen(certificate) != kIssuingPathLength) {
    return Refusal<kImportCa>("pathlen:0: the authority issues to agents alone");
  }
  constexpr uint32_t kNeeded = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
  if ((X509_get_key_usage(certificate) & kNeeded) != kNeeded) {
    return Refusal<kImportKeyUsage>();
  }
  return Ok();
}

// The certificates that it issues have this as their authority key identifier (RFC 5280 section
// 4.2.1.1: "The value of the keyIdentifier field SHOULD be derived from the public key").
Status CheckKeyIdentifier(X509* certificate, const PublicKey& key) {
  const ASN1_OCTET_STRING* const identifier = X509_get0_subject_key_id(certificate);
  if (identifier && OctetsOf(identifier) == key.SubjectKeyIdentifier()) return Ok();
  return Refusal<kImportKeyIdentifier>(Hex(key.SubjectKeyIdentifier()));
}

// With its issuer's name as its subject it would be self-issued, and path validation does not count
// self-issued certificates.
Status CheckSubject(X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  if (X509_NAME_entry_count(subject) == 0) {
    return Refusal<kImportSubject>("its subject is empty");
  }
  if (X509_NAME_cmp(subject, X509_get_issuer_name(certificate)) == 0) {
    return Refusal<kImportSubject>("its subject is its issuer's name");
  }
  return Ok();
}

// X509-SVID section 3.2: a signing certificate may have the SPIFFE ID of its trust domain.
Status CheckTrustDomain(X509* certificate, const Hierarchy& hierarchy) {
  const std::string wanted = SpiffeId::OfTrustDomain(hierarchy.trust_domain).ToString();
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI && OctetsOf(name->d.uniformResourceIdentifier) == wanted) continue;
    return Refusal<kImportTrustDomain>(wanted);
  }
  return Ok();
}

// ---- its names ----------------------------------------------------------------------------------

// The GeneralSubtrees of name constraints, each in its octets.
struct Subtrees {
  std::set<Bytes> permitted;
  std::set<Bytes> excluded;
};

std::set<Bytes> EachSubtree(BytesView subtrees) {
  std::set<Bytes> each;
  DerReader reader(subtrees);
  while (!reader.AtEnd()) {
    const auto subtree = reader.Next();
    if (!subtree) break;
    each.emplace(subtree->whole);
  }
  return each;
}

// NameConstraints ::= SEQUENCE {
//      permittedSubtrees       [0]     GeneralSubtrees OPTIONAL,
//      excludedSubtrees        [1]     GeneralSubtrees OPTIONAL }
Subtrees ReadNameConstraints(BytesView der) {
  Subtrees found;
  DerReader reader(OnlyDer(kDerSequence, der).value_or(""));
  while (!reader.AtEnd()) {
    const auto part = reader.Next();
    if (!part) break;
    if (part->tag == DerContext(0, true)) found.permitted = EachSubtree(part->content);
    if (part->tag == DerContext(1, true)) found.excluded = EachSubtree(part->content);
  }
  return found;
}

std::optional<BytesView> FindExtension(const STACK_OF(X509_EXTENSION) * extensions, int nid) {
  const int index = X509v3_get_ext_by_NID(extensions, nid, -1);
  if (index < 0) return std::nullopt;
  return OctetsOf(X509_EXTENSION_get_data(X509v3_get_ext(extensions, index)));
}

Subtrees WantedSubtrees(const Hierarchy& hierarchy) {
  const Bytes der = EncodeIssuingExtensions(hierarchy, "");
  const unsigned char* at = Octets(der);
  const ExtensionsPtr extensions(d2i_X509_EXTENSIONS(nullptr, &at, static_cast<long>(der.size())));
  return ReadNameConstraints(FindExtension(extensions.get(), NID_name_constraints).value_or(""));
}

// A relying party that trusts the external root accepts every name that this authority signs. Only
// its name constraints keep out the names of others.
Status CheckNameConstraints(X509* certificate, const Hierarchy& hierarchy) {
  const auto der = FindExtension(X509_get0_extensions(certificate), NID_name_constraints);
  const Subtrees standing = ReadNameConstraints(der.value_or(""));
  const Subtrees wanted = WantedSubtrees(hierarchy);
  const bool is_critical =
      der && X509_EXTENSION_get_critical(X509_get_ext(
                 certificate, X509_get_ext_by_NID(certificate, NID_name_constraints, -1)));
  if (is_critical && standing.permitted == wanted.permitted &&
      std::includes(standing.excluded.begin(), standing.excluded.end(), wanted.excluded.begin(),
                    wanted.excluded.end())) {
    return Ok();
  }
  return Refusal<kImportNameConstraints>(
      der ? "nameConstraints are not those of the certification request: the same "
            "permitted subtrees, the same excluded ones or more, and critical"
          : "it has no nameConstraints; its issuer has to copy the extensions of the "
            "certification request (openssl: copy_extensions = copy)");
}

// ---- what it issues -----------------------------------------------------------------------------

// RFC 5280 section 4.2.1.9: pathLenConstraint "gives the maximum number of non-self-issued
// intermediate certificates that may follow this certificate in a valid certification path".
Status CheckPathLengths(const CertificateChain& chain) {
  for (int i = 1; i < chain.size(); ++i) {
    const long allowed = X509_get_pathlen(chain.at(i));
    if (allowed < 0 || allowed >= i) continue;
    return Refusal<kImportPathLength>(SubjectOf(chain.at(i)), allowed, i);
  }
  return Ok();
}

// OpenSSL and others apply the extendedKeyUsage of a CA to all certificates below it.
Status CheckUsages(const CertificateChain& chain, const Hierarchy& hierarchy) {
  const auto check = [&](int purpose, std::string_view usage, bool is_wanted) {
    for (int i = 0; is_wanted && i < chain.size(); ++i) {
      if (X509_check_purpose(chain.at(i), purpose, 1) == 1) continue;
      return Refusal<kImportChain>(
          fmt::format("extendedKeyUsage of '{}' leaves no room for {}, which a profile "
                      "of {} has",
                      SubjectOf(chain.at(i)), usage, hierarchy.Name()));
    }
    return Ok();
  };
  const auto& profiles = hierarchy.profiles;
  const bool has_clients = std::any_of(profiles.begin(), profiles.end(),
                                       [](const auto& profile) { return profile.client_auth; });
  const bool has_servers = std::any_of(profiles.begin(), profiles.end(),
                                       [](const auto& profile) { return profile.server_auth; });
  TRY(check(X509_PURPOSE_SSL_CLIENT, "clientAuth", has_clients));
  return check(X509_PURPOSE_SSL_SERVER, "serverAuth", has_servers);
}

// A certificate with the names of an agent, without a key or a signature.
X509Ptr AgentWithNames(const Hierarchy& hierarchy) {
  X509Ptr agent(X509_new());
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  if (!agent || !names) AbortOnOpenSslFailure("X509_new");
  const auto add = [&](int type, BytesView octets) {
    GENERAL_NAME* const name = GENERAL_NAME_new();
    ASN1_IA5STRING* const value = ASN1_IA5STRING_new();
    RequireAsn1(name && value && sk_GENERAL_NAME_push(names.get(), name) > 0, "GENERAL_NAME_new");
    SetOctets(value, octets);
    GENERAL_NAME_set0_value(name, type, value);
  };
  add(GEN_URI, SpiffeId::OfTrustDomain(hierarchy.trust_domain).ToString() + "/agent");
  add(GEN_DNS, hierarchy.trust_domain.name());
  for (const std::string& subtree : hierarchy.dns_subtrees) add(GEN_DNS, subtree);
  RequireAsn1(
      X509_add1_ext_i2d(agent.get(), NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1,
      "X509_add1_ext_i2d");
  X509_check_purpose(agent.get(), -1, 0);  // makes OpenSSL read its names
  return agent;
}

Status CheckNamesAbove(const CertificateChain& chain, const Hierarchy& hierarchy) {
  const X509Ptr agent = AgentWithNames(hierarchy);
  for (int i = 1; i < chain.size(); ++i) {
    const Owned<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free> constraints(static_cast<NAME_CONSTRAINTS*>(
        X509_get_ext_d2i(chain.at(i), NID_name_constraints, nullptr, nullptr)));
    if (!constraints || NAME_CONSTRAINTS_check(agent.get(), constraints.get()) == X509_V_OK) {
      continue;
    }
    return Refusal<kImportNameConstraints>(
        fmt::format("'{}' permits no names of {}", SubjectOf(chain.at(i)), hierarchy.Name()));
  }
  return Ok();
}

Status CheckValidity(const CertificateChain& chain, const Hierarchy& hierarchy, TimePoint now) {
  const TimePoint end = TRY(TimeOf(X509_get0_notAfter(chain.leaf())));
  if (end < now + hierarchy.LongestLifetime()) {
    return Refusal<kImportValidity>(Rfc3339(end), "before a certificate that it would issue");
  }
  for (int i = 1; i < chain.size(); ++i) {
    const TimePoint above = TRY(TimeOf(X509_get0_notAfter(chain.at(i))));
    if (end <= above) continue;
    return Refusal<kImportValidity>(
        Rfc3339(end), fmt::format("after '{}' above it, which ends at {}", SubjectOf(chain.at(i)),
                                  Rfc3339(above)));
  }
  return Ok();
}

Result<ExternalCertificate> CheckUnder(const Bytes& root, const Brought& brought,
                                       const Hierarchy& hierarchy, const PublicKey& key,
                                       TimePoint now) {
  const CertificateChain chain = TRY(FindChain(brought, root, hierarchy, now));
  TRY(CheckCa(chain.leaf()));
  TRY(CheckKeyIdentifier(chain.leaf(), key));
  TRY(CheckSubject(chain.leaf()));
  TRY(CheckTrustDomain(chain.leaf(), hierarchy));
  TRY(CheckNameConstraints(chain.leaf(), hierarchy));
  TRY(CheckPathLengths(chain));
  TRY(CheckUsages(chain, hierarchy));
  TRY(CheckNamesAbove(chain, hierarchy));
  TRY(CheckValidity(chain, hierarchy, now));

  ExternalCertificate checked{
      .certificate = DerOfCertificate(chain.leaf()), .intermediates = {}, .root = root};
  for (int i = 1; i + 1 < chain.size(); ++i) {
    checked.intermediates.push_back(DerOfCertificate(chain.at(i)));
  }
  return checked;
}

}  // namespace

Result<ExternalCertificate> CheckExternalCertificate(const std::vector<Bytes>& brought,
                                                     const Hierarchy& hierarchy,
                                                     const PublicKey& key, TimePoint now) {
  if (brought.empty() || brought.size() > ExternalCertificate::kCertificatesMax) {
    return Refusal<kImportSize>(
        fmt::format("bring 1 to {} certificates", ExternalCertificate::kCertificatesMax));
  }
  const Brought sorted = TRY(Sort(brought, key));
  // One root at a time: if two roots share name and key, OpenSSL takes either.
  Status refusal;
  const auto& roots = hierarchy.external_roots;
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
    auto checked = CheckUnder(*root, sorted, hierarchy, key, now);
    if (checked.ok()) return checked;
    // Any other refusal says more than that there is no chain to this root.
    if (refusal.ok() || Is(refusal, kImportChain)) refusal = checked.status();
  }
  return refusal;
}

}  // namespace ca
