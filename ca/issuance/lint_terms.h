#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "ca/issuance/tbs_certificate.h"
#include "ca/model/agent.h"
#include "ca/model/authority_record.h"

namespace ca {

// One fault of a certificate.
struct LintFinding {
  std::string rule;          // lint.validity.too-long
  std::string_view section;  // the clause that it breaks: "RFC 5280 section 4.1.2.5"
  std::string text;
};

// An agent's certificate must be for these.
struct AgentTerms {
  const Agent& agent;
  const CertificateProfile& profile;
};

// A certificate of a CA, an OCSP responder or a record signer must be for these.
struct AuthorityTerms {
  AuthorityKind kind;
  int generation;
};

// The authority that issues the certificate.
struct IssuerTerms {
  const Bytes& name;  // DER Name, its subject
  const Bytes& key_identifier;
  const Validity& validity;
};

struct LintTerms {
  const Hierarchy& hierarchy;
  std::variant<AgentTerms, AuthorityTerms> subject;
  const IssuerTerms* issuer;  // null for a root
  StatusPointers status;      // where the issuer's status service is
};

}  // namespace ca
