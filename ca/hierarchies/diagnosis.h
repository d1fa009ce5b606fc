#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ca/catalog/catalog.h"
#include "ca/ports/crl_store.h"

namespace ca {

// A key on a token on which nobody looks for it.
struct MisplacedKey {
  std::string label;
  std::string token;  // the one that it is on
  std::string right_token;
};

// A token that cannot be looked at, and why.
struct AwayToken {
  std::string token;
  std::string why;
};

// What one look at ledger, tokens and CRLs has seen. The tokens are looked at first.
struct Evidence {
  std::set<std::string>
      key_labels;  // of all keys that are on the token on which they are looked for
  std::vector<MisplacedKey> misplaced_keys;
  std::map<HierarchyId, AwayToken> away;      // of a hierarchy whose keys cannot be looked at
  std::map<HierarchyId, std::string> tokens;  // on which the keys of each are looked for
  std::shared_ptr<const Catalog> catalog;     // without keys
  std::vector<CrlShardRecord> shards;         // that need CRLs
  std::map<std::pair<AuthorityId, CrlShard>, TimePoint> crls;  // nextUpdate of the complete ones
};

// Something that is wrong, and what to do. Its codes are in proto/agentpki/v1/doctor.proto.
struct Finding {
  std::string code;       // key.orphan
  std::string hierarchy;  // acme/prod
  std::string subject;    // acme/prod/issuing/2, or the label of a key
  std::string what;
  std::string fix;

  friend bool operator==(const Finding&, const Finding&) = default;
};

// What is wrong with a hierarchy; nothing, when all is well. What takes its time in a hierarchy
// that is well is given that time.
std::vector<Finding> Diagnose(const Evidence& evidence, const Hierarchy& hierarchy, TimePoint now);

// Of the keys on all tokens, those that no hierarchy knows nor would have named so: of somebody
// else.
std::vector<std::string> ForeignKeys(const Evidence& evidence);

// Whether an authority of the hierarchy may have named its key so: acme/prod/issuing/2-5f3a9c0e.
bool IsLabelOf(const Hierarchy& hierarchy, std::string_view label);

}  // namespace ca
