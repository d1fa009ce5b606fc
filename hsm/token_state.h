#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hsm/key_pair.h"
#include "hsm/login.h"
#include "hsm/token_options.h"

namespace hsm {

// The result of one attempt to open a token: the login or the error, and the key pairs that were
// found in that login.
struct OpenedToken {
  ca::Result<std::unique_ptr<Login>> login;
  std::map<std::string, KeyPair> keys;  // by label
};

// A key pair on a token, valid across logins. Thread-safe.
//
// A PKCS#11 handle is valid for one login only, and a login that has lost its token never finds the
// token again: SoftHSM shows the old, dead objects until C_Finalize. So the rest of this folder
// holds a TokenKeyPair, and each login sets its handle anew.
class TokenKeyPair {
 public:
  TokenKeyPair(std::string label, KeyPair pair)
      : label_(std::move(label)),
        id_(std::move(pair.id)),
        public_key_(std::move(pair.public_key)),
        private_key_(pair.private_key) {}

  const std::string& label() const { return label_; }
  const ca::PublicKey& public_key() const { return public_key_; }
  // CK_INVALID_HANDLE while the present login has not found the key.
  CK_OBJECT_HANDLE private_key() const { return private_key_; }
  // Whether this process destroyed the key.
  bool is_destroyed() const { return is_destroyed_; }

 private:
  friend class TokenState;

  bool Is(const KeyPair& pair) const {
    return pair.id == id_ && pair.public_key.spki() == public_key_.spki();
  }

  const std::string label_;
  const ca::Bytes id_;
  const ca::PublicKey public_key_;
  // Set while SharedModule::mutex() is held, so a handle never outlives its login.
  std::atomic<CK_OBJECT_HANDLE> private_key_;
  std::atomic<bool> is_destroyed_ = false;
};

// The login to one token, and the keys that were found on the token. SharedModule opens and closes
// the login; Token uses it. Thread-safe, except for the login itself.
class TokenState {
 public:
  explicit TokenState(TokenOptions options) : options_(std::move(options)) {}
  TokenState(const TokenState&) = delete;
  TokenState& operator=(const TokenState&) = delete;

  const TokenOptions& options() const { return options_; }

  // The outcome of the last opening.
  ca::Status opened() const;
  // While unavailable, until the next successful opening, every use fails at once.
  bool is_unavailable() const { return is_unavailable_; }
  void SetUnavailable() { is_unavailable_ = true; }

  // Null while the token is unavailable or is being opened. The caller holds SharedModule::mutex(),
  // shared.
  Login* login() const { return login_.get(); }
  // The caller holds SharedModule::mutex() alone, so no thread uses the login.
  std::unique_ptr<Login> TakeLogin();
  void GiveLogin(OpenedToken opened);

  // The entry for that key: the same object each time, until the key is destroyed.
  // kFailedPrecondition if the label was found before with another key. `pair` is of the present
  // login, whose lock the caller holds.
  ca::Result<std::shared_ptr<const TokenKeyPair>> Add(const std::string& label, KeyPair pair);
  // Marks the key as destroyed.
  void Forget(const std::string& label);
  // The keys that a caller of ours still holds.
  std::vector<std::shared_ptr<const TokenKeyPair>> HeldKeys() const;
  std::vector<std::string> HeldLabels() const;

 private:
  const TokenOptions options_;
  std::unique_ptr<Login> login_;
  std::atomic<bool> is_unavailable_ = true;

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<TokenKeyPair>> keys_;  // by label; all that were found
  ca::Status opened_;
};

}  // namespace hsm
