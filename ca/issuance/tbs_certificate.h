#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ca/base/serial_number.h"
#include "ca/model/agent.h"
#include "ca/model/hierarchy.h"

namespace ca {

// The URLs of a certificate's status and of its issuer; "" where the certificate has none.
struct StatusPointers {
  CrlShard shard = 0;
  std::string ocsp;        // id-ad-ocsp (RFC 5280 section 4.2.2.1)
  std::string ca_issuers;  // id-ad-caIssuers
  std::string crl;         // CRL distribution point (RFC 5280 section 4.2.1.13)
};

// The extensions of an agent's certificate.
struct LeafExtensions {
  SpiffeId id;
  std::vector<std::string> dns_names;
  std::vector<IpAddress> ip_addresses;
  bool client_auth = false;
  bool server_auth = false;
  bool no_rev_avail = false;  // RFC 9608 section 2: the certificate has no status service
};

// An issuing authority issues to leaves alone.
inline constexpr int kIssuingPathLength = 0;

// The extensions of a CA's certificate.
struct AuthorityExtensions {
  SpiffeId trust_domain;  // without a path, X509-SVID section 3.2
  int path_length = 0;
  const Hierarchy* name_constraints = nullptr;  // null for a root, which has none
};

// The extensions of an OCSP responder's certificate (RFC 6960 section 4.2.2.2). Relying parties do
// not ask for its status (section 4.2.2.2.1), because it is short-lived.
struct ResponderExtensions {};

// The extensions of a record signer's certificate: id-kp-documentSigning (RFC 9336).
struct RecorderExtensions {};

using CertificateExtensions =
    std::variant<LeafExtensions, AuthorityExtensions, ResponderExtensions, RecorderExtensions>;

// A TBSCertificate (RFC 5280 section 4.1), before it is octets.
struct TbsCertificate {
  SerialNumber serial;
  Bytes issuer;   // DER Name
  Bytes subject;  // DER Name
  Validity validity;
  Bytes spki;  // DER SubjectPublicKeyInfo, used octet for octet
  Bytes subject_key_identifier;
  Bytes authority_key_identifier;  // "" for a root
  CertificateExtensions extensions;
  StatusPointers status;

  // DER, to be signed with ecdsa-with-SHA256.
  Bytes Encode() const;
};

// DER Extensions of an issuing authority of `hierarchy`, without those that depend on its issuer. A
// certification request to an external root asks for them.
Bytes EncodeIssuingExtensions(const Hierarchy& hierarchy, BytesView subject_key_identifier);

// DER Name. The attributes have OpenSSL's short names, such as {"O", "acme"}; each has its own RDN,
// in UTF8String.
Bytes EncodeName(const std::vector<std::pair<std::string, std::string>>& attributes);

// DER Certificate: the octets of `tbs`, ecdsa-with-SHA256, and `signature`.
Bytes EncodeCertificate(BytesView tbs, BytesView signature);

}  // namespace ca
