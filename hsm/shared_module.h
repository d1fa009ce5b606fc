#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "hsm/key_pair.h"
#include "hsm/login.h"

namespace hsm {

class Token;

// What came of logging in to a token: the login, or why there is none, and those of its keys that
// were looked for and found.
struct OpenedToken {
  ca::Result<std::unique_ptr<Login>> login;
  std::map<std::string, KeyPair> keys;  // by label
};

// What the tokens of one module share, because PKCS#11 has one state a process: C_Finalize, without
// which SoftHSM never finds a token again that was away, ends the logins to all of them. So a token
// is opened anew by logging in to all of them anew, and who signs with another waits for that
// moment. Thread-safe.
class SharedModule {
 public:
  SharedModule(std::string path, std::chrono::milliseconds open_timeout)
      : path_(std::move(path)), open_timeout_(open_timeout) {}
  SharedModule(const SharedModule&) = delete;
  SharedModule& operator=(const SharedModule&) = delete;

  // A token is one of them from then on, and until Leave() it outlives this.
  void Join(Token& token);
  void Leave(Token& token);

  // Logs in to all of them for the first time. What came of it is told to each.
  void OpenAll();

  // The same, but not to those that are away, unless it is `wanting`. Nothing is done when somebody
  // else has done it since opened_count() was `seen_count`.
  void OpenAnew(Token& wanting, int seen_count);
  int opened_count() const { return opened_count_; }

  bool OthersAreWell(const Token& token) const;

  // Before somebody uses a login of one of them, he asks AwaitOpening() and then holds mutex()
  // shared; who gives and takes logins holds it alone, because C_Finalize under a signer crashes.
  // It prefers readers, of whom a crowd would keep him out if they did not ask. False when the
  // opening that is under way takes longer than kOpeningWait.
  static constexpr std::chrono::seconds kOpeningWait{1};
  bool AwaitOpening() const;
  std::shared_mutex& mutex() const { return mutex_; }

  // Of searching, generating and destroying, one at a time: in SoftHSM 2.6.1 a search, or another
  // generation, makes C_GenerateKeyPair fail now and then. Signing does not.
  std::mutex& objects_mutex() const { return objects_mutex_; }

 private:
  void Open(const std::vector<Token*>& tokens);

  const std::string path_;
  const std::chrono::milliseconds open_timeout_;

  mutable std::shared_mutex mutex_;
  mutable std::mutex objects_mutex_;

  std::mutex opening_mutex_;    // one opening at a time; held to change tokens_, too
  std::vector<Token*> tokens_;  // changed under mutex_
  std::atomic<int> opened_count_ = 0;

  mutable std::mutex wait_mutex_;
  mutable std::condition_variable is_opened_;
  std::atomic<bool> is_opening_ = false;
};

}  // namespace hsm
