// agentpki doctor: what is wrong with keys, authorities, CRLs and responders, and what to do.

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
  fmt::print("{} {} in {} hierarchies, {} keys of theirs on the token\n", report.findings_size(),
             report.findings_size() == 1 ? "finding" : "findings", report.hierarchies_size(),
             report.key_count());
  if (report.foreign_keys().empty()) return;
  fmt::print("\n{} keys on the token are of somebody else, which is no finding:\n",
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
  return ca::Error(ca::StatusCode::kFailedPrecondition, "not all is well: {} found, see above",
                   report.findings_size());
}

}  // namespace

void AddDoctorCommand(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const command = app.add_subcommand(
      "doctor",
      "Compare ledger, token and time: keys that nobody planned, or that are missing, or that "
      "should be gone; authorities that were never finished; CRLs and responders that are late. "
      "Says of each what to do; fails when there is any");
  auto hierarchy = std::make_shared<std::string>();
  command->add_option("--hierarchy", *hierarchy, "Only of this one, such as acme/prod")
      ->type_name("NAME");
  command->callback([&session, &run, hierarchy] {
    run = [&session, hierarchy] { return Diagnose(session, *hierarchy); };
  });
}

}  // namespace cli
