#pragma once

#include <map>
#include <memory>

#include "ca/base/clock.h"
#include "ca/catalog/catalog.h"
#include "ca/issuance/key_store.h"

namespace ca {

// By the authority that issued it: the newest OCSP responder that is valid now and whose key
// `keys` gives. If the newest one's key is lost, that is the one before.
std::map<AuthorityId, std::shared_ptr<const Authority>> RespondersAt(const Catalog& catalog,
                                                                     KeyStore& keys, TimePoint now);

}  // namespace ca
