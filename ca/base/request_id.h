#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "ca/base/clock.h"
#include "ca/base/result.h"

namespace ca {

// What makes a retry safe: the caller makes one per logical request and repeats it on each retry.
// A UUIDv7 (RFC 9562 section 5.7), because its own timestamp names the ledger partition in which
// the first attempt is found, so replicas agree on it and old ones are dropped with their day.
class RequestId {
 public:
  // A retry later than this is refused; what it asked for is found by `cert list`.
  static constexpr std::chrono::hours kLifetime{24};
  // How far a caller's clock may run ahead of ours.
  static constexpr std::chrono::minutes kSkew{5};

  static RequestId New(TimePoint now);

  // kInvalidArgument unless a UUIDv7 in its 36-character form whose time is in
  // [now - kLifetime, now + kSkew].
  static Result<RequestId> Parse(std::string_view text, TimePoint now);

  // Lower case.
  const std::string& ToString() const { return text_; }
  std::chrono::sys_days Day() const;
  friend auto operator<=>(const RequestId&, const RequestId&) = default;

 private:
  explicit RequestId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace ca
