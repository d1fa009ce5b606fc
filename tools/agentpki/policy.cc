// agentpki policy test: a hierarchy's policy and its cases, with no server; replay is in replay.cc.

#include "ca/files/hierarchy_file.h"
#include "ca/files/policy_cases.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::PolicyCaseOutcome;

void Print(const std::vector<PolicyCaseOutcome>& outcomes, const std::string& cases_file) {
  Table table({"CASE", "OUTCOME", "BY", ""});
  for (const PolicyCaseOutcome& outcome : outcomes) {
    table.Add({outcome.name(), outcome.outcome(), outcome.by().empty() ? "-" : outcome.by(),
               outcome.passed() ? "ok" : "FAILED"});
  }
  table.Print();
  for (const PolicyCaseOutcome& outcome : outcomes) {
    if (outcome.passed()) continue;
    fmt::print("\n{}:{}: {}: expected {}, is {}{}{}\n", cases_file, outcome.line(), outcome.name(),
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
      app.add_subcommand("policy", "Who may have a certificate, and tests of that");
  noun->require_subcommand(1);
  AddReplayCommand(*noun, session, run);
  CLI::App* const test = noun->add_subcommand(
      "test",
      "Say of each case which rule of a hierarchy's file admits or refuses it; asks no server, and "
      "fails when a case is not as its file expects");
  auto file = std::make_shared<std::string>();
  auto cases = std::make_shared<std::string>();
  test->add_option("FILE", *file, "The hierarchy's file")->required();
  test->add_option("CASES", *cases, "The cases, beside it")->required();
  test->callback([&session, &run, file, cases] {
    run = [&session, file, cases] { return Test(session, *file, *cases); };
  });
}

}  // namespace cli
