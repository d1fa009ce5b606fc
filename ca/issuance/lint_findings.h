#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ca/base/rules.h"
#include "ca/issuance/issuance.h"
#include "ca/issuance/lint_terms.h"

// What the parts of the linter have in common.
namespace ca::lint {

inline constexpr std::string_view kRfc5280 = "RFC 5280";

// A TBSCertificate (RFC 5280 section 4.1), taken apart, nothing understood.
struct Parts {
  BytesView whole;
  BytesView serial;  // the INTEGER's content
  BytesView signature_algorithm;
  BytesView issuer;  // Name, as the following with tag and length
  BytesView validity;
  BytesView subject;
  BytesView spki;
  BytesView extensions;  // the content of the SEQUENCE OF
};

// Collects.
class Findings {
 public:
  template <typename... Args>
  void Add(std::string_view fault, std::string_view section, fmt::format_string<Args...> format,
           Args&&... args) {
    all_.push_back(
        {kLintRules.NameOf(fault), section, fmt::format(format, std::forward<Args>(args)...)});
  }

  bool empty() const { return all_.empty(); }
  std::vector<LintFinding> Take() { return std::move(all_); }

 private:
  std::vector<LintFinding> all_;
};

inline const AgentTerms* AgentOf(const LintTerms& terms) {
  return std::get_if<AgentTerms>(&terms.subject);
}
inline bool Is(const LintTerms& terms, AuthorityKind kind) {
  const auto* const authority = std::get_if<AuthorityTerms>(&terms.subject);
  return authority && authority->kind == kind;
}
inline bool IsCa(const LintTerms& terms) {
  const auto* const authority = std::get_if<AuthorityTerms>(&terms.subject);
  return authority && !IsDelegate(authority->kind);
}

// Nothing, and a finding, unless it is DER of the form that a version 3 certificate has.
std::optional<Parts> TakeApart(BytesView tbs, Findings& findings);

void CheckSerial(const Parts& parts, const IssuanceRecord& record, Findings& findings);
void CheckNames(const Parts& parts, const LintTerms& terms, Findings& findings);
void CheckValidity(const Parts& parts, const IssuanceRecord& record, const LintTerms& terms,
                   Findings& findings);
void CheckKey(const Parts& parts, const IssuanceRecord& record, const LintTerms& terms,
              Findings& findings);
void CheckExtensions(const Parts& parts, const LintTerms& terms, Findings& findings);

// What OpenSSL, and so most relying parties, thinks of it.
void CheckAsRelyingParty(const Parts& parts, const LintTerms& terms, Findings& findings);

}  // namespace ca::lint
