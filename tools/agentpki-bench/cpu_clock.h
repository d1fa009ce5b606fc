#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace bench {

// The processor time that groups of processes have used, from /proc.
class CpuClock {
 public:
  struct Group {
    std::string name;
    pid_t pid = 0;
    bool with_children = false;  // PostgreSQL's backends are children of its first process
  };

  explicit CpuClock(std::vector<Group> groups) : groups_(std::move(groups)) {}

  struct Reading {
    std::string name;
    std::chrono::microseconds used;
  };
  // Since each process started. Children that have ended are not counted.
  std::vector<Reading> Read() const;

 private:
  std::vector<Group> groups_;
};

}  // namespace bench
