// agentpki token create|list|revoke: one-time enrollment credentials.

#include "agentpki/v1/registry.grpc.pb.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::JoinToken;
using agentpki::v1::RegistryService;

std::string StateText(const JoinToken& token) {
  std::string text = JoinToken::State_Name(token.state());
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

struct CreateOptions {
  std::string agent;
  std::string lifetime;
};

// Only the token goes to standard output, so that it can be redirected to a file.
ca::Status Create(const Session& session, const CreateOptions& options) {
  agentpki::v1::CreateJoinTokenRequest request;
  request.set_spiffe_id(options.agent);
  if (!options.lifetime.empty()) {
    const auto lifetime = ca::ParseDuration(options.lifetime);
    if (!lifetime.ok()) return ca::Annotate(lifetime.status(), "--lifetime: ");
    request.mutable_lifetime()->set_seconds(lifetime->count());
  }
  RegistryService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&RegistryService::Stub::CreateJoinToken, stub, request));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(response));
    return ca::Ok();
  }
  const JoinToken& token = response.join_token();
  fmt::print("{}\n", response.token());
  fmt::print(stderr,
             "Join token {} for {} works once, until {}. On the agent's machine, run:\n"
             "  agentpki cert enroll --token-file FILE --out DIR\n",
             token.id(), token.spiffe_id(), TimeText(token.expires_at()));
  return ca::Ok();
}

struct ListOptions {
  std::string hierarchy;
  std::string agent;
};

ca::Status List(const Session& session, const ListOptions& options) {
  const auto channel = TRY(session.Open());
  RegistryService::Stub stub(channel);
  const auto hierarchies = TRY(session.Hierarchies(channel, options.hierarchy));
  google::protobuf::RepeatedPtrField<JoinToken> tokens;
  for (const std::string& hierarchy : hierarchies) {
    TRY(ForEachPage(
        [&](const std::string& page_token) {
          agentpki::v1::ListJoinTokensRequest request;
          request.set_hierarchy(hierarchy);
          request.set_spiffe_id(options.agent);
          request.set_page_size(1000);
          request.set_page_token(page_token);
          return session.Call(&RegistryService::Stub::ListJoinTokens, stub, request);
        },
        [&](const agentpki::v1::ListJoinTokensResponse& page) {
          tokens.MergeFrom(page.join_tokens());
        }));
  }
  if (session.format() == Format::kJson) {
    PrintJsonArray(tokens);
    return ca::Ok();
  }
  Table table({"ID", "AGENT", "STATE", "CREATED BY", "EXPIRES", "USED"});
  for (const JoinToken& token : tokens) {
    table.Add({token.id(), token.spiffe_id(), StateText(token), token.created_by(),
               TimeText(token.expires_at()), TimeText(token.used_at())});
  }
  table.Print();
  return ca::Ok();
}

struct RevokeOptions {
  std::string id;
  std::string hierarchy;
};

// An id does not name its hierarchy, so this tries each hierarchy until one knows the id.
ca::Status Revoke(const Session& session, const RevokeOptions& options) {
  const auto channel = TRY(session.Open());
  RegistryService::Stub stub(channel);
  const auto hierarchies = TRY(session.Hierarchies(channel, options.hierarchy));
  for (const std::string& hierarchy : hierarchies) {
    agentpki::v1::RevokeJoinTokenRequest request;
    request.set_hierarchy(hierarchy);
    request.set_id(options.id);
    const auto response = session.Call(&RegistryService::Stub::RevokeJoinToken, stub, request);
    if (response.status().code() == ca::StatusCode::kNotFound) continue;
    if (!response.ok()) return response.status();
    if (session.format() == Format::kJson) {
      fmt::print("{}\n", ToJson(response->join_token()));
    } else {
      fmt::print("join token {} of {} is {}\n", options.id, response->join_token().spiffe_id(),
                 StateText(response->join_token()));
    }
    return ca::Ok();
  }
  return ca::Error(ca::StatusCode::kNotFound,
                   "id: no join token has the id '{}'; to list them, run: agentpki token list",
                   ca::Printable(options.id));
}

}  // namespace

void AddTokenCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun =
      app.add_subcommand("token",
                         "Join tokens, one-time enrollment credentials: create, list, "
                         "revoke");
  noun->require_subcommand(1);

  CLI::App* const create =
      noun->add_subcommand("create",
                           "Create a join token for a registered agent, and print it. The token "
                           "works once, for this agent only. It carries the server's address and "
                           "root fingerprint. It is secret: keep it in a file.\n\n"
                           "  (umask 077 && agentpki token create --agent SPIFFE-ID > FILE)");
  auto create_options = std::make_shared<CreateOptions>();
  create->add_option("--agent", create_options->agent, "SPIFFE ID of the agent")
      ->required()
      ->type_name("SPIFFE-ID");
  create
      ->add_option("--lifetime", create_options->lifetime,
                   "Time until the token expires, 1m to 7d; default: 1h")
      ->type_name("DURATION");
  create->callback([&session, &run, create_options] {
    run = [&session, create_options] { return Create(session, *create_options); };
  });

  CLI::App* const list =
      noun->add_subcommand("list", "List join tokens, used and unused, without their secrets");
  auto list_options = std::make_shared<ListOptions>();
  list->add_option("--hierarchy", list_options->hierarchy, kOneHierarchy)->type_name("NAME");
  list->add_option("--agent", list_options->agent, "Only join tokens of this agent")
      ->type_name("SPIFFE-ID");
  list->callback([&session, &run, list_options] {
    run = [&session, list_options] { return List(session, *list_options); };
  });

  CLI::App* const revoke = noun->add_subcommand("revoke", "Revoke an unused join token");
  auto revoke_options = std::make_shared<RevokeOptions>();
  revoke->add_option("id", revoke_options->id, "Id of the join token, from 'agentpki token list'")
      ->required()
      ->type_name("ID");
  revoke
      ->add_option("--hierarchy", revoke_options->hierarchy,
                   "Hierarchy of the join token; default: search all")
      ->type_name("NAME");
  revoke->callback([&session, &run, revoke_options] {
    run = [&session, revoke_options] { return Revoke(session, *revoke_options); };
  });
}

}  // namespace cli
