#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ca/issuance/key_store.h"
#include "hsm/token_options.h"

namespace hsm {

class Token;

// The CA keys of one PKCS#11 token. Thread-safe. A key keeps the token open, even after the store
// is destroyed. Opening a token again opens all tokens of its module again; signers with them wait
// a few milliseconds.
//
// Destroy the store and all keys before the process ends, while no thread signs: a module that is
// unloaded under a signer crashes. Never fork after it is open.
class TokenKeyStore final : public ca::KeyStore {
 public:
  // Loads the module, finds the token with the label, and logs in. Takes `options.open_timeout` at
  // most. Same as OpenAll() with one token.
  //
  // kFailedPrecondition, naming what to check, if only a change of the installation helps: the
  // module is missing, refuses its configuration, or is open in this process already (PKCS#11 has
  // one state a process); two tokens have the label; the PIN is unreadable, refused, locked or not
  // set. kUnavailable if a retry may help: no token has the label (the message lists the tokens
  // that were seen), or the token does not answer. If the message says that a call hangs, a thread
  // is left in that call: end the process by _exit.
  static ca::Result<std::shared_ptr<TokenKeyStore>> Open(TokenOptions options);

  // Opens several tokens, of one module or several. Returns a store for each, in the order of
  // `options`, even if its token could not be opened: `opened` is the error, and CheckHealth() may
  // open the token later.
  struct Opened {
    std::shared_ptr<TokenKeyStore> store;
    ca::Status opened;
  };
  static std::vector<Opened> OpenAll(const std::vector<TokenOptions>& options);

  ~TokenKeyStore() override;
  TokenKeyStore(const TokenKeyStore&) = delete;
  TokenKeyStore& operator=(const TokenKeyStore&) = delete;

  // Checks the attributes, and proves by a signature that the public key on the token belongs to
  // the private key: under a millisecond on a small SoftHSM token. Holding a key is cheap.
  // kFailedPrecondition also if the label was found before with another key.
  ca::Result<std::shared_ptr<const ca::SigningKey>> Find(const std::string& label) override;

  // Also kInvalidArgument if the label is empty, longer than 128 octets or not printable ASCII.
  //
  // PKCS#11 labels are not unique. If several threads generate the same label, one succeeds.
  // Callers must prevent two processes from doing it: SoftHSM may leave both keys, and Find refuses
  // them.
  ca::Result<std::shared_ptr<const ca::SigningKey>> Generate(const std::string& label) override;

  ca::Status Destroy(const std::string& label) override;

  // The labels of all private keys on the token, other programs' included; sorted.
  // kResourceExhausted if there are more than 10,000.
  ca::Result<std::vector<std::string>> Labels();
  std::vector<ca::TokenContent> Contents() override;
  std::string TokenOf(const std::string& label) const override;

  // Signs with each key that is held. If the token does not sign, closes it and opens it again, and
  // finds the keys again; kOk means that they all work now. Meanwhile every signature fails at once
  // with kUnavailable. Takes the time limit of an opening, or longer if the module hangs in a
  // signature. While other tokens of the module are available, attempts to open have a growing
  // pause.
  //
  // kNotFound and kFailedPrecondition if the token is available but a key is missing or is another
  // one: that key stays unavailable, and the others work. kInternal if a signature does not verify.
  ca::Status CheckHealth() override;

 private:
  explicit TokenKeyStore(std::shared_ptr<Token> token);

  const std::shared_ptr<Token> token_;
};

}  // namespace hsm
