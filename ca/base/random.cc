#include "ca/base/random.h"

#include <openssl/rand.h>

#include "ca/base/openssl.h"

namespace ca {

Bytes RandomBytes(size_t size) {
  Bytes bytes(size, '\0');
  if (RAND_priv_bytes(MutableOctets(bytes), static_cast<int>(size)) != 1) {
    AbortOnOpenSslFailure("RAND_priv_bytes");
  }
  return bytes;
}

}  // namespace ca
