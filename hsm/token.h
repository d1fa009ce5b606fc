#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hsm/shared_module.h"
#include "hsm/token_state.h"

namespace hsm {

// A token that may become unavailable and come back, and its keys. Thread-safe. TokenKeyStore
// promises in public what these functions do.
class Token {
 public:
  // Opens the tokens of one module. Returns them in the order of `options`, each opened or
  // unavailable (see opened()).
  static std::vector<std::shared_ptr<Token>> OpenAll(const std::vector<TokenOptions>& options);
  ~Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  // Returns the same object each time, until the key is destroyed. As long as a caller holds it,
  // the health check tries the key. kFailedPrecondition also if the label was found before with
  // another key.
  ca::Result<std::shared_ptr<const TokenKeyPair>> Find(const std::string& label);
  ca::Result<std::shared_ptr<const TokenKeyPair>> Generate(const std::string& label);

  ca::Status Destroy(const std::string& label);
  ca::Result<std::vector<std::string>> Labels() const;

  ca::Result<ca::Bytes> Sign(const TokenKeyPair& key, ca::BytesView message) const;
  ca::Status CheckHealth();

  const std::string& label() const { return state_.options().token_label; }
  // The outcome of the last opening.
  ca::Status opened() const { return state_.opened(); }

 private:
  using Steady = std::chrono::steady_clock;

  Token(TokenOptions options, std::shared_ptr<SharedModule> module);

  // Calls `use` with the login, which stays open until `use` returns. kUnavailable at once if there
  // is no login.
  template <typename Use>
  std::invoke_result_t<Use, Login&> WithLogin(Use use) const;
  // The entry for a pair that was just found or generated; its errors name the key.
  ca::Result<std::shared_ptr<const TokenKeyPair>> Add(const std::string& label,
                                                      ca::Result<KeyPair> pair);

  ca::Status CheckLogin() const;
  ca::Status CheckKeys();
  ca::Status CheckKey(const TokenKeyPair& key);
  ca::Status Reopen(int seen_count, const ca::Status& health);

  // These prefix an error with the token's label, and the key's.
  ca::Status Unavailable() const;
  ca::Status Named(const ca::Status& status) const;
  ca::Status Named(const ca::Status& status, const std::string& label) const;

  const std::shared_ptr<SharedModule> module_;
  TokenState state_;

  std::mutex health_mutex_;  // one health check at a time
  std::chrono::milliseconds reopen_pause_{0};
  Steady::time_point reopen_due_;
};

}  // namespace hsm
