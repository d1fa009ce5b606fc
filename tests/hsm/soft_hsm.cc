#include "tests/hsm/soft_hsm.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>
#include <vector>

namespace hsm::testing {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "SoftHsm: {}\n", what);
  std::abort();
}

fs::path NewFolder() {
  std::string name = (fs::temp_directory_path() / "softhsm.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) Die(fmt::format("mkdtemp {}: {}", name, strerror(errno)));
  return name;
}

// Runs a program to its end. Its error messages go to our stderr.
void Run(std::vector<std::string> words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) Die(fmt::format("{}: {}", words[0], strerror(error)));

  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) Die(fmt::format("waitpid: {}", strerror(errno)));
  }
  if (status != 0) Die(fmt::format("{} ended with status {}", words[0], status));
}

}  // namespace

SoftHsm::SoftHsm() : folder_(NewFolder()) {
  fs::create_directory(token_folder());
  std::ofstream(config_file()) << "directories.tokendir = " << token_folder().string() << "\n"
                               << "objectstore.backend = file\n"
                               << "log.level = ERROR\n";
  setenv("SOFTHSM2_CONF", config_file().c_str(), 1);
}

SoftHsm::~SoftHsm() {
  unsetenv("SOFTHSM2_CONF");
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void SoftHsm::InitToken(const std::string& label, const std::string& pin) {
  std::set<std::string> before;
  for (const auto& entry : fs::directory_iterator(token_folder())) before.insert(entry.path());
  Run({"softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", kSoPin, "--pin",
       pin});
  for (const auto& entry : fs::directory_iterator(token_folder())) {
    if (!before.contains(entry.path())) names_[label] = entry.path().filename();
  }
}

TokenOptions SoftHsm::Options(const std::string& label, const std::string& pin) {
  TokenOptions options;
  options.module_path = ModulePath();
  options.token_label = label;
  options.read_pin = [pin] { return ca::Secret(pin); };
  return options;
}

void SoftHsm::TakeTokensAway() { fs::rename(token_folder(), folder_ / "away"); }
void SoftHsm::PutTokensBack() { fs::rename(folder_ / "away", token_folder()); }

void SoftHsm::TakeAway(const std::string& label) {
  fs::rename(token_folder() / names_.at(label), folder_ / label);
}
void SoftHsm::PutBack(const std::string& label) {
  fs::rename(folder_ / label, token_folder() / names_.at(label));
}

std::string SoftHsm::ModulePath() {
  // Debian's link, and the path on Fedora and others.
  for (const char* path : {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
                           "/usr/lib64/pkcs11/libsofthsm2.so"}) {
    if (fs::exists(path)) return path;
  }
  Die("libsofthsm2.so is not installed; run: apt-get install softhsm2");
}

}  // namespace hsm::testing
