#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/agentpki-bench/issue.h"

int main(int argc, char** argv) {
  setenv("GRPC_VERBOSITY", "NONE", 0);
  CLI::App app(
      "Measures a running agentpki-server, beside a baseline of the same run. `tools/dev bench` "
      "calls "
      "it for the server that `tools/dev up` started.",
      "agentpki-bench");
  app.require_subcommand(1);
  bench::IssueOptions options;
  pid_t server_pid = 0;
  pid_t postgres_pid = 0;
  int seconds = static_cast<int>(options.duration.count());

  CLI::App* const issue = app.add_subcommand(
      "issue", "Certificates a second, in a closed loop of agents with long-lived mTLS channels");
  issue->add_option("--identity", options.identity, "The folder of an operator's credentials")
      ->envname("AGENTPKI_IDENTITY")
      ->required()
      ->type_name("DIR");
  issue->add_option("--trust-domain", options.trust_domain, "Where the agents are registered")
      ->required()
      ->type_name("NAME");
  issue->add_option("--concurrency", options.concurrency, "How many agents, level by level")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024))
      ->type_name("N,N,...")
      ->default_str("1,8,64");
  issue->add_option("--seconds", seconds, "How long each level is measured")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  issue->add_option("--server-pid", server_pid, "Whose processor time to count")->type_name("PID");
  issue->add_option("--postgres-pid", postgres_pid, "The first process of PostgreSQL")
      ->type_name("PID");
  bool json = false;
  issue->add_flag("--json", json, "Print JSON");
  CLI11_PARSE(app, argc, argv);

  options.duration = std::chrono::seconds(seconds);
  options.format = json ? client::Format::kJson : client::Format::kTable;
  if (server_pid != 0) options.processes.push_back({"server", server_pid, false});
  if (postgres_pid != 0) options.processes.push_back({"postgres", postgres_pid, true});
  options.processes.push_back({"bench", getpid(), false});
  const ca::Status status = bench::RunIssue(options);
  if (status.ok()) return 0;
  fmt::print(stderr, "agentpki-bench: {}\n", ca::MessageOf(status));
  return 1;
}
