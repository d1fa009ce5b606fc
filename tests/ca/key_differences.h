#pragma once

#include <string>

#include "ca/base/bytes.h"

namespace ca::testing {

// PublicKey::FromSpki against d2i_PUBKEY and what OpenSSL says of the key that it decodes. Empty
// when they agree on `spki_der`, otherwise what they disagree about.
//
// They agree when FromSpki accepts exactly the keys that OpenSSL decodes to the last octet and
// re-encodes to the same octets, less those that are not uncompressed points of the named curves
// P-256 and P-384, RSA of 2048, 3072 or 4096 bits with exponent 65537, or Ed25519 keys for which
// not everybody can sign.
std::string KeyDisagreement(BytesView spki_der);

}  // namespace ca::testing
