// agentpki status: the health of the server and its authorities. `status check` compares the ledger
// with OCSP and CRLs.

#include "agentpki/v1/status.grpc.pb.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::StatusService;

void PrintStatus(const agentpki::v1::GetStatusResponse& status) {
  const ca::TimePoint now = FromProto(status.now());
  fmt::print("agentpki-server {}, up {}\n\n", status.version(),
             ca::HumanDuration(now - FromProto(status.started_at())));
  Table components({"COMPONENT", "STATE", "DETAIL"});
  for (const auto& component : status.components()) {
    components.Add({component.name(), component.healthy() ? "ok" : "FAILED",
                    component.healthy() ? "" : component.detail()});
  }
  components.Print();

  fmt::print("\n");
  Table authorities({"AUTHORITY", "TRUST DOMAIN", "EXPIRES", "KEY LABEL"});
  for (const auto& hierarchy : status.hierarchies()) {
    for (const auto& authority : hierarchy.authorities()) {
      authorities.Add({authority.name(), hierarchy.trust_domain(),
                       RelativeText(FromProto(authority.not_after()), now), authority.key_label()});
    }
  }
  authorities.Print();
}

ca::Status Show(const Session& session) {
  StatusService::Stub stub(TRY(session.Open()));
  const auto status = TRY(session.Call(&StatusService::Stub::GetStatus, stub, {}));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(status));
  } else {
    PrintStatus(status);
  }
  for (const auto& component : status.components()) {
    if (component.healthy()) continue;
    return ca::Error(ca::StatusCode::kFailedPrecondition, "{} is unhealthy: {}", component.name(),
                     component.detail());
  }
  return ca::Ok();
}

// ---- check --------------------------------------------------------------------------------------

ca::Result<agentpki::v1::CheckStatusResponse> CheckOne(const Session& session,
                                                       StatusService::Stub& stub,
                                                       const std::string& hierarchy) {
  agentpki::v1::CheckStatusRequest request;
  request.set_hierarchy(hierarchy);
  return session.Call(&StatusService::Stub::CheckStatus, stub, request);
}

ca::Status Check(const Session& session, const std::string& named) {
  const auto channel = TRY(session.Open());
  StatusService::Stub stub(channel);
  const auto hierarchies = TRY(session.Hierarchies(channel, named));
  google::protobuf::RepeatedPtrField<agentpki::v1::CheckStatusResponse> reports;
  Table table(
      {"HIERARCHY", "LIVE", "REVOKED", "OCSP ANSWERS", "CRLS", "CRL ENTRIES", "DISCREPANCIES"});
  Table wrong({"HIERARCHY", "SERIAL", "WHERE", "DISCREPANCY"});
  std::int64_t wrong_count = 0;
  for (const std::string& hierarchy : hierarchies) {
    const auto report = TRY(CheckOne(session, stub, hierarchy));
    table.Add({hierarchy, std::to_string(report.live_count()),
               std::to_string(report.revoked_count()), std::to_string(report.ocsp_asked_count()),
               std::to_string(report.crl_count()), std::to_string(report.crl_entry_count()),
               std::to_string(report.discrepancy_count())});
    for (const auto& discrepancy : report.discrepancies()) {
      wrong.Add({hierarchy, discrepancy.serial(), discrepancy.where(), discrepancy.what()});
    }
    wrong_count += report.discrepancy_count();
    *reports.Add() = report;
  }
  if (session.format() == Format::kJson) {
    PrintJsonArray(reports);
  } else {
    table.Print();
    if (!wrong.empty()) {
      fmt::print("\n");
      wrong.Print();
    }
  }
  if (wrong_count == 0) return ca::Ok();
  return ca::Error(ca::StatusCode::kFailedPrecondition,
                   "ledger, OCSP and CRLs disagree: {} {}; see above", wrong_count,
                   wrong_count == 1 ? "discrepancy" : "discrepancies");
}

}  // namespace

void AddStatusCommand(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "status",
      "Show the health of the server, and its authorities. Exits with 1 if a component is "
      "unhealthy");
  noun->callback([&session, &run] {
    if (!run) run = [&session] { return Show(session); };
  });
  CLI::App* const check = noun->add_subcommand(
      "check",
      "Check that the ledger, OCSP and CRLs agree on every live and every revoked certificate. "
      "Lists each discrepancy, and exits with 1 if there is one");
  auto hierarchy = std::make_shared<std::string>();
  check->add_option("--hierarchy", *hierarchy, kOneHierarchy)->type_name("NAME");
  check->callback([&session, &run, hierarchy] {
    run = [&session, hierarchy] { return Check(session, *hierarchy); };
  });
}

}  // namespace cli
