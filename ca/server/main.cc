#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "ca/base/core_dumps.h"
#include "ca/server/run/config.h"
#include "ca/server/run/init.h"
#include "ca/server/run/server.h"
#include "db/connection.h"
#include "db/migration.h"

namespace {

using ca::Error;
using ca::Status;
using ca::StatusCode;

void LogToStderr() {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("agentpki"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::flush_on(spdlog::level::info);
}

Status RunMigrate(const server::Config& config) {
  if (config.database_owner.empty()) {
    return Error(StatusCode::kFailedPrecondition,
                 "database: owner: it is missing; migrating needs the schema's owner");
  }
  const auto applied = TRY(db::Migrate({config.database_owner}));
  for (const std::string& name : applied) fmt::print("applied {}\n", name);
  if (applied.empty()) fmt::print("the schema is up to date\n");
  return ca::Ok();
}

// After kUnavailable a supervisor tries again, so it has its own status. The rest needs a person.
int Exit(const Status& status) {
  if (status.ok()) return 0;
  fmt::print(stderr, "agentpki-server: {}\n", ca::MessageOf(status));
  return status.code() == StatusCode::kUnavailable ? 75 : 1;  // EX_TEMPFAIL of sysexits.h
}

}  // namespace

int main(int argc, char** argv) {
  ca::ForbidCoreDumps();
  LogToStderr();

  CLI::App app(
      "agentpki-server issues short-lived certificates to AI agents. Its keys never leave the HSM, "
      "and PostgreSQL holds a record of everything.");
  app.set_version_flag("--version", AGENTPKI_VERSION);
  app.require_subcommand(1);
  std::string config_file;
  const auto add_command = [&](const std::string& name, const std::string& description) {
    CLI::App* const command = app.add_subcommand(name, description);
    command->add_option("--config", config_file, "The server's configuration, in YAML")
        ->required()
        ->type_name("FILE");
    return command;
  };
  CLI::App* const migrate =
      add_command("migrate", "Bring the database schema up to date, as its owner. Safe to repeat.");
  CLI::App* const init = add_command("init",
                                     "Make the system hierarchy, a first operator and a first "
                                     "hierarchy. Keeps what exists. Run it "
                                     "again if operators are locked out.");
  CLI::App* const run = add_command("run", "Serve until SIGTERM.");
  server::InitOptions options;
  init->add_option("--hierarchy", options.hierarchy_file, "A hierarchy to make, in YAML")
      ->type_name("FILE");
  init->add_option("--operator", options.operator_name, "The operator's name")
      ->type_name("NAME")
      ->capture_default_str();
  init->add_option("--operator-out", options.operator_folder,
                   "Folder for the operator's key and certificate")
      ->type_name("DIR");
  CLI11_PARSE(app, argc, argv);

  const auto config = server::LoadConfig(config_file);
  if (!config.ok()) return Exit(config.status());
  if (migrate->parsed()) return Exit(RunMigrate(*config));
  if (init->parsed()) return Exit(server::RunInit(*config, options));
  if (run->parsed()) return Exit(server::RunServer(*config));
  return 0;
}
