#include "db/connection.h"

#include <chrono>

namespace db {
namespace {

using ca::Error;
using ca::StatusCode;

constexpr char kConnectionFailure[] = "the database is away; retry";

// A longer wait means that something is wrong, so tell the caller.
constexpr char kSessionSettings[] =
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET statement_timeout = '10s';"
    "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '15s';"
    // There are many partitions and few statements: a custom plan for each call would cost more
    // than the call.
    "SET plan_cache_mode = 'force_generic_plan'";
constexpr char kConnectionOptions[] =
    " connect_timeout=3 tcp_user_timeout=10000 application_name=agentpki client_encoding=UTF8";
constexpr std::chrono::seconds kAcquireTimeout(5);

}  // namespace

Status StatusOfException() {
  try {
    throw;
  } catch (const Stopped& stopped) {
    return stopped.why();
  } catch (const pqxx::broken_connection&) {
    return Error(StatusCode::kUnavailable, kConnectionFailure);
  } catch (const pqxx::in_doubt_error&) {
    return Error(StatusCode::kUnavailable, kConnectionFailure);
  } catch (const pqxx::unique_violation&) {
    return Error(StatusCode::kAlreadyExists, "it is in the database already");
  } catch (const pqxx::transaction_rollback&) {  // a deadlock, a serialization failure
    return Error(StatusCode::kAborted, "somebody else changed the same in the database; retry");
  } catch (const pqxx::sql_error& e) {
    const std::string& state = e.sqlstate();
    if (state.starts_with("57P")) {  // the server shuts down or starts
      return Error(StatusCode::kUnavailable, kConnectionFailure);
    }
    if (state == "57014" || state == "55P03") {  // statement_timeout, lock_timeout
      return Error(StatusCode::kDeadlineExceeded, "the database is too slow; retry");
    }
    return Error(StatusCode::kInternal, "database: {} ({})", e.what(), state);
  } catch (const std::exception& e) {
    return Error(StatusCode::kInternal, "database: {}", e.what());
  }
}

bool IsConnectionFailure(const Status& status) {
  return status.code() == StatusCode::kUnavailable && ca::MessageOf(status) == kConnectionFailure;
}

std::unique_ptr<pqxx::connection> Connect(const Endpoint& endpoint) {
  auto connection = std::make_unique<pqxx::connection>(endpoint.conninfo + kConnectionOptions);
  // Notices such as "relation already exists, skipping" are useless here.
  connection->set_verbosity(pqxx::connection_base::terse);
  pqxx::nontransaction(*connection).exec(kSessionSettings);
  return connection;
}

Pool::Pool(Endpoint endpoint, size_t size_max, Prepare prepare)
    : endpoint_(std::move(endpoint)), size_max_(size_max), prepare_(std::move(prepare)) {}

Result<Pool::ConnectionPtr> Pool::Acquire(Which which) {
  std::vector<ConnectionPtr> broken;  // closed when the lock is free
  {
    std::unique_lock lock(mutex_);
    if (!released_.wait_for(lock, kAcquireTimeout, [this] { return in_use_ < size_max_; })) {
      return Error(StatusCode::kUnavailable, "the database is too slow; retry");
    }
    ++in_use_;
    if (which == Which::kFresh) broken.swap(idle_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  try {
    auto connection = Connect(endpoint_);
    prepare_(*connection);
    return connection;
  } catch (...) {
    Status failure = StatusOfException();
    Release(nullptr);
    return failure;
  }
}

Result<Pool::ConnectionPtr> Pool::AcquireProved() {
  auto connection = Acquire(Which::kAny);
  if (!connection.ok()) return connection;
  try {
    pqxx::nontransaction(**connection).exec("SELECT 1");
    return connection;
  } catch (...) {
    Status failure = StatusOfException();
    Release(nullptr);
    if (!IsConnectionFailure(failure)) return failure;
  }
  return Acquire(Which::kFresh);
}

void Pool::Release(ConnectionPtr connection) {
  const std::lock_guard lock(mutex_);
  --in_use_;
  if (connection) idle_.push_back(std::move(connection));
  released_.notify_one();
}

}  // namespace db
