#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ca/issuance/key_store.h"
#include "hsm/token_options.h"

namespace hsm {

class Token;

// The CA keys of one PKCS#11 token. Thread-safe. Keys that it handed out keep the token open, also
// when the store itself is gone. When a token of a module is opened anew, so are the other ones of
// that module, and who signs with one of them waits for it: a few milliseconds.
//
// Whoever holds the store or a key must let go of it before the process ends, with no thread
// signing: a module that is torn down under a signer crashes. Never fork once it is open.
class TokenKeyStore final : public ca::KeyStore {
 public:
  // Loads the module, finds the one token with that label and logs in. Never hangs longer than
  // `options.open_timeout`. OpenAll() with one.
  //
  // kFailedPrecondition, naming what to check, when only a change of the installation helps: the
  // module is missing, refuses its configuration or is open in this process already (PKCS#11 has
  // one state a process); two tokens have the label; the PIN is unreadable, refused, locked or not
  // set. kUnavailable when retrying may help: no token has the label (those that were seen are
  // listed), or the token does not answer. When the message says that a call hangs, a thread is
  // left behind in it: end the process, by _exit, for whatever the call is waiting for.
  static ca::Result<std::shared_ptr<TokenKeyStore>> Open(TokenOptions options);

  // Of several tokens, also of one module, a store each, in the order of their options: there also
  // when its token could not be opened, for what `opened` says. CheckHealth() may then open it
  // later.
  struct Opened {
    std::shared_ptr<TokenKeyStore> store;
    ca::Status opened;
  };
  static std::vector<Opened> OpenAll(const std::vector<TokenOptions>& options);

  ~TokenKeyStore() override;
  TokenKeyStore(const TokenKeyStore&) = delete;
  TokenKeyStore& operator=(const TokenKeyStore&) = delete;

  // Reads the attributes, and signs a fixed block to prove that the public key on the token belongs
  // to the private one: under a millisecond on a small SoftHSM token, and keys are cheap to keep.
  // kFailedPrecondition also when the label has gone to another key since it was first found.
  ca::Result<std::shared_ptr<const ca::SigningKey>> Find(const std::string& label) override;

  // Also kInvalidArgument for a label that is empty, longer than 128 octets or not printable ASCII.
  //
  // PKCS#11 has no unique labels: of threads that generate one, one succeeds, but two processes
  // must be kept from it by other means. SoftHSM may leave both keys then, and Find refuses them.
  ca::Result<std::shared_ptr<const ca::SigningKey>> Generate(const std::string& label) override;

  ca::Status Destroy(const std::string& label) override;

  // The label of every private key that the token shows, whoever made it; sorted.
  // kResourceExhausted when there are more than 10,000.
  ca::Result<std::vector<std::string>> Labels();
  std::vector<ca::TokenContent> Contents() override;
  std::string TokenOf(const std::string& label) const override;

  // When the token does not sign, it is closed and opened anew, as after a start, and the keys are
  // found again: kOk means that they work now. Meanwhile every signature fails at once, with
  // kUnavailable. Opening has its time limit; a module that hangs in a signature holds this up too.
  // While other tokens of the module are well, this is done after a pause that grows.
  //
  // kNotFound and kFailedPrecondition when the token is there, but a key is not, or is another one
  // by now: that key stays unavailable, the others are not disturbed. kInternal when a signature
  // does not verify.
  ca::Status CheckHealth() override;

 private:
  explicit TokenKeyStore(std::shared_ptr<Token> token);

  const std::shared_ptr<Token> token_;
};

}  // namespace hsm
