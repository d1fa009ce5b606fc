#include <array>

#include "ca/base/der.h"
#include "ca/issuance/lint_findings.h"

namespace ca::lint {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kOrganization = "\x55\x04\x0a"sv;        // 2.5.4.10
constexpr std::string_view kOrganizationalUnit = "\x55\x04\x0b"sv;  // 2.5.4.11
constexpr std::string_view kCommonName = "\x55\x04\x03"sv;          // 2.5.4.3
// 0.9.2342.19200300.100.1.1; RFC 4524 section 2.28 has at most 256 characters.
constexpr std::string_view kUserId = "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"sv;
constexpr size_t kUserIdMax = 256;

// The value of the next RelativeDistinguishedName, if it is one attribute of `type` in UTF8String
// (RFC 5280 section 4.1.2.4: "CAs MUST use either PrintableString or UTF8String").
std::optional<BytesView> NextValue(DerReader& name, BytesView type) {
  const auto set = name.Next(kDerSet);
  const auto attribute = set ? OnlyDer(kDerSequence, set->content) : std::nullopt;
  if (!attribute) return std::nullopt;
  DerReader reader(*attribute);
  const auto its_type = reader.Next(kDerObjectIdentifier);
  const auto value = its_type ? reader.Next(kDerUtf8String) : std::nullopt;
  if (!value || !reader.AtEnd() || its_type->content != type) return std::nullopt;
  return value->content;
}

// For people who read lists: "issuing authority 2", "responder 7".
std::string CommonNameOf(const AuthorityTerms& terms) {
  switch (terms.kind) {
    case AuthorityKind::kRoot:
    case AuthorityKind::kLink:  // to the root of that generation
      return fmt::format("root authority {}", terms.generation);
    case AuthorityKind::kIssuing:
      return fmt::format("issuing authority {}", terms.generation);
    case AuthorityKind::kResponder:
      return fmt::format("responder {}", terms.generation);
    case AuthorityKind::kRecorder:
      return fmt::format("recorder {}", terms.generation);
  }
  return "";
}

}  // namespace

void CheckNames(const Parts& parts, const LintTerms& terms, Findings& findings) {
  // "The subject name MUST be encoded in the same way", so that chains are found octet for octet.
  const BytesView issuer = terms.issuer ? BytesView(terms.issuer->name) : parts.subject;
  if (parts.issuer != issuer) {
    findings.Add("issuer", "RFC 5280 section 4.1.2.4",
                 "the issuer's name differs from the subject of the issuing authority");
  }

  const AgentTerms* const agent = AgentOf(terms);
  const std::string last = agent ? std::string(agent->agent.id.path().substr(0, kUserIdMax))
                                 : CommonNameOf(std::get<AuthorityTerms>(terms.subject));
  const std::array<std::pair<BytesView, BytesView>, 3> wanted = {
      {{kOrganization, terms.hierarchy.tenant},
       {kOrganizationalUnit, terms.hierarchy.environment},
       {agent ? kUserId : kCommonName, last}}};
  DerReader name(OnlyDer(kDerSequence, parts.subject).value_or(""));
  for (const auto& [type, value] : wanted) {
    if (NextValue(name, type) == value) continue;
    findings.Add("subject", "RFC 5280 section 4.1.2.6",
                 "the subject is not O={}, OU={}, {}={}, each alone and in UTF8String",
                 terms.hierarchy.tenant, terms.hierarchy.environment, agent ? "UID" : "CN",
                 Printable(last));
    return;
  }
  if (!name.AtEnd()) {
    findings.Add("subject", "docs/architecture.md", "the subject has too many names");
  }
}

}  // namespace ca::lint
