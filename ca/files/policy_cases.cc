#include "ca/files/policy_cases.h"

#include <set>

#include "ca/base/rules.h"
#include "ca/certificates/policy.h"
#include "ca/files/yaml_message.h"
#include "ca/x509/credentials.h"

namespace files {
namespace {

using agentpki::v1::PolicyCase;
using agentpki::v1::PolicyCaseOutcome;
using agentpki::v1::PolicyCases;
using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

constexpr size_t kFileSizeMax = 1024 * 1024;
constexpr int kCasesMax = 1000;
constexpr char kAdmitted[] = "admitted";
constexpr char kRefused[] = "refused";

// kInvalidArgument if a registration would refuse the agent.
Result<ca::Agent> Registered(const PolicyCase& of, const ca::Hierarchy& hierarchy) {
  auto id = TRY(ca::SpiffeId::Parse(
      fmt::format("spiffe://{}/{}", hierarchy.trust_domain.name(), of.agent())));
  ca::Agent agent{
      .hierarchy = hierarchy.id,
      .id = std::move(id),
      .owner = of.owner().empty() ? "nobody" : of.owner(),
      .role = of.role(),
      .version = of.version(),
      .profile = of.profile().empty() ? hierarchy.profiles.front().name : of.profile(),
      .dns_names = {of.dns_names().begin(), of.dns_names().end()},
  };
  for (const std::string& address : of.ip_addresses()) {
    agent.ip_addresses.push_back(TRY(ca::IpAddress::Parse(address)));
  }
  TRY(agent.Validate(hierarchy));
  return agent;
}

// The rule that admits, or the refusal.
Result<std::string> Decided(const PolicyCase& of, const ca::Hierarchy& hierarchy,
                            ca::KeyType key_type, ca::Operation operation) {
  const auto agent = Registered(of, hierarchy);
  if (!agent.ok()) return ca::Refusal<ca::kRegistration>(ca::MessageOf(agent.status()));
  const ca::CertificateProfile* const profile = TRY(hierarchy.FindProfile(agent->profile));
  return CheckPolicy(hierarchy, *profile, ca::RequestFacts::Of(*agent, key_type, operation));
}

Result<PolicyCaseOutcome> OutcomeOf(const PolicyCase& of, const ca::Hierarchy& hierarchy) {
  if (of.expect() != kAdmitted && of.expect() != kRefused) {
    return Error(StatusCode::kInvalidArgument, "expect: '{}' is neither admitted nor refused",
                 ca::Printable(of.expect()));
  }
  const ca::KeyType key_type =
      TRY(ca::KeyTypeFrom(of.key_type().empty() ? "p256" : std::string_view(of.key_type())));
  const ca::Operation operation =
      TRY(ca::OperationFrom(of.operation().empty() ? "enroll" : std::string_view(of.operation())));
  const auto decided = Decided(of, hierarchy, key_type, operation);

  PolicyCaseOutcome outcome;
  outcome.set_name(of.name());
  outcome.set_outcome(decided.ok() ? kAdmitted : kRefused);
  outcome.set_by(decided.ok() ? *decided : ca::RuleOf(decided.status()));
  outcome.set_reason(ca::MessageOf(decided.status()));
  outcome.set_expected(of.expect() + (of.by().empty() ? "" : " by " + of.by()));
  outcome.set_passed(outcome.outcome() == of.expect() &&
                     (of.by().empty() || outcome.by() == of.by()));
  return outcome;
}

}  // namespace

Result<std::vector<PolicyCaseOutcome>> RunPolicyCases(const ca::Hierarchy& hierarchy,
                                                      const std::filesystem::path& path) {
  const std::string text = TRY(ca::ReadFile(path, kFileSizeMax));
  PolicyCases cases;
  TRY(ParseYaml(text, path.string(), cases));
  const std::vector<int> lines = LinesOfList(text, "cases");
  if (cases.cases().empty() || cases.cases_size() > kCasesMax) {
    return Error(StatusCode::kInvalidArgument, "{}: cases: write 1 to {}", path.string(),
                 kCasesMax);
  }
  std::set<std::string> names;
  std::vector<PolicyCaseOutcome> outcomes;
  for (const PolicyCase& each : cases.cases()) {
    const int line = lines.at(outcomes.size());
    auto outcome = OutcomeOf(each, hierarchy);
    if (outcome.ok() && (each.name().empty() || !names.insert(each.name()).second)) {
      outcome = Error(StatusCode::kInvalidArgument, "name: '{}' is empty or there twice",
                      ca::Printable(each.name()));
    }
    if (!outcome.ok()) {
      return ca::Annotate(outcome.status(), fmt::format("{}:{}: ", path.string(), line));
    }
    outcome->set_line(line);
    outcomes.push_back(*std::move(outcome));
  }
  return outcomes;
}

}  // namespace files
