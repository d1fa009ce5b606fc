#include "ca/files/policy_cases.h"

#include <gtest/gtest.h>

#include <fstream>

#include "ca/files/hierarchy_file.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"
#include "tests/fakes/temporary_folder.h"

namespace files {
namespace {

using ca::testing::Must;
using ca::testing::Says;

class PolicyCasesTest : public testing::Test {
 protected:
  auto Run(const std::string& text) {
    std::ofstream(path_) << text;
    return RunPolicyCases(hierarchy_, path_);
  }

  const ca::testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "cases.yaml";
  ca::Hierarchy hierarchy_ = ca::testing::AcmeProd();
};

TEST_F(PolicyCasesTest, ThoseOfTheDemoPass) {
  const std::string demo = PROJECT_SOURCE_DIR "/deploy/demo/acme-dev";
  const auto declaration = Must(LoadHierarchyFile(demo + ".yaml"));
  for (const auto& outcome : Must(RunPolicyCases(declaration.hierarchy, demo + ".cases.yaml"))) {
    EXPECT_TRUE(outcome.passed()) << outcome.DebugString();
  }
}

TEST_F(PolicyCasesTest, OneThatFailsSaysWhereItIsAndWhatCameOfIt) {
  hierarchy_.enrollment_rules = {{.name = "nobody"}};
  const auto outcomes =
      Must(Run("cases:\n"
               "  - {name: one, agent: a, expect: refused, by: policy.nobody}\n"
               "\n"
               "  - name: other\n"
               "    agent: a\n"
               "    expect: admitted\n"));
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_TRUE(outcomes[0].passed());
  EXPECT_EQ(outcomes[1].line(), 4);
  EXPECT_FALSE(outcomes[1].passed());
  EXPECT_EQ(outcomes[1].outcome(), "refused");
  EXPECT_EQ(outcomes[1].by(), "policy.nobody");
}

TEST_F(PolicyCasesTest, ACaseThatPassesByAnotherRuleFails) {
  hierarchy_.enrollment_rules = {{.name = "nobody"}};
  const auto outcomes =
      Must(Run("cases: [{name: one, agent: a, expect: refused, by: policy.somebody}]"));
  EXPECT_FALSE(outcomes[0].passed());
}

TEST_F(PolicyCasesTest, AMistakeInTheFileIsNamedWithItsLine) {
  const auto says = [](const ca::Status& status, const std::string& words) {
    return Says(status, ca::StatusCode::kInvalidArgument, words);
  };
  EXPECT_TRUE(says(Run("cases:\n  - {name: one, agent: a, expects: refused}").status(),
                   "cases.yaml:2: cases[0]: expects: there is no such key; is it 'expect'?"));
  EXPECT_TRUE(says(Run("cases:\n  - {name: one, agent: a, expect: refuse}").status(),
                   "cases.yaml:2: expect: 'refuse' is neither admitted nor refused"));
  EXPECT_TRUE(says(Run("cases: []").status(), "write 1 to"));
}

}  // namespace
}  // namespace files
