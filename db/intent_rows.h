#pragma once

#include <optional>
#include <pqxx/pqxx>

#include "ca/ports/ledger.h"
#include "db/binary_array.h"

// Intents as parameters and results of record_intents() (migrations/0003_ledger.sql).
namespace db {

using ca::Result;

struct Intent {
  const ca::IssuanceRecord* record;
  const ca::Grounds* grounds;
  const ca::RequestId* request;
  const ca::AuditEvent* event;
};

// record_intents() takes rows of one hierarchy and judges each by the rows committed before. So a
// batch has no two rows that compete with each other.
bool AreJudgedApart(const Intent& one, const Intent& other);

// Intents as parallel arrays: one parameter a column.
struct IntentColumns {
  using Element = BinaryArray::Element;

  BinaryArray expiry_day{Element::kDate};
  BinaryArray serial{Element::kBytea};
  BinaryArray authority{Element::kBigint};
  BinaryArray shard{Element::kBigint};
  BinaryArray agent{Element::kBigint};
  BinaryArray subject{Element::kText};
  BinaryArray profile{Element::kText};
  BinaryArray key_fingerprint{Element::kBytea};
  BinaryArray not_before{Element::kTimestamptz};
  BinaryArray not_after{Element::kTimestamptz};
  BinaryArray tbs{Element::kBytea};
  BinaryArray token{Element::kBytea};
  BinaryArray presented_day{Element::kDate};
  BinaryArray presented{Element::kBytea};
  BinaryArray request_day{Element::kDate};
  BinaryArray request_id{Element::kUuid};

  void Add(const Intent& intent);

 private:
  void AddGrounds(const Intent& intent);
};

// The serial of the earlier attempt that was found; none if this intent was recorded.
using Standing = std::optional<ca::SerialNumber>;

// The judgement of one intent; a refusal has the message for the caller.
Result<Standing> StandingOf(const pqxx::row& row, const Intent& intent);

}  // namespace db
