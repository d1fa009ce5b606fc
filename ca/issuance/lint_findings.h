#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ca/base/rules.h"
#include "ca/issuance/issuance.h"
#include "ca/issuance/lint_terms.h"

// The parts of the linter.
namespace ca::lint {

inline constexpr std::string_view kRfc5280 = "RFC 5280";

// The fields of a TBSCertificate (RFC 5280 section 4.1), not yet interpreted.
struct Parts {
  BytesView whole;
  BytesView serial;  // the INTEGER's content
  BytesView signature_algorithm;
  BytesView issuer;  // Name; this and the following have tag and length
  BytesView validity;
  BytesView subject;
  BytesView spki;
  BytesView extensions;  // the content of the SEQUENCE OF
};

class Findings {
 public:
  // The rule is `lint.` and `fault`.
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

// nullopt, with a finding, unless `tbs` is DER in the form of a version 3 certificate.
std::optional<Parts> TakeApart(BytesView tbs, Findings& findings);

void CheckSerial(const Parts& parts, const IssuanceRecord& record, Findings& findings);
void CheckNames(const Parts& parts, const LintTerms& terms, Findings& findings);
void CheckValidity(const Parts& parts, const IssuanceRecord& record, const LintTerms& terms,
                   Findings& findings);
void CheckKey(const Parts& parts, const IssuanceRecord& record, const LintTerms& terms,
              Findings& findings);
void CheckExtensions(const Parts& parts, const LintTerms& terms, Findings& findings);

// Reads the certificate with OpenSSL, as most relying parties do.
void CheckAsRelyingParty(const Parts& parts, const LintTerms& terms, Findings& findings);

}  // namespace ca::lint
