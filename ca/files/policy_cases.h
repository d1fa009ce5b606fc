#pragma once

#include <filesystem>
#include <vector>

#include "agentpki/v1/policy.pb.h"
#include "ca/model/hierarchy.h"

namespace files {

// What comes of each case of `path` (proto/agentpki/v1/policy.proto) by the policy of `hierarchy`,
// in their order: could the agent be registered so, then the built-in checks that need no CSR, then
// the enrollment rules. kInvalidArgument naming file, line and key where the file is not of the
// schema.
ca::Result<std::vector<agentpki::v1::PolicyCaseOutcome>> RunPolicyCases(
    const ca::Hierarchy& hierarchy, const std::filesystem::path& path);

}  // namespace files
