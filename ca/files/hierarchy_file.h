#pragma once

#include <filesystem>

#include "agentpki/v1/hierarchy.pb.h"
#include "ca/model/hierarchy_declaration.h"

namespace files {

// Turns the content of a hierarchy's file into the hierarchy, checked, with the defaults filled in.
// kInvalidArgument names the field.
ca::Result<ca::HierarchyDeclaration> DeclarationOf(const agentpki::v1::HierarchySpec& spec);

// Fills in the defaults, and checks nothing: Hierarchy::Validate() does.
ca::ApprovalPolicy ApprovalPolicyOf(const agentpki::v1::ApprovalsSpec& spec);

// The inverse of DeclarationOf(). It writes every field, except those that are left to the server's
// configuration.
agentpki::v1::HierarchySpec SpecOf(const ca::HierarchyDeclaration& declaration);

// Reads a file by its schema (proto/agentpki/v1/hierarchy.proto) and fills in nothing.
// kInvalidArgument names file, line and key if it does not follow the schema. kNotFound.
ca::Result<agentpki::v1::HierarchySpec> ReadHierarchyFile(const std::filesystem::path& path);

// ReadHierarchyFile(), then DeclarationOf(). kInvalidArgument also names the file.
ca::Result<ca::HierarchyDeclaration> LoadHierarchyFile(const std::filesystem::path& path);

}  // namespace files
