#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ca/base/secret.h"
#include "hsm/initialized_module.h"
#include "hsm/session.h"
#include "hsm/watchdog.h"

namespace hsm {

// A login to one token, and its sessions. A module may have several logins, each to another token.
// Thread-safe, but when it is destroyed no thread may use it or hold one of its sessions.
//
// libp11 opens the module and lists the slots. All else calls PKCS#11 directly, because libp11
// 0.4.12 finds a key only by listing all keys (PKCS11_enumerate_keys), and that does not suit a CA:
//   - the list fails as a whole, with an empty error queue, if one private key is neither RSA nor
//   EC
//     (an Ed25519 key, for example)
//   - the list moves in memory while other threads read it, and shows no attributes
//   - a key from the list waits for ever if no session is free, and crashes if it outlives its
//   context
//   - PKCS11_login hangs if no session is free, and keeps the PIN
class Login {
 public:
  // Logs in. Errors as TokenKeyStore::Open promises. Sets `progress` before each call that may
  // hang.
  static ca::Result<std::unique_ptr<Login>> Open(std::shared_ptr<const InitializedModule> module,
                                                 const std::string& token_label,
                                                 const ca::Secret& pin, Progress& progress);
  ~Login();
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

  // A read-only session from the pool. Waits while all sessions are in use; kUnavailable after
  // kSessionWait.
  static constexpr size_t kSessionsMax = 16;
  static constexpr std::chrono::seconds kSessionWait{5};
  ca::Result<Session> Lease();

  // A read-write session, outside the pool.
  ca::Result<Session> OpenReadWrite();

 private:
  Login(std::shared_ptr<const InitializedModule> module, std::string token_label)
      : module_(std::move(module)), token_label_(std::move(token_label)) {}
  ca::Status LogIn(const ca::Secret& pin, Progress& progress);

  const CK_FUNCTION_LIST& functions() const { return module_->functions(); }
  CK_RV OpenSession(CK_FLAGS flags, CK_SESSION_HANDLE* handle);
  Session LeaseOf(CK_SESSION_HANDLE handle);
  void TakeBack(CK_SESSION_HANDLE handle, bool has_failed);

  const std::shared_ptr<const InitializedModule> module_;
  const std::string token_label_;
  CK_SLOT_ID slot_id_ = 0;
  // Keeps the login alive while the pool has no session. CK_INVALID_HANDLE until it is opened.
  CK_SESSION_HANDLE login_session_ = CK_INVALID_HANDLE;

  std::mutex mutex_;
  std::condition_variable has_returned_;
  std::vector<CK_SESSION_HANDLE> idle_sessions_;
  size_t session_count_ = 0;  // idle and leased
  size_t sessions_max_ = kSessionsMax;
};

}  // namespace hsm
