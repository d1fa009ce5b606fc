#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "ca/base/rules.h"
#include "ca/model/join_token.h"
#include "tools/agentpki/commands.h"

namespace {

// 64 and 75 are EX_USAGE and EX_TEMPFAIL of sysexits.h.
constexpr int kExitRefused = 1;
constexpr int kExitDiffers = 2;
constexpr int kExitUsage = 64;
constexpr int kExitTryAgain = 75;

constexpr char kDescription[] =
    "agentpki gives each AI agent its own identity: short-lived X.509 certificates.\n\n"
    "An operator registers an agent and creates a join token. The agent enrolls with the token and "
    "then renews its certificate:\n\n"
    "  agentpki agent register SPIFFE-ID --owner TEAM\n"
    "  agentpki token create --agent SPIFFE-ID > FILE\n"
    "  agentpki cert enroll --token-file FILE --out DIR\n"
    "  agentpki cert renew DIR";
constexpr char kFooter[] =
    "Exit status:\n"
    "  0   done\n"
    "  1   refused or failed\n"
    "  2   'hierarchy plan --check' found changes, or 'policy replay' found requests that the\n"
    "      file decides differently\n"
    "  64  wrong usage\n"
    "  75  try again later: the server is unavailable or busy, another operator must approve, or\n"
    "      the owner of an external root must sign";

// Overwrites join tokens in the arguments, so that `ps` no longer shows them.
void HideTokens(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* const token = std::strstr(argv[i], ca::JoinToken::kPrefix.data());
    if (token) std::memset(token, 'x', std::strlen(token));
  }
}

// Returns the first sentence of a description, without its full stop.
std::string FirstSentence(const std::string& text) {
  std::string sentence = text.substr(0, std::min(text.find(". "), text.find("\n\n")));
  if (sentence.ends_with('.')) sentence.pop_back();
  return sentence;
}

// CLI11's format, with an empty line between the description of a command and its usage, and only
// the first sentence of each description in a list of commands.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* app) const override {
    std::stringstream out;
    CLI::detail::format_help(out, app->get_display_name(true),
                             FirstSentence(app->get_description()), column_width_);
    return out.str();
  }

  std::string make_description(const CLI::App* app) const override {
    return CLI::Formatter::make_description(app) + "\n";
  }
};

int Exit(const ca::Status& status) {
  if (status.ok()) return 0;
  const std::string rule = ca::RuleOf(status);
  fmt::print(stderr, "agentpki: {}{}\n", ca::MessageOf(status),
             rule.empty() ? "" : fmt::format(" [{}]", rule));
  if (ca::Is(status, ca::kHierarchyDiffers)) return kExitDiffers;
  const bool is_temporary = ca::Is(status, ca::kApprovalPending) ||
                            ca::Is(status, ca::kHierarchyAwaitsCertificate) ||
                            status.code() == ca::StatusCode::kUnavailable ||
                            status.code() == ca::StatusCode::kResourceExhausted ||
                            status.code() == ca::StatusCode::kCancelled ||
                            status.code() == ca::StatusCode::kDeadlineExceeded;
  return is_temporary ? kExitTryAgain : kExitRefused;
}

}  // namespace

int main(int argc, char** argv) {
  // gRPC's own log lines are not for users: the status says why a call failed.
  setenv("GRPC_VERBOSITY", "NONE", 0);

  CLI::App app(kDescription, "agentpki");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(kFooter);
  app.set_version_flag("--version", AGENTPKI_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // --output and --identity may follow the verb
  cli::Session session;
  session.AddOptions(app);
  cli::Run run;
  cli::AddAgentCommands(app, session, run);
  cli::AddTokenCommands(app, session, run);
  cli::AddApprovalCommands(app, session, run);
  cli::AddAuthorityCommands(app, session, run);
  cli::AddBundleCommands(app, session, run);
  cli::AddCertCommands(app, session, run);
  cli::AddHierarchyCommands(app, session, run);
  cli::AddOperatorCommands(app, session, run);
  cli::AddPolicyCommands(app, session, run);
  cli::AddStatusCommand(app, session, run);
  cli::AddDoctorCommand(app, session, run);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kExitUsage;
  }
  HideTokens(argc, argv);
  return Exit(run());
}
