// agentpki agent register|list|show: the registered agents.

#include "agentpki/v1/registry.grpc.pb.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::Agent;
using agentpki::v1::RegistryService;

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

void PrintAgent(const Agent& agent, Format format) {
  if (format == Format::kJson) {
    fmt::print("{}\n", ToJson(agent));
    return;
  }
  Facts facts;
  facts.Add("SPIFFE ID", agent.spiffe_id());
  facts.Add("hierarchy", agent.hierarchy());
  facts.Add("owner", agent.owner());
  facts.Add("role", agent.role());
  facts.Add("version", agent.version());
  facts.Add("profile", agent.profile());
  facts.Add("DNS names", Joined(agent.dns_names()));
  facts.Add("IP addresses", Joined(agent.ip_addresses()));
  facts.Add("state", agent.disabled() ? "disabled" : "enabled");
  facts.Add("registered", TimeText(agent.registered_at()));
  facts.Print();
}

struct RegisterOptions {
  Agent agent;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
};

ca::Status Register(const Session& session, const RegisterOptions& options) {
  RegistryService::Stub stub(TRY(session.Open()));
  agentpki::v1::RegisterAgentRequest request;
  *request.mutable_agent() = options.agent;
  for (const std::string& name : options.dns_names) request.mutable_agent()->add_dns_names(name);
  for (const std::string& address : options.ip_addresses) {
    request.mutable_agent()->add_ip_addresses(address);
  }
  const auto response = TRY(session.Call(&RegistryService::Stub::RegisterAgent, stub, request));
  PrintAgent(response.agent(), session.format());
  return ca::Ok();
}

ca::Status Show(const Session& session, const std::string& spiffe_id) {
  RegistryService::Stub stub(TRY(session.Open()));
  agentpki::v1::GetAgentRequest request;
  request.set_spiffe_id(spiffe_id);
  const auto response = TRY(session.Call(&RegistryService::Stub::GetAgent, stub, request));
  PrintAgent(response.agent(), session.format());
  return ca::Ok();
}

struct ListOptions {
  std::string hierarchy;
  std::string owner;
};

ca::Status List(const Session& session, const ListOptions& options) {
  const auto channel = TRY(session.Open());
  RegistryService::Stub stub(channel);
  const auto hierarchies = TRY(session.Hierarchies(channel, options.hierarchy));
  google::protobuf::RepeatedPtrField<Agent> agents;
  for (const std::string& hierarchy : hierarchies) {
    TRY(ForEachPage(
        [&](const std::string& page_token) {
          agentpki::v1::ListAgentsRequest request;
          request.set_hierarchy(hierarchy);
          request.set_owner(options.owner);
          request.set_page_size(1000);
          request.set_page_token(page_token);
          return session.Call(&RegistryService::Stub::ListAgents, stub, request);
        },
        [&](const agentpki::v1::ListAgentsResponse& page) { agents.MergeFrom(page.agents()); }));
  }
  if (session.format() == Format::kJson) {
    PrintJsonArray(agents);
    return ca::Ok();
  }
  Table table({"HIERARCHY", "SPIFFE ID", "OWNER", "ROLE", "VERSION", "PROFILE", "STATE"});
  for (const Agent& agent : agents) {
    table.Add({agent.hierarchy(), agent.spiffe_id(), agent.owner(), agent.role(), agent.version(),
               agent.profile(), agent.disabled() ? "disabled" : "enabled"});
  }
  table.Print();
  return ca::Ok();
}

void AddRegister(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const add =
      noun.add_subcommand("register",
                          "Register an agent. A registered agent can get a join token.\n\n"
                          "  agentpki agent register spiffe://dev.acme.example/billing/invoice-bot "
                          "--owner billing-team");
  auto registration = std::make_shared<RegisterOptions>();
  const auto set = [registration](void (Agent::*setter)(const std::string&)) {
    return [registration, setter](const std::string& text) { (registration->agent.*setter)(text); };
  };
  add->add_option_function<std::string>("spiffe-id", set(&Agent::set_spiffe_id<const std::string&>),
                                        "SPIFFE ID; its trust domain selects the hierarchy")
      ->required()
      ->type_name("SPIFFE-ID");
  add->add_option_function<std::string>("--owner", set(&Agent::set_owner<const std::string&>),
                                        "Person or team that is responsible for the agent")
      ->required()
      ->type_name("NAME");
  add->add_option_function<std::string>("--role", set(&Agent::set_role<const std::string&>),
                                        "Purpose of the agent; enrollment rules can match it")
      ->type_name("TEXT");
  add->add_option_function<std::string>("--version", set(&Agent::set_version<const std::string&>),
                                        "Version of its software or model")
      ->type_name("TEXT");
  add->add_option_function<std::string>(
         "--profile", set(&Agent::set_profile<const std::string&>),
         "Profile of its certificates; default: the hierarchy's first")
      ->type_name("NAME");
  add->add_option("--dns", registration->dns_names,
                  "DNS name that its certificates may carry; repeatable")
      ->type_name("NAME");
  add->add_option("--ip", registration->ip_addresses,
                  "IP address that its certificates may carry; repeatable")
      ->type_name("ADDRESS");
  add->callback([&session, &run, registration] {
    run = [&session, registration] { return Register(session, *registration); };
  });
}

}  // namespace

void AddAgentCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand("agent", "Agents: register, list, show");
  noun->require_subcommand(1);
  AddRegister(*noun, session, run);

  CLI::App* const list = noun->add_subcommand("list", "List agents, sorted by SPIFFE ID");
  auto list_options = std::make_shared<ListOptions>();
  list->add_option("--hierarchy", list_options->hierarchy, kOneHierarchy)->type_name("NAME");
  list->add_option("--owner", list_options->owner, "Only agents of this owner")->type_name("NAME");
  list->callback([&session, &run, list_options] {
    run = [&session, list_options] { return List(session, *list_options); };
  });

  CLI::App* const show = noun->add_subcommand("show", "Show one agent");
  auto shown = std::make_shared<std::string>();
  show->add_option("spiffe-id", *shown, "SPIFFE ID of the agent")
      ->required()
      ->type_name("SPIFFE-ID");
  show->callback(
      [&session, &run, shown] { run = [&session, shown] { return Show(session, *shown); }; });
}

}  // namespace cli
