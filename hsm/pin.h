#pragma once

#include <string>

#include "ca/base/result.h"
#include "ca/base/secret.h"

// Where a PIN may come from: a file. Never the command line or an environment value, which every
// process of the user, and often every user, can read.
namespace hsm {

constexpr size_t kPinSizeMax = 255;  // SoftHSM's own limit

// The first line of a regular file that neither its group nor others may touch (mode 0600 or 0400),
// without the newline. kFailedPrecondition, naming the path and the fix, for anything else: a file
// that is missing, empty, too long, or has a second line or a control character. Never blocks on a
// pipe. Thread-safe.
ca::Result<ca::Secret> ReadPinFile(const std::string& path);

// The same from $CREDENTIALS_DIRECTORY/name: a credential of the service's systemd unit
// (LoadCredential= or, encrypted, LoadCredentialEncrypted=).
ca::Result<ca::Secret> ReadPinCredential(const std::string& name);

}  // namespace hsm
