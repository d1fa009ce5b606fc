#include "db/postgres_activation_store.h"

#include "db/authority_rows.h"
#include "db/connection.h"
#include "db/event_columns.h"

namespace db {
namespace {

using ca::Activation;
using ca::AuditEvent;
using ca::Error;
using ca::StatusCode;
using ca::TrustBundleRecord;

}  // namespace

Result<std::vector<Activation>> PostgresActivationStore::LoadActivations() {
  using Activations = std::vector<Activation>;
  return pool_->RunRepeatable([](pqxx::connection& connection) -> Result<Activations> {
    pqxx::read_transaction transaction(connection);
    return SelectActivations(transaction);
  });
}

Result<ca::RecordedDecision> PostgresActivationStore::Activate(const Activation& activation,
                                                               const AuditEvent& event) {
  const auto conflict = [&] {
    return Error(StatusCode::kAborted, "another authority was activated just now; look again");
  };
  const Status activated = pool_->Run([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    LockActivations(transaction, activation.hierarchy);
    if (!InsertActivation(transaction, activation)) return conflict();
    transaction.exec("NOTIFY agentpki_revocations");
    InsertEventIn(transaction, activation.hierarchy, event);
    transaction.commit();
    return ca::Ok();
  });
  return OnRecord(activated.code() == StatusCode::kAlreadyExists ? conflict() : activated);
}

Result<std::vector<TrustBundleRecord>> PostgresActivationStore::LoadTrustBundles() {
  using Bundles = std::vector<TrustBundleRecord>;
  return pool_->RunRepeatable([](pqxx::connection& connection) -> Result<Bundles> {
    pqxx::read_transaction transaction(connection);
    return SelectTrustBundles(transaction);
  });
}

Status PostgresActivationStore::PublishTrustBundle(const TrustBundleRecord& bundle,
                                                   const AuditEvent& event) {
  const auto conflict = [] {
    return Error(StatusCode::kAborted, "another trust bundle was published just now; look again");
  };
  const Status published = pool_->Run([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    if (!InsertTrustBundle(transaction, bundle)) return conflict();
    transaction.exec("NOTIFY agentpki_revocations");
    InsertEventIn(transaction, bundle.hierarchy, event);
    transaction.commit();
    return ca::Ok();
  });
  return published.code() == StatusCode::kAlreadyExists ? conflict() : published;
}

}  // namespace db
