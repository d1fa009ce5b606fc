#include "db/intent_rows.h"

#include "ca/base/rules.h"
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

// The refusal by a rule that agentpki.record_intents names.
Status RefusalBy(const std::string& rule, const Intent& intent) {
  const std::string agent = intent.record->subject.ToString();
  const auto* const token = std::get_if<JoinTokenGrounds>(intent.grounds);
  const Status refusals[] = {
      ca::Refusal<ca::kAuthoritySuperseded>(),
      ca::Refusal<ca::kAgentUnknown>(agent),
      ca::Refusal<ca::kAgentDisabled>(agent),
      ca::Refusal<ca::kJoinTokenUnknown>(),
      ca::Refusal<ca::kJoinTokenAgent>(agent),
      ca::Refusal<ca::kJoinTokenUsed>("ask for a new one"),
      ca::Refusal<ca::kJoinTokenExpired>(token ? ca::Rfc3339(token->expires_at) : ""),
      ca::Refusal<ca::kJoinTokenRevoked>(),
      ca::Refusal<ca::kRenewalUnknownCertificate>(),
      ca::Refusal<ca::kRenewalRevoked>(),
      ca::Refusal<ca::kKeyCompromised>(),
      ca::Refusal<ca::kKeyInUse>(
          "another agent has a valid certificate for the csr's key; make a new key"),
      ca::Refusal<ca::kKeyNotNew>(),
      ca::Refusal<ca::kRequestIdReused>(),
  };
  for (const Status& refusal : refusals) {
    if (ca::RuleOf(refusal) == rule) return refusal;
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
