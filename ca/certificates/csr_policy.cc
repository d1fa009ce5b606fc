#include "ca/certificates/csr_policy.h"

#include <algorithm>

#include "ca/base/openssl.h"
#include "ca/base/rules.h"

namespace ca {
namespace {

template <typename... Args>
Status RefuseExtension(fmt::format_string<Args...> format, Args&&... args) {
  return Refusal<kCsrExtension>(fmt::format(format, std::forward<Args>(args)...));
}

// ---- names --------------------------------------------------------------------------------------

Status CheckSubject(const Csr& csr, const Hierarchy& hierarchy, const Agent& agent) {
  const std::string_view path = agent.id.path();
  const std::string_view short_name = path.substr(path.rfind('/') + 1);
  for (const Csr::SubjectAttribute& attribute : csr.subject()) {
    const bool is_its_own = (attribute.type == "CN" && attribute.value == short_name) ||
                            (attribute.type == "UID" && attribute.value == path) ||
                            (attribute.type == "O" && attribute.value == hierarchy.tenant) ||
                            (attribute.type == "OU" && attribute.value == hierarchy.environment);
    if (is_its_own) continue;
    return Refusal<kCsrSubject>(attribute.type, Printable(attribute.value), agent.id.ToString());
  }
  return Ok();
}

bool IsNameOf(const Agent& agent, const Csr::AlternativeName& name) {
  if (name.kind == "URI") return name.value == agent.id.ToString();
  if (name.kind == "DNS") {
    return std::find(agent.dns_names.begin(), agent.dns_names.end(), name.value) !=
           agent.dns_names.end();
  }
  if (name.kind == "IP") {
    return std::any_of(agent.ip_addresses.begin(), agent.ip_addresses.end(),
                       [&](const IpAddress& address) { return address.ToString() == name.value; });
  }
  return false;
}

Status CheckAlternativeNames(const Csr& csr, const Agent& agent) {
  for (const Csr::AlternativeName& name : csr.alternative_names()) {
    if (IsNameOf(agent, name)) continue;
    return Refusal<kCsrAlternativeName>(name.kind, Printable(name.value), agent.id.ToString());
  }
  return Ok();
}

// ---- extensions ---------------------------------------------------------------------------------

// A CSR may ask for the extensions that the certificate will have in any case.

Status CheckBasicConstraints(const Csr::Extension& extension) {
  const unsigned char* cursor = Octets(extension.value);
  const BasicConstraintsPtr constraints(
      d2i_BASIC_CONSTRAINTS(nullptr, &cursor, static_cast<long>(extension.value.size())));
  if (constraints && !constraints->ca && !constraints->pathlen) return Ok();
  DrainOpenSslErrors();
  return RefuseExtension("asks for basicConstraints other than CA:FALSE; leave it out");
}

Status CheckKeyUsage(const Csr::Extension& extension) {
  // The bits in the order of RFC 5280 section 4.2.1.3.
  constexpr std::string_view kNames[] = {"digitalSignature", "nonRepudiation", "keyEncipherment",
                                         "dataEncipherment", "keyAgreement",   "keyCertSign",
                                         "cRLSign",          "encipherOnly",   "decipherOnly"};
  const unsigned char* cursor = Octets(extension.value);
  const Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage(
      d2i_ASN1_BIT_STRING(nullptr, &cursor, static_cast<long>(extension.value.size())));
  if (!usage) {
    DrainOpenSslErrors();
    return RefuseExtension("keyUsage is not a BIT STRING; leave it out");
  }
  for (int bit = 1; bit < static_cast<int>(std::size(kNames)); ++bit) {
    if (ASN1_BIT_STRING_get_bit(usage.get(), bit) == 0) continue;
    return RefuseExtension("asks for keyUsage {}; certificates are for digitalSignature alone",
                           kNames[bit]);
  }
  return Ok();
}

Status CheckExtendedKeyUsage(const Csr::Extension& extension, const CertificateProfile& profile) {
  const unsigned char* cursor = Octets(extension.value);
  const Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usage(
      d2i_EXTENDED_KEY_USAGE(nullptr, &cursor, static_cast<long>(extension.value.size())));
  if (!usage) {
    DrainOpenSslErrors();
    return RefuseExtension("extendedKeyUsage is malformed; leave it out");
  }
  for (int i = 0; i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    const ASN1_OBJECT* const purpose = sk_ASN1_OBJECT_value(usage.get(), i);
    const int nid = OBJ_obj2nid(purpose);
    if (nid == NID_client_auth && profile.client_auth) continue;
    if (nid == NID_server_auth && profile.server_auth) continue;
    char text[80];
    OBJ_obj2txt(text, sizeof text, purpose, 0);
    return RefuseExtension(
        "asks for extendedKeyUsage '{}', which profile '{}' does not grant; leave it "
        "out",
        text, profile.name);
  }
  return Ok();
}

Status CheckSubjectKeyIdentifier(const Csr::Extension& extension, const PublicKey& key) {
  const unsigned char* cursor = Octets(extension.value);
  const Asn1OctetStringPtr identifier(
      d2i_ASN1_OCTET_STRING(nullptr, &cursor, static_cast<long>(extension.value.size())));
  const bool is_ours =
      identifier &&
      BytesView(reinterpret_cast<const char*>(ASN1_STRING_get0_data(identifier.get())),
                static_cast<size_t>(ASN1_STRING_length(identifier.get()))) ==
          key.SubjectKeyIdentifier();
  if (is_ours) return Ok();
  DrainOpenSslErrors();
  return RefuseExtension(
      "asks for a subjectKeyIdentifier that is not the SHA-1 of its key (RFC 5280 "
      "section 4.2.1.2); leave it out");
}

Status CheckExtension(const Csr::Extension& extension, const Csr& csr,
                      const CertificateProfile& profile) {
  if (extension.name == "basicConstraints") return CheckBasicConstraints(extension);
  if (extension.name == "keyUsage") return CheckKeyUsage(extension);
  if (extension.name == "extendedKeyUsage") return CheckExtendedKeyUsage(extension, profile);
  if (extension.name == "subjectKeyIdentifier") {
    return CheckSubjectKeyIdentifier(extension, csr.public_key());
  }
  return RefuseExtension("asks for extension '{}', which profile '{}' does not grant; leave it out",
                         extension.name, profile.name);
}

}  // namespace

Status CheckRequest(const Csr& csr, const Hierarchy& hierarchy, const Agent& agent,
                    const CertificateProfile& profile) {
  TRY(profile.Admit(csr.public_key()));
  TRY(CheckSubject(csr, hierarchy, agent));
  TRY(CheckAlternativeNames(csr, agent));
  for (const Csr::Extension& extension : csr.extensions()) {
    TRY(CheckExtension(extension, csr, profile));
  }
  if (!csr.other_attributes().empty()) {
    return Refusal<kCsrAttribute>(csr.other_attributes().front());
  }
  return Ok();
}

}  // namespace ca
