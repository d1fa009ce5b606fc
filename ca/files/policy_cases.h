#pragma once

#include <filesystem>
#include <vector>

#include "agentpki/v1/policy.pb.h"
#include "ca/model/hierarchy.h"

namespace files {

// Runs each case of `path` (proto/agentpki/v1/policy.proto) by the policy of `hierarchy`: first the
// checks of a registration, then the built-in checks that need no CSR, then the enrollment rules.
// Returns the outcomes in the order of the cases. kInvalidArgument names file, line and key if the
// file does not follow the schema.
ca::Result<std::vector<agentpki::v1::PolicyCaseOutcome>> RunPolicyCases(
    const ca::Hierarchy& hierarchy, const std::filesystem::path& path);

}  // namespace files
