#pragma once

#include <map>
#include <string>
#include <vector>

#include "ca/model/hierarchy.h"
#include "ca/model/recorded_request.h"

namespace ca {

// Requests of one agent that the wanted policy decides differently from the current policy, all by
// the same rule.
struct PolicyChange {
  std::string agent;          // the path of its SPIFFE ID
  std::string rule;           // of the wanted policy: policy.NAME, profile.*; "" for none
  std::string standing_rule;  // of the current policy
  std::string reason;  // the refusal of the last such request, and what would pass; "" if admitted
  std::int64_t count = 0;
  TimePoint last_seen;

  friend bool operator==(const PolicyChange&, const PolicyChange&) = default;
};

struct PolicyReplayReport {
  std::vector<PolicyChange> newly_refused;  // by agent, then by rule
  std::vector<PolicyChange> newly_admitted;
  std::int64_t still_admitted = 0;
  std::int64_t still_refused = 0;
  // No policy decided these, so there is nothing to compare.
  std::int64_t refused_otherwise = 0;  // by another rule: a bad credential, a malformed CSR
  std::int64_t failed = 0;             // permitted, but nothing was issued
  std::int64_t without_facts = 0;      // recorded by a server that did not record the facts

  bool ChangesNothing() const { return newly_refused.empty() && newly_admitted.empty(); }
  std::int64_t Total() const;
};

// Replays recorded requests under a wanted policy. Each request is judged by the rules and profiles
// of both the current and the wanted hierarchy, with the facts that were known of it then. The
// decision of that time is not compared: a policy change since then would count as new. Equal
// requests are kept once. Pure.
class PolicyReplay {
 public:
  // The current and the wanted declaration of one hierarchy. Both outlive it.
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
  PolicyReplayReport others_;  // counts the requests that are not judged
};

}  // namespace ca
