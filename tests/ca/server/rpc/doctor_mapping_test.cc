// A diagnosis on the wire.

#include "ca/server/rpc/doctor_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace server {
namespace {

const ca::TimePoint kNow = ca::testing::FakeClock().Now();

TEST(DoctorMappingTest, WritesEveryFieldOfAReport) {
  const Doctor::Report report{.findings = {{.code = "key.orphan",
                                            .hierarchy = "acme/prod",
                                            .subject = "acme-prod-issuing-9",
                                            .what = "no authority has planned it",
                                            .fix = "destroy it"}},
                              .key_count = 4,
                              .foreign_keys = {"other\n"}};
  const auto message = ToProto(report, {"acme/prod"}, kNow);
  ASSERT_EQ(message.findings_size(), 1);
  EXPECT_EQ(message.findings(0).code(), "key.orphan");
  EXPECT_EQ(message.findings(0).hierarchy(), "acme/prod");
  EXPECT_EQ(message.findings(0).subject(), "acme-prod-issuing-9");
  EXPECT_EQ(message.findings(0).what(), "no authority has planned it");
  EXPECT_EQ(message.findings(0).fix(), "destroy it");
  EXPECT_THAT(message.hierarchies(), ::testing::ElementsAre("acme/prod"));
  EXPECT_EQ(message.key_count(), 4);
  EXPECT_THAT(message.foreign_keys(), ::testing::ElementsAre(ca::Printable("other\n")));
  EXPECT_TRUE(message.has_now());
}

TEST(DoctorMappingTest, ListsAtMostAThousandForeignKeys) {
  const Doctor::Report report{.findings = {},
                              .foreign_keys = std::vector<std::string>(1001, "other")};
  EXPECT_EQ(ToProto(report, {}, kNow).foreign_keys_size(), 1000);
}

}  // namespace
}  // namespace server
