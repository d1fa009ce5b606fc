#include "db/postgres_hierarchy_store.h"

#include "ca/base/rules.h"
#include "db/connection.h"
#include "db/event_columns.h"
#include "db/hierarchy_rows.h"
#include "db/row.h"

namespace db {
namespace {

using ca::AuditEvent;
using ca::Error;
using ca::Hierarchy;
using ca::HierarchyDestruction;
using ca::HierarchyId;
using ca::StatusCode;

// Whether RecordHierarchyDestroyed() may record that the keys of the hierarchy are gone.
constexpr char kJudgeDestruction[] =
    "SELECT EXISTS (SELECT FROM agentpki.hierarchy_destructions AS d WHERE d.hierarchy = $1) "
    "         AS is_decided, "
    "       EXISTS (SELECT FROM agentpki.authorities AS a "
    "                WHERE a.hierarchy = $1 AND a.kind <> 'link' AND a.key_label IS NOT NULL "
    "                  AND NOT EXISTS (SELECT FROM agentpki.destroyed_keys AS k "
    "                                   WHERE k.authority = a.id)) AS has_key";

}  // namespace

Result<Hierarchy> PostgresHierarchyStore::CreateHierarchy(const Hierarchy& hierarchy,
                                                          const AuditEvent& event) {
  auto created = pool_->Run([&](pqxx::connection& connection) -> Result<Hierarchy> {
    pqxx::work transaction(connection);
    Hierarchy result = hierarchy;
    result.id = InsertHierarchy(transaction, hierarchy, event.at);
    InsertEventIn(transaction, result.id, event);
    transaction.commit();
    return result;
  });
  if (created.status().code() == StatusCode::kAlreadyExists) {
    return Error(StatusCode::kAlreadyExists, "hierarchy {} or its trust domain {} exists already",
                 hierarchy.Name(), hierarchy.trust_domain.name());
  }
  return created;
}

Result<std::vector<Hierarchy>> PostgresHierarchyStore::LoadHierarchies() {
  using Hierarchies = std::vector<Hierarchy>;
  return pool_->RunRepeatable([](pqxx::connection& connection) -> Result<Hierarchies> {
    // One snapshot: a profile is never older or newer than its hierarchy.
    pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction(connection);
    return SelectHierarchies(transaction, kStandingHierarchies);
  });
}

Status PostgresHierarchyStore::ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                                               const AuditEvent& event) {
  return pool_->Run([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    TRY(UpdateHierarchy(transaction, standing, wanted));
    InsertEventIn(transaction, standing.id, event);
    transaction.commit();
    return ca::Ok();
  });
}

Result<ca::Recorded<HierarchyDestruction>> PostgresHierarchyStore::DestroyHierarchy(
    HierarchyId hierarchy, const std::string& reason, const AuditEvent& event) {
  const std::string is_it = fmt::format("h.id = {}", static_cast<int>(hierarchy));
  return OnRecord(
      pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<HierarchyDestruction> {
        pqxx::work transaction(connection);
        const std::vector<Hierarchy> found = SelectHierarchies(transaction, is_it);
        if (found.empty()) return Error(StatusCode::kNotFound, "there is no such hierarchy");
        if (found.front().is_system) {
          return ca::Refusal<ca::kHierarchySystem>(
              found.front().Name(), "it identifies servers and operators, and cannot be destroyed");
        }
        const bool is_new =
            transaction
                .exec_params1("SELECT agentpki.destroy_hierarchy($1, $2, $3, $4, $5)",
                              static_cast<int>(hierarchy), TimeText(event.at), reason, event.actor,
                              event.correlation_id)[0]
                .as<bool>();
        AuditEvent told = event;
        if (!is_new) told.rule = ca::kReplay.name;
        InsertEventIn(transaction, hierarchy, std::move(told));
        HierarchyDestruction destruction = SelectDestructions(transaction, is_it, "").front();
        transaction.commit();
        return destruction;
      }));
}

Result<std::vector<HierarchyDestruction>> PostgresHierarchyStore::LoadDestructions() {
  using Destructions = std::vector<HierarchyDestruction>;
  return pool_->RunRepeatable([](pqxx::connection& connection) -> Result<Destructions> {
    pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction(connection);
    return SelectDestructions(transaction, kUnsettledHierarchies, "ORDER BY h.id");
  });
}

Result<std::vector<HierarchyDestruction>> PostgresHierarchyStore::FindDestructions(
    const std::string& name, int limit) {
  using Destructions = std::vector<HierarchyDestruction>;
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Destructions> {
    pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction(connection);
    const std::string condition =
        name.empty() ? "true" : "h.tenant || '/' || h.environment = " + transaction.quote(name);
    return SelectDestructions(transaction, condition,
                              fmt::format("ORDER BY d.decided_at DESC, h.id DESC LIMIT {}", limit));
  });
}

Status PostgresHierarchyStore::RecordHierarchyDestroyed(HierarchyId hierarchy,
                                                        const ca::Bytes& record,
                                                        const AuditEvent& event) {
  const int id = static_cast<int>(hierarchy);
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    const pqxx::row standing = transaction.exec_params1(kJudgeDestruction, id);
    if (!standing["is_decided"].as<bool>() || standing["has_key"].as<bool>()) {
      return Error(StatusCode::kFailedPrecondition,
                   "it is not destroyed, or one of its keys is not");
    }
    const pqxx::result inserted = transaction.exec_params(
        "INSERT INTO agentpki.destruction_records VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", id,
        pqxx::binarystring(record), TimeText(event.at));
    if (inserted.affected_rows() == 0) return ca::Ok();
    transaction.exec_params("SELECT agentpki.settle_hierarchy($1, $2)", id, TimeText(event.at));
    InsertEventIn(transaction, hierarchy, event);
    transaction.commit();
    return ca::Ok();
  });
}

}  // namespace db
