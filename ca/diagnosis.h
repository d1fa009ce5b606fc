#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ca/catalog.h"
#include "ca/crl_store.h"

namespace ca {

// What one look at ledger, token and CRLs has seen. The token is looked at first.
struct Evidence {
  std::set<std::string> key_labels;                            // of all keys on the token
  std::shared_ptr<const Catalog> catalog;                      // without keys
  std::vector<CrlShardRecord> shards;                          // that need CRLs
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

// Of the keys on the token, those that no hierarchy knows nor would have named so: of somebody
// else.
std::vector<std::string> ForeignKeys(const Evidence& evidence);

// Whether an authority of the hierarchy may have named its key so: acme/prod/issuing/2-5f3a9c0e.
bool IsLabelOf(const Hierarchy& hierarchy, std::string_view label);

}  // namespace ca
