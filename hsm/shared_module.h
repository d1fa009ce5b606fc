#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "hsm/token_state.h"

namespace hsm {

// Opens the tokens of one module together, because PKCS#11 has one state a process: SoftHSM finds a
// token that was unavailable only after C_Finalize, and C_Finalize ends the logins to all tokens.
// So opening one token again means logging in to all of them again, and signers with the others
// wait for that moment. Thread-safe.
class SharedModule {
 public:
  // An opening that takes longer than `open_timeout` fails.
  SharedModule(std::string path, std::chrono::milliseconds open_timeout)
      : path_(std::move(path)), open_timeout_(open_timeout) {}
  SharedModule(const SharedModule&) = delete;
  SharedModule& operator=(const SharedModule&) = delete;

  // Adds a token, which must live until Leave().
  void Join(TokenState& token);
  void Leave(TokenState& token);

  // Logs in to all tokens for the first time. Each TokenState gets its login or the error.
  void OpenAll();

  // Logs in again to `wanting` and to all tokens that are available. Does nothing if another thread
  // has done it since opened_count() was `seen_count`.
  void OpenAnew(TokenState& wanting, int seen_count);
  int opened_count() const { return opened_count_; }

  // Whether a token besides `token` is available.
  bool OthersAreAvailable(const TokenState& token) const;

  // A thread that uses a login calls AwaitOpening() and then holds mutex() shared. A thread that
  // gives or takes logins holds it alone, because C_Finalize crashes under a signer. The mutex
  // prefers readers, so AwaitOpening() is what lets the opening thread in. False if the opening
  // takes longer than kOpeningWait.
  static constexpr std::chrono::seconds kOpeningWait{1};
  bool AwaitOpening() const;
  std::shared_mutex& mutex() const { return mutex_; }

  // Held by a thread that searches, generates or destroys keys: in SoftHSM 2.6.1 C_GenerateKeyPair
  // fails now and then beside a search or another generation. It does not fail beside signatures.
  std::mutex& objects_mutex() const { return objects_mutex_; }

 private:
  void Open(const std::vector<TokenState*>& tokens);

  const std::string path_;
  const std::chrono::milliseconds open_timeout_;

  mutable std::shared_mutex mutex_;
  mutable std::mutex objects_mutex_;

  std::mutex opening_mutex_;         // one opening at a time
  std::vector<TokenState*> tokens_;  // changed under opening_mutex_ and mutex_
  std::atomic<int> opened_count_ = 0;

  mutable std::mutex wait_mutex_;
  mutable std::condition_variable is_opened_;
  std::atomic<bool> is_opening_ = false;
};

}  // namespace hsm
