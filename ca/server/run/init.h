#pragma once

#include <filesystem>
#include <string>

#include "ca/model/hierarchy.h"
#include "ca/server/run/config.h"

namespace server {

struct InitOptions {
  std::filesystem::path hierarchy_file;  // "" to make the system hierarchy only
  std::string operator_name = "admin";
  std::filesystem::path operator_folder;  // for the operator's credentials; "" for none
};

// Makes the beginning of a deployment: the system hierarchy, an operator that is admin over
// everything, and a first hierarchy. Keeps everything that exists. Issues new credentials for the
// operator if they are missing or have passed half of their lifetime. So operators that are locked
// out can run it again: access to the database and the token allows everything anyway. Prints each
// step.
ca::Status RunInit(const Config& config, const InitOptions& options);

// The system hierarchy that the configuration describes.
ca::Hierarchy SystemHierarchy(const Config& config);

}  // namespace server
