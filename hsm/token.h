#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hsm/key_pair.h"
#include "hsm/login.h"
#include "hsm/shared_module.h"
#include "hsm/token_options.h"

namespace hsm {

// A token that may go away and come back, and the keys that were found on it. Thread-safe.
//
// A PKCS#11 handle is good for one login, and a login that has lost its token never finds it again:
// SoftHSM shows the old, dead objects until C_Finalize. So a key is not a handle but an entry here,
// whose handle is looked up anew in each login.
class Token {
 public:
  class Key;

  // What these promise is said at TokenKeyStore. The tokens of one module, in the order of their
  // options, each open or away.
  static std::vector<std::shared_ptr<Token>> OpenAll(const std::vector<TokenOptions>& options);
  ~Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  // The entry is the same each time, until it is destroyed. Whoever holds it lets the health check
  // try it. kFailedPrecondition also when the label has gone to another key since it was first
  // found.
  ca::Result<std::shared_ptr<const Key>> Find(const std::string& label);
  ca::Result<std::shared_ptr<const Key>> Generate(const std::string& label);

  ca::Status Destroy(const std::string& label);
  ca::Result<std::vector<std::string>> Labels() const;

  ca::Result<ca::Bytes> Sign(const Key& key, ca::BytesView message) const;
  ca::Status CheckHealth();

  const TokenOptions& options() const { return options_; }

  // ---- for SharedModule, which opens it ----

  // What came of the last opening.
  ca::Status opened() const;
  bool is_away() const { return is_away_; }
  // From now on every use fails at once.
  void SetAway() { is_away_ = true; }
  std::vector<std::string> HeldLabels() const;
  // Nobody else is in it, nor gets there: SharedModule::mutex() is held alone.
  std::unique_ptr<Login> TakeLogin();
  void GiveLogin(OpenedToken opened);

 private:
  using Steady = std::chrono::steady_clock;

  Token(TokenOptions options, std::shared_ptr<SharedModule> module);

  // Calls `use` with the login, which stays until it returns; kUnavailable at once without one.
  template <typename Use>
  std::invoke_result_t<Use, Login&> WithLogin(Use use) const;
  ca::Result<std::shared_ptr<const Key>> Remember(const std::string& label, KeyPair pair);
  void Forget(const std::string& label);
  std::vector<std::shared_ptr<const Key>> HeldKeys() const;

  ca::Status CheckLogin() const;
  ca::Status CheckKeys();
  ca::Status CheckKey(const Key& key);
  ca::Status Reopen(int seen_count, const ca::Status& health);

  ca::Status Away() const;
  ca::Status Named(const ca::Status& status) const;
  ca::Status Named(const ca::Status& status, const std::string& label) const;

  const TokenOptions options_;
  const std::shared_ptr<SharedModule> module_;

  // Under SharedModule::mutex(). Null while the token is away, or is being opened.
  std::unique_ptr<Login> login_;
  std::atomic<bool> is_away_ = true;

  mutable std::mutex keys_mutex_;
  std::map<std::string, std::shared_ptr<Key>> keys_;  // by label; all that were found
  ca::Status opened_;

  std::mutex health_mutex_;  // one health check at a time
  std::chrono::milliseconds reopen_pause_{0};
  Steady::time_point reopen_due_;
};

// A key pair of the token, whichever login it is used through.
class Token::Key {
 public:
  Key(std::string label, KeyPair pair)
      : label_(std::move(label)),
        id_(std::move(pair.id)),
        public_key_(std::move(pair.public_key)),
        private_key_(pair.private_key) {}

  const std::string& label() const { return label_; }
  const ca::Bytes& spki() const { return public_key_.spki(); }

 private:
  friend class Token;

  bool Is(const KeyPair& pair) const { return pair.id == id_ && pair.public_key.spki() == spki(); }

  const std::string label_;
  const ca::Bytes id_;
  const ca::PublicKey public_key_;
  // In the present login; CK_INVALID_HANDLE until that has found the key. Set while
  // SharedModule::mutex() is held, so that it never outlives its login.
  std::atomic<CK_OBJECT_HANDLE> private_key_;
  std::atomic<bool> is_destroyed_ = false;  // by us
};

}  // namespace hsm
