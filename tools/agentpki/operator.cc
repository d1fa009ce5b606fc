// agentpki operator list|grant|withdraw: who may do what.

#include "agentpki/v1/operator.grpc.pb.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::Grant;
using agentpki::v1::OperatorService;

std::string ScopeText(const Grant& grant) {
  if (!grant.hierarchy().empty()) return grant.hierarchy();
  return grant.tenant().empty() ? "*" : grant.tenant() + "/*";
}

ca::Status List(const Session& session) {
  OperatorService::Stub stub(TRY(session.Open()));
  const auto response = TRY(
      session.Call(&OperatorService::Stub::ListGrants, stub, agentpki::v1::ListGrantsRequest()));
  if (session.format() == Format::kJson) {
    PrintJsonArray(response.grants());
    return ca::Ok();
  }
  Table table({"OPERATOR", "ROLE", "OVER"});
  for (const Grant& grant : response.grants()) {
    table.Add({grant.operator_(), grant.role(), ScopeText(grant)});
  }
  table.Print();
  return ca::Ok();
}

void PrintGrant(const Session& session, const Grant& grant, const char* now) {
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(grant));
  } else {
    fmt::print("{} {} {} over {}\n", grant.operator_(), now, grant.role(), ScopeText(grant));
  }
}

ca::Status Add(const Session& session, const Grant& grant) {
  OperatorService::Stub stub(TRY(session.Open()));
  agentpki::v1::AddGrantRequest request;
  *request.mutable_grant() = grant;
  const auto response = TRY(session.Call(&OperatorService::Stub::AddGrant, stub, request));
  PrintGrant(session, response.grant(), "is");
  return ca::Ok();
}

ca::Status Remove(const Session& session, const Grant& grant) {
  OperatorService::Stub stub(TRY(session.Open()));
  agentpki::v1::RemoveGrantRequest request;
  *request.mutable_grant() = grant;
  const auto response = TRY(session.Call(&OperatorService::Stub::RemoveGrant, stub, request));
  PrintGrant(session, response.grant(), "is no more");
  return ca::Ok();
}

}  // namespace

void AddOperatorCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "operator", "Operators and their roles, which are looked up at each of their calls");
  noun->require_subcommand(1);
  CLI::App* const list = noun->add_subcommand("list", "List who may do what, over what");
  list->callback([&session, &run] { run = [&session] { return List(session); }; });

  const auto add = [&](const char* verb, const char* description, auto act) {
    CLI::App* const command = noun->add_subcommand(verb, description);
    auto grant = std::make_shared<Grant>();
    command
        ->add_option("operator", *grant->mutable_operator_(),
                     "The operator's name, such as alice, or its SPIFFE ID")
        ->required()
        ->type_name("NAME");
    command->add_option("role", *grant->mutable_role(), "admin, registrar, revoker or auditor")
        ->required()
        ->type_name("ROLE");
    auto* const hierarchy =
        command->add_option("--hierarchy", *grant->mutable_hierarchy(), "Over this one alone");
    hierarchy->type_name("NAME");
    command
        ->add_option("--tenant", *grant->mutable_tenant(),
                     "Over all hierarchies of this tenant, also those to come")
        ->type_name("NAME")
        ->excludes(hierarchy);
    command->callback([&session, &run, grant, act] {
      run = [&session, grant, act] { return act(session, *grant); };
    });
  };
  add("grant",
      "Give an operator a role: over one hierarchy, over a tenant, or over all there are.\n\n"
      "  agentpki operator grant alice registrar --hierarchy acme/prod",
      Add);
  add("withdraw", "Take a role from an operator; it acts from its next call on", Remove);
}

}  // namespace cli
