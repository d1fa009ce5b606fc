#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ca/base/result.h"

namespace ca {

// CRLReason of RFC 5280 section 5.3.1, with its numbers. It leaves out certificateHold (6) and
// removeFromCRL (8), because a revocation is never taken back.
enum class RevocationReason {
  kUnspecified = 0,
  kKeyCompromise = 1,
  kCaCompromise = 2,
  kAffiliationChanged = 3,
  kSuperseded = 4,
  kCessationOfOperation = 5,
  kPrivilegeWithdrawn = 9,
  kAaCompromise = 10,
};

// RFC 5280's own names: unspecified, keyCompromise, cACompromise, affiliationChanged, superseded,
// cessationOfOperation, privilegeWithdrawn, aACompromise.
std::string_view NameOf(RevocationReason reason);

// Reads a name in upper or lower case, with or without dashes (key-compromise). The message of
// kInvalidArgument lists the reasons, and says why there is no certificateHold.
Result<RevocationReason> RevocationReasonFrom(std::string_view name);

// nullopt for a number that is none of the above.
std::optional<RevocationReason> RevocationReasonFrom(int number);

}  // namespace ca
