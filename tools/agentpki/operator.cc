// agentpki operator list|grant|withdraw: the roles of operators.

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
  Table table({"OPERATOR", "ROLE", "SCOPE"});
  for (const Grant& grant : response.grants()) {
    table.Add({grant.operator_(), grant.role(), ScopeText(grant)});
  }
  table.Print();
  return ca::Ok();
}

void PrintGrant(const Session& session, const Grant& grant, const char* verb) {
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(grant));
  } else {
    fmt::print("{} {} {} over {}\n", grant.operator_(), verb, grant.role(), ScopeText(grant));
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
  PrintGrant(session, response.grant(), "is no longer");
  return ca::Ok();
}

}  // namespace

void AddOperatorCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun =
      app.add_subcommand("operator", "Roles of operators: list, grant, withdraw");
  noun->require_subcommand(1);
  CLI::App* const list =
      noun->add_subcommand("list", "List the operators, their roles and the scope of each role");
  list->callback([&session, &run] { run = [&session] { return List(session); }; });

  const auto add = [&](const char* verb, const char* description, auto act) {
    CLI::App* const command = noun->add_subcommand(verb, description);
    auto grant = std::make_shared<Grant>();
    command
        ->add_option("operator", *grant->mutable_operator_(),
                     "Name of the operator, for example alice, or its SPIFFE ID")
        ->required()
        ->type_name("NAME");
    command
        ->add_option("role", *grant->mutable_role(), "Role: admin, registrar, revoker or auditor")
        ->required()
        ->type_name("ROLE");
    auto* const hierarchy =
        command->add_option("--hierarchy", *grant->mutable_hierarchy(),
                            "Over this hierarchy only; default: over all hierarchies");
    hierarchy->type_name("NAME");
    command
        ->add_option("--tenant", *grant->mutable_tenant(),
                     "Over all hierarchies of this tenant, present and future")
        ->type_name("NAME")
        ->excludes(hierarchy);
    command->callback([&session, &run, grant, act] {
      run = [&session, grant, act] { return act(session, *grant); };
    });
  };
  add("grant",
      "Grant a role to an operator, over one hierarchy, one tenant or all hierarchies. It takes "
      "effect at the operator's next call.\n\n"
      "  agentpki operator grant alice registrar --hierarchy acme/prod",
      Add);
  add("withdraw",
      "Withdraw a role from an operator. It takes effect at the operator's next call.\n\n"
      "  agentpki operator withdraw alice registrar --hierarchy acme/prod",
      Remove);
}

}  // namespace cli
