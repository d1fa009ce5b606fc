// agentpki hierarchy list|show|export|plan|apply: hierarchies as code.

#include <thread>

#include "agentpki/v1/hierarchy.grpc.pb.h"
#include "ca/base/rules.h"
#include "ca/files/hierarchy_file.h"
#include "ca/files/yaml_message.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::FieldChange;
using agentpki::v1::Hierarchy;
using agentpki::v1::HierarchyPlan;
using agentpki::v1::HierarchyService;
using agentpki::v1::HierarchySpec;

constexpr std::chrono::seconds kPollInterval(1);
constexpr char kAwaitsCertificate[] = "awaiting-certificate";

// ---- reading ------------------------------------------------------------------------------------

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

ca::Status List(const Session& session) {
  HierarchyService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&HierarchyService::Stub::ListHierarchies, stub,
                                         agentpki::v1::ListHierarchiesRequest()));
  if (session.format() == Format::kJson) {
    PrintJsonArray(response.hierarchies());
    return ca::Ok();
  }
  Table table({"HIERARCHY", "TRUST DOMAIN", "STATE", "ACTIVE AUTHORITY", "PROFILES"});
  for (const Hierarchy& hierarchy : response.hierarchies()) {
    std::string profiles;
    for (const auto& profile : hierarchy.spec().profiles()) {
      profiles += (profiles.empty() ? "" : ", ") + profile.name();
    }
    table.Add({hierarchy.name(), hierarchy.spec().trust_domain(), hierarchy.state(),
               hierarchy.active_authority(), profiles});
  }
  table.Print();
  return ca::Ok();
}

ca::Result<Hierarchy> Get(const Session& session, const std::string& name) {
  HierarchyService::Stub stub(TRY(session.Open()));
  agentpki::v1::GetHierarchyRequest request;
  request.set_hierarchy(name);
  const auto response = TRY(session.Call(&HierarchyService::Stub::GetHierarchy, stub, request));
  return response.hierarchy();
}

void PrintHierarchy(const Hierarchy& hierarchy) {
  Facts facts;
  facts.Add("hierarchy", hierarchy.name());
  facts.Add("state", hierarchy.state());
  facts.Add("waiting for", Joined(hierarchy.waiting_for()));
  facts.Add("active authority", hierarchy.active_authority());
  facts.Add("root SHA-256", Joined(hierarchy.root_fingerprints()));
  facts.Print();
}

ca::Status Show(const Session& session, const std::string& name) {
  const Hierarchy hierarchy = TRY(Get(session, name));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(hierarchy));
    return ca::Ok();
  }
  PrintHierarchy(hierarchy);
  fmt::print("\n{}", files::ToYaml(hierarchy.spec()));
  return ca::Ok();
}

ca::Status Export(const Session& session, const std::string& name) {
  const Hierarchy hierarchy = TRY(Get(session, name));
  fmt::print("{}", session.format() == Format::kJson ? ToJson(hierarchy.spec()) + "\n"
                                                     : files::ToYaml(hierarchy.spec()));
  return ca::Ok();
}

// ---- planning -----------------------------------------------------------------------------------

// Checks the file here first, because only this check names the line, and it needs no server.
ca::Result<HierarchySpec> Read(const std::string& file) {
  TRY(files::LoadHierarchyFile(file));
  return files::ReadHierarchyFile(file);
}

void PrintChange(const FieldChange& change) {
  const char* const widens = change.widens() ? "   (widens)" : "";
  if (change.before().empty()) {
    fmt::print("  + {}: {}{}\n", change.field(), change.after(), widens);
  } else if (change.after().empty()) {
    fmt::print("  - {}: {}{}\n", change.field(), change.before(), widens);
  } else {
    fmt::print("  ~ {}: {} -> {}{}\n", change.field(), change.before(), change.after(), widens);
  }
}

void PrintPlan(const HierarchyPlan& plan) {
  if (plan.changes().empty()) {
    fmt::print("{}: no changes\n", plan.hierarchy());
    return;
  }
  fmt::print("{}: {}\n\n", plan.hierarchy(),
             plan.creates() ? "a new hierarchy"
                            : fmt::format("{} {}", plan.changes_size(),
                                          plan.changes_size() == 1 ? "change" : "changes"));
  for (const FieldChange& change : plan.changes()) PrintChange(change);
}

void PrintNeededApproval(const HierarchyPlan& plan) {
  if (!plan.needs_approval()) return;
  fmt::print(
      "\nThe plan widens the policy, so it needs two operators: 'apply' is refused until another "
      "admin of {} approves it.\n",
      plan.hierarchy());
}

struct PlanOptions {
  std::string file;
  bool check = false;
};

ca::Status Plan(const Session& session, const PlanOptions& options) {
  agentpki::v1::PlanHierarchyRequest request;
  *request.mutable_spec() = TRY(Read(options.file));
  HierarchyService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&HierarchyService::Stub::PlanHierarchy, stub, request));
  const HierarchyPlan& plan = response.plan();
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(plan));
  } else {
    PrintPlan(plan);
    PrintNeededApproval(plan);
    if (!plan.changes().empty()) {
      fmt::print("\nTo apply exactly this plan:\n  agentpki hierarchy apply -f {} --plan {}\n",
                 options.file, plan.digest());
    }
  }
  if (!options.check || plan.changes().empty()) return ca::Ok();
  return ca::Refusal<ca::kHierarchyDiffers>(
      fmt::format("{} differs from {}; see the changes above", plan.hierarchy(), options.file));
}

// ---- applying -----------------------------------------------------------------------------------

struct ApplyOptions {
  std::string file;
  std::string plan_digest;
  bool wait = false;
};

// Polls until the server reports the hierarchy as ready, at most for --timeout.
ca::Result<Hierarchy> AwaitReady(const Session& session, Hierarchy hierarchy) {
  const ca::TimePoint until = session.clock().Now() + session.timeout();
  while (hierarchy.state() != "ready") {
    if (hierarchy.state() == kAwaitsCertificate) {
      return ca::Refusal<ca::kHierarchyAwaitsCertificate>(hierarchy.name(),
                                                          hierarchy.pending_authority());
    }
    if (session.clock().Now() >= until) {
      return ca::Error(ca::StatusCode::kDeadlineExceeded,
                       "{} is applied, but after {} it still waits for {}; run again later: "
                       "agentpki hierarchy show {}",
                       hierarchy.name(), ca::HumanDuration(session.timeout()),
                       Joined(hierarchy.waiting_for()), hierarchy.name());
    }
    fmt::print(stderr, "waiting for {}\n", Joined(hierarchy.waiting_for()));
    std::this_thread::sleep_for(kPollInterval);
    auto again = Get(session, hierarchy.name());
    // A balancer may have sent this call to a replica that learns of a new hierarchy seconds later.
    if (again.status().code() == ca::StatusCode::kNotFound) continue;
    hierarchy = TRY(std::move(again));
  }
  return hierarchy;
}

ca::Status Apply(const Session& session, const ApplyOptions& options) {
  agentpki::v1::ApplyHierarchyRequest request;
  *request.mutable_spec() = TRY(Read(options.file));
  request.set_plan_digest(options.plan_digest);
  HierarchyService::Stub stub(TRY(session.Open()));
  auto response = TRY(session.Call(&HierarchyService::Stub::ApplyHierarchy, stub, request));
  if (options.wait) {
    *response.mutable_hierarchy() = TRY(AwaitReady(session, response.hierarchy()));
  }
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(response));
    return ca::Ok();
  }
  PrintPlan(response.plan());
  fmt::print("\n");
  PrintHierarchy(response.hierarchy());
  if (response.hierarchy().state() == kAwaitsCertificate) {
    fmt::print(
        "\nThe owner of its root must sign its issuing authority; for the request, run:\n"
        "  agentpki authority csr {}\n",
        response.hierarchy().pending_authority());
  }
  return ca::Ok();
}

void AddFile(CLI::App& command, std::string& file) {
  command.add_option("-f,--file", file, "YAML file of the hierarchy")
      ->required()
      ->type_name("FILE");
}

void AddReadingCommands(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const list =
      noun.add_subcommand("list", "List the hierarchies in which you have a role");
  list->callback([&session, &run] { run = [&session] { return List(session); }; });

  const auto add = [&](const char* verb, const char* description, auto act) {
    CLI::App* const command = noun.add_subcommand(verb, description);
    auto name = std::make_shared<std::string>();
    command->add_option("hierarchy", *name, kHierarchyArgument)->required()->type_name("NAME");
    command->callback([&session, &run, name, act] {
      run = [&session, name, act] { return act(session, *name); };
    });
  };
  add("show", "Show the state of a hierarchy and its file", Show);
  add("export",
      "Print the YAML file of a hierarchy as it is now, with every default written out.\n\n"
      "  agentpki hierarchy export acme/prod > acme-prod.yaml",
      Export);
}

}  // namespace

void AddHierarchyCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "hierarchy",
      "Hierarchies as code: one YAML file describes the PKI of one tenant in one environment");
  noun->require_subcommand(1);
  AddReadingCommands(*noun, session, run);

  CLI::App* const plan =
      noun->add_subcommand("plan",
                           "Show the changes that 'apply' would make, field by field. Changes "
                           "nothing.\n\n"
                           "  agentpki hierarchy plan -f acme-prod.yaml");
  auto plan_options = std::make_shared<PlanOptions>();
  AddFile(*plan, plan_options->file);
  plan->add_flag("--check", plan_options->check, "For CI: exit with 2 if there are changes");
  plan->callback([&session, &run, plan_options] {
    run = [&session, plan_options] { return Plan(session, *plan_options); };
  });

  CLI::App* const apply = noun->add_subcommand(
      "apply",
      "Create a hierarchy from its file, or change it to match its file. Changes apply from the "
      "next certificate on. Safe to repeat.\n\n"
      "  agentpki hierarchy apply -f acme-prod.yaml --wait");
  auto apply_options = std::make_shared<ApplyOptions>();
  AddFile(*apply, apply_options->file);
  apply
      ->add_option("--plan", apply_options->plan_digest,
                   "Apply only if the changes are still those of this plan")
      ->type_name("DIGEST");
  apply->add_flag("--wait", apply_options->wait,
                  "Wait until it issues and serves OCSP and CRLs, at most --timeout");
  apply->callback([&session, &run, apply_options] {
    run = [&session, apply_options] { return Apply(session, *apply_options); };
  });
  AddDestroyCommands(*noun, session, run);
}

}  // namespace cli
