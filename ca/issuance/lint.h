#pragma once

#include <string_view>
#include <vector>

#include "ca/issuance/issuance.h"
#include "ca/issuance/lint_terms.h"

// The last look at a certificate before its intent is recorded: are the octets that a CA key is to
// sign those of a certificate by RFC 5280, and do they say what was asked for? None of the code
// that builds them is used here: they are read by ca/base/der.h, which takes DER alone, and once
// more by OpenSSL as relying parties do.
namespace ca {

// All that is wrong with the octets of `record`; empty for a certificate as it should be. Pure and
// thread-safe; about 45 us, 250 us for an RSA key (OpenSSL 3.0's decoder).
std::vector<LintFinding> FindingsOf(const IssuanceRecord& record, const LintTerms& terms);

// kInternal with the first finding's rule, and all of them in its message: what was prepared is not
// what should have been, so nothing is recorded or signed.
Result<LintedIssuance> Lint(IssuanceRecord record, const LintTerms& terms);

}  // namespace ca
