#pragma once

#include <string>

#include "hsm/key_pair.h"

namespace hsm {

constexpr size_t kLabelSizeMax = 128;

// Generates a pair with that label through a read-write session, and finds it as FindKeyPair does:
// a token that does not give the attributes it was asked for is found out, and the pair destroyed.
// kAlreadyExists when a private key has the label, also one that another process made meanwhile.
ca::Result<KeyPair> GenerateKeyPair(Session& session, const std::string& label);

}  // namespace hsm
