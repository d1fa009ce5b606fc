#pragma once

#include <string>
#include <vector>

#include "hsm/session.h"

namespace hsm {

// Destroys, through a read-write session, every private and public key with that label. Ok when
// there is none; kUnavailable when the token is away, which shows none either.
ca::Status DestroyKeyPair(Session& session, const std::string& label);

constexpr size_t kKeysMax = 10'000;

// Of every private key, sorted. kResourceExhausted when there are more than kKeysMax.
ca::Result<std::vector<std::string>> ListKeyLabels(Session& session);

}  // namespace hsm
