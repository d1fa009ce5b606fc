#pragma once

#include <string>

#include "ca/hierarchies/decommissioning.h"

namespace files {

// As YAML, by the schema agentpki.v1.DestructionStatement.
std::string WriteStatement(const ca::DestructionStatement& statement);

}  // namespace files
