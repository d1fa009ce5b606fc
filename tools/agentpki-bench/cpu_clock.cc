#include "tools/agentpki-bench/cpu_clock.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace bench {
namespace {

struct ProcessTimes {
  pid_t parent = 0;
  std::chrono::microseconds used{};
};

// proc(5): fields 4, 14 and 15 of /proc/PID/stat. Counted from the end of the name, which may
// contain blanks and parentheses.
std::optional<ProcessTimes> TimesOf(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  ProcessTimes times;
  long user = 0;
  long system = 0;
  fields >> skipped >> times.parent;
  for (int field = 5; field < 14; ++field) fields >> skipped;
  fields >> user >> system;
  times.used = std::chrono::microseconds((user + system) * (1'000'000 / sysconf(_SC_CLK_TCK)));
  return times;
}

std::chrono::microseconds ChildrenOf(pid_t parent) {
  std::chrono::microseconds used{};
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto times = TimesOf(name);
    if (times && times->parent == parent) used += times->used;
  }
  return used;
}

}  // namespace

std::vector<CpuClock::Reading> CpuClock::Read() const {
  std::vector<Reading> readings;
  for (const Group& group : groups_) {
    const auto times = TimesOf(std::to_string(group.pid));
    Reading reading{group.name, times ? times->used : std::chrono::microseconds{}};
    if (group.with_children) reading.used += ChildrenOf(group.pid);
    readings.push_back(std::move(reading));
  }
  return readings;
}

}  // namespace bench
