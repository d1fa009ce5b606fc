#pragma once

#include "ca/base/bytes.h"
#include "ca/base/result.h"

namespace ca {

// Checks that a DER certificate can be a root: it is a self-signed CA certificate, and OpenSSL
// accepts its key and its signature at security level 2 (112 bits). kInvalidArgument otherwise. A
// certificate that has expired passes.
Status CheckExternalRoot(BytesView certificate);

}  // namespace ca
