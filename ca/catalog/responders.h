#pragma once

#include <map>
#include <memory>

#include "ca/base/clock.h"
#include "ca/issuance/authority.h"
#include "ca/ports/authority_store.h"

namespace ca {

// By the authority that issued it: the newest OCSP responder that stands now. One whose key the
// token cannot give is left out, for another one may do. kUnavailable while the database is away.
Result<std::map<AuthorityId, std::shared_ptr<const Authority>>> LoadResponders(
    AuthorityStore& store, KeyStore& keys, TimePoint now);

}  // namespace ca
