#pragma once

#include <cstddef>

#include "ca/base/bytes.h"

namespace ca {

// `size` octets from OpenSSL's private CSPRNG. Aborts if the generator cannot be seeded, because a
// predictable certificate is worse than none. Thread-safe.
Bytes RandomBytes(size_t size);

}  // namespace ca
