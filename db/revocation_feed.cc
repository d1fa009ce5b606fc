#include "db/revocation_feed.h"

#include "db/row.h"

namespace db {
namespace {

using ca::Revocation;
using Revocations = std::vector<Revocation>;

// One revocation as read_revocations() packs it.
class Packed {
 public:
  explicit Packed(const pqxx::field& field) : field_(field), octets_(BytesOf(field)) {}

  Revocation Unpack() {
    Revocation revocation{
        .serial = Expect(ca::SerialNumber::FromBytes(Take(ca::SerialNumber::kSize)), field_),
        .invalidity_date = std::nullopt};
    revocation.hierarchy = static_cast<ca::HierarchyId>(TakeInteger<std::int32_t>());
    revocation.authority = static_cast<ca::AuthorityId>(TakeInteger<std::int64_t>());
    revocation.shard = TakeInteger<std::int32_t>();
    revocation.not_after = TakeTime();
    revocation.revoked_at = TakeTime();
    const auto reason = ca::RevocationReasonFrom(TakeInteger<std::int16_t>());
    if (!reason) throw std::runtime_error("column packed: not a reason");
    revocation.reason = *reason;
    if (next_ < octets_.size()) revocation.invalidity_date = TakeTime();
    return revocation;
  }

 private:
  ca::BytesView Take(size_t size) {
    if (octets_.size() - next_ < size) throw std::runtime_error("column packed: too short");
    next_ += size;
    return ca::BytesView(octets_.data() + next_ - size, size);
  }

  template <typename Integer>
  Integer TakeInteger() {
    std::uint64_t number = 0;
    for (const char octet : Take(sizeof(Integer))) {
      number = number << 8 | static_cast<unsigned char>(octet);
    }
    return static_cast<Integer>(number);
  }

  ca::TimePoint TakeTime() {
    // PostgreSQL counts microseconds from here.
    constexpr std::chrono::sys_days kEpoch = std::chrono::year(2000) / 1 / 1;
    return ca::TimePoint(kEpoch) + std::chrono::microseconds(TakeInteger<std::int64_t>());
  }

  const pqxx::field field_;
  const ca::Bytes octets_;
  size_t next_ = 0;
};

// Adds the rows; the very first row is the snapshot.
void Append(const pqxx::result& rows, Revocations& revocations, std::string& snapshot) {
  for (const pqxx::row& row : rows) {
    if (!row[0].is_null()) {
      snapshot = row[0].c_str();
    } else {
      revocations.push_back(Packed(row[1]).Unpack());
    }
  }
}

// Reads through a database cursor, so that a million revocations are in memory once, not three
// times.
Revocations ReadAll(pqxx::connection& connection, ca::TimePoint live_after, std::string& snapshot) {
  constexpr int kRows = 10'000;
  pqxx::work transaction(connection);
  transaction.exec("SET LOCAL statement_timeout = '2min'");
  transaction.exec(
      fmt::format("DECLARE revocations NO SCROLL CURSOR FOR "
                  "SELECT * FROM agentpki.read_revocations(NULL, '{}')",
                  TimeText(live_after)));
  Revocations revocations;
  for (;;) {
    const pqxx::result rows = transaction.exec(fmt::format("FETCH {} FROM revocations", kRows));
    Append(rows, revocations, snapshot);
    if (rows.size() < kRows) break;
  }
  transaction.commit();
  return revocations;
}

// The position of a session: its number and the snapshot of its last reading, "4711 730:735:731".
struct Position {
  int session = 0;
  std::string snapshot;

  static Position Of(const ca::RevocationCursor& cursor) {
    const size_t space = cursor.position.find(' ');
    if (space == std::string::npos) return {};
    return {std::stoi(cursor.position), cursor.position.substr(space + 1)};
  }
  ca::RevocationCursor Cursor() const { return {fmt::format("{} {}", session, snapshot)}; }
};

// The listener sends nothing, so only keep-alives tell it that the server is gone.
constexpr char kKeepalives[] = " keepalives_idle=10 keepalives_interval=5 keepalives_count=3";

}  // namespace

// ---- that there are some ------------------------------------------------------------------------

class RevocationListener::Ear final : public pqxx::notification_receiver {
 public:
  explicit Ear(pqxx::connection& connection)
      : notification_receiver(connection, "agentpki_revocations") {}
  void operator()(const std::string&, int) override {}
};

RevocationListener::RevocationListener(const Endpoint& endpoint)
    : connection_(Connect({endpoint.conninfo + kKeepalives})),
      ear_(std::make_unique<Ear>(*connection_)) {}
RevocationListener::~RevocationListener() = default;

void RevocationListener::Await(std::chrono::milliseconds patience) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(patience);
  connection_->await_notification(whole.count(),
                                  std::chrono::microseconds(patience - whole).count());
  // Notifications that arrived together count as one.
  connection_->get_notifs();
}

// ---- which --------------------------------------------------------------------------------------

void PrepareToReadRevocations(pqxx::connection& connection) {
  connection.prepare("read_revocations", "SELECT * FROM agentpki.read_revocations($1, $2)");
}

RevocationsRead ReadRevocations(pqxx::connection& connection, const ca::RevocationCursor& since,
                                ca::TimePoint live_after) {
  const Position position = Position::Of(since);
  Position reached{connection.backendpid(), ""};
  Revocations revocations;
  if (position.session != reached.session) {
    revocations = ReadAll(connection, live_after, reached.snapshot);
  } else {
    Append(pqxx::nontransaction(connection)
               .exec_prepared("read_revocations", position.snapshot, TimeText(live_after)),
           revocations, reached.snapshot);
  }
  return {std::move(revocations), reached.Cursor()};
}

}  // namespace db
