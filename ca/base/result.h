#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Every fallible function returns a Result or a Status. The codes are gRPC's own, so the edge maps
// them by a cast. Messages are lower-case phrases that name the field and the fix. The server shows
// them to the caller, so text for operators alone goes to the log.
namespace ca {

template <typename T>
using Result = absl::StatusOr<T>;
using Status = absl::Status;
using StatusCode = absl::StatusCode;

inline Status Ok() { return absl::OkStatus(); }

template <typename... Args>
Status Error(StatusCode code, fmt::format_string<Args...> format, Args&&... args) {
  const std::string message = fmt::format(format, std::forward<Args>(args)...);
  return Status(code, absl::string_view(message.data(), message.size()));
}

// The name of the rule that refused, or an empty string if the status is no refusal. Refusals are
// made by ca/base/refusal.h.
std::string RuleOf(const Status& status);

// Makes a refusal of a status, for a rule that another process named.
Status WithRule(Status status, std::string_view rule);

// Prefixes the message, keeping code and rule: "csr: " + "trailing bytes".
Status Annotate(Status status, std::string_view prefix);

// The message as a std::string (absl's own string_view does not print with fmt).
std::string MessageOf(const Status& status);

// Text from outside, safe to show in a message, a log line or on a terminal: at most 128 octets,
// with control characters and octets beyond ASCII written as \xNN.
std::string Printable(std::string_view text);
// Whether all of it is printable ASCII, however long it is.
bool IsPrintable(std::string_view text);

namespace internal {

inline Status StatusOf(Status&& status) { return std::move(status); }
template <typename T>
Status StatusOf(Result<T>&& result) {
  return std::move(result).status();
}

inline void ValueOf(Status&&) {}
template <typename T>
T ValueOf(Result<T>&& result) {
  return *std::move(result);
}

}  // namespace internal
}  // namespace ca

// Evaluates to the value of a Result, or returns its error from the enclosing function.
// One TRY per statement, as the whole initialiser or statement; never inside braces `{...}`:
// g++ 12.2 leaks the members already built.
#define TRY(expression)                                                                    \
  __extension__({                                                                          \
    auto try_result = (expression);                                                        \
    if (!try_result.ok()) return ::ca::internal::StatusOf(std::move(try_result));          \
    ::ca::internal::ValueOf(std::move(try_result)); /* void for Status, T for Result<T> */ \
  })
