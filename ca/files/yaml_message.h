#pragma once

#include <google/protobuf/message.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ca/base/result.h"

namespace files {

// Fills `message` from YAML. The message is the schema of the file: its field names are the keys. A
// google.protobuf.Duration is written 90s, 5m, 1h or 365d.
//
// kInvalidArgument, "FILE:LINE: ...", for anything that is not in the schema: an unknown key (the
// message names the nearest known one), a key that is there twice, or a value of another type.
ca::Status ParseYaml(const std::string& text, const std::string& file_name,
                     google::protobuf::Message& message);

// The same for a file of at most 1 MiB. kNotFound or kPermissionDenied if it cannot be read.
ca::Status ParseYamlFile(const std::filesystem::path& path, google::protobuf::Message& message);

// Returns the line of each element of the top-level list `key`, in a text that ParseYaml() accepts.
std::vector<int> LinesOfList(const std::string& text, const std::string& key);

// The inverse of ParseYaml(), in the order of the schema. Leaves out fields that are not set, empty
// or zero.
std::string ToYaml(const google::protobuf::Message& message);

}  // namespace files
