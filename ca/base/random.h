#pragma once

#include <cstddef>

#include "ca/base/bytes.h"

namespace ca {

// `size` octets from OpenSSL's private CSPRNG. Aborts when the generator cannot be seeded: no
// certificate is better than a predictable one. Thread-safe.
Bytes RandomBytes(size_t size);

}  // namespace ca
