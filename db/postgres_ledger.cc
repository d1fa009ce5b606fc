#include "db/postgres_ledger.h"

#include <algorithm>
#include <cstring>

#include "db/batcher.h"
#include "db/binary_array.h"
#include "db/connection.h"
#include "db/event_columns.h"
#include "db/intent_rows.h"
#include "db/issuance_rows.h"
#include "db/request_rows.h"
#include "db/row.h"

namespace db {
namespace {

using ca::AuditEvent;
using ca::Certificate;
using ca::Error;
using ca::Grounds;
using ca::HierarchyId;
using ca::RequestId;
using ca::StatusCode;
using Element = BinaryArray::Element;

// One batch is one statement. A larger batch delays its first row, and writes no more rows a
// second. With two at a time, one works while the other's commit reaches the disk.
constexpr size_t kBatchMax = 128;
constexpr size_t kLeadersMax = 2;
constexpr size_t kReadersMax = 8;

// ---- intents ----------------------------------------------------------------------------------

using IntentBatcher = Batcher<Intent, Result<Standing>>;

bool FitsIntents(const IntentBatcher::Batch& batch, const Intent& intent) {
  return std::none_of(batch.begin(), batch.end(),
                      [&](const auto* entry) { return AreJudgedApart(*entry->item, intent); });
}

// The objects of advisory locks: 64 bits of a hash.
std::int64_t LockOf(std::string_view hash) {
  std::uint64_t number = 0;
  std::memcpy(&number, hash.data(), sizeof number);
  return static_cast<std::int64_t>(number);
}

BinaryArray Locks(const IntentBatcher::Batch& batch) {
  std::vector<std::int64_t> locks;
  for (const auto* entry : batch) {
    locks.push_back(LockOf(entry->item->record->key_fingerprint));
    locks.push_back(LockOf(ca::Sha256(entry->item->request->ToString())));
  }
  std::sort(locks.begin(), locks.end());
  BinaryArray array(Element::kBigint);
  for (const std::int64_t lock : locks) array.AddInt64(lock);
  return array;
}

// ---- signatures, events -----------------------------------------------------------------------

using SignatureBatcher = Batcher<Certificate, Result<ca::Bytes>>;
using EventBatcher = Batcher<AuditEvent, Status>;

bool FitsSignatures(const SignatureBatcher::Batch& batch, const Certificate& certificate) {
  return std::none_of(batch.begin(), batch.end(), [&](const auto* entry) {
    return entry->item->record.hierarchy != certificate.record.hierarchy ||
           entry->item->record.serial == certificate.record.serial;
  });
}

bool FitsEvents(const EventBatcher::Batch& batch, const AuditEvent& event) {
  return batch.front()->item->hierarchy == event.hierarchy;
}

std::string Id(HierarchyId hierarchy) { return std::to_string(static_cast<int>(hierarchy)); }

}  // namespace

// The queues, and the connections that empty them.
class PostgresLedger::Writers {
 public:
  Writers(const Endpoint& endpoint, const ca::Clock& clock)
      : clock_(clock),
        writers_(endpoint, 3 * kLeadersMax, PrepareWrites),
        readers_(endpoint, kReadersMax, [](pqxx::connection&) {}),
        intents_(kBatchMax, kLeadersMax, FitsIntents,
                 [this](auto& batch) { CommitIntents(batch); }),
        signatures_(kBatchMax, kLeadersMax, FitsSignatures,
                    [this](auto& batch) { CommitSignatures(batch); }),
        events_(kBatchMax, kLeadersMax, FitsEvents, [this](auto& batch) { CommitEvents(batch); }) {}

  Result<Standing> Submit(const Intent& intent) { return intents_.Submit(intent); }
  Result<ca::Bytes> Submit(const Certificate& certificate) {
    return signatures_.Submit(certificate);
  }
  Status Submit(const AuditEvent& event) { return events_.Submit(event); }
  Pool& readers() { return readers_; }

 private:
  static void PrepareWrites(pqxx::connection& connection) {
    connection.prepare(
        "record_intents",
        "SELECT * FROM agentpki.record_intents($1, $2, $3, $4, $5, $6, $7, $8, $9, "
        "$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)");
    connection.prepare("record_signatures",
                       "SELECT * FROM agentpki.record_signatures($1, $2, $3, $4, $5)");
    connection.prepare("record_events",
                       "SELECT agentpki.record_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
                       "$11, $12, $13)");
  }

  // One bad row, or a lost race, fails the whole batch. Then each row is tried by itself, so that
  // one failure fails no other row.
  template <typename Batch, typename CommitRows>
  void CommitBatch(Batch& batch, CommitRows commit) {
    Status status = Commit(batch, commit);
    if (status.ok()) return;
    if (IsOfAll(status) || (batch.size() == 1 && status.code() != StatusCode::kAborted)) {
      for (auto* entry : batch) entry->outcome = status;
      return;
    }
    for (auto* entry : batch) {
      Batch alone{entry};
      if (!IsOfAll(status)) status = Commit(alone, commit);
      if (!status.ok()) entry->outcome = status;
    }
  }

  template <typename Batch, typename CommitRows>
  Status Commit(Batch& batch, CommitRows& commit) {
    return writers_.RunRepeatable(
        [&](pqxx::connection& connection) { return commit(connection, batch); });
  }

  // Such a failure is no row's fault; each row by itself would fail as slowly.
  static bool IsOfAll(const Status& status) {
    return IsConnectionFailure(status) || status.code() == StatusCode::kDeadlineExceeded;
  }

  void CommitIntents(IntentBatcher::Batch& batch) {
    CommitBatch(batch, [this](pqxx::connection& connection, IntentBatcher::Batch& rows) {
      return RecordIntents(connection, rows);
    });
  }

  Status RecordIntents(pqxx::connection& connection, IntentBatcher::Batch& batch) {
    IntentColumns rows;
    EventColumns events;
    for (const auto* entry : batch) {
      rows.Add(*entry->item);
      events.Add(*entry->item->event);
    }
    const pqxx::result result =
        pqxx::nontransaction(connection)
            .exec_prepared(
                "record_intents", Id(batch.front()->item->record->hierarchy),
                TimeText(clock_.Now()), Locks(batch).Parameter(), rows.expiry_day.Parameter(),
                rows.serial.Parameter(), rows.authority.Parameter(), rows.shard.Parameter(),
                rows.agent.Parameter(), rows.subject.Parameter(), rows.profile.Parameter(),
                rows.key_fingerprint.Parameter(), rows.not_before.Parameter(),
                rows.not_after.Parameter(), rows.tbs.Parameter(), rows.token.Parameter(),
                rows.presented_day.Parameter(), rows.presented.Parameter(),
                rows.request_day.Parameter(), rows.request_id.Parameter(), events.at.Parameter(),
                events.actor.Parameter(), events.action.Parameter(), events.rule.Parameter(),
                events.from_address.Parameter(), events.correlation_id.Parameter(),
                events.request.Parameter());
    for (const pqxx::row& row : result) {
      auto* const entry = batch.at(row["row_number"].as<size_t>() - 1);
      entry->outcome = StandingOf(row, *entry->item);
    }
    for (const auto* entry : batch) {
      if (!entry->outcome) return Error(StatusCode::kInternal, "record_intents left out a row");
    }
    return ca::Ok();
  }

  void CommitSignatures(SignatureBatcher::Batch& batch) {
    CommitBatch(batch, [this](pqxx::connection& connection, SignatureBatcher::Batch& rows) {
      return RecordSignatures(connection, rows);
    });
  }

  Status RecordSignatures(pqxx::connection& connection, SignatureBatcher::Batch& batch) {
    BinaryArray days(Element::kDate), serials(Element::kBytea), signatures(Element::kBytea);
    for (const auto* entry : batch) {
      days.AddDay(entry->item->record.serial.ExpiryDay());
      serials.AddBytes(entry->item->record.serial.bytes());
      signatures.AddBytes(entry->item->signature);
    }
    const pqxx::result result =
        pqxx::nontransaction(connection)
            .exec_prepared("record_signatures", Id(batch.front()->item->record.hierarchy),
                           TimeText(clock_.Now()), days.Parameter(), serials.Parameter(),
                           signatures.Parameter());
    std::map<ca::Bytes, ca::Bytes> standing;
    for (const pqxx::row& row : result) standing[BytesOf(row[0])] = BytesOf(row[1]);
    for (auto* entry : batch) {
      const auto found = standing.find(entry->item->record.serial.bytes());
      if (found != standing.end()) {
        entry->outcome = found->second;
      } else {
        entry->outcome = Error(StatusCode::kInternal, "serial {} is signed but was never recorded",
                               entry->item->record.serial.ToString());
      }
    }
    return ca::Ok();
  }

  void CommitEvents(EventBatcher::Batch& batch) {
    CommitBatch(batch, [](pqxx::connection& connection, EventBatcher::Batch& rows) {
      EventColumns events;
      for (const auto* entry : rows) events.Add(*entry->item);
      pqxx::nontransaction(connection)
          .exec_prepared("record_events", Id(rows.front()->item->hierarchy), events.at.Parameter(),
                         events.actor.Parameter(), events.action.Parameter(),
                         events.decision.Parameter(), events.rule.Parameter(),
                         events.reason.Parameter(), events.subject.Parameter(),
                         events.serial.Parameter(), events.from_address.Parameter(),
                         events.correlation_id.Parameter(), events.request_id.Parameter(),
                         events.request.Parameter());
      for (auto* entry : rows) entry->outcome = ca::Ok();
      return ca::Ok();
    });
  }

  const ca::Clock& clock_;
  Pool writers_;
  Pool readers_;
  IntentBatcher intents_;
  SignatureBatcher signatures_;
  EventBatcher events_;
};

PostgresLedger::PostgresLedger(const Endpoint& endpoint, const ca::Clock& clock)
    : writers_(std::make_unique<Writers>(endpoint, clock)) {}
PostgresLedger::~PostgresLedger() = default;

Result<ca::Recorded<std::variant<ca::RecordedIssuance, Certificate>>> PostgresLedger::RecordIntent(
    ca::PreparedCertificate prepared, const Grounds& grounds, const RequestId& request,
    const AuditEvent& event) {
  using Answer = Result<std::variant<ca::RecordedIssuance, Certificate>>;
  const Standing standing =
      TRY(writers_->Submit(Intent{&prepared.record(), &grounds, &request, &event}));
  if (!standing) return OnRecord(Answer(ReadyToSign(std::move(prepared))));

  Issuance found = TRY(FindIssuance(prepared.record().hierarchy, *standing));
  if (!found.signature) return OnRecord(Answer(ReadyToSign(std::move(found.record))));
  return OnRecord(Answer(Certificate{std::move(found.record), *std::move(found.signature)}));
}

Result<Certificate> PostgresLedger::RecordCertificate(Certificate certificate) {
  certificate.signature = TRY(writers_->Submit(certificate));
  return certificate;
}

Result<ca::RecordedDecision> PostgresLedger::RecordEvent(const AuditEvent& event) {
  return OnRecord(writers_->Submit(event));
}

Result<Issuance> PostgresLedger::FindIssuance(HierarchyId hierarchy,
                                              const ca::SerialNumber& serial) {
  return writers_->readers().RunRepeatable([&](pqxx::connection& connection) -> Result<Issuance> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, hierarchy);
    auto found = db::FindIssuance(transaction, serial);
    if (found) return *std::move(found);
    return Error(StatusCode::kNotFound, "no certificate has serial {}", serial.ToString());
  });
}

Result<Certificate> PostgresLedger::FindCertificate(HierarchyId hierarchy,
                                                    const ca::SerialNumber& serial) {
  Issuance issuance = TRY(FindIssuance(hierarchy, serial));
  if (!issuance.signature) {
    return Error(StatusCode::kNotFound, "serial {} was recorded but never signed",
                 serial.ToString());
  }
  return Certificate{std::move(issuance.record), *std::move(issuance.signature)};
}

Result<std::vector<ca::CertificateEntry>> PostgresLedger::ListCertificates(
    const ca::CertificateQuery& query) {
  using Entries = std::vector<ca::CertificateEntry>;
  return writers_->readers().RunRepeatable([&](pqxx::connection& connection) -> Result<Entries> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, query.hierarchy);
    return ListIssuances(transaction, query);
  });
}

Result<std::vector<ca::RecordedRequest>> PostgresLedger::ListRequests(
    const ca::RequestQuery& query) {
  using Requests = std::vector<ca::RecordedRequest>;
  return writers_->readers().RunRepeatable([&](pqxx::connection& connection) -> Result<Requests> {
    pqxx::work transaction(connection);
    NameHierarchy(transaction, query.hierarchy);
    return db::ListRequests(transaction, query);
  });
}

Status PostgresLedger::MaintainPartitions() {
  return writers_->readers().RunRepeatable([](pqxx::connection& connection) {
    pqxx::nontransaction(connection).exec("SELECT agentpki.maintain_partitions()");
    return ca::Ok();
  });
}

Status PostgresLedger::CheckHealth() {
  return writers_->readers().RunRepeatable([](pqxx::connection& connection) {
    pqxx::nontransaction(connection).exec("SELECT 1");
    return ca::Ok();
  });
}

}  // namespace db
