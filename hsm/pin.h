#pragma once

#include <string>

#include "ca/base/result.h"
#include "ca/base/secret.h"

// A PIN is read from a file. Never from the command line or an environment variable, which every
// process of the user, and often every user, can read.
namespace hsm {

constexpr size_t kPinSizeMax = 255;  // octets; SoftHSM's own limit

// Reads the first line, without the newline, of a regular file that gives its group and others no
// permissions (mode 0600 or 0400). kFailedPrecondition, naming the path and the fix, if the file is
// another kind, has other permissions, is missing, empty or too long, or has a second line or a
// control character. Never blocks on a pipe. Thread-safe.
ca::Result<ca::Secret> ReadPinFile(const std::string& path);

// The same from $CREDENTIALS_DIRECTORY/name, a credential of the service's systemd unit
// (LoadCredential= or, encrypted, LoadCredentialEncrypted=). Its group may have permissions.
ca::Result<ca::Secret> ReadPinCredential(const std::string& name);

}  // namespace hsm
