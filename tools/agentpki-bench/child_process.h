#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ca/base/result.h"

namespace bench {

// A program of this machine, as a child. Its end is ours: the destructor sends SIGTERM, waits, and
// after 3 seconds SIGKILL.
class ChildProcess {
 public:
  // Looks `command[0]` up on PATH; what it says, on stdout and stderr, goes to the file `log`.
  // kFailedPrecondition when there is no such program.
  static ca::Result<ChildProcess> Start(const std::vector<std::string>& command,
                                        const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ChildProcess& operator=(ChildProcess&& other) = delete;

  pid_t pid() const { return pid_; }
  // Waits for its end; its exit code, or 128 and the signal's number.
  int Wait();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;  // 0 once it was waited for
};

// Starts it, waits for it. kFailedPrecondition with what it said when it fails.
ca::Result<std::string> OutputOf(const std::vector<std::string>& command,
                                 const std::filesystem::path& log);

// Made with an unguessable name, readable by us alone; removed with all that is in it.
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
