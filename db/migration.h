#pragma once

#include <string>
#include <vector>

#include "ca/base/result.h"

namespace db {

struct Endpoint;

// One step of the schema. Steps are only ever added; an applied step is never edited.
struct Migration {
  std::string name;  // 0003_ledger
  std::string sql;
};

// The steps of this program, in order (db/migrations/).
std::vector<Migration> EmbeddedMigrations();

// Applies the missing steps as the schema's owner, each in a transaction of its own. If several
// processes migrate at once, one works, and the others find nothing to do. Returns the applied
// names. kFailedPrecondition when the schema is newer than the program, when an applied step
// differs from ours, or when the role agentpki_server is missing (says how to make it).
ca::Result<std::vector<std::string>> Migrate(const Endpoint& owner);

// kFailedPrecondition, saying what to run, unless the schema is exactly this program's.
ca::Status CheckSchema(const Endpoint& endpoint);

}  // namespace db
