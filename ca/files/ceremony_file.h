#pragma once

#include <filesystem>
#include <string>

#include "ca/ceremony/script.h"

namespace files {

// A ceremony as people write it (proto/agentpki/v1/ceremony.proto), checked, with the defaults
// filled in.
struct CeremonyFile {
  ca::CeremonyScript script;
  std::filesystem::path folder;  // paths in it are relative to that
  std::string module;            // of the token
  std::string pin_file;          // to open, relative to `folder`, as script.transcript is
};

// kInvalidArgument naming file, line and key where it is not of the schema, and the field that
// cannot be as it is; kNotFound.
ca::Result<CeremonyFile> LoadCeremonyFile(const std::filesystem::path& path);

}  // namespace files
