#pragma once

#include <string>
#include <vector>

#include "crl/cert_list.h"

namespace crl {

// A CRL that a replica serves.
struct ServedCrl {
  ca::AuthorityId authority{};
  ca::CrlShard shard = 0;
  ReadCrl crl;  // complete or delta
};

// A revocation must be on its CRL within this time after it was acknowledged.
constexpr std::chrono::seconds kListedWithin{10};

// Compares the CRLs with the ledger. Returns the differences for an operator, one line each, by CRL
// and serial:
//
//   - a certificate that has not expired and was revoked more than kListedWithin ago is neither on
//     its CRL nor on the delta to it, or there is no such CRL
//   - the ledger has an entry not at all, on another CRL, or with another reason
//   - a complete CRL, or a delta that lists something, is past its nextUpdate
//
// `ledger` has the revocations of all certificates that have not expired; it may have more. Read it
// before the CRLs, at `now`. Entries of certificates that expired before the day of `now` are
// skipped, because the ledger may have dropped them.
std::vector<std::string> Compare(const std::vector<ca::Revocation>& ledger,
                                 const std::vector<ServedCrl>& served, ca::TimePoint now);

}  // namespace crl
