#pragma once

#include <chrono>
#include <filesystem>

#include "ca/base/clock.h"
#include "ca/model/join_token.h"
#include "ca/x509/credentials.h"
#include "tools/client/pending_request.h"

namespace client {

struct EnrollmentOptions {
  std::filesystem::path out;  // the folder of the credentials
  RequestedKey key = ca::KeyType::kP256;
  std::chrono::seconds timeout = std::chrono::seconds(30);  // of the RPC
};

// Enrolls an agent: authenticates the server (FetchRoot), requests a certificate, checks the
// answer, and writes `options.out` in one step. The answer must be for the requested key, and must
// chain to the roots that came with it (kInternal).
//
// The key and the request id are on disk before the request is sent (PendingRequest). A caller that
// was interrupted and calls again gets the certificate of the first attempt.
ca::Result<ca::Credentials> Enroll(const ca::JoinToken& token, const EnrollmentOptions& options,
                                   const ca::Clock& clock);

// Renews the credentials in `options.out`, with a new key. Interruptions as in Enroll().
ca::Result<ca::Credentials> Renew(const EnrollmentOptions& options, const ca::Clock& clock);

}  // namespace client
