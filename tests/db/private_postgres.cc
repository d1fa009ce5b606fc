#include "tests/db/private_postgres.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <vector>

#include "db/migration.h"
#include "tests/fakes/must.h"

namespace db::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kProgram[] = PRIVATE_POSTGRES;
constexpr char kTemplate[] = "agentpki_template";

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "PrivatePostgres: {}\n", what);
  std::abort();
}

fs::path NewFolder() {
  std::string name = (fs::temp_directory_path() / "agentpki-test.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) Die(fmt::format("mkdtemp {}: {}", name, strerror(errno)));
  // PostgreSQL does not run as root, and its own user has to walk through.
  fs::permissions(name, fs::perms(0711));
  return name;
}

// Starts a program that reads `input` and writes to the file `output`.
pid_t Spawn(std::vector<std::string> words, int input, const fs::path& output) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // A session of its own: Ctrl-C and ctest's time-out are not for it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) Die(fmt::format("{}: {}", words[0], strerror(error)));
  return child;
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) Die(fmt::format("waitpid: {}", strerror(errno)));
  }
  return status;
}

// Runs tools/private-postgres to its end and returns what it said.
std::string Run(std::vector<std::string> words) {
  words.insert(words.begin(), kProgram);
  const fs::path folder = words.back();
  const fs::path output = folder / "said";
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int status = WaitFor(Spawn(words, nothing, output));
  close(nothing);
  std::ifstream file(output);
  std::string said{std::istreambuf_iterator<char>(file), {}};
  if (status != 0) Die(fmt::format("{} {}: {}", kProgram, words[1], said));
  return said;
}

void Execute(const Endpoint& endpoint, const std::vector<std::string>& statements) {
  pqxx::connection connection(endpoint.conninfo);
  for (const std::string& sql : statements) pqxx::nontransaction(connection).exec(sql);
}

// As deploy and tools/dev make one: nobody but the two roles has anything to do with it.
std::vector<std::string> CreateDatabase(const std::string& name, const std::string& options) {
  return {"CREATE DATABASE " + name + " OWNER agentpki_owner " + options,
          "REVOKE ALL ON DATABASE " + name + " FROM PUBLIC",
          "GRANT CONNECT ON DATABASE " + name + " TO agentpki_server"};
}

std::string NewName() {
  static std::atomic<int> count = 0;
  return fmt::format("test_{}", ++count);
}

std::unique_ptr<PrivatePostgres>& SharedPointer() {
  static std::unique_ptr<PrivatePostgres> shared;
  return shared;
}

class DestroysTheSharedOne final : public ::testing::Environment {
 public:
  void TearDown() override { SharedPointer().reset(); }
};
[[maybe_unused]] const auto* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new DestroysTheSharedOne());

}  // namespace

PrivatePostgres::PrivatePostgres() : folder_(NewFolder()) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) Die("pipe2");
  alive_ = pipe_ends[1];
  // Not in the folder, which it removes.
  undertaker_ =
      Spawn({"bash", "-c", "cat; \"$0\" destroy \"$1\"; rm -rf \"$1\"", kProgram, folder_.string()},
            pipe_ends[0], "/dev/null");
  close(pipe_ends[0]);

  Start();
  Execute(EndpointOf("postgres", "postgres"),
          {"CREATE ROLE agentpki_owner LOGIN", "CREATE ROLE agentpki_server LOGIN",
           // --fast would keep commits in memory for a while; so they are written before they are
           // acknowledged, and only not flushed.
           "ALTER ROLE ALL SET synchronous_commit = on"});
  Execute(EndpointOf("postgres", "postgres"), CreateDatabase(kTemplate, ""));
  ca::testing::Must(Migrate(EndpointOf(kTemplate, "agentpki_owner")).status());
}

PrivatePostgres::~PrivatePostgres() {
  close(alive_);
  WaitFor(undertaker_);
}

PrivatePostgres& PrivatePostgres::Shared() {
  auto& shared = SharedPointer();
  if (!shared) shared = std::make_unique<PrivatePostgres>();
  return *shared;
}

void PrivatePostgres::Kill() { Run({"kill", folder_.string()}); }

void PrivatePostgres::Start() {
  Run({"start", "--fast", folder_.string()});
  const std::string url = Run({"url", folder_.string()});
  host_ = url.substr(0, url.find(' '));
}

Endpoint PrivatePostgres::EndpointOf(const std::string& database, const std::string& role) const {
  return {fmt::format("{} dbname={} user={}", host_, database, role)};
}

TestDatabase::TestDatabase(PrivatePostgres& postgres) : postgres_(postgres), name_(NewName()) {
  Execute(postgres_.EndpointOf("postgres", "postgres"),
          CreateDatabase(name_, fmt::format("TEMPLATE {}", kTemplate)));
}

TestDatabase::~TestDatabase() {
  superuser_.reset();
  Execute(postgres_.EndpointOf("postgres", "postgres"),
          {fmt::format("DROP DATABASE {} WITH (FORCE)", name_)});
}

pqxx::result TestDatabase::Query(const std::string& sql) {
  if (!superuser_) {
    superuser_ =
        std::make_unique<pqxx::connection>(postgres_.EndpointOf(name_, "postgres").conninfo);
    pqxx::nontransaction(*superuser_).exec("SET TimeZone = 'UTC'");
  }
  return pqxx::nontransaction(*superuser_).exec(sql);
}

void TestDatabase::Empty() {
  // As a replica, it checks no foreign keys: the order of tables does not matter.
  Query(R"(
    SET session_replication_role = replica;
    DO $$
    DECLARE name regclass;
    BEGIN
      FOR name IN
        SELECT oid FROM pg_class
         WHERE relnamespace = 'agentpki'::regnamespace AND relkind IN ('r', 'p')
           AND NOT relispartition AND relname <> 'retention'
      LOOP
        EXECUTE format('DELETE FROM %s', name);
      END LOOP;
    END $$;
    SET session_replication_role = DEFAULT)");
}

std::string NewEmptyDatabase(PrivatePostgres& postgres) {
  const std::string name = NewName();
  Execute(postgres.EndpointOf("postgres", "postgres"), CreateDatabase(name, ""));
  return name;
}

}  // namespace db::testing
