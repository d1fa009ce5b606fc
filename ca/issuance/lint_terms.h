#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "ca/issuance/tbs_certificate.h"
#include "ca/model/agent.h"
#include "ca/model/authority_record.h"

namespace ca {

// One thing that is wrong.
struct LintFinding {
  std::string rule;          // lint.validity.too-long
  std::string_view section;  // of what it breaks: "RFC 5280 section 4.1.2.5"
  std::string text;
};

// What an agent's certificate has to say.
struct AgentTerms {
  const Agent& agent;
  const CertificateProfile& profile;
};

// What a certificate of a CA or a responder has to say.
struct AuthorityTerms {
  AuthorityKind kind;
  int generation;
};

// Who issues it.
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
