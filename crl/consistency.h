#pragma once

#include <string>
#include <vector>

#include "crl/cert_list.h"

namespace crl {

// A CRL as it is served, read.
struct ServedCrl {
  ca::AuthorityId authority{};
  ca::CrlShard shard = 0;
  ReadCrl crl;  // complete or delta
};

// A revocation is on its CRL so soon after it was acknowledged.
constexpr std::chrono::seconds kListedWithin{10};

// Whether ledger = CRL: what an operator must hear of where not, one line each, by CRL and serial.
//
//   - a certificate that has not ended and was revoked more than kListedWithin ago is not on its
//     CRL, nor on the delta to it; or there is no such CRL
//   - an entry that the ledger does not know, knows of another CRL, or with another reason
//   - a complete CRL past its nextUpdate; or a delta that is, and lists something
//
// `ledger`: the revocations of all certificates that have not ended; more do no harm. To be read
// before the CRLs are, at `now`. Entries of certificates that ended before the day of `now` are not
// judged: the ledger need not know them any more.
std::vector<std::string> Compare(const std::vector<ca::Revocation>& ledger,
                                 const std::vector<ServedCrl>& served, ca::TimePoint now);

}  // namespace crl
