#include "db/issuance_rows.h"

#include "db/row.h"

namespace db {
namespace {

using ca::HierarchyId;
using ca::IssuanceRecord;

constexpr char kFindIssuance[] =
    "SELECT i.serial, i.hierarchy, i.authority, i.shard, i.agent, i.subject, i.profile, "
    "i.key_fingerprint, "
    "       i.not_before, i.not_after, i.tbs, s.signature "
    "  FROM agentpki.issuances AS i LEFT JOIN agentpki.signatures AS s USING (expiry_day, serial) "
    " WHERE expiry_day = $1 AND serial = $2";

constexpr char kListCertificates[] =
    "SELECT i.serial, i.subject, i.profile, i.key_fingerprint, i.not_before, i.not_after, "
    "       i.recorded_at, s.serial IS NOT NULL AS is_signed "
    "  FROM agentpki.issuances AS i LEFT JOIN agentpki.signatures AS s USING (expiry_day, serial) "
    " WHERE ($1 = '' OR i.agent = (SELECT number FROM agentpki.agents WHERE spiffe_id = $1)) "
    "   AND (NOT $2::boolean OR i.expiry_day >= ($3::timestamptz AT TIME ZONE 'UTC')::date "
    "                           AND i.not_after >= $3::timestamptz AND s.serial IS NOT NULL) "
    "   AND ($4::bytea IS NULL OR i.serial < $4::bytea) "
    " ORDER BY i.serial DESC LIMIT $5";

std::string DayText(std::chrono::sys_days day) { return TimeText(day).substr(0, 10); }

IssuanceRecord RecordOf(const pqxx::row& row) {
  return IssuanceRecord{
      .serial = SerialOf(row["serial"]),
      .hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>()),
      .authority = static_cast<ca::AuthorityId>(row["authority"].as<std::int64_t>()),
      .agent = static_cast<ca::AgentNumber>(row["agent"].as<std::int64_t>()),
      .subject = SpiffeIdOf(row["subject"]),
      .profile = row["profile"].as<std::string>(),
      .key_fingerprint = BytesOf(row["key_fingerprint"]),
      .shard = row["shard"].as<ca::CrlShard>(),
      .validity = {TimeOf(row["not_before"]), TimeOf(row["not_after"])},
      .tbs = BytesOf(row["tbs"]),
  };
}

ca::CertificateEntry EntryOf(const pqxx::row& row, HierarchyId hierarchy) {
  return ca::CertificateEntry{
      .serial = SerialOf(row["serial"]),
      .hierarchy = hierarchy,
      .subject = SpiffeIdOf(row["subject"]),
      .profile = row["profile"].as<std::string>(),
      .key_fingerprint = BytesOf(row["key_fingerprint"]),
      .validity = {TimeOf(row["not_before"]), TimeOf(row["not_after"])},
      .recorded_at = TimeOf(row["recorded_at"]),
      .is_signed = row["is_signed"].as<bool>(),
  };
}

}  // namespace

std::optional<Issuance> FindIssuance(pqxx::transaction_base& transaction,
                                     const ca::SerialNumber& serial) {
  const pqxx::result rows = transaction.exec_params(kFindIssuance, DayText(serial.ExpiryDay()),
                                                    pqxx::binarystring(serial.bytes()));
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  Issuance issuance{RecordOf(row), std::nullopt};
  if (!row["signature"].is_null()) issuance.signature = BytesOf(row["signature"]);
  return issuance;
}

std::vector<ca::CertificateEntry> ListIssuances(pqxx::transaction_base& transaction,
                                                const ca::CertificateQuery& query) {
  const auto& after = query.page_token;
  const std::string after_serial = after ? "\\x" + after->ToString() : "";
  const pqxx::result rows = transaction.exec_params(
      kListCertificates, query.subject ? query.subject->ToString() : "", query.live_only,
      TimeText(query.now), after ? after_serial.c_str() : nullptr, query.page_size);
  std::vector<ca::CertificateEntry> entries;
  for (const pqxx::row& row : rows) entries.push_back(EntryOf(row, query.hierarchy));
  return entries;
}

}  // namespace db
