#pragma once

#include <google/protobuf/message.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ca/base/result.h"

namespace files {

// Fills `message` from YAML, whose keys are its field names: a protobuf message is the schema of a
// file that people write. A google.protobuf.Duration is written 90s, 5m, 1h or 365d.
//
// kInvalidArgument as FILE:LINE: and what is wrong, for anything that is not in the schema: an
// unknown key (naming the nearest one there is), a key given twice, a value of another type.
ca::Status ParseYaml(const std::string& text, const std::string& file_name,
                     google::protobuf::Message& message);

// The same for a file of at most 1 MiB. kNotFound, kPermissionDenied when it cannot be read.
ca::Status ParseYamlFile(const std::filesystem::path& path, google::protobuf::Message& message);

// Of a text that ParseYaml() takes: the line of each element of the list `key` at its top.
std::vector<int> LinesOfList(const std::string& text, const std::string& key);

// What ParseYaml() fills an equal message from, in the order of the schema. Fields that are not
// set, or are empty or zero, are left out.
std::string ToYaml(const google::protobuf::Message& message);

}  // namespace files
