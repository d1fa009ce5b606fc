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

// The token alone goes to stdout, so that it can go to a file and nowhere else.
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
             "Join token {} for {}: works once, until {}. On the agent's machine:\n"
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

// An id alone does not say in which hierarchy it is; it is revoked where it is found.
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
                   "no join token has the id '{}'; see: agentpki token list",
                   ca::Printable(options.id));
}

}  // namespace

void AddTokenCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun =
      app.add_subcommand("token", "Join tokens: one-time enrollment credentials");
  noun->require_subcommand(1);

  CLI::App* const create =
      noun->add_subcommand("create",
                           "Create a join token for a registered agent and print it, once. It "
                           "works once, for that agent "
                           "alone, and carries the server's address and fingerprint.\n\n"
                           "  (umask 077 && agentpki token create --agent SPIFFE-ID > FILE)");
  auto create_options = std::make_shared<CreateOptions>();
  create->add_option("--agent", create_options->agent, "The agent it is for")
      ->required()
      ->type_name("SPIFFE-ID");
  create->add_option("--lifetime", create_options->lifetime, "From 1m to 7d; default: 1h")
      ->type_name("DURATION");
  create->callback([&session, &run, create_options] {
    run = [&session, create_options] { return Create(session, *create_options); };
  });

  CLI::App* const list =
      noun->add_subcommand("list", "List join tokens, used and unused; never their secrets");
  auto list_options = std::make_shared<ListOptions>();
  list->add_option("--hierarchy", list_options->hierarchy, "Only of this one, such as acme/prod")
      ->type_name("NAME");
  list->add_option("--agent", list_options->agent, "Only of this agent")->type_name("SPIFFE-ID");
  list->callback([&session, &run, list_options] {
    run = [&session, list_options] { return List(session, *list_options); };
  });

  CLI::App* const revoke =
      noun->add_subcommand("revoke", "Revoke a join token that is not used yet");
  auto revoke_options = std::make_shared<RevokeOptions>();
  revoke->add_option("id", revoke_options->id, "Its id, from 'agentpki token list'")
      ->required()
      ->type_name("ID");
  revoke
      ->add_option("--hierarchy", revoke_options->hierarchy,
                   "Where it is; default: look everywhere")
      ->type_name("NAME");
  revoke->callback([&session, &run, revoke_options] {
    run = [&session, revoke_options] { return Revoke(session, *revoke_options); };
  });
}

}  // namespace cli
