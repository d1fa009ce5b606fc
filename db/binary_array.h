#pragma once

#include <cstdint>
#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "ca/base/clock.h"

namespace db {

// A one-dimensional PostgreSQL array in binary format: the parameter of a statement that handles
// many rows at once. Text arrays would cost escaping here and parsing there. Source:
// array_recv() in PostgreSQL's src/backend/utils/adt/arrayfuncs.c.
class BinaryArray {
 public:
  // The OIDs of pg_type.dat, which never change.
  enum class Element : std::uint32_t {
    kBytea = 17,
    kBigint = 20,
    kText = 25,
    kDate = 1082,
    kTimestamptz = 1184,
    kUuid = 2950,
  };

  explicit BinaryArray(Element element);

  void AddNull();
  void AddBytes(std::string_view octets);  // bytea, text
  void AddInt64(std::int64_t number);      // bigint
  void AddDay(std::chrono::sys_days day);  // date
  void AddTime(ca::TimePoint time);        // timestamptz
  void AddUuid(std::string_view text);     // uuid, in its 36-character form

  // For exec_prepared.
  pqxx::binarystring Parameter() const;

 private:
  void AddOctets(std::string_view octets);

  std::string data_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  Element element_;
};

}  // namespace db
