#pragma once

#include <string>
#include <vector>

#include "hsm/session.h"

namespace hsm {

// Destroys every private and public key with that label. `session` is read-write. Ok if there is no
// such key. kUnavailable if the token is unavailable, which shows no keys either.
ca::Status DestroyKeyPair(Session& session, const std::string& label);

constexpr size_t kKeysMax = 10'000;

// The labels of all private keys, sorted. kResourceExhausted if there are more than kKeysMax.
ca::Result<std::vector<std::string>> ListKeyLabels(Session& session);

}  // namespace hsm
