#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ca/base/result.h"

namespace ca {

// CRLReason of RFC 5280 section 5.3.1, by its numbers. Without certificateHold (6) and
// removeFromCRL (8): nothing un-revokes.
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

// By name, in any case and with or without dashes (key-compromise). kInvalidArgument naming the
// reasons there are, and why there is no certificateHold.
Result<RevocationReason> RevocationReasonFrom(std::string_view name);

// nullopt for a number that is none of the above.
std::optional<RevocationReason> RevocationReasonFrom(int number);

}  // namespace ca
