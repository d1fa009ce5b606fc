#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "ca/base/clock.h"
#include "ca/base/result.h"

namespace ca {

// Makes a retry safe: the caller makes one id for each logical request and repeats it on each
// retry. It is a UUIDv7 (RFC 9562 section 5.7). Its timestamp names the ledger partition that has
// the first attempt, so all replicas look in the same partition, and old ids are dropped with their
// day.
class RequestId {
 public:
  // A later retry is refused; `agentpki cert list` shows the certificate of the first attempt.
  static constexpr std::chrono::hours kLifetime{24};
  // A caller's clock may run ahead of ours by this much.
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
