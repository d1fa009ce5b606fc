#include "ca/certificates/policy_replay.h"

#include <algorithm>
#include <tuple>

#include "ca/base/rules.h"
#include "ca/certificates/policy.h"

namespace ca {
namespace {

struct Verdict {
  bool is_admitted;
  std::string rule;
  std::string reason;  // of a refusal
};

Result<std::string> Check(const Hierarchy& hierarchy, const RequestFacts& facts) {
  const auto profile = hierarchy.FindProfile(facts.profile);
  if (!profile.ok()) return Refusal<kProfileUnknown>(MessageOf(profile.status()));
  return CheckPolicy(hierarchy, **profile, facts);
}

Verdict Judge(const Hierarchy& hierarchy, const RequestFacts& facts) {
  const auto checked = Check(hierarchy, facts);
  if (checked.ok()) return {true, *checked, ""};
  return {false, RuleOf(checked.status()), MessageOf(checked.status())};
}

// Whether CheckPolicy() refuses by this rule.
bool IsOfPolicy(std::string_view rule) {
  return kPolicyRules.Has(rule) || rule == kProfileKeyType.name || rule == kProfileUnknown.name;
}

// Orders by agent, then by rule.
using Key = std::tuple<std::string, std::string, std::string>;
using Changes = std::map<Key, PolicyChange>;

void AddTo(Changes& changes, const RequestFacts& facts, const Verdict& standing,
           const Verdict& wanted, std::int64_t count, TimePoint last_seen) {
  PolicyChange& change = changes[{facts.agent, wanted.rule, standing.rule}];
  if (change.count == 0 || change.last_seen < last_seen) {
    change.last_seen = last_seen;
    change.reason = wanted.reason;
  }
  change.agent = facts.agent;
  change.rule = wanted.rule;
  change.standing_rule = standing.rule;
  change.count += count;
}

std::vector<PolicyChange> ListOf(const Changes& changes) {
  std::vector<PolicyChange> list;
  for (const auto& [key, change] : changes) list.push_back(change);
  return list;
}

}  // namespace

std::int64_t PolicyReplayReport::Total() const {
  std::int64_t total = still_admitted + still_refused + refused_otherwise + failed + without_facts;
  for (const PolicyChange& change : newly_refused) total += change.count;
  for (const PolicyChange& change : newly_admitted) total += change.count;
  return total;
}

void PolicyReplay::Add(const RecordedRequest& request) {
  if (request.decision == Decision::kFailed) {
    ++others_.failed;
  } else if (request.decision == Decision::kDenied && !IsOfPolicy(request.rule)) {
    ++others_.refused_otherwise;
  } else if (!request.facts) {
    ++others_.without_facts;
  } else {
    Tally& tally = judged_[*request.facts];
    ++tally.count;
    tally.last_seen = std::max(tally.last_seen, request.position.at);
  }
}

PolicyReplayReport PolicyReplay::Report() const {
  PolicyReplayReport report = others_;
  Changes refused;
  Changes admitted;
  for (const auto& [facts, tally] : judged_) {
    const Verdict standing = Judge(standing_, facts);
    const Verdict wanted = Judge(wanted_, facts);
    if (standing.is_admitted == wanted.is_admitted) {
      (wanted.is_admitted ? report.still_admitted : report.still_refused) += tally.count;
    } else {
      AddTo(wanted.is_admitted ? admitted : refused, facts, standing, wanted, tally.count,
            tally.last_seen);
    }
  }
  report.newly_refused = ListOf(refused);
  report.newly_admitted = ListOf(admitted);
  return report;
}

}  // namespace ca
