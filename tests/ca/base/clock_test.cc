#include "ca/base/clock.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Must;
using testing::Says;

TEST(ClockTest, TheSystemsIsThatOfTheMachine) {
  const auto before = std::chrono::system_clock::now() - milliseconds(1);
  const TimePoint now = SystemClock().Now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

TEST(ClockTest, AFakeOneStandsUntilItIsMoved) {
  testing::FakeClock clock;
  const TimePoint before = clock.Now();
  EXPECT_EQ(clock.Now(), before);
  clock.Advance(seconds(1));
  EXPECT_EQ(clock.Now(), before + seconds(1));
}

TEST(Rfc3339Test, IsInUtcWithWholeSeconds) {
  EXPECT_EQ(Rfc3339(testing::FakeClock().Now()), "2026-11-24T12:00:00Z");
  EXPECT_EQ(Rfc3339(TimePoint()), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Rfc3339(TimePoint() - microseconds(1)), "1969-12-31T23:59:59Z");
}

TEST(HumanDurationTest, HasTheLongestTwoUnitsThatSayIt) {
  const std::pair<seconds, const char*> durations[] = {
      {seconds(0), "0s"},
      {seconds(59), "59s"},
      {seconds(60), "1m"},
      {seconds(59 * 60 + 12), "59m 12s"},
      {hours(1), "1h"},
      {hours(1) + seconds(5), "1h"},
      {hours(24 * 7) - seconds(1), "6d 23h"},
      {hours(24 * 365), "365d"},
      {-seconds(61), "-1m 1s"},
  };
  for (const auto& [duration, text] : durations) EXPECT_EQ(HumanDuration(duration), text);
}

TEST(ParseDurationTest, IsAWholeNumberAndOneUnit) {
  EXPECT_EQ(Must(ParseDuration("0s")), seconds(0));
  EXPECT_EQ(Must(ParseDuration("30s")), seconds(30));
  EXPECT_EQ(Must(ParseDuration("5m")), seconds(300));
  EXPECT_EQ(Must(ParseDuration("1h")), seconds(3600));
  EXPECT_EQ(Must(ParseDuration("90d")), hours(24 * 90));
}

TEST(DurationTextTest, IsReadAgainByParseDuration) {
  for (const char* text : {"0s", "1s", "90s", "5m", "36h", "1d", "90d"}) {
    EXPECT_EQ(DurationText(Must(ParseDuration(text))), text);
  }
  EXPECT_EQ(DurationText(hours(48)), "2d");
}

TEST(ParseDurationTest, RefusesEverythingElseAndShowsAnExample) {
  for (const char* text : {"", "5", "m", "-5m", "+5m", " 5m", "5 m", "5m ", "5m30s", "1.5h", "5M",
                           "5w", "0x5m", "1e3s", "99999999999999999999s"}) {
    EXPECT_TRUE(Says(ParseDuration(text).status(), StatusCode::kInvalidArgument, "such as 90d"))
        << text;
  }
}

TEST(ParseDurationTest, EndsAtAHundredYears) {
  EXPECT_EQ(Must(ParseDuration("36600d")), hours(24) * 36600);
  for (const char* text : {"36601d", "9223372036854775807d", "9223372036854775807s"}) {
    EXPECT_EQ(ParseDuration(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(ParseDurationTest, ShowsWhatItRefusesInPrintableCharacters) {
  EXPECT_TRUE(Says(ParseDuration("\x1b[2J").status(), StatusCode::kInvalidArgument, R"(\x1b[2J)"));
}

TEST(Rfc3339Test, IsReadBack) {
  for (const char* const text :
       {"2026-11-24T04:53:00Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z"}) {
    const auto time = ParseRfc3339(text);
    ASSERT_TRUE(time.ok()) << text;
    EXPECT_EQ(Rfc3339(*time), text);
  }
}

TEST(Rfc3339Test, HasOneFormAndRealDays) {
  for (const char* const text :
       {"", "2026-11-24", "2026-11-24 04:53:00Z", "2026-11-24T04:53:00",
        "2026-11-24T04:53:00+01:00", "2026-11-24T04:53:00.5Z", "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T00:60:00Z",
        "+026-11-24T04:53:00Z"}) {
    EXPECT_EQ(ParseRfc3339(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace ca
