#pragma once

#include <filesystem>
#include <string>

#include "ca/model/hierarchy.h"
#include "ca/server/run/config.h"

namespace server {

struct InitOptions {
  std::filesystem::path hierarchy_file;  // "" for the system hierarchy alone
  std::string operator_name = "admin";
  std::filesystem::path operator_folder;  // where the operator's credentials go; "" for none
};

// Makes what a deployment begins with: the system hierarchy, an operator who is admin of
// everything, and a first hierarchy. Everything that stands is kept; the operator's credentials are
// made anew when they are missing or more than half of their lifetime has passed, so this is also
// the way back in for operators who are locked out: whoever holds the database and the token may do
// anything. Prints what it does.
ca::Status RunInit(const Config& config, const InitOptions& options);

// The system hierarchy that the configuration describes.
ca::Hierarchy SystemHierarchy(const Config& config);

}  // namespace server
