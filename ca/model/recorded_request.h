#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ca/model/audit_event.h"

namespace ca {

// The position of a request among those of its hierarchy: by time, then by the number of its event.
struct RequestPosition {
  TimePoint at;
  std::int64_t sequence = 0;

  std::string ToString() const;  // 1764334000123456.42
  static Result<RequestPosition> Parse(std::string_view text);

  friend auto operator<=>(const RequestPosition&, const RequestPosition&) = default;
};

// One enrollment or renewal, as its audit event has recorded it.
struct RecordedRequest {
  RequestPosition position;
  Operation operation = Operation::kEnroll;
  std::string subject;  // the agent's SPIFFE ID
  Decision decision = Decision::kAllowed;
  std::string rule;                   // refused or admitted it; "" if no rule applied
  std::optional<RequestFacts> facts;  // none if it was refused before they were known

  friend bool operator==(const RecordedRequest&, const RecordedRequest&) = default;
};

struct RequestQuery {
  static constexpr int kPageSizeMax = 1000;
  static constexpr std::chrono::hours kBackMax{24 * 90};

  HierarchyId hierarchy{};
  TimePoint since;
  int page_size = 100;
  // The position of the last request of the page before; none for the first page. Pages go upwards.
  std::optional<RequestPosition> after;
};

}  // namespace ca
