#include "ca/base/request_id.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using std::chrono::milliseconds;
using testing::Must;
using testing::Says;

const TimePoint kNow = testing::FakeClock().Now();

TEST(RequestIdTest, IsAUuid7OfItsTime) {
  const std::string text = RequestId::New(kNow).ToString();
  ASSERT_EQ(text.size(), 36u);
  EXPECT_EQ(text[14], '7') << "version: " << text;
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << "variant: " << text;
  const long long timestamp = std::stoll(text.substr(0, 8) + text.substr(9, 4), nullptr, 16);
  EXPECT_EQ(timestamp, kNow.time_since_epoch().count() / 1000);
}

// RFC 9562 appendix A.6.
TEST(RequestIdTest, ReadsTheExampleOfRfc9562) {
  const TimePoint then(milliseconds(0x017F22E279B0));  // 2022-02-22 19:22:22 UTC
  const RequestId id = Must(RequestId::Parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", then));
  EXPECT_EQ(id.ToString(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  EXPECT_EQ(id.Day(), std::chrono::year(2022) / 2 / 22);
}

TEST(RequestIdTest, IsNeverMadeTwice) {
  std::set<RequestId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(RequestId::New(kNow));
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(RequestIdTest, ReadsBackWhatItWrote) {
  const RequestId id = RequestId::New(kNow);
  EXPECT_EQ(Must(RequestId::Parse(id.ToString(), kNow)), id);
}

TEST(RequestIdTest, RefusesWhatIsNotAUuid7) {
  for (const char* text : {
           "",
           "019ab5e2-7c4d-7abc-8def-0123456789a",    // short
           "019ab5e2-7c4d-7abc-8def-0123456789abc",  // long
           "019ab5e27-c4d-7abc-8def-0123456789ab",   // a dash elsewhere
           "019ab5e2-7c4d-4abc-8def-0123456789ab",   // version 4
           "019ab5e2-7c4d-7abc-7def-0123456789ab",   // another variant
           "019ab5e2-7c4d-7abc-cdef-0123456789ab",
           "019ab5e2-7c4d-7abc-8def-0123456789ag",  // not hex
           "{19ab5e2-7c4d-7abc-8def-0123456789ab",
           "urn:uuid:019ab5e2-7c4d-7abc-8def-012",
       }) {
    EXPECT_TRUE(Says(RequestId::Parse(text, kNow).status(), StatusCode::kInvalidArgument,
                     "request_id: write a UUIDv7"))
        << text;
  }
}

TEST(RequestIdTest, IsRefusedADayAfterItsTimeAndFiveMinutesBefore) {
  const TimePoint made = std::chrono::floor<milliseconds>(kNow);
  const std::string text = RequestId::New(made).ToString();
  const auto at = [&](TimePoint now) { return RequestId::Parse(text, now).status(); };
  EXPECT_TRUE(at(made + RequestId::kLifetime).ok());
  EXPECT_TRUE(at(made - RequestId::kSkew).ok());
  for (const TimePoint now :
       {made + RequestId::kLifetime + milliseconds(1), made - RequestId::kSkew - milliseconds(1)}) {
    EXPECT_TRUE(Says(at(now), StatusCode::kInvalidArgument, Rfc3339(made)));
    EXPECT_TRUE(Says(at(now), StatusCode::kInvalidArgument, Rfc3339(now)));
  }
}

}  // namespace
}  // namespace ca
