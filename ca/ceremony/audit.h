#pragma once

#include <string>
#include <vector>

#include "ca/ceremony/plan.h"

namespace ca {

// All faults in the results of a ceremony, one line each. It replays the transcript, lints and
// verifies every certificate and CRL again, and compares every file. Empty if there is no fault. It
// needs no token.
std::vector<std::string> DifferencesOf(const CeremonyRecord& record, const CarriedFiles& files);

}  // namespace ca
