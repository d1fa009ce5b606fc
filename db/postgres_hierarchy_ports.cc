#include "db/postgres_hierarchy_ports.h"

#include "db/connection.h"

namespace db {
namespace {

constexpr size_t kConnectionsMax = 2;

}  // namespace

PostgresHierarchyPorts::PostgresHierarchyPorts(const Endpoint& endpoint)
    : PostgresHierarchyPorts(
          std::make_shared<Pool>(endpoint, kConnectionsMax, [](pqxx::connection&) {})) {}

}  // namespace db
