// agentpki hierarchy destroy|destroyed|record: end a hierarchy, and prove it.

#include <unistd.h>

#include <iostream>
#include <thread>

#include "agentpki/v1/hierarchy.grpc.pb.h"
#include "ca/base/bytes.h"
#include "ca/files/hierarchy_file.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::Destruction;
using agentpki::v1::HierarchyService;

constexpr std::chrono::seconds kPollInterval(1);

struct DestroyOptions {
  std::string name;
  std::string file;
  std::string reason;
  bool yes = false;
  bool wait = false;
};

void PrintDestruction(const Destruction& destruction) {
  Facts facts;
  facts.Add("hierarchy", destruction.hierarchy());
  facts.Add("state", destruction.state());
  facts.Add("decided",
            fmt::format("{} by {}", TimeText(destruction.decided_at()), destruction.decided_by()));
  facts.Add("reason", destruction.reason());
  facts.Add("revoked", fmt::format("{} certificates", destruction.revoked_certificates()));
  if (destruction.keys() > 0) {
    facts.Add("keys",
              fmt::format("{} of {} destroyed", destruction.destroyed_keys(), destruction.keys()));
  }
  facts.Add("recorded", TimeText(destruction.recorded_at()));
  facts.Print();
}

// Returns the newest destruction of a hierarchy with this name.
ca::Result<Destruction> FindDestruction(const Session& session, const std::string& name) {
  agentpki::v1::ListDestructionsRequest request;
  request.set_hierarchy(name);
  HierarchyService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&HierarchyService::Stub::ListDestructions, stub, request));
  if (response.destructions().empty() || name.empty()) {
    return ca::Error(ca::StatusCode::kNotFound,
                     "hierarchy: no hierarchy '{}' was destroyed, or you have no role in it; to "
                     "list all, run: agentpki hierarchy destroyed",
                     name);
  }
  return response.destructions(0);
}

ca::Result<Destruction> AwaitDestroyed(const Session& session, Destruction destruction) {
  const ca::TimePoint until = session.clock().Now() + session.timeout();
  while (destruction.state() != "destroyed") {
    const std::string progress =
        fmt::format("{} of {} keys destroyed", destruction.destroyed_keys(), destruction.keys());
    if (session.clock().Now() >= until) {
      return ca::Error(ca::StatusCode::kDeadlineExceeded,
                       "{} is revoked and issues nothing more, but after {} only {}; run again "
                       "later: agentpki hierarchy destroyed {}; for the cause: agentpki doctor",
                       destruction.hierarchy(), ca::HumanDuration(session.timeout()), progress,
                       destruction.hierarchy());
    }
    fmt::print(stderr, "waiting: {}\n", progress);
    std::this_thread::sleep_for(kPollInterval);
    destruction = TRY(FindDestruction(session, destruction.hierarchy()));
  }
  return destruction;
}

// Asks for the name, so that an operator does not destroy another hierarchy by mistake.
ca::Status Confirm(const std::string& name, const DestroyOptions& options) {
  if (options.yes) return ca::Ok();
  if (isatty(STDIN_FILENO) == 0) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "--yes: missing; this revokes every certificate of {} and destroys its keys, "
                     "for good",
                     name);
  }
  fmt::print(stderr,
             "This revokes every certificate of {} and destroys its keys, for good.\n"
             "Type the hierarchy's name to go on: ",
             name);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == name) return ca::Ok();
  return ca::Error(ca::StatusCode::kFailedPrecondition,
                   "the name that you typed is not {}; nothing was destroyed", name);
}

ca::Status Destroy(const Session& session, const DestroyOptions& options) {
  agentpki::v1::DestroyHierarchyRequest request;
  request.set_hierarchy(options.name);
  if (!options.file.empty()) {
    const auto declaration = TRY(files::LoadHierarchyFile(options.file));
    request.set_hierarchy(declaration.hierarchy.Name());
  }
  request.set_reason(options.reason);
  TRY(Confirm(request.hierarchy(), options));
  HierarchyService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&HierarchyService::Stub::DestroyHierarchy, stub, request));
  Destruction destruction = response.destruction();
  if (options.wait) destruction = TRY(AwaitDestroyed(session, std::move(destruction)));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(destruction));
  } else {
    PrintDestruction(destruction);
  }
  return ca::Ok();
}

ca::Status ListDestroyed(const Session& session, const std::string& name) {
  agentpki::v1::ListDestructionsRequest request;
  request.set_hierarchy(name);
  HierarchyService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&HierarchyService::Stub::ListDestructions, stub, request));
  if (session.format() == Format::kJson) {
    PrintJsonArray(response.destructions());
    return ca::Ok();
  }
  Table table({"HIERARCHY", "STATE", "DECIDED", "DECIDED BY", "REVOKED", "REASON"});
  for (const Destruction& destruction : response.destructions()) {
    table.Add({destruction.hierarchy(), destruction.state(), TimeText(destruction.decided_at()),
               destruction.decided_by(), std::to_string(destruction.revoked_certificates()),
               destruction.reason()});
  }
  table.Print();
  return ca::Ok();
}

// Prints PEM with the label of RFC 7468 section 9.
ca::Status PrintRecord(const Session& session, const std::string& name) {
  const Destruction destruction = TRY(FindDestruction(session, name));
  if (destruction.record().empty()) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "{} is still being destroyed, so it has no record yet; to wait, run: agentpki "
                     "hierarchy destroy {} --reason TEXT --yes --wait",
                     name, name);
  }
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(destruction));
    return ca::Ok();
  }
  fmt::print("{}", ca::Pem("CMS", destruction.record()));
  return ca::Ok();
}

void AddDestroy(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const destroy = noun.add_subcommand(
      "destroy",
      "End a hierarchy, for good: revoke every certificate that it issued, destroy its keys on the "
      "token, and sign a record of the destruction. Its name becomes free. Safe to repeat.\n\n"
      "  agentpki hierarchy destroy -f acme-pr-1234.yaml --reason 'merged' --yes --wait --timeout "
      "120");
  auto options = std::make_shared<DestroyOptions>();
  auto* const target = destroy->add_option_group("target", "The hierarchy");
  target->add_option("hierarchy", options->name, kHierarchyArgument)->type_name("NAME");
  target->add_option("-f,--file", options->file, "YAML file of the hierarchy")->type_name("FILE");
  target->require_option(1);
  destroy->add_option("--reason", options->reason, "Reason, for the signed record")
      ->required()
      ->type_name("TEXT");
  destroy->add_flag("--yes", options->yes, "Do not ask for the name; required in scripts");
  destroy->add_flag(
      "--wait", options->wait,
      "Wait until its keys are destroyed and the record is signed, at most --timeout; "
      "this usually takes 30 seconds, so set --timeout to 120");
  destroy->callback([&session, &run, options] {
    run = [&session, options] { return Destroy(session, *options); };
  });
}

}  // namespace

void AddDestroyCommands(CLI::App& noun, const Session& session, Run& run) {
  AddDestroy(noun, session, run);

  CLI::App* const destroyed =
      noun.add_subcommand("destroyed", "List the destroyed hierarchies, newest first");
  auto name = std::make_shared<std::string>();
  destroyed->add_option("hierarchy", *name, "Only hierarchies with this name; default: all")
      ->type_name("NAME");
  destroyed->callback(
      [&session, &run, name] { run = [&session, name] { return ListDestroyed(session, *name); }; });

  CLI::App* const record = noun.add_subcommand(
      "record",
      "Print the signed record of a destruction, as CMS in PEM. To verify it:\n\n"
      "  agentpki hierarchy record acme/pr-1234 > record.pem\n"
      "  agentpki bundle show --hierarchy agentpki/system --pem > roots.pem\n"
      "  openssl cms -verify -inform PEM -in record.pem -CAfile roots.pem -purpose any");
  auto of = std::make_shared<std::string>();
  record->add_option("hierarchy", *of, "Name of the destroyed hierarchy")
      ->required()
      ->type_name("NAME");
  record->callback(
      [&session, &run, of] { run = [&session, of] { return PrintRecord(session, *of); }; });
}

}  // namespace cli
