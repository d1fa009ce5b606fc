#pragma once

#include <string_view>
#include <vector>

#include "ca/issuance/issuance.h"
#include "ca/issuance/lint_terms.h"

// The last check of a certificate before its intent is recorded: the octets that a CA key will sign
// must be a certificate by RFC 5280, and must say what was asked for. The linter shares no code
// with the builder. It reads the octets by ca/base/der.h, which accepts DER alone, and once more by
// OpenSSL, as relying parties do.
namespace ca {

// All faults of the octets in `record`; empty for a correct certificate. Pure and thread-safe;
// about 45 us, 250 us for an RSA key (OpenSSL 3.0's decoder).
std::vector<LintFinding> FindingsOf(const IssuanceRecord& record, const LintTerms& terms);

// kInternal by the rule of the first finding, with all findings in its message. Nothing is recorded
// or signed then.
Result<LintedIssuance> Lint(IssuanceRecord record, const LintTerms& terms);

}  // namespace ca
