#pragma once

#include <string>

#include "hsm/key_pair.h"

namespace hsm {

constexpr size_t kLabelSizeMax = 128;  // octets

// Generates a key pair with that label, and checks it by FindKeyPair. `session` is read-write. The
// pair is destroyed again if FindKeyPair refuses it: the token did not set the attributes as
// requested, or another process has generated a key with that label meanwhile. kAlreadyExists if a
// private key has the label.
ca::Result<KeyPair> GenerateKeyPair(Session& session, const std::string& label);

}  // namespace hsm
