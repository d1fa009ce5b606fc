// agentpki doctor: find faults of keys, authorities, CRLs and OCSP responders, with their fixes.

#include "agentpki/v1/doctor.grpc.pb.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::DoctorService;
using agentpki::v1::Finding;

void PrintFinding(const Finding& finding) {
  fmt::print("{}  {}\n  found  {}\n  do     {}\n\n", finding.code(),
             finding.subject().starts_with(finding.hierarchy() + "/")
                 ? finding.subject()
                 : fmt::format("{} in {}", finding.subject(), finding.hierarchy()),
             finding.what(), finding.fix());
}

void PrintReport(const agentpki::v1::DiagnoseResponse& report) {
  for (const Finding& finding : report.findings()) PrintFinding(finding);
  fmt::print("{} {} in {} hierarchies with {} keys on the token\n", report.findings_size(),
             report.findings_size() == 1 ? "finding" : "findings", report.hierarchies_size(),
             report.key_count());
  if (report.foreign_keys().empty()) return;
  fmt::print("\nThe token also holds {} keys that are not agentpki's; this is not a fault:\n",
             report.foreign_keys_size());
  for (const std::string& label : report.foreign_keys()) fmt::print("  {}\n", label);
}

ca::Status Diagnose(const Session& session, const std::string& hierarchy) {
  DoctorService::Stub stub(TRY(session.Open()));
  agentpki::v1::DiagnoseRequest request;
  request.set_hierarchy(hierarchy);
  const auto report = TRY(session.Call(&DoctorService::Stub::Diagnose, stub, request));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(report));
  } else {
    PrintReport(report);
  }
  if (report.findings().empty()) return ca::Ok();
  return ca::Error(ca::StatusCode::kFailedPrecondition, "doctor has {} {}; see above",
                   report.findings_size(), report.findings_size() == 1 ? "finding" : "findings");
}

}  // namespace

void AddDoctorCommand(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const command = app.add_subcommand(
      "doctor",
      "Compare the ledger, the token and the clock. Reports keys that are missing, unplanned or "
      "overdue for destruction, unfinished authorities, and overdue CRLs and OCSP responders, each "
      "with its fix. Exits with 1 if there is a finding");
  auto hierarchy = std::make_shared<std::string>();
  command->add_option("--hierarchy", *hierarchy, kOneHierarchy)->type_name("NAME");
  command->callback([&session, &run, hierarchy] {
    run = [&session, hierarchy] { return Diagnose(session, *hierarchy); };
  });
}

}  // namespace cli
