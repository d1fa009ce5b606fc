#pragma once

#include <string>

namespace ca::testing {

struct ProgramResult {
  int status = 0;      // as pclose() gives it; 0 when it succeeded
  std::string output;  // stdout and stderr, as they came
};

// Runs a program to its end, with nothing to read. Through the shell: the words of these tests have
// no blanks in them.
ProgramResult RunProgram(const std::string& command);

}  // namespace ca::testing
