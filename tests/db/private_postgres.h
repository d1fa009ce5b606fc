#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <pqxx/pqxx>
#include <string>

#include "db/connection.h"

namespace db::testing {

// A private PostgreSQL cluster in a temporary folder (tools/private-postgres), with the roles
// agentpki_owner and agentpki_server. Commits survive Kill(), but not a power cut: nothing waits
// for the disk. The cluster ends with this object, and with the process. Each failure aborts.
class PrivatePostgres {
 public:
  PrivatePostgres();
  ~PrivatePostgres();
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;

  // The one of this test program: started when first asked for, destroyed after the last test.
  static PrivatePostgres& Shared();

  // SIGKILL for every process of it; and a start at the same place, which recovers.
  void Kill();
  void Start();

  Endpoint EndpointOf(const std::string& database, const std::string& role) const;

 private:
  const std::filesystem::path folder_;
  pid_t undertaker_ = 0;  // destroys the cluster when its standard input, our pipe, is closed
  int alive_ = -1;        // the pipe
  std::string host_;
};

// A migrated database, which goes with this object.
class TestDatabase {
 public:
  explicit TestDatabase(PrivatePostgres& postgres = PrivatePostgres::Shared());
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  Endpoint server() const { return postgres_.EndpointOf(name_, "agentpki_server"); }
  Endpoint owner() const { return postgres_.EndpointOf(name_, "agentpki_owner"); }

  // As superuser, each in a transaction of its own; whatever the row-level security would hide.
  pqxx::result Query(const std::string& sql);

  // As if it were new, which would take a hundred times as long. Numbers that it gave are not given
  // again.
  void Empty();

 private:
  PrivatePostgres& postgres_;
  const std::string name_;
  std::unique_ptr<pqxx::connection> superuser_;
};

// An empty database that agentpki_owner owns; it stays until the cluster goes.
std::string NewEmptyDatabase(PrivatePostgres& postgres);

}  // namespace db::testing
