#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "ca/base/result.h"
#include "ca/base/secret.h"

namespace hsm {

// Reads the user PIN, or says why it cannot.
using PinReader = std::function<ca::Result<ca::Secret>()>;

// The token, and how to open it.
struct TokenOptions {
  // The PKCS#11 module: /usr/lib/softhsm/libsofthsm2.so
  std::string module_path;

  // The token's label, without the blanks that PKCS#11 pads labels with.
  std::string token_label;

  // Called at each opening, by CheckHealth too, so no object keeps the PIN and a changed PIN is
  // used. Called in another thread, which may hang: everything it captures must live as long as the
  // process.
  PinReader read_pin;

  // The longest time that one opening may take: reading the PIN, loading the module, logging in and
  // finding the keys.
  std::chrono::milliseconds open_timeout = std::chrono::seconds(10);

  // An attempt to open an unavailable token ends the logins of the module's other tokens for a
  // moment. So while others are available there is a pause between attempts. It doubles up to
  // reopen_pause_max.
  std::chrono::milliseconds reopen_pause_min = std::chrono::seconds(2);
  std::chrono::milliseconds reopen_pause_max = std::chrono::seconds(60);
};

}  // namespace hsm
