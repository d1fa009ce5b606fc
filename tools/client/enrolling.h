#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "ca/base/clock.h"
#include "ca/model/join_token.h"
#include "ca/x509/credentials.h"
#include "ca/x509/public_key.h"

namespace client {

// How a certificate is asked for.
struct EnrollingOptions {
  std::filesystem::path out;  // the folder of the credentials
  ca::KeyType key_type = ca::KeyType::kP256;
  // A CSR that somebody else made, DER; its key is not ours to see. None: a key is made here.
  std::optional<ca::Bytes> csr;
  std::chrono::seconds timeout = std::chrono::seconds(30);
};

// The agent's side of an enrollment: the first contact, a key, the request, the check of what came
// back (that it is for our key and chains to the roots that came with it), and the folder, written
// in one step.
//
// Key and request id are on disk, in a folder beside `out` named `out`.pending, before anything is
// sent: whoever is interrupted and calls again gets the certificate of the first attempt.
ca::Result<ca::Credentials> Enroll(const ca::JoinToken& token, const EnrollingOptions& options,
                                   const ca::Clock& clock);

// The next certificate for the credentials in `options.out`, with a new key.
ca::Result<ca::Credentials> Renew(const EnrollingOptions& options, const ca::Clock& clock);

}  // namespace client
