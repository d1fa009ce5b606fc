#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "ca/base/result.h"
#include "ca/base/secret.h"

namespace hsm {

// Reads the user PIN, or says why it cannot.
using PinReader = std::function<ca::Result<ca::Secret>()>;

// Which token, and how it is opened.
struct TokenOptions {
  // The PKCS#11 module: /usr/lib/softhsm/libsofthsm2.so
  std::string module_path;

  // As the token has it, without the blanks that PKCS#11 pads labels with.
  std::string token_label;

  // Called once for each opening, the ones that CheckHealth makes included, and always in another
  // thread: what it captures must live as long as the process. So nothing of ours keeps the PIN; a
  // changed one is picked up.
  PinReader read_pin;

  // What one opening may take: reading the PIN, loading the module, logging in, finding the keys.
  std::chrono::milliseconds open_timeout = std::chrono::seconds(10);

  // To look for a token that is away takes the logins of the other tokens of its module for a
  // moment, so while there are such, it is done after a pause, which doubles up to the longest.
  std::chrono::milliseconds reopen_pause_min = std::chrono::seconds(2);
  std::chrono::milliseconds reopen_pause_max = std::chrono::seconds(60);
};

}  // namespace hsm
