#pragma once

#include <map>
#include <string>
#include <vector>

#include "ca/model/hierarchy.h"
#include "ca/model/recorded_request.h"

namespace ca {

// Requests of one agent that a wanted policy decides otherwise than the one that stands, each by
// the same rule.
struct PolicyChange {
  std::string agent;          // the path of its SPIFFE ID
  std::string rule;           // that would decide: policy.NAME, profile.*; "" when none spoke
  std::string standing_rule;  // that decides as the policy stands
  std::string reason;  // what the last one would be told, and what would pass; "" if admitted
  std::int64_t count = 0;
  TimePoint last_seen;

  friend bool operator==(const PolicyChange&, const PolicyChange&) = default;
};

struct PolicyReplayReport {
  std::vector<PolicyChange> newly_refused;  // by agent, then by rule
  std::vector<PolicyChange> newly_admitted;
  std::int64_t still_admitted = 0;
  std::int64_t still_refused = 0;
  // No decision of a policy, so there is nothing to compare.
  std::int64_t refused_otherwise = 0;  // by another rule: a bad credential, a malformed CSR
  std::int64_t failed = 0;             // permitted, and did not come about
  std::int64_t without_facts = 0;      // decided by a server that did not record by what

  bool ChangesNothing() const { return newly_refused.empty() && newly_admitted.empty(); }
  std::int64_t Total() const;
};

// What a wanted policy would do to requests that were made: each is judged by the rules and
// profiles of both hierarchies, by what was known of it then. What was decided then is no measure:
// a change that was made since would be called new for as long as the requests before it are looked
// at. It keeps one entry for each different request, however often that was made. Pure.
class PolicyReplay {
 public:
  // Of one hierarchy, what stands and what is wanted. Both have to outlive it.
  PolicyReplay(const Hierarchy& standing, const Hierarchy& wanted)
      : standing_(standing), wanted_(wanted) {}

  void Add(const RecordedRequest& request);

  PolicyReplayReport Report() const;

 private:
  struct Tally {
    std::int64_t count = 0;
    TimePoint last_seen;
  };

  const Hierarchy& standing_;
  const Hierarchy& wanted_;
  std::map<RequestFacts, Tally> judged_;
  PolicyReplayReport others_;  // what is not judged
};

}  // namespace ca
