#include "db/postgres_revocation_store.h"

#include <optional>
#include <thread>
#include <utility>

#include "ca/base/rules.h"
#include "db/batcher.h"
#include "db/binary_array.h"
#include "db/connection.h"
#include "db/event_columns.h"
#include "db/revocation_feed.h"
#include "db/row.h"

namespace db {
namespace {

using ca::Error;
using ca::Revocation;
using ca::RevocationOrder;
using ca::RevocationOutcome;
using ca::StatusCode;
using Element = BinaryArray::Element;
using Revocations = std::vector<Revocation>;

constexpr size_t kWritersMax = 4;
constexpr size_t kBatchMax = 128;
constexpr size_t kLeadersMax = 2;

std::string Id(ca::HierarchyId hierarchy) { return std::to_string(static_cast<int>(hierarchy)); }
std::string Id(ca::AuthorityId id) { return std::to_string(static_cast<std::int64_t>(id)); }
std::string DayText(std::chrono::sys_days day) { return TimeText(day).substr(0, 10); }
std::string BytesText(const ca::Bytes& bytes) { return "\\x" + ca::Hex(bytes); }

// ---- orders -----------------------------------------------------------------------------------

// NULL when there is none.
class Parameter {
 public:
  Parameter& operator=(std::string text) {
    text_ = std::move(text);
    return *this;
  }
  const char* get() const { return text_ ? text_->c_str() : nullptr; }

 private:
  std::optional<std::string> text_;
};

struct OrderParameters {
  explicit OrderParameters(const RevocationOrder& order) {
    if (const auto* one = std::get_if<ca::SerialNumber>(&order.target)) {
      serial_day = DayText(one->ExpiryDay());
      serial = BytesText(one->bytes());
    } else if (const auto* all = std::get_if<ca::AllOfAgent>(&order.target)) {
      agent = all->agent.ToString();
    } else {
      authority = Id(std::get<ca::AllOfAuthority>(order.target).authority);
    }
    if (order.invalidity_date) invalidity_date = TimeText(*order.invalidity_date);
  }

  Parameter serial_day, serial, agent, authority, invalidity_date;
};

Status RefusalBy(const std::string& rule, const RevocationOrder& order) {
  const std::string serial = std::get<ca::SerialNumber>(order.target).ToString();
  const Status refusals[] = {
      ca::Refusal<ca::kCertificateUnknown>(serial),
      ca::Refusal<ca::kCertificateRoot>(serial),
      ca::Refusal<ca::kCertificateExpired>(serial),
  };
  for (const Status& refusal : refusals) {
    if (ca::RuleOf(refusal) == rule) return refusal;
  }
  return Error(StatusCode::kInternal, "the ledger refused by an unknown rule '{}'", rule);
}

// The subject of an authority's own certificate is its trust domain, which is no agent's id.
ca::SpiffeId SubjectOf(const pqxx::field& field) {
  constexpr std::string_view kScheme = "spiffe://";
  const std::string_view text(field.c_str(), field.size());
  if (text.find('/', kScheme.size()) != std::string_view::npos) return SpiffeIdOf(field);
  return ca::SpiffeId::OfTrustDomain(
      Expect(ca::TrustDomain::Parse(text.substr(kScheme.size())), field));
}

ca::RevocationReason ReasonOf(const pqxx::field& field) {
  const auto reason = ca::RevocationReasonFrom(field.as<int>());
  if (!reason) throw std::runtime_error("column reason: not a reason");
  return *reason;
}

std::optional<ca::TimePoint> OptionalTimeOf(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(TimeOf(field));
}

std::optional<Revocation> FindRevocation(pqxx::transaction_base& transaction,
                                         const ca::SerialNumber& serial) {
  const pqxx::result rows = transaction.exec_params(
      "SELECT * FROM agentpki.revocations "
      " WHERE (expiry_day = $1 OR expiry_day = 'infinity') AND serial = $2",
      DayText(serial.ExpiryDay()), pqxx::binarystring(serial.bytes()));
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  return Revocation{
      .serial = serial,
      .hierarchy = static_cast<ca::HierarchyId>(row["hierarchy"].as<int>()),
      .authority = static_cast<ca::AuthorityId>(row["authority"].as<std::int64_t>()),
      .shard = row["shard"].as<ca::CrlShard>(),
      .not_after = TimeOf(row["not_after"]),
      .revoked_at = TimeOf(row["revoked_at"]),
      .reason = ReasonOf(row["reason"]),
      .invalidity_date = OptionalTimeOf(row["invalidity_date"]),
  };
}

// ---- statuses ---------------------------------------------------------------------------------

struct Question {
  ca::HierarchyId hierarchy;
  ca::AuthorityId authority;
  const ca::SerialNumber* serial;
};
using StatusBatcher = Batcher<Question, Result<ca::CertificateStatus>>;

bool FitsQuestions(const StatusBatcher::Batch& batch, const Question& question) {
  return batch.front()->item->hierarchy == question.hierarchy;
}

ca::CertificateStatus StatusOf(const pqxx::row& row, const Question& question) {
  if (row["revoked_at"].is_null()) return ca::GoodCertificate{};
  return Revocation{
      .serial = *question.serial,
      .hierarchy = question.hierarchy,
      .authority = question.authority,
      .shard = row["shard"].as<ca::CrlShard>(),
      .not_after = TimeOf(row["not_after"]),
      .revoked_at = TimeOf(row["revoked_at"]),
      .reason = ReasonOf(row["reason"]),
      .invalidity_date = OptionalTimeOf(row["invalidity_date"]),
  };
}

}  // namespace

class PostgresRevocationStore::Connections {
 public:
  explicit Connections(const Endpoint& endpoint)
      : endpoint_(endpoint),
        writers_(endpoint, kWritersMax, PrepareRevoke),
        // One, because a cursor is valid for one session.
        reader_(endpoint, 1, PrepareToReadRevocations),
        finders_(endpoint, kLeadersMax, PrepareFind),
        questions_(kBatchMax, kLeadersMax, FitsQuestions, [this](auto& batch) { Answer(batch); }) {}

  // Without an event, it is a preview.
  Result<RevocationOutcome> Carry(const RevocationOrder& order, const ca::AuditEvent* event);
  Result<Revocations> ReadSince(ca::RevocationCursor& cursor, ca::TimePoint live_after);
  Status AwaitNews(std::chrono::milliseconds patience);
  Result<ca::CertificateStatus> Ask(const Question& question) {
    return questions_.Submit(question);
  }

 private:
  static void PrepareRevoke(pqxx::connection& connection) {
    connection.prepare("revoke",
                       "SELECT * FROM agentpki.revoke($1, $2, $3, $4, $5, $6, $7::smallint, $8, "
                       "$9, $10, $11)");
  }
  static void PrepareFind(pqxx::connection& connection) {
    connection.prepare("find_statuses", "SELECT * FROM agentpki.find_statuses($1, $2, $3, $4)");
  }

  void Answer(StatusBatcher::Batch& batch);
  Status FindStatuses(pqxx::connection& connection, StatusBatcher::Batch& batch);

  const Endpoint endpoint_;
  Pool writers_;
  Pool reader_;
  Pool finders_;
  StatusBatcher questions_;
  std::optional<RevocationListener> listener_;
};

Result<RevocationOutcome> PostgresRevocationStore::Connections::Carry(const RevocationOrder& order,
                                                                      const ca::AuditEvent* event) {
  const OrderParameters parameters(order);
  const auto* const serial = std::get_if<ca::SerialNumber>(&order.target);
  using Outcome = Result<RevocationOutcome>;
  return writers_.RunRepeatable([&](pqxx::connection& connection) -> Outcome {
    pqxx::work transaction(connection);
    // Of many certificates; what they are judged by may not be given up half-way.
    if (!serial) transaction.exec("SET LOCAL statement_timeout = '10min'");
    const pqxx::result rows = transaction.exec_prepared(
        "revoke", Id(order.hierarchy), TimeText(order.now), parameters.serial_day.get(),
        parameters.serial.get(), parameters.agent.get(), parameters.authority.get(),
        static_cast<int>(order.reason), parameters.invalidity_date.get(),
        event ? event->correlation_id : "", event == nullptr,
        static_cast<int>(RevocationOutcome::kListedMax));
    const pqxx::row first = rows.at(0);
    if (!first["refusal"].is_null()) {
      return RefusalBy(first["refusal"].as<std::string>(), order);
    }

    RevocationOutcome outcome;
    outcome.revoked_count = first["revoked_count"].as<std::int64_t>();
    outcome.already_revoked_count = first["already_revoked_count"].as<std::int64_t>();
    for (const pqxx::row& row : rows) {
      if (row["serial"].is_null()) continue;
      outcome.revoked.push_back(
          {SerialOf(row["serial"]), SubjectOf(row["subject"]), TimeOf(row["not_after"])});
    }
    if (serial) outcome.standing = FindRevocation(transaction, *serial);
    if (event) {
      ca::AuditEvent told = *event;
      told.decision = ca::Decision::kAllowed;
      told.hierarchy = order.hierarchy;
      InsertEvent(transaction, told);
    }
    transaction.commit();
    return outcome;
  });
}

Result<Revocations> PostgresRevocationStore::Connections::ReadSince(ca::RevocationCursor& cursor,
                                                                    ca::TimePoint live_after) {
  RevocationsRead read =
      TRY(reader_.RunRepeatable([&](pqxx::connection& connection) -> Result<RevocationsRead> {
        return ReadRevocations(connection, cursor, live_after);
      }));
  cursor = std::move(read.reached);
  return std::move(read.revocations);
}

Status PostgresRevocationStore::Connections::AwaitNews(std::chrono::milliseconds patience) {
  try {
    if (!listener_) {
      // Nothing announces news from before it listened: the caller had better look now.
      listener_.emplace(endpoint_);
    } else {
      listener_->Await(patience);
    }
    return ca::Ok();
  } catch (...) {
    const Status failure = StatusOfException();
    listener_.reset();
    std::this_thread::sleep_for(patience);
    return failure;
  }
}

void PostgresRevocationStore::Connections::Answer(StatusBatcher::Batch& batch) {
  const Status status = finders_.RunRepeatable(
      [&](pqxx::connection& connection) { return FindStatuses(connection, batch); });
  if (status.ok()) return;
  for (auto* entry : batch) entry->outcome = status;
}

Status PostgresRevocationStore::Connections::FindStatuses(pqxx::connection& connection,
                                                          StatusBatcher::Batch& batch) {
  BinaryArray authorities(Element::kBigint), days(Element::kDate), serials(Element::kBytea);
  for (const auto* entry : batch) {
    authorities.AddInt64(static_cast<std::int64_t>(entry->item->authority));
    days.AddDay(entry->item->serial->ExpiryDay());
    serials.AddBytes(entry->item->serial->bytes());
  }
  const pqxx::result rows =
      pqxx::nontransaction(connection)
          .exec_prepared("find_statuses", Id(batch.front()->item->hierarchy),
                         authorities.Parameter(), days.Parameter(), serials.Parameter());
  for (auto* entry : batch) entry->outcome = ca::CertificateStatus(ca::UnknownCertificate{});
  for (const pqxx::row& row : rows) {
    auto* const entry = batch.at(row["row_number"].as<size_t>() - 1);
    entry->outcome = StatusOf(row, *entry->item);
  }
  return ca::Ok();
}

PostgresRevocationStore::PostgresRevocationStore(const Endpoint& endpoint)
    : connections_(std::make_unique<Connections>(endpoint)) {}
PostgresRevocationStore::~PostgresRevocationStore() = default;

Result<ca::Recorded<RevocationOutcome>> PostgresRevocationStore::Revoke(
    const RevocationOrder& order, const ca::AuditEvent& event) {
  return OnRecord(connections_->Carry(order, &event));
}

Result<RevocationOutcome> PostgresRevocationStore::Preview(const RevocationOrder& order) {
  return connections_->Carry(order, nullptr);
}

Result<Revocations> PostgresRevocationStore::ReadSince(ca::RevocationCursor& cursor,
                                                       ca::TimePoint live_after) {
  return connections_->ReadSince(cursor, live_after);
}

Status PostgresRevocationStore::AwaitNews(std::chrono::milliseconds patience) {
  return connections_->AwaitNews(patience);
}

Result<ca::CertificateStatus> PostgresRevocationStore::FindStatus(ca::HierarchyId hierarchy,
                                                                  ca::AuthorityId authority,
                                                                  const ca::SerialNumber& serial) {
  return connections_->Ask({hierarchy, authority, &serial});
}

}  // namespace db
