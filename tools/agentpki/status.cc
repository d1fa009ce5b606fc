// agentpki status: whether the server is well, and what it serves.

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
  Table authorities({"AUTHORITY", "TRUST DOMAIN", "ENDS", "KEY ON THE TOKEN"});
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
    return ca::Error(ca::StatusCode::kFailedPrecondition, "{} is not well: {}", component.name(),
                     component.detail());
  }
  return ca::Ok();
}

}  // namespace

void AddStatusCommand(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "status", "Whether the server is well, and what it serves; fails when it is not");
  noun->callback([&session, &run] { run = [&session] { return Show(session); }; });
}

}  // namespace cli
