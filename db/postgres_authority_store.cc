#include "db/postgres_authority_store.h"

#include "ca/base/random.h"
#include "ca/base/rules.h"
#include "db/authority_rows.h"
#include "db/connection.h"
#include "db/event_columns.h"
#include "db/row.h"

namespace db {
namespace {

using ca::AuditEvent;
using ca::AuthorityId;
using ca::AuthorityKind;
using ca::AuthorityRecord;
using ca::Certificate;
using ca::Error;
using ca::Hierarchy;
using ca::HierarchyId;
using ca::IssuanceRecord;
using ca::StatusCode;

// The facts that decide whether a key may be destroyed. A root is in use while the key of an
// issuing authority that it has certified stays. In a destroyed hierarchy, no key is in use.
constexpr char kJudgeKeyDestruction[] =
    "SELECT a.key_label, coalesce(last.sequence, 0) AS last_sequence, "
    "       EXISTS (SELECT FROM agentpki.key_destructions AS k WHERE k.authority = a.id) "
    "         AS is_decided, "
    "       h.destroyed_at IS NULL AND (coalesce(last.authority = a.id, false) "
    "         OR EXISTS (SELECT FROM agentpki.authorities AS c "
    "                     WHERE c.issuer = a.id AND c.kind = 'issuing' "
    "                       AND NOT EXISTS (SELECT FROM agentpki.key_destructions AS k "
    "                                        WHERE k.authority = c.id))) AS is_in_use "
    "  FROM agentpki.authorities AS a "
    "  JOIN agentpki.hierarchies AS h ON h.id = a.hierarchy "
    "  LEFT JOIN LATERAL (SELECT s.sequence, s.authority FROM agentpki.activations AS s "
    "                      WHERE s.hierarchy = a.hierarchy ORDER BY s.sequence DESC LIMIT 1) "
    "         AS last ON true "
    " WHERE a.id = $1";

std::int64_t Number(AuthorityId id) { return static_cast<std::int64_t>(id); }

// Refuses a destroyed hierarchy, and keeps others from destroying it until the transaction ends.
ca::Status KeepStanding(pqxx::work& transaction, const Hierarchy& hierarchy) {
  const pqxx::result standing = transaction.exec_params(
      "SELECT FROM agentpki.hierarchies AS h WHERE h.id = $1 AND h.destroyed_at IS NULL FOR SHARE",
      static_cast<int>(hierarchy.id));
  if (!standing.empty()) return ca::Ok();
  return ca::Refusal<ca::kHierarchyDestroyed>(hierarchy.Name());
}

HierarchyId FindHierarchyOf(pqxx::work& transaction, AuthorityId authority) {
  const pqxx::row row = transaction.exec_params1(
      "SELECT hierarchy FROM agentpki.authorities WHERE id = $1", Number(authority));
  return static_cast<HierarchyId>(row[0].as<int>());
}

}  // namespace

Result<std::vector<AuthorityRecord>> PostgresAuthorityStore::LoadAuthorities() {
  using Records = std::vector<AuthorityRecord>;
  return pool_->RunRepeatable([](pqxx::connection& connection) -> Result<Records> {
    pqxx::read_transaction transaction(connection);
    return SelectAuthorities(transaction);
  });
}

Result<AuthorityRecord> PostgresAuthorityStore::PlanAuthority(const Hierarchy& hierarchy,
                                                              AuthorityKind kind, int generation,
                                                              AuthorityId issuer,
                                                              const AuditEvent& event) {
  // Random, so that it differs from the labels that a lost database may have left on the token.
  const std::string key_label = fmt::format("{}/{}/{}-{}", hierarchy.Name(), ca::NameOf(kind),
                                            generation, ca::Hex(ca::RandomBytes(4)));
  auto planned = pool_->Run([&](pqxx::connection& connection) -> Result<AuthorityRecord> {
    pqxx::work transaction(connection);
    TRY(KeepStanding(transaction, hierarchy));
    AuthorityRecord record =
        InsertPlan(transaction, hierarchy.id, {kind, generation, issuer, key_label, event.at});
    InsertEventIn(transaction, hierarchy.id, event);
    transaction.commit();
    return record;
  });
  if (planned.status().code() == StatusCode::kAlreadyExists) {
    return Error(StatusCode::kAborted,
                 "{} authority {} of {} was planned by somebody else just now", ca::NameOf(kind),
                 generation, hierarchy.Name());
  }
  return planned;
}

Result<ca::RecordedIssuance> PostgresAuthorityStore::RecordAuthority(
    AuthorityId authority, ca::PreparedCertificate prepared, const AuditEvent& event) {
  auto standing = pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<IssuanceRecord> {
    pqxx::work transaction(connection);
    const IssuanceRecord& record = prepared.record();
    const pqxx::result inserted = transaction.exec_params(
        "INSERT INTO agentpki.authority_issuances (authority, serial, key_fingerprint, not_before, "
        "not_after, tbs, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7) "
        "ON CONFLICT (authority) DO NOTHING",
        Number(authority), pqxx::binarystring(record.serial.bytes()),
        pqxx::binarystring(record.key_fingerprint), TimeText(record.validity.not_before),
        TimeText(record.validity.not_after), pqxx::binarystring(record.tbs), TimeText(event.at));
    if (inserted.affected_rows() == 1) InsertEventIn(transaction, record.hierarchy, event);
    IssuanceRecord found = SelectIssuance(transaction, authority).record;
    transaction.commit();
    return found;
  });
  return ReadyToSign(TRY(std::move(standing)));
}

Result<Certificate> PostgresAuthorityStore::RecordAuthorityCertificate(
    AuthorityId authority, const Certificate& certificate, ca::TimePoint now) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Certificate> {
    pqxx::work transaction(connection);
    transaction.exec_params(
        "INSERT INTO agentpki.authority_signatures (authority, signature, signed_at) "
        "VALUES ($1, $2, $3) ON CONFLICT (authority) DO NOTHING",
        Number(authority), pqxx::binarystring(certificate.signature), TimeText(now));
    Certificate standing = SelectIssuance(transaction, authority);
    transaction.commit();
    return standing;
  });
}

Result<AuthorityRecord> PostgresAuthorityStore::AdoptRoot(const Hierarchy& hierarchy,
                                                          int generation,
                                                          const ca::Bytes& certificate,
                                                          const AuditEvent& event) {
  auto adopted = pool_->Run([&](pqxx::connection& connection) -> Result<AuthorityRecord> {
    pqxx::work transaction(connection);
    TRY(KeepStanding(transaction, hierarchy));
    AuthorityRecord root =
        InsertExternalRoot(transaction, hierarchy.id, generation, certificate, event.at);
    InsertEventIn(transaction, hierarchy.id, event);
    transaction.commit();
    return root;
  });
  if (adopted.status().code() == StatusCode::kAlreadyExists) {
    return Error(StatusCode::kAborted, "root {} of {} was adopted by somebody else just now",
                 generation, hierarchy.Name());
  }
  return adopted;
}

Result<ca::RecordedDecision> PostgresAuthorityStore::ImportCertificate(
    AuthorityId authority, const ca::ExternalCertificate& certificate, AuthorityId root,
    const AuditEvent& event) {
  const Status imported = pool_->Run([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    InsertImport(transaction, authority, root, certificate, event.at);
    InsertEventIn(transaction, FindHierarchyOf(transaction, authority), event);
    transaction.commit();
    return ca::Ok();
  });
  if (imported.code() != StatusCode::kAlreadyExists) return OnRecord(imported);
  return Error(StatusCode::kAborted, "its certificate was imported by somebody else just now");
}

Result<ca::RecordedDecision> PostgresAuthorityStore::TaintAuthority(AuthorityId authority,
                                                                    const std::string& reason,
                                                                    const AuditEvent& event) {
  return OnRecord(pool_->RunRepeatable([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    const HierarchyId hierarchy = FindHierarchyOf(transaction, authority);
    LockActivations(transaction, hierarchy);
    const pqxx::result inserted = transaction.exec_params(
        "INSERT INTO agentpki.authority_taints SELECT $1, false, $2, $3 "
        " WHERE NOT EXISTS (SELECT FROM agentpki.authority_taints AS t WHERE t.authority = $1)",
        Number(authority), reason, TimeText(event.at));
    if (inserted.affected_rows() == 0) return ca::Ok();
    transaction.exec("NOTIFY agentpki_revocations");
    InsertEventIn(transaction, hierarchy, event);
    transaction.commit();
    return ca::Ok();
  }));
}

Result<ca::Recorded<std::int64_t>> PostgresAuthorityStore::RevokeAuthority(
    AuthorityId authority, ca::RevocationReason reason, const std::string& note,
    const AuditEvent& event) {
  return OnRecord(pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<std::int64_t> {
    pqxx::work transaction(connection);
    const HierarchyId hierarchy = FindHierarchyOf(transaction, authority);
    NameHierarchy(transaction, hierarchy);
    LockActivations(transaction, hierarchy);
    const auto count =
        transaction
            .exec_params1("SELECT agentpki.revoke_authority($1, $2, $3, $4, $5)",
                          static_cast<int>(hierarchy), TimeText(event.at), Number(authority),
                          static_cast<int>(reason), event.correlation_id)[0]
            .as<std::int64_t>();
    transaction.exec_params(
        "INSERT INTO agentpki.authority_taints VALUES ($1, true, $2, $3) ON CONFLICT DO NOTHING",
        Number(authority), note, TimeText(event.at));
    InsertEventIn(transaction, hierarchy, event);
    transaction.commit();
    return count;
  }));
}

Status PostgresAuthorityStore::DecideKeyDestruction(AuthorityId authority, int last_sequence,
                                                    std::string_view reason,
                                                    const AuditEvent& event) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    const HierarchyId hierarchy = FindHierarchyOf(transaction, authority);
    LockActivations(transaction, hierarchy);
    const pqxx::row standing = transaction.exec_params1(kJudgeKeyDestruction, Number(authority));
    if (standing["is_decided"].as<bool>()) return ca::Ok();
    if (standing["is_in_use"].as<bool>()) {
      return ca::WithCode(
          StatusCode::kFailedPrecondition,
          ca::Refusal<ca::kKeyInUse>(fmt::format("'{}' still signs, and is not destroyed",
                                                 standing["key_label"].as<std::string>())));
    }
    if (standing["last_sequence"].as<int>() != last_sequence) {
      return Error(StatusCode::kAborted, "another authority was activated just now; look again");
    }
    transaction.exec_params("INSERT INTO agentpki.key_destructions VALUES ($1, $2, $3)",
                            Number(authority), std::string(reason), TimeText(event.at));
    InsertEventIn(transaction, hierarchy, event);
    transaction.commit();
    return ca::Ok();
  });
}

Status PostgresAuthorityStore::RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Status {
    pqxx::work transaction(connection);
    const pqxx::row standing = transaction.exec_params1(
        "SELECT count(*) FROM agentpki.key_destructions WHERE authority = $1", Number(authority));
    if (standing[0].as<int>() == 0) {
      return Error(StatusCode::kFailedPrecondition, "its destruction was not decided");
    }
    const pqxx::result inserted = transaction.exec_params(
        "INSERT INTO agentpki.destroyed_keys VALUES ($1, $2) ON CONFLICT DO NOTHING",
        Number(authority), TimeText(event.at));
    if (inserted.affected_rows() == 0) return ca::Ok();
    InsertEventIn(transaction, FindHierarchyOf(transaction, authority), event);
    transaction.commit();
    return ca::Ok();
  });
}

}  // namespace db
