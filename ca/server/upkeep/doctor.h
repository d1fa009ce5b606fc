#pragma once

#include <string>
#include <vector>

#include "ca/hierarchies/diagnosis.h"
#include "crl/crl_cache.h"

namespace server {

// Compares ledger, tokens and CRLs, and reports each thing that is wrong. Changes nothing.
// Thread-safe; blocks for as long as the tokens take to list their keys.
class Doctor {
 public:
  // Everything outlives it.
  Doctor(const ca::HierarchyPorts& stores, ca::KeyStore& keys, ca::CrlStore& crls,
         const crl::CrlCache& crl_cache, const ca::Clock& clock)
      : stores_(stores), keys_(keys), crls_(crls), crl_cache_(crl_cache), clock_(clock) {}

  struct Report {
    std::vector<ca::Finding> findings;
    int key_count = 0;  // keys of the examined hierarchies that are on the right token
    std::vector<std::string> foreign_keys;
  };

  // Examines those hierarchies. kUnavailable while the database or the common token is unavailable.
  ca::Result<Report> Examine(const std::vector<ca::HierarchyId>& hierarchies) const;

 private:
  ca::Result<ca::Evidence> Look() const;
  ca::Status Sort(const std::vector<ca::TokenContent>& contents, ca::Evidence& evidence) const;

  const ca::HierarchyPorts stores_;
  ca::KeyStore& keys_;
  ca::CrlStore& crls_;
  const crl::CrlCache& crl_cache_;
  const ca::Clock& clock_;
};

}  // namespace server
