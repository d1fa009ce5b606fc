#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace files {

// One value that two files of the same schema do not have in common.
struct FieldDifference {
  std::string field;   // profiles.agent.lifetime: where it is in the file, list elements by name
  std::string before;  // as it is written in YAML; "" when it is not there
  std::string after;

  friend bool operator==(const FieldDifference&, const FieldDifference&) = default;
};

// What makes `before` into `after`, in the order of the schema. Of a list whose elements have a
// `name`, elements of the same name are compared; the order of names is a value of its own.
std::vector<FieldDifference> DifferencesOf(const google::protobuf::Message& before,
                                           const google::protobuf::Message& after);

}  // namespace files
