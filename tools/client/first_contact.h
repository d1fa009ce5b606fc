#pragma once

#include <string>

#include "ca/base/bytes.h"

namespace client {

// The root that authenticates agentpki-server, known so far by its fingerprint alone: connects to
// `address` (host:port), looks through the certificates that the server shows for the one whose
// SHA-256 is `root_fingerprint`, and returns it, DER. Only that certificate is believed; the server
// itself is authenticated by the connection that is made with it afterwards.
//
// kUnavailable when nobody answers within 10 seconds; kUnauthenticated when the server shows no
// such certificate: the token is for another deployment, or somebody stands between.
ca::Result<ca::Bytes> FetchRoot(const std::string& address, const ca::Bytes& root_fingerprint);

}  // namespace client
