// agentpki policy test: check the policy of a hierarchy's file by its cases, without a server.
// `policy replay` is in replay.cc.

#include "ca/files/hierarchy_file.h"
#include "ca/files/policy_cases.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::PolicyCaseOutcome;

void Print(const std::vector<PolicyCaseOutcome>& outcomes, const std::string& cases_file) {
  Table table({"CASE", "OUTCOME", "RULE", "RESULT"});
  for (const PolicyCaseOutcome& outcome : outcomes) {
    table.Add({outcome.name(), outcome.outcome(), outcome.by().empty() ? "-" : outcome.by(),
               outcome.passed() ? "ok" : "FAILED"});
  }
  table.Print();
  for (const PolicyCaseOutcome& outcome : outcomes) {
    if (outcome.passed()) continue;
    fmt::print("\n{}:{}: {}: expected {}, got {}{}{}\n", cases_file, outcome.line(), outcome.name(),
               outcome.expected(), outcome.outcome(),
               outcome.by().empty() ? "" : " by " + outcome.by(),
               outcome.reason().empty() ? "" : "\n  " + outcome.reason());
  }
}

ca::Status Test(const Session& session, const std::string& file, const std::string& cases_file) {
  const auto declaration = TRY(files::LoadHierarchyFile(file));
  const auto outcomes = TRY(files::RunPolicyCases(declaration.hierarchy, cases_file));
  if (session.format() == Format::kJson) {
    PrintJsonArray(
        google::protobuf::RepeatedPtrField<PolicyCaseOutcome>(outcomes.begin(), outcomes.end()));
  } else {
    Print(outcomes, cases_file);
  }
  const auto failed = std::count_if(outcomes.begin(), outcomes.end(),
                                    [](const auto& outcome) { return !outcome.passed(); });
  if (failed == 0) return ca::Ok();
  return ca::Error(ca::StatusCode::kFailedPrecondition, "{} of {} cases failed", failed,
                   outcomes.size());
}

}  // namespace

void AddPolicyCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun =
      app.add_subcommand("policy", "Enrollment policy: test a file, replay past requests on it");
  noun->require_subcommand(1);
  AddReplayCommand(*noun, session, run);
  CLI::App* const test = noun->add_subcommand(
      "test",
      "Test the policy of a hierarchy's file by a file of cases. Shows which rule admits or "
      "refuses "
      "each case. Needs no server. Exits with 1 if an outcome is not the expected one.\n\n"
      "  agentpki policy test acme-dev.yaml acme-dev.cases.yaml");
  auto file = std::make_shared<std::string>();
  auto cases = std::make_shared<std::string>();
  test->add_option("FILE", *file, "YAML file of the hierarchy")->required();
  test->add_option("CASES", *cases, "YAML file of the cases")->required();
  test->callback([&session, &run, file, cases] {
    run = [&session, file, cases] { return Test(session, *file, *cases); };
  });
}

}  // namespace cli
