#include "ca/base/serial_number.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using std::chrono::sys_days;
using std::chrono::year;
using testing::Must;
using testing::Says;

const TimePoint kNotAfter = testing::FakeClock().Now();

TEST(SerialNumberTest, IsTwentyOctetsAndPositive) {
  const SerialNumber serial = SerialNumber::New(kNotAfter);
  EXPECT_EQ(serial.bytes().size(), 20u);
  EXPECT_EQ(serial.bytes()[0], 0x01);
  EXPECT_EQ(serial.ToString(), Hex(serial.bytes()));
}

TEST(SerialNumberTest, TellsTheDayOnWhichItsCertificateExpires) {
  for (const sys_days day : {sys_days(year(1970) / 1 / 1), sys_days(year(2026) / 11 / 24),
                             sys_days(year(2149) / 6 / 7), sys_days(year(9999) / 12 / 31)}) {
    EXPECT_EQ(SerialNumber::New(day).ExpiryDay(), day);
    EXPECT_EQ(
        SerialNumber::New(day + std::chrono::hours(24) - std::chrono::microseconds(1)).ExpiryDay(),
        day);
  }
}

TEST(SerialNumberTest, SortsByDayOfExpiry) {
  EXPECT_LT(SerialNumber::New(kNotAfter), SerialNumber::New(kNotAfter + std::chrono::hours(24)));
}

TEST(SerialNumberTest, HasItsOtherSixteenOctetsFromTheGenerator) {
  std::set<Bytes> seen;
  Bytes ones(16, '\0');
  Bytes zeros(16, '\xff');
  for (int i = 0; i < 200; ++i) {
    const Bytes random = SerialNumber::New(kNotAfter).bytes().substr(4);
    seen.insert(random);
    for (size_t j = 0; j < 16; ++j) {
      ones[j] |= random[j];
      zeros[j] &= random[j];
    }
  }
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(ones, Bytes(16, '\xff')) << "every bit is one at times";
  EXPECT_EQ(zeros, Bytes(16, '\0')) << "and zero at times";
}

TEST(SerialNumberTest, ReadsBackWhatItWroteInEverySpelling) {
  const SerialNumber serial = SerialNumber::New(kNotAfter);
  EXPECT_EQ(Must(SerialNumber::FromBytes(serial.bytes())), serial);
  std::string upper;
  std::string with_colons;
  for (size_t i = 0; i < serial.ToString().size(); ++i) {
    const char digit = static_cast<char>(std::toupper(serial.ToString()[i]));
    if (i > 0 && i % 2 == 0) with_colons += ':';
    with_colons += digit;
    upper += digit;
  }
  for (const std::string& text : {serial.ToString(), upper, with_colons}) {
    EXPECT_EQ(Must(SerialNumber::FromHexText(text)), serial) << text;
  }
}

TEST(SerialNumberTest, RefusesWhatIsNotOneOfOurs) {
  const std::string digits = SerialNumber::New(kNotAfter).ToString();
  for (const std::string& text :
       {std::string(), digits.substr(2), digits + "00", "02" + digits.substr(2),
        "81" + digits.substr(2), digits.substr(0, 39), digits.substr(0, 38) + "zz",
        "0x" + digits.substr(2), digits + std::string(1000, ':'), std::string(100000, '0')}) {
    EXPECT_TRUE(Says(SerialNumber::FromHexText(text).status(), StatusCode::kInvalidArgument,
                     "40 hex digits that begin with 01"))
        << text.substr(0, 60);
  }
}

}  // namespace
}  // namespace ca
