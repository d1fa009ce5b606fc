#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ca/catalog/hierarchy_snapshot.h"
#include "ca/catalog/revocation_index.h"
#include "ca/ports/ledger.h"
#include "crl/crl_cache.h"
#include "ocsp/responder.h"

namespace server {

// Where OCSP or a CRL of this replica do not say what the ledger says.
struct Discrepancy {
  std::string serial;  // "" when `what` names it, or is about a whole CRL
  std::string where;   // ocsp, crl
  std::string what;
};

struct ConsistencyReport {
  static constexpr size_t kListedMax = 1000;

  std::int64_t live_count = 0;  // signed certificates that have not ended, revoked or not
  std::int64_t revoked_count = 0;
  std::int64_t ocsp_asked_count = 0;
  std::int64_t crl_count = 0;
  std::int64_t crl_entry_count = 0;
  std::vector<Discrepancy> discrepancies;  // the first kListedMax
  std::int64_t discrepancy_count = 0;
};

// Proves that ledger, OCSP and CRL say the same of each live and each revoked certificate of one
// hierarchy. Thread-safe; blocks for as long as reading the ledger takes.
class Consistency {
 public:
  Consistency(ca::Ledger& ledger, ca::RevocationStore& store, const ca::RevocationIndex& index,
              ocsp::Responder& responder, const crl::CrlCache& crl_cache, const ca::Clock& clock)
      : ledger_(ledger),
        store_(store),
        index_(index),
        responder_(responder),
        crl_cache_(crl_cache),
        clock_(clock) {}

  // `is_given_up` is asked between pages; kCancelled when it says so. kUnavailable while the
  // database is away.
  ca::Result<ConsistencyReport> Check(const ca::HierarchySnapshot& hierarchy,
                                      const std::function<bool()>& is_given_up) const;

 private:
  class Run;

  ca::Ledger& ledger_;
  ca::RevocationStore& store_;
  const ca::RevocationIndex& index_;
  ocsp::Responder& responder_;
  const crl::CrlCache& crl_cache_;
  const ca::Clock& clock_;
};

}  // namespace server
