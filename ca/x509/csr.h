#pragma once

#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/x509/public_key.h"

namespace ca {

// A PKCS #10 certification request (RFC 2986) whose signature proves possession of its key.
//
// Everything that it asks for has a name here, so the policy can refuse a request that goes beyond
// the identity. Nothing is dropped silently. A Csr is immutable and thread-safe.
class Csr {
 public:
  static constexpr size_t kSizeMax = 16 * 1024;
  static constexpr size_t kNamesMax = 64;  // subject attributes, alternative names
  static constexpr size_t kExtensionsMax = 32;
  static constexpr size_t kAttributesMax = 16;
  static constexpr size_t kOidSizeMax = 64;  // octets of an object identifier that has no name

  // One attribute of the subject: {"CN", "invoice-bot"}; dotted OID when it has no short name.
  // Values are UTF-8.
  struct SubjectAttribute {
    std::string type;
    std::string value;
    friend bool operator==(const SubjectAttribute&, const SubjectAttribute&) = default;
  };
  // One requested subjectAltName: kind is "URI", "DNS", "IP", "email", "dirName", "RID",
  // "otherName", "x400Address" or "ediPartyName"; the value as text ("IP" and "RID" printed,
  // "dirName" as in RFC 4514, the last three kinds: "").
  struct AlternativeName {
    std::string kind;
    std::string value;
    friend bool operator==(const AlternativeName&, const AlternativeName&) = default;
  };
  // One requested extension: name is OpenSSL's short name ("keyUsage") or the dotted OID; value is
  // its DER (the OCTET STRING's contents).
  struct Extension {
    std::string name;
    bool critical = false;
    Bytes value;
    friend bool operator==(const Extension&, const Extension&) = default;
  };

  // kInvalidArgument by one of the rules csr.size, csr.malformed, csr.key, csr.signature-algorithm
  // and csr.proof-of-possession. It accepts the requests that OpenSSL's d2i_X509_REQ and
  // X509_REQ_verify accept, except those that tests/fixtures/csr_differences.cc lists with a
  // reason. About 65 us for a P-256 key, 55 of them for its signature.
  static Result<Csr> Parse(BytesView der);

  const PublicKey& public_key() const { return public_key_; }
  const std::vector<SubjectAttribute>& subject() const { return subject_; }
  // The names in subjectAltName. extensions() leaves that extension out.
  const std::vector<AlternativeName>& alternative_names() const { return alternative_names_; }
  const std::vector<Extension>& extensions() const { return extensions_; }
  // PKCS #9 attributes other than extensionRequest, by short name or OID (challengePassword, ...).
  const std::vector<std::string>& other_attributes() const { return other_attributes_; }

 private:
  explicit Csr(PublicKey public_key) : public_key_(std::move(public_key)) {}

  PublicKey public_key_;
  std::vector<SubjectAttribute> subject_;
  std::vector<AlternativeName> alternative_names_;
  std::vector<Extension> extensions_;
  std::vector<std::string> other_attributes_;
};

}  // namespace ca
