#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ca/base/serial_number.h"
#include "ca/model/agent.h"
#include "ca/model/hierarchy.h"

namespace ca {

// Where relying parties ask for a certificate's status and its issuer; "" for nowhere.
struct StatusPointers {
  CrlShard shard = 0;
  std::string ocsp;        // id-ad-ocsp (RFC 5280 section 4.2.2.1)
  std::string ca_issuers;  // id-ad-caIssuers
  std::string crl;         // CRL distribution point (RFC 5280 section 4.2.1.13)
};

// What the extensions of an agent's certificate say.
struct LeafExtensions {
  SpiffeId id;
  std::vector<std::string> dns_names;
  std::vector<IpAddress> ip_addresses;
  bool client_auth = false;
  bool server_auth = false;
  bool no_rev_avail = false;  // RFC 9608 section 2: no status is to be had, and none needed
};

// Below an issuing authority there are leaves alone.
inline constexpr int kIssuingPathLength = 0;

// What the extensions of an authority's certificate say.
struct AuthorityExtensions {
  SpiffeId trust_domain;  // without a path, X509-SVID section 3.2
  int path_length = 0;
  const Hierarchy* name_constraints = nullptr;  // none in a root
};

// A delegated OCSP responder (RFC 6960 section 4.2.2.2), whose own status nobody asks for (section
// 4.2.2.2.1): it is short-lived.
struct ResponderExtensions {};

// Who signs documents, id-kp-documentSigning (RFC 9336).
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
  Bytes authority_key_identifier;  // "" for a self-signed one
  CertificateExtensions extensions;
  StatusPointers status;

  // DER, to be signed with ecdsa-with-SHA256.
  Bytes Encode() const;
};

// DER Extensions of an issuing authority of `hierarchy`, as far as they say what it is and not who
// signed it: those that whoever signs it is asked for.
Bytes EncodeIssuingExtensions(const Hierarchy& hierarchy, BytesView subject_key_identifier);

// DER Name of attributes by OpenSSL's short names, such as {"O", "acme"}: one to an RDN,
// UTF8String.
Bytes EncodeName(const std::vector<std::pair<std::string, std::string>>& attributes);

// DER Certificate: `tbs` octet for octet, ecdsa-with-SHA256, `signature`.
Bytes EncodeCertificate(BytesView tbs, BytesView signature);

}  // namespace ca
