// The text of the signed record of a destruction, for people and programs.

#include "ca/files/destruction_statement.h"

#include <gtest/gtest.h>

#include "agentpki/v1/hierarchy.pb.h"
#include "ca/files/yaml_message.h"
#include "tests/fakes/must.h"
#include "tests/fakes/samples.h"

namespace files {
namespace {

using ca::testing::Must;

ca::DestructionStatement Statement() {
  const ca::TimePoint day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 28);
  return {
      .destruction = {.hierarchy = ca::testing::AcmeProd(),
                      .reason = "merged: \"pr\" #7",
                      .decided_by = "spiffe://system.example/operator/ci",
                      .decided_at = day,
                      .revoked_count = 0,
                      .finished_at = day + std::chrono::minutes(1)},
      .keys = {{"acme/prod/root/1", "acme/prod/root/1-5f3a9c0e", "ab12", day},
               {"acme/prod/issuing/1", "acme/prod/issuing/1-00c0ffee", "", day}},
  };
}

TEST(DestructionStatementTest, IsYamlThatAPersonReads) {
  EXPECT_EQ(WriteStatement(Statement()),
            R"(hierarchy: acme/prod
trust_domain: prod.acme.example
reason: "merged: \"pr\" #7"
decided_by: spiffe://system.example/operator/ci
decided_at: 2026-11-28T00:00:00Z
recorded_at: 2026-11-28T00:01:00Z
revoked_certificates: 0
destroyed_keys:
  - authority: acme/prod/root/1
    label: acme/prod/root/1-5f3a9c0e
    fingerprint: ab12
    destroyed_at: 2026-11-28T00:00:00Z
  - authority: acme/prod/issuing/1
    label: acme/prod/issuing/1-00c0ffee
    destroyed_at: 2026-11-28T00:00:00Z
)");
}

TEST(DestructionStatementTest, IsReadBackByItsSchema) {
  agentpki::v1::DestructionStatement read;
  Must(ParseYaml(WriteStatement(Statement()), "record", read));
  EXPECT_EQ(read.reason(), Statement().destruction.reason);
  EXPECT_EQ(read.destroyed_keys_size(), 2);
}

}  // namespace
}  // namespace files
