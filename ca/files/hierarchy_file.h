#pragma once

#include <filesystem>

#include "agentpki/v1/hierarchy.pb.h"
#include "ca/model/hierarchy_declaration.h"

namespace files {

// A hierarchy as people write it, checked, with the defaults filled in. kInvalidArgument naming the
// field.
ca::Result<ca::HierarchyDeclaration> DeclarationOf(const agentpki::v1::HierarchySpec& spec);

// What takes two, as people write it. Hierarchy::Validate() says whether it can be.
ca::ApprovalPolicy ApprovalPolicyOf(const agentpki::v1::ApprovalsSpec& spec);

// What DeclarationOf() makes the same declaration of, with nothing left to a default but what is
// left to the server's configuration.
agentpki::v1::HierarchySpec SpecOf(const ca::HierarchyDeclaration& declaration);

// What a file says (proto/agentpki/v1/hierarchy.proto), as it is written there. kInvalidArgument
// naming file, line and key where it is not of the schema; kNotFound.
ca::Result<agentpki::v1::HierarchySpec> ReadHierarchyFile(const std::filesystem::path& path);

// Both: kInvalidArgument naming file and key, also of what the schema does not say.
ca::Result<ca::HierarchyDeclaration> LoadHierarchyFile(const std::filesystem::path& path);

}  // namespace files
