#pragma once

#include <filesystem>
#include <string>

#include "ca/ceremony/script.h"

namespace files {

// The content of a ceremony's file (proto/agentpki/v1/ceremony.proto), checked, with the defaults
// filled in.
struct CeremonyFile {
  ca::CeremonyScript script;
  std::filesystem::path folder;  // the paths in the file are relative to it
  std::string module;            // the token's PKCS#11 module
  std::string pin_file;          // relative to `folder`, as script.transcript is
};

// kInvalidArgument names file, line and key if the file does not follow the schema, or else the
// field whose value is refused. kNotFound.
ca::Result<CeremonyFile> LoadCeremonyFile(const std::filesystem::path& path);

}  // namespace files
