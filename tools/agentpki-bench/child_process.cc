#include "tools/agentpki-bench/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace bench {

using ca::Error;
using ca::Result;
using ca::StatusCode;

Result<ChildProcess> ChildProcess::Start(const std::vector<std::string>& command,
                                         const std::filesystem::path& log) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error == 0) return ChildProcess(pid);
  return Error(StatusCode::kFailedPrecondition, "'{}' cannot be started: {}", command[0],
               std::strerror(error));
}

ChildProcess::~ChildProcess() {
  if (pid_ == 0) return;
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < deadline) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  // openssl ocsp -multi leads a group of its own, and its children would outlive it.
  kill(getpgid(pid_) == pid_ ? -pid_ : pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

int ChildProcess::Wait() {
  int status = 0;
  waitpid(std::exchange(pid_, 0), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<std::string> OutputOf(const std::vector<std::string>& command,
                             const std::filesystem::path& log) {
  auto child = TRY(ChildProcess::Start(command, log));
  const int code = child.Wait();
  std::ostringstream output;
  output << std::ifstream(log).rdbuf();
  if (code == 0) return output.str();
  return Error(StatusCode::kFailedPrecondition, "'{}' ended with exit code {}: {}", command[0],
               code, output.str());
}

Result<TemporaryFolder> TemporaryFolder::Make() {
  std::string path = std::filesystem::temp_directory_path() / "agentpki-bench.XXXXXX";
  if (mkdtemp(path.data()) != nullptr) return TemporaryFolder(path);
  return Error(StatusCode::kFailedPrecondition, "no temporary folder can be made at {}: {}", path,
               std::strerror(errno));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

ca::Status TemporaryFolder::Write(const std::string& name, std::string_view content) const {
  std::ofstream file(path_ / name, std::ios::binary);
  if (file << content << std::flush) return ca::Ok();
  return Error(StatusCode::kFailedPrecondition, "{} cannot be written", (path_ / name).string());
}

}  // namespace bench
