#pragma once

#include <cstdlib>
#include <utility>

#include "ca/base/result.h"
#include "ca/ports/recorded.h"

namespace ca::testing {

// The value of a step that a test needs before it begins. Prints the error and aborts if there is
// none.
inline void Must(const Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "a test could not be arranged: {}\n", status.ToString());
  std::abort();
}

template <typename T>
T Must(Result<T> result) {
  Must(result.status());
  return *std::move(result);
}

// The value, for a test that does not answer a call.
template <typename T>
T Must(Result<Recorded<T>> result) {
  Must(result.status());
  return result->TakeValue();
}
template <typename T>
Result<T> ValueOf(Result<Recorded<T>> result) {
  if (!result.ok()) return result.status();
  return result->TakeValue();
}

}  // namespace ca::testing
