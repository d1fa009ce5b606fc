#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ca/base/result.h"

namespace bench {

// A child process. The destructor ends it: SIGTERM, then SIGKILL after 3 seconds.
class ChildProcess {
 public:
  // Looks `command[0]` up on PATH. Its stdout and stderr go to the file `log`. kFailedPrecondition
  // if there is no such program.
  static ca::Result<ChildProcess> Start(const std::vector<std::string>& command,
                                        const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ChildProcess& operator=(ChildProcess&& other) = delete;

  pid_t pid() const { return pid_; }
  // Waits until it ends. Returns its exit code, or 128 plus the number of the signal that ended it.
  int Wait();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;  // 0 after Wait() and in a moved-from object
};

// Runs a program to its end, and returns its output. kFailedPrecondition, with the output, if it
// fails.
ca::Result<std::string> OutputOf(const std::vector<std::string>& command,
                                 const std::filesystem::path& log);

// A folder with an unguessable name that only this user can read. The destructor removes it with
// all its files.
class TemporaryFolder {
 public:
  static ca::Result<TemporaryFolder> Make();
  ~TemporaryFolder();
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) = delete;

  const std::filesystem::path& path() const { return path_; }
  ca::Status Write(const std::string& name, std::string_view content) const;

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace bench
