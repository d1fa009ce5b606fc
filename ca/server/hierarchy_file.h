#pragma once

#include <filesystem>

#include "ca/hierarchy.h"

namespace server {

// A hierarchy from the YAML file that describes it (proto/agentpki/v1/hierarchy.proto), checked.
// kInvalidArgument naming file and key, and the line where YAML itself is wrong; kNotFound.
ca::Result<ca::Hierarchy> LoadHierarchyFile(const std::filesystem::path& path);

}  // namespace server
