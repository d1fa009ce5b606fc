#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/agentpki-bench/crl.h"
#include "tools/agentpki-bench/issue.h"
#include "tools/agentpki-bench/ocsp.h"

namespace {

// The arguments that all sub-commands have.
struct Arguments {
  bench::CommonOptions common;
  pid_t server_pid = 0;
  pid_t postgres_pid = 0;
  int seconds = static_cast<int>(common.duration.count());
  bool json = false;

  void AddTo(CLI::App& command) {
    command.add_option("--identity", common.identity, "The folder of an operator's credentials")
        ->envname("AGENTPKI_IDENTITY")
        ->required()
        ->type_name("DIR");
    command
        .add_option("--trust-domain", common.trust_domain,
                    "The trust domain in which the agents are registered")
        ->required()
        ->type_name("NAME");
    command.add_option("--seconds", seconds, "How long each measurement takes, in seconds")
        ->check(CLI::Range(1, 600))
        ->capture_default_str();
    command
        .add_option("--server-pid", server_pid, "The server's process, to count its processor time")
        ->type_name("PID");
    command
        .add_option("--postgres-pid", postgres_pid,
                    "PostgreSQL's first process, to count its processor time")
        ->type_name("PID");
    command.add_flag("--json", json, "Print JSON");
  }

  bench::CommonOptions Options() const {
    bench::CommonOptions options = common;
    options.duration = std::chrono::seconds(seconds);
    options.format = json ? client::Format::kJson : client::Format::kTable;
    if (server_pid != 0) options.processes.push_back({"server", server_pid, false});
    if (postgres_pid != 0) options.processes.push_back({"postgres", postgres_pid, true});
    options.processes.push_back({"bench", getpid(), false});
    return options;
  }
};

}  // namespace

int main(int argc, char** argv) {
  setenv("GRPC_VERBOSITY", "NONE", 0);
  CLI::App app(
      "Measures a running agentpki-server, and baselines in the same run. `tools/dev bench` "
      "runs it for the server that `tools/dev up` started.",
      "agentpki-bench");
  app.require_subcommand(1);
  Arguments arguments;

  CLI::App* const issue = app.add_subcommand(
      "issue",
      "Measure certificates a second, in a closed loop of agents with long-lived mTLS channels");
  bench::IssueOptions issue_options;
  arguments.AddTo(*issue);
  issue
      ->add_option("--concurrency", issue_options.concurrency,
                   "Numbers of agents, measured one after the other")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024))
      ->type_name("N,N,...")
      ->default_str("1,8,64");

  CLI::App* const ocsp = app.add_subcommand(
      "ocsp", "Measure OCSP answers a second, beside nginx, cfssl ocspserve and openssl ocsp");
  arguments.AddTo(*ocsp);

  CLI::App* const crl = app.add_subcommand("crl",
                                           "Measure the time from a revocation to OCSP and CRL, "
                                           "and CRL downloads a second beside nginx");
  bench::CrlOptions crl_options;
  arguments.AddTo(*crl);
  crl->add_option("--certificates", crl_options.certificates,
                  "How many certificates are revoked at once")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  crl->add_option("--singles", crl_options.singles, "How many certificates are revoked one by one")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  static_cast<bench::CommonOptions&>(issue_options) = arguments.Options();
  static_cast<bench::CommonOptions&>(crl_options) = arguments.Options();
  const ca::Status status = *issue  ? bench::RunIssue(issue_options)
                            : *ocsp ? bench::RunOcsp(arguments.Options())
                                    : bench::RunCrl(crl_options);
  if (status.ok()) return 0;
  fmt::print(stderr, "agentpki-bench: {}\n", ca::MessageOf(status));
  return 1;
}
