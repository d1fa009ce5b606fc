#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "ca/base/result.h"

namespace db {

using ca::Result;
using ca::Status;

// How to reach PostgreSQL: a libpq keyword string, such as "host=/run/postgresql dbname=agentpki".
struct Endpoint {
  std::string conninfo;
};

// Thrown to stop a transaction in a function that cannot return a Status.
class Stopped : public std::exception {
 public:
  explicit Stopped(Status why) : why_(std::move(why)) {}
  const Status& why() const { return why_; }

 private:
  const Status why_;
};

// Translates the current exception, Stopped or one of libpqxx; call it in a catch block. A lost
// connection is kUnavailable, a deadlock or serialization failure kAborted, a broken uniqueness
// kAlreadyExists, a time-out kDeadlineExceeded. The database's own text goes only into kInternal,
// which the edge logs and never shows.
Status StatusOfException();

// Whether the connection failed, and not the statement: a fresh connection may succeed.
bool IsConnectionFailure(const Status& status);

// Opens a connection and sets its session: time zone, time-outs. Throws like libpqxx.
std::unique_ptr<pqxx::connection> Connect(const Endpoint& endpoint);

// Prepares a pool's statements on a fresh connection.
using Prepare = std::function<void(pqxx::connection&)>;

// A bounded number of connections, opened when first needed and opened anew after they broke.
// Thread-safe.
class Pool {
 public:
  Pool(Endpoint endpoint, size_t size_max, Prepare prepare);

  // Runs `use(connection)`, which returns a Result or Status; an exception becomes one too. After a
  // connection failure, runs it once more on a fresh connection, so `use` must be safe to repeat
  // even if its first run was committed.
  template <typename Use>
  auto RunRepeatable(Use use) {
    auto result = RunOn(Acquire(Which::kAny), use);
    return !result.ok() && IsConnectionFailure(ca::internal::StatusOf(decltype(result)(result)))
               ? RunOn(Acquire(Which::kFresh), use)
               : std::move(result);
  }

  // The same, but runs it once; replaces before a connection that broke while it was idle.
  template <typename Use>
  auto Run(Use use) {
    return RunOn(AcquireProved(), use);
  }

 private:
  using ConnectionPtr = std::unique_ptr<pqxx::connection>;

  enum class Which {
    kAny,
    kFresh,  // closes the idle connections: a failure of one has likely broken them all
  };

  template <typename Use>
  auto RunOn(Result<ConnectionPtr> connection, Use& use)
      -> decltype(use(std::declval<pqxx::connection&>())) {
    if (!connection.ok()) return std::move(connection).status();
    try {
      auto result = use(**connection);
      Release(*std::move(connection));
      return result;
    } catch (...) {
      Status failure = StatusOfException();
      // The connection may be in any state: close it.
      Release(nullptr);
      return failure;
    }
  }

  Result<ConnectionPtr> Acquire(Which which);
  Result<ConnectionPtr> AcquireProved();
  void Release(ConnectionPtr connection);

  const Endpoint endpoint_;
  const size_t size_max_;
  const Prepare prepare_;
  std::mutex mutex_;
  std::condition_variable released_;
  size_t in_use_ = 0;
  std::vector<ConnectionPtr> idle_;
};

}  // namespace db
