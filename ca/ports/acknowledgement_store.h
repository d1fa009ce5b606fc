#pragma once

#include <string>
#include <vector>

#include "ca/model/agent.h"
#include "ca/model/audit_event.h"
#include "ca/ports/recorded.h"

namespace ca {

// An agent says that it holds this version of its hierarchy's trust bundle.
struct Acknowledgement {
  HierarchyId hierarchy{};
  AgentNumber agent{};
  int version = 0;
  TimePoint at;
};

// A live agent, and the newest version that it has acknowledged.
struct LiveAgent {
  SpiffeId id;
  std::string owner;
  int acknowledged_version = 0;  // the newest; 0: none yet
};

// How many agents of a hierarchy are live, and how many of these hold a version or a later one.
struct AcknowledgedCount {
  std::int64_t live = 0;
  std::int64_t acknowledged = 0;
};

struct StragglerQuery {
  static constexpr int kPageSizeMax = 1000;

  HierarchyId hierarchy{};
  int version = 0;  // agents that acknowledged it, or a later one, are no stragglers
  TimePoint now;
  int page_size = 100;
  std::string page_token;  // the last SPIFFE ID of the page before; order: by SPIFFE ID
};

// Which agent holds which version of a trust bundle. An agent is live while it has a valid
// certificate; our own servers are never counted. Thread-safe, blocking. Errors: kUnavailable while
// the database is unavailable.
class AcknowledgementStore : public RecordsDecisions {
 public:
  virtual ~AcknowledgementStore() = default;

  // Idempotent: the time of the first call stays. One transaction with its event. kNotFound when
  // the hierarchy has no such version.
  virtual Result<RecordedDecision> Acknowledge(const Acknowledgement& acknowledgement,
                                               const AuditEvent& event) = 0;

  virtual Result<AcknowledgedCount> Count(HierarchyId hierarchy, int version, TimePoint now) = 0;
  virtual Result<std::vector<LiveAgent>> ListStragglers(const StragglerQuery& query) = 0;
};

}  // namespace ca
