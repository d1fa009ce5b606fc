#pragma once

#include <string>

#include "hsm/key_pair.h"

namespace hsm {

constexpr size_t kLabelSizeMax = 128;

// Generates a pair with that label through a read-write session, and finds it as FindKeyPair does.
// A pair that is not found so, because the token did not give the attributes it was asked for, or
// because another process has made one of that label meanwhile, is destroyed again.
// kAlreadyExists when a private key has the label.
ca::Result<KeyPair> GenerateKeyPair(Session& session, const std::string& label);

}  // namespace hsm
