#pragma once

#include "ca/ports/hierarchy_ports.h"
#include "db/postgres_activation_store.h"
#include "db/postgres_authority_store.h"
#include "db/postgres_hierarchy_store.h"

namespace db {

struct Endpoint;

// The three stores over one pool of connections, which connects when first used.
class PostgresHierarchyPorts {
 public:
  explicit PostgresHierarchyPorts(const Endpoint& endpoint);

  operator ca::HierarchyPorts() {  // NOLINT(*-explicit-*)
    return {hierarchies, authorities, activations};
  }

 private:
  explicit PostgresHierarchyPorts(const std::shared_ptr<Pool>& pool)
      : hierarchies(pool), authorities(pool), activations(pool) {}

 public:
  PostgresHierarchyStore hierarchies;
  PostgresAuthorityStore authorities;
  PostgresActivationStore activations;
};

}  // namespace db
