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

// A key on another token than the one that the configuration names for it.
struct MisplacedKey {
  std::string label;
  std::string token;        // holds the key
  std::string right_token;  // the configuration names this one
};

struct UnavailableToken {
  std::string token;
  std::string why;
};

// The state of tokens, ledger and CRLs, read once and in that order.
struct Evidence {
  std::set<std::string> key_labels;  // of the keys that are on the token that should hold them
  std::vector<MisplacedKey> misplaced_keys;
  std::map<HierarchyId, UnavailableToken> unavailable_tokens;  // by hierarchy with keys on them
  std::map<HierarchyId, std::string> tokens;  // the token that the configuration names for each
  std::shared_ptr<const Catalog> catalog;     // without keys
  std::vector<CrlShardRecord> shards;         // each needs a CRL
  std::map<std::pair<AuthorityId, CrlShard>, TimePoint> crls;  // nextUpdate of each complete CRL
};

// A problem and its fix. proto/agentpki/v1/doctor.proto lists the codes.
struct Finding {
  std::string code;       // key.orphan
  std::string hierarchy;  // acme/prod
  std::string subject;    // acme/prod/issuing/2, or the label of a key
  std::string what;
  std::string fix;

  friend bool operator==(const Finding&, const Finding&) = default;
};

// The problems of a hierarchy; empty if there are none. Steps that the conductor does by itself
// become problems only when they are five minutes late.
std::vector<Finding> Diagnose(const Evidence& evidence, const HierarchySnapshot& hierarchy,
                              TimePoint now);

// The labels of the keys, on all tokens, whose names no hierarchy of ours could have given: other
// software has made them.
std::vector<std::string> ForeignKeys(const Evidence& evidence);

// Says whether `label` has the form of the key of an authority of this hierarchy:
// acme/prod/issuing/2-5f3a9c0e.
bool IsLabelOf(const Hierarchy& hierarchy, std::string_view label);

}  // namespace ca
