#pragma once

#include <string>
#include <vector>

#include "ca/ceremony/plan.h"

namespace ca {

// All that is wrong with what a ceremony left, each in a line that names it: the transcript is
// replayed, every certificate and CRL is linted and verified anew, and every file is compared.
// Empty when all is as it should be. Takes no token.
std::vector<std::string> DifferencesOf(const CeremonyRecord& record, const CarriedFiles& files);

}  // namespace ca
