#pragma once

#include "ca/base/bytes.h"
#include "ca/base/result.h"

namespace ca {

// Whether it can be a root: a self-signed certificate of a CA, in DER, of a key and a signature
// that OpenSSL takes at security level 2 (112 bits). kInvalidArgument otherwise. Whether it has
// ended is not asked.
Status CheckExternalRoot(BytesView certificate);

}  // namespace ca
