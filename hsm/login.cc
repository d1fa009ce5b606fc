#include "hsm/login.h"

#include <libp11.h>

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

ca::Status CheckPinUsable(const PKCS11_TOKEN& token) {
  if (token.userPinSet == 0) {
    return Error(StatusCode::kFailedPrecondition,
                 "the token has no user PIN yet; set it with the security officer's PIN "
                 "(pkcs11-tool --init-pin)");
  }
  // A service that restarts again and again, or opens the token every few seconds, would lock the
  // PIN.
  if (token.userPinLocked != 0 || token.userPinFinalTry != 0) {
    return Error(StatusCode::kFailedPrecondition,
                 "the PIN was refused too often: the token {}; log in by hand with the right PIN",
                 token.userPinLocked != 0 ? "is locked"
                                          : "allows one more try, which agentpki leaves to you");
  }
  return ca::Ok();
}

}  // namespace

ca::Result<std::unique_ptr<Login>> Login::Open(std::shared_ptr<const InitializedModule> module,
                                               const std::string& token_label,
                                               const ca::Secret& pin, Progress& progress) {
  const PKCS11_SLOT* const slot = TRY(module->FindToken(token_label));
  TRY(CheckPinUsable(*slot->token));
  std::unique_ptr<Login> login(new Login(std::move(module), token_label));
  // libp11 declares it non-const, and only reads.
  login->slot_id_ = PKCS11_get_slotid_from_slot(const_cast<PKCS11_SLOT*>(slot));
  TRY(login->LogIn(pin, progress));
  return login;
}

// The login ends with its last session. Sessions of other slots belong to other logins.
Login::~Login() {
  if (login_session_ != CK_INVALID_HANDLE) functions().C_CloseAllSessions(slot_id_);
}

ca::Status Login::LogIn(const ca::Secret& pin, Progress& progress) {
  progress.Enter("C_OpenSession, C_Login");
  const CK_RV opened = OpenSession(CKF_SERIAL_SESSION, &login_session_);
  if (opened != CKR_OK) return TokenError("C_OpenSession", opened);

  // C_Login reads the PIN, and declares it non-const.
  const std::string& text = pin.Reveal();
  const CK_RV answer = functions().C_Login(
      login_session_, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(const_cast<char*>(text.data())),
      text.size());
  if (answer == CKR_OK || answer == CKR_USER_ALREADY_LOGGED_IN) return ca::Ok();
  ca::Status status = TokenError("C_Login", answer);
  if (status.code() == StatusCode::kUnavailable) return status;
  return Error(status.code(), "the token refuses the PIN: {}; check where it is read from",
               ca::MessageOf(status));
}

// ---- sessions -----------------------------------------------------------------------------------

ca::Result<Session> Login::Lease() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto may_go_on = [this] {
      return !idle_sessions_.empty() || session_count_ < sessions_max_;
    };
    if (!has_returned_.wait_for(lock, kSessionWait, may_go_on)) {
      return Error(StatusCode::kUnavailable, "all {} sessions are in use, for {} s already",
                   session_count_, kSessionWait.count());
    }
    if (!idle_sessions_.empty()) {
      const CK_SESSION_HANDLE handle = idle_sessions_.back();
      idle_sessions_.pop_back();
      return LeaseOf(handle);
    }

    ++session_count_;
    lock.unlock();
    CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
    const CK_RV answer = OpenSession(CKF_SERIAL_SESSION, &handle);
    if (answer == CKR_OK) return LeaseOf(handle);
    lock.lock();
    --session_count_;
    // The token allows fewer sessions than kSessionsMax: wait for one of these. Any other failure
    // is returned; libp11's own pool would wait for ever.
    if (answer == CKR_SESSION_COUNT && session_count_ > 0) {
      sessions_max_ = session_count_;
      continue;
    }
    has_returned_.notify_one();
    return TokenError("C_OpenSession", answer);
  }
}

ca::Result<Session> Login::OpenReadWrite() {
  CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV answer = OpenSession(CKF_SERIAL_SESSION | CKF_RW_SESSION, &handle);
  if (answer != CKR_OK) return TokenError("C_OpenSession", answer);
  return Session(functions(), token_label_, handle,
                 [this](CK_SESSION_HANDLE session, bool) { functions().C_CloseSession(session); });
}

CK_RV Login::OpenSession(CK_FLAGS flags, CK_SESSION_HANDLE* handle) {
  return functions().C_OpenSession(slot_id_, flags, nullptr, nullptr, handle);
}

Session Login::LeaseOf(CK_SESSION_HANDLE handle) {
  return Session(
      functions(), token_label_, handle,
      [this](CK_SESSION_HANDLE session, bool has_failed) { TakeBack(session, has_failed); });
}

void Login::TakeBack(CK_SESSION_HANDLE handle, bool has_failed) {
  // The answer does not matter: a session that cannot be closed is gone, or ends with the login.
  if (has_failed) functions().C_CloseSession(handle);

  const std::lock_guard lock(mutex_);
  if (has_failed) {
    --session_count_;
  } else {
    idle_sessions_.push_back(handle);
  }
  has_returned_.notify_one();
}

}  // namespace hsm
