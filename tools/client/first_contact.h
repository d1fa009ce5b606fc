#pragma once

#include <string>

#include "ca/base/bytes.h"

namespace client {

// Fetches the root certificate (DER) that authenticates agentpki-server. Connects to `address`
// (host:port), and returns the certificate of the server's chain with the SHA-256
// `root_fingerprint`. Trusts nothing else of the answer. The caller authenticates the server by a
// second connection, with this root as the trust anchor.
//
// kUnavailable if the server does not answer within 10 seconds. kUnauthenticated if its chain has
// no such certificate: the token is for another deployment, or an attacker intercepts the
// connection.
ca::Result<ca::Bytes> FetchRoot(const std::string& address, const ca::Bytes& root_fingerprint);

}  // namespace client
