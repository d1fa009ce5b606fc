// PostgreSQL reads the values that a binary array sends.

#include "db/binary_array.h"

#include <gtest/gtest.h>

#include <numeric>

#include "db/row.h"
#include "tests/db/private_postgres.h"

namespace db {
namespace {

using Element = BinaryArray::Element;
using std::chrono::microseconds;
using std::chrono::sys_days;
using std::chrono::year;

// The array as PostgreSQL sees it: one row an element, as text; "NULL" for that.
class BinaryArrayTest : public ::testing::Test {
 protected:
  using Texts = std::vector<std::string>;

  BinaryArrayTest()
      : connection_(
            Connect(testing::PrivatePostgres::Shared().EndpointOf("postgres", "agentpki_server"))) {
  }

  pqxx::result Rows(const BinaryArray& array, const std::string& type) {
    const std::string name = "unnest_" + std::to_string(++statements_);
    connection_->prepare(name, "SELECT * FROM unnest($1::" + type +
                                   "[]) WITH ORDINALITY "
                                   "AS u(element, n) ORDER BY n");
    return pqxx::nontransaction(*connection_).exec_prepared(name, array.Parameter());
  }

  Texts Read(const BinaryArray& array, const std::string& type) {
    Texts texts;
    for (const pqxx::row& row : Rows(array, type)) {
      texts.push_back(row[0].is_null() ? "NULL" : row[0].c_str());
    }
    return texts;
  }

 private:
  const std::unique_ptr<pqxx::connection> connection_;
  int statements_ = 0;
};

TEST_F(BinaryArrayTest, MayBeEmpty) {
  EXPECT_EQ(Read(BinaryArray(Element::kText), "text"), Texts{});
}

TEST_F(BinaryArrayTest, CarriesText) {
  BinaryArray array(Element::kText);
  for (const char* text : {"", "a", "Jürgen, 日本", R"({"quoted", \escaped\, NULL})"}) {
    array.AddBytes(text);
  }
  EXPECT_EQ(Read(array, "text"),
            (Texts{"", "a", "Jürgen, 日本", R"({"quoted", \escaped\, NULL})"}));
}

TEST_F(BinaryArrayTest, CarriesAllOctets) {
  ca::Bytes octets(256, '\0');
  std::iota(octets.begin(), octets.end(), '\0');
  BinaryArray array(Element::kBytea);
  array.AddBytes(octets);
  array.AddBytes("");
  array.AddBytes(ca::Bytes(100'000, '\xff'));
  const pqxx::result rows = Rows(array, "bytea");
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(BytesOf(rows[0][0]), octets);
  EXPECT_EQ(BytesOf(rows[1][0]), "");
  EXPECT_EQ(BytesOf(rows[2][0]), ca::Bytes(100'000, '\xff'));
}

TEST_F(BinaryArrayTest, CarriesNumbers) {
  BinaryArray array(Element::kBigint);
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    array.AddInt64(number);
  }
  EXPECT_EQ(Read(array, "bigint"),
            (Texts{"0", "-1", "9223372036854775807", "-9223372036854775808"}));
}

TEST_F(BinaryArrayTest, CarriesDays) {
  BinaryArray array(Element::kDate);
  for (const auto day : {year(2000) / 1 / 1, year(1999) / 12 / 31, year(2026) / 11 / 24}) {
    array.AddDay(sys_days(day));
  }
  EXPECT_EQ(Read(array, "date"), (Texts{"2000-01-01", "1999-12-31", "2026-11-24"}));
}

TEST_F(BinaryArrayTest, CarriesTimesToTheMicrosecond) {
  const std::vector<ca::TimePoint> times = {{},
                                            sys_days(year(2000) / 1 / 1),
                                            sys_days(year(2026) / 11 / 24) + microseconds(123'457),
                                            sys_days(year(2049) / 12 / 31) - microseconds(1)};
  BinaryArray array(Element::kTimestamptz);
  for (const auto time : times) array.AddTime(time);
  const pqxx::result rows = Rows(array, "timestamptz");
  ASSERT_EQ(static_cast<size_t>(rows.size()), times.size());
  EXPECT_STREQ(rows[2][0].c_str(), "2026-11-24 00:00:00.123457+00");
  for (size_t i = 0; i < times.size(); ++i) {
    EXPECT_EQ(TimeOf(rows[static_cast<int>(i)][0]), times[i]);
  }
}

TEST_F(BinaryArrayTest, CarriesUuids) {
  BinaryArray array(Element::kUuid);
  array.AddUuid("019ab5e2-7c4d-7abc-8def-0123456789ab");
  EXPECT_EQ(Read(array, "uuid"), Texts{"019ab5e2-7c4d-7abc-8def-0123456789ab"});
}

TEST_F(BinaryArrayTest, CarriesNullsAmongValues) {
  BinaryArray array(Element::kBytea);
  array.AddNull();
  array.AddBytes("a");
  array.AddNull();
  EXPECT_EQ(Read(array, "bytea"), (Texts{"NULL", "\\x61", "NULL"}));
}

}  // namespace
}  // namespace db
