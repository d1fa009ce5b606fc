#include "db/intent_rows.h"

#include "db/row.h"

namespace db {
namespace {

using ca::Error;
using ca::IssuanceRecord;
using ca::JoinTokenGrounds;
using ca::RenewalGrounds;
using ca::Status;
using ca::StatusCode;

const ca::Bytes* TokenOf(const Intent& intent) {
  const auto* grounds = std::get_if<JoinTokenGrounds>(intent.grounds);
  return grounds ? &grounds->secret_hash : nullptr;
}

// What the rule's name says, for the caller.
Status RefusalBy(const std::string& rule, const Intent& intent) {
  struct Rule {
    std::string_view name;
    StatusCode code;
    std::string_view message;
  };
  constexpr auto kDenied = StatusCode::kPermissionDenied;
  static constexpr Rule kRules[] = {
      {"authority.superseded", StatusCode::kAborted, "another authority issues since now; retry"},
      {"agent.unknown", StatusCode::kNotFound, "it is not registered"},
      {"agent.disabled", kDenied, "it is disabled; ask its owner"},
      {"join-token.unknown", kDenied, "the join token is not known; ask for a new one"},
      {"join-token.agent", kDenied, "the join token is for another agent"},
      {"join-token.used", kDenied, "the join token was used already; ask for a new one"},
      {"join-token.revoked", kDenied, "the join token was revoked; ask for a new one"},
      {"join-token.expired", kDenied, "the join token has expired; ask for a new one"},
      {"renewal.unknown-certificate", kDenied,
       "the certificate of the connection is not in the ledger; enroll anew with a join token"},
      {"renewal.revoked", kDenied,
       "the certificate of the connection is revoked; enroll anew with a join token"},
      {"key.compromised", kDenied,
       "the csr's key was revoked for compromise and is refused for ever; make a new key"},
      {"key.in-use", StatusCode::kAlreadyExists,
       "another agent has a live certificate for the csr's key; make a new key"},
      {"key.not-new", StatusCode::kAlreadyExists,
       "the csr's key has a live certificate; a renewal is for a new key"},
      {"request-id.reused", StatusCode::kInvalidArgument,
       "request_id was used for another key; make a new one for each request"},
  };
  for (const Rule& known : kRules) {
    if (known.name != rule) continue;
    return ca::Refusal(known.code, rule, "{}: {}", intent.record->subject.ToString(),
                       known.message);
  }
  return Error(StatusCode::kInternal, "the ledger refused by an unknown rule '{}'", rule);
}

}  // namespace

bool AreJudgedApart(const Intent& one, const Intent& other) {
  return other.record->hierarchy != one.record->hierarchy ||
         other.record->key_fingerprint == one.record->key_fingerprint ||
         *other.request == *one.request ||
         (TokenOf(other) && TokenOf(one) && *TokenOf(other) == *TokenOf(one));
}

void IntentColumns::Add(const Intent& intent) {
  const IssuanceRecord& record = *intent.record;
  expiry_day.AddDay(record.serial.ExpiryDay());
  serial.AddBytes(record.serial.bytes());
  authority.AddInt64(static_cast<std::int64_t>(record.authority));
  shard.AddInt64(record.shard);
  agent.AddInt64(static_cast<std::int64_t>(record.agent));
  subject.AddBytes(record.subject.ToString());
  profile.AddBytes(record.profile);
  key_fingerprint.AddBytes(record.key_fingerprint);
  not_before.AddTime(record.validity.not_before);
  not_after.AddTime(record.validity.not_after);
  tbs.AddBytes(record.tbs);
  AddGrounds(intent);
  request_day.AddDay(intent.request->Day());
  request_id.AddUuid(intent.request->ToString());
}

void IntentColumns::AddGrounds(const Intent& intent) {
  if (const ca::Bytes* hash = TokenOf(intent)) {
    token.AddBytes(*hash);
  } else {
    token.AddNull();
  }
  if (const auto* renewal = std::get_if<RenewalGrounds>(intent.grounds)) {
    presented_day.AddDay(renewal->presented.ExpiryDay());
    presented.AddBytes(renewal->presented.bytes());
  } else {
    presented_day.AddNull();
    presented.AddNull();
  }
}

Result<Standing> StandingOf(const pqxx::row& row, const Intent& intent) {
  const auto outcome = row["outcome"].as<std::string>();
  if (outcome == "recorded") return Standing();
  if (outcome == "replay") return Standing(SerialOf(row["serial"]));
  return RefusalBy(outcome, intent);
}

}  // namespace db
