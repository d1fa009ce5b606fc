#include "tests/fakes/run_program.h"

#include <cstdio>

namespace ca::testing {

ProgramResult RunProgram(const std::string& command) {
  ProgramResult result;
  FILE* const pipe = popen((command + " </dev/null 2>&1").c_str(), "r");
  if (!pipe) return {-1, "popen failed"};
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    result.output.append(buffer, size);
  }
  result.status = pclose(pipe);
  return result;
}

}  // namespace ca::testing
