#pragma once

#include <string>

#include "ca/hierarchies/decommissioning.h"

namespace files {

// Writes the statement as YAML, by the schema agentpki.v1.DestructionStatement.
std::string WriteStatement(const ca::DestructionStatement& statement);

}  // namespace files
