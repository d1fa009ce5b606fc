// agentpki hierarchy destroy|destroyed|record: the end of a hierarchy.

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

// The newest that had the name.
ca::Result<Destruction> FindDestruction(const Session& session, const std::string& name) {
  agentpki::v1::ListDestructionsRequest request;
  request.set_hierarchy(name);
  HierarchyService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&HierarchyService::Stub::ListDestructions, stub, request));
  if (response.destructions().empty() || name.empty()) {
    return ca::Error(ca::StatusCode::kNotFound,
                     "hierarchy: none that had the name '{}' was destroyed where you have a role; "
                     "see: agentpki hierarchy destroyed",
                     name);
  }
  return response.destructions(0);
}

ca::Result<Destruction> AwaitDestroyed(const Session& session, Destruction destruction) {
  const ca::TimePoint until = session.clock().Now() + session.timeout();
  while (destruction.state() != "destroyed") {
    const std::string progress = fmt::format("{} of {} keys are destroyed",
                                             destruction.destroyed_keys(), destruction.keys());
    if (session.clock().Now() >= until) {
      return ca::Error(ca::StatusCode::kDeadlineExceeded,
                       "{} is revoked and issues nothing more; after {}, {}; look again with: "
                       "agentpki hierarchy destroyed {}, and see: agentpki doctor",
                       destruction.hierarchy(), ca::HumanDuration(session.timeout()), progress,
                       destruction.hierarchy());
    }
    fmt::print(stderr, "waiting: {}\n", progress);
    std::this_thread::sleep_for(kPollInterval);
    destruction = TRY(FindDestruction(session, destruction.hierarchy()));
  }
  return destruction;
}

// What keeps an operator at 3 in the morning from destroying another one than he meant.
ca::Status Confirm(const std::string& name, const DestroyOptions& options) {
  if (options.yes) return ca::Ok();
  if (isatty(STDIN_FILENO) == 0) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "this revokes every certificate of {} and destroys its keys, for good; say "
                     "--yes",
                     name);
  }
  fmt::print(stderr,
             "This revokes every certificate of {} and destroys its keys, for good.\n"
             "Write its name to go on: ",
             name);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == name) return ca::Ok();
  return ca::Error(ca::StatusCode::kFailedPrecondition, "nothing is destroyed");
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
  Table table({"HIERARCHY", "STATE", "DECIDED", "BY", "REVOKED", "REASON"});
  for (const Destruction& destruction : response.destructions()) {
    table.Add({destruction.hierarchy(), destruction.state(), TimeText(destruction.decided_at()),
               destruction.decided_by(), std::to_string(destruction.revoked_certificates()),
               destruction.reason()});
  }
  table.Print();
  return ca::Ok();
}

// PEM by the label of RFC 7468 section 9.
ca::Status PrintRecord(const Session& session, const std::string& name) {
  const Destruction destruction = TRY(FindDestruction(session, name));
  if (destruction.record().empty()) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "{} is being destroyed, and there is no record yet; wait with: agentpki "
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

}  // namespace

void AddDestroyCommands(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const destroy = noun.add_subcommand(
      "destroy",
      "End a hierarchy, for good: revoke all that it has issued, destroy its keys on the token, "
      "and "
      "leave a signed record of that. Its name is free for another. Safe to repeat.\n\n"
      "  agentpki hierarchy destroy -f acme-pr-1234.yaml --reason 'merged' --yes --wait");
  auto options = std::make_shared<DestroyOptions>();
  auto* const target = destroy->add_option_group("target", "Which; one of");
  target->add_option("hierarchy", options->name, "The hierarchy, such as acme/pr-1234")
      ->type_name("NAME");
  target->add_option("-f,--file", options->file, "The file that describes it, in YAML")
      ->type_name("FILE");
  target->require_option(1);
  destroy->add_option("--reason", options->reason, "Why, for whoever reads the record")
      ->required()
      ->type_name("TEXT");
  destroy->add_flag("--yes", options->yes, "Without being asked; needed in scripts");
  destroy->add_flag("--wait", options->wait,
                    "Until its keys are destroyed and that is on record; takes half a minute");
  destroy->callback([&session, &run, options] {
    run = [&session, options] { return Destroy(session, *options); };
  });

  CLI::App* const destroyed =
      noun.add_subcommand("destroyed", "List the hierarchies that were destroyed, newest first");
  auto name = std::make_shared<std::string>();
  destroyed->add_option("hierarchy", *name, "Those that had this name")->type_name("NAME");
  destroyed->callback(
      [&session, &run, name] { run = [&session, name] { return ListDestroyed(session, *name); }; });

  CLI::App* const record = noun.add_subcommand(
      "record",
      "Print the signed record of a destruction, as CMS in PEM.\n\n"
      "  agentpki hierarchy record acme/pr-1234 > record.pem\n"
      "  agentpki bundle show system/SYSTEM > roots.pem\n"
      "  openssl cms -verify -inform PEM -in record.pem -CAfile roots.pem -purpose any");
  auto of = std::make_shared<std::string>();
  record->add_option("hierarchy", *of, "The hierarchy that was destroyed")
      ->required()
      ->type_name("NAME");
  record->callback(
      [&session, &run, of] { run = [&session, of] { return PrintRecord(session, *of); }; });
}

}  // namespace cli
