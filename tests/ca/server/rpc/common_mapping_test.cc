// Times, pages and SPIFFE IDs, which several services read and write.

#include "ca/server/rpc/common_mapping.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace server {
namespace {

using ca::StatusCode;
using ca::testing::Must;
using ca::testing::Says;

const ca::TimePoint kNow = ca::testing::FakeClock().Now();

TEST(CommonMappingTest, BoundsThePageSize) {
  EXPECT_EQ(Must(PageSizeFrom(0, 1000)), 100);
  EXPECT_EQ(Must(PageSizeFrom(1, 1000)), 1);
  EXPECT_EQ(Must(PageSizeFrom(1000, 1000)), 1000);
  for (const int size : {-1, 1001, INT32_MIN, INT32_MAX}) {
    EXPECT_TRUE(
        Says(PageSizeFrom(size, 1000).status(), StatusCode::kInvalidArgument, "page_size: "));
  }
}

TEST(CommonMappingTest, NamesTheFieldOfAnInvalidSpiffeId) {
  EXPECT_EQ(Must(SpiffeIdFrom("spiffe_id", "spiffe://a.example/b")).ToString(),
            "spiffe://a.example/b");
  EXPECT_TRUE(Says(SpiffeIdFrom("spiffe_id", "x").status(), StatusCode::kInvalidArgument,
                   "spiffe_id: 'x' is not a SPIFFE ID"));
}

TEST(CommonMappingTest, WritesTimesToTheMicrosecond) {
  EXPECT_EQ(ToProto(kNow).seconds(), kNow.time_since_epoch().count() / 1'000'000);
  EXPECT_EQ(ToProto(kNow).nanos(), 123'457'000);
  const auto before_1970 = ToProto(ca::TimePoint(std::chrono::microseconds(-1)));
  EXPECT_EQ(before_1970.seconds(), -1);
  EXPECT_EQ(before_1970.nanos(), 999'999'000) << "nanos are never negative";
}

TEST(CommonMappingTest, ReadsTheTimesThatX509CanWrite) {
  google::protobuf::Timestamp time;
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{253'402'300'799}}) {
    time.set_seconds(seconds);
    EXPECT_EQ(Must(TimeFrom("since", time)).time_since_epoch(), std::chrono::seconds(seconds));
  }
  for (const std::int64_t seconds : {std::int64_t{-1}, std::int64_t{253'402'300'800}}) {
    time.set_seconds(seconds);
    EXPECT_TRUE(Says(TimeFrom("since", time).status(), StatusCode::kInvalidArgument,
                     "since: write a time from 1970 to 9999"));
  }
}

}  // namespace
}  // namespace server
