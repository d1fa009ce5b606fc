// agentpki authority taint|revoke: an issuing authority that must not issue any more.

#include "agentpki/v1/authority.grpc.pb.h"
#include "tools/agentpki/authority_text.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::Authority;
using agentpki::v1::AuthorityService;

void PrintSuccession(const Authority& authority, const Session& session) {
  if (session.format() == Format::kJson || authority.state() != "active") return;
  fmt::print(
      "\nThe successor takes over within 30 seconds; to check, run: agentpki authority list\n");
}

ca::Status Taint(const Session& session, const agentpki::v1::TaintAuthorityRequest& request) {
  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&AuthorityService::Stub::TaintAuthority, stub, request));
  PrintAuthority(response.authority(), session);
  PrintSuccession(response.authority(), session);
  return ca::Ok();
}

struct RevokeOptions {
  agentpki::v1::RevokeAuthorityRequest request;
  bool yes = false;
};

ca::Status Revoke(const Session& session, const RevokeOptions& options) {
  if (!options.yes) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "--yes: missing; this revokes {} and every certificate that it issued, for "
                     "good, and their agents then need join tokens (to list them: agentpki cert "
                     "revoke --authority {} --dry-run)",
                     options.request.authority(), options.request.authority());
  }
  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response =
      TRY(session.Call(&AuthorityService::Stub::RevokeAuthority, stub, options.request));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(response));
    return ca::Ok();
  }
  PrintAuthority(response.authority(), session);
  fmt::print("\n{} certificates of agents revoked\n", response.revoked_count());
  PrintSuccession(response.authority(), session);
  return ca::Ok();
}

void AddTaint(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const taint = noun.add_subcommand(
      "taint",
      "Stop an authority from issuing, for good. If it is active, its successor takes over within "
      "30 seconds. The certificates that it issued stay valid.\n\n"
      "  agentpki authority taint acme/prod/issuing/2 --reason 'HSM firmware advisory'");
  auto tainted = std::make_shared<agentpki::v1::TaintAuthorityRequest>();
  taint
      ->add_option_function<std::string>(
          "authority", [tainted](const std::string& name) { tainted->set_authority(name); },
          "Name of the issuing authority, from 'agentpki authority list'")
      ->required()
      ->type_name("NAME");
  taint
      ->add_option_function<std::string>(
          "--reason", [tainted](const std::string& text) { tainted->set_reason(text); },
          "Reason, for the record")
      ->required()
      ->type_name("TEXT");
  taint->callback([&session, &run, tainted] {
    run = [&session, tainted] { return Taint(session, *tainted); };
  });
}

void AddRevoke(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const revoke = noun.add_subcommand(
      "revoke",
      "Taint an authority, and revoke it and every certificate that it issued. If it is active, "
      "its hierarchy issues nothing until the successor takes over, within 30 seconds.\n\n"
      "  agentpki authority revoke acme/prod/issuing/2 --note 'token was stolen' --yes");
  auto options = std::make_shared<RevokeOptions>();
  revoke
      ->add_option_function<std::string>(
          "authority", [options](const std::string& name) { options->request.set_authority(name); },
          "Name of the issuing authority, from 'agentpki authority list'")
      ->required()
      ->type_name("NAME");
  revoke
      ->add_option_function<std::string>(
          "--note", [options](const std::string& text) { options->request.set_note(text); },
          "Reason, for the record")
      ->required()
      ->type_name("TEXT");
  revoke
      ->add_option_function<std::string>(
          "--reason", [options](const std::string& name) { options->request.set_reason(name); },
          "Reason of RFC 5280, for relying parties; default: cACompromise")
      ->type_name("REASON");
  revoke->add_flag("--yes", options->yes, "Required: a revocation is final");
  revoke->callback([&session, &run, options] {
    run = [&session, options] { return Revoke(session, *options); };
  });
}

}  // namespace

void AddTaintCommands(CLI::App& noun, const Session& session, Run& run) {
  AddTaint(noun, session, run);
  AddRevoke(noun, session, run);
}

}  // namespace cli
