#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ca/agent.h"
#include "ca/authority.h"
#include "ca/issuance.h"
#include "ca/tbs_certificate.h"

// The last look at a certificate before its intent is recorded: are the octets that a CA key is to
// sign those of a certificate by RFC 5280, and do they say what was asked for? None of the code
// that builds them is used here: they are read by ca/base/der.h, which takes DER alone, and once
// more by OpenSSL as relying parties do.
namespace ca {

// How the name of each of its rules begins.
inline constexpr std::string_view kLintRulePrefix = "lint.";

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

// A DER certificate, signature included, may have so many octets: an agent with as many host names
// as it can have, and a path as long as it can be, takes a third.
inline constexpr size_t kCertificateSizeMax = 32 * 1024;

// All that is wrong with the octets of `record`; empty for a certificate as it should be. Pure and
// thread-safe; about 45 us, 250 us for an RSA key (OpenSSL 3.0's decoder).
std::vector<LintFinding> FindingsOf(const IssuanceRecord& record, const LintTerms& terms);

// kInternal with the first finding's rule, and all of them in its message: what was prepared is not
// what should have been, so nothing is recorded or signed.
Result<LintedIssuance> Lint(IssuanceRecord record, const LintTerms& terms);

}  // namespace ca
