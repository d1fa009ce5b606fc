#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ca/model/audit_event.h"

namespace ca {

// Where a request stands among those of its hierarchy: by time, and where that is the same by the
// number of its event.
struct RequestPosition {
  TimePoint at;
  std::int64_t sequence = 0;

  std::string ToString() const;  // 1764334000123456.42
  static Result<RequestPosition> Parse(std::string_view text);

  friend auto operator<=>(const RequestPosition&, const RequestPosition&) = default;
};

// One request for a certificate, an enrollment or a renewal, as its audit event has it.
struct RecordedRequest {
  RequestPosition position;
  Operation operation = Operation::kEnroll;
  std::string subject;  // the agent's SPIFFE ID
  Decision decision = Decision::kAllowed;
  std::string rule;                   // that refused or admitted; "" when none spoke
  std::optional<RequestFacts> facts;  // none when it was refused before they were known

  friend bool operator==(const RecordedRequest&, const RecordedRequest&) = default;
};

struct RequestQuery {
  static constexpr int kPageSizeMax = 1000;
  static constexpr std::chrono::hours kBackMax{24 * 90};

  HierarchyId hierarchy{};
  TimePoint since;
  int page_size = 100;
  // That of the last request of the page before; none for the first. Order: ascending.
  std::optional<RequestPosition> after;
};

}  // namespace ca
