#include "hsm/login.h"

#include <fmt/ranges.h>
#include <libp11.h>
#include <openssl/err.h>

#include <span>

#include "ca/base/openssl.h"

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

std::string Quoted(const char* text) { return fmt::format("'{}'", ca::Printable(text)); }

// Without a label that matches, what an operator needs to see is which labels there are.
std::string Listed(const std::vector<std::string>& labels) {
  return labels.empty() ? "no initialized token was seen"
                        : fmt::format("tokens seen: {}", fmt::join(labels, ", "));
}

}  // namespace

ca::Result<std::unique_ptr<Login>> Login::Open(const TokenOptions& options, const ca::Secret& pin,
                                               Progress& progress) {
  progress.Enter("dlopen");
  auto module = TRY(Module::Load(options.module_path));
  std::unique_ptr<Login> login(new Login(std::move(module), options.token_label));
  TRY(login->Initialize(progress));
  TRY(login->ChooseSlot(progress));
  TRY(login->LogIn(pin, progress));
  return login;
}

Login::~Login() {
  // PKCS11_release_all_slots closes all sessions, also ours, and with the last one the login ends.
  if (slots_ != nullptr) PKCS11_release_all_slots(context_, slots_, slot_count_);
  // C_Finalize; crashes on a context whose module was never loaded.
  if (is_initialized_) PKCS11_CTX_unload(context_);
  if (context_ != nullptr) PKCS11_CTX_free(context_);
}

ca::Status Login::Initialize(Progress& progress) {
  ERR_clear_error();
  context_ = PKCS11_CTX_new();
  if (context_ == nullptr) ca::AbortOnOpenSslFailure("PKCS11_CTX_new");

  progress.Enter("C_Initialize");
  if (PKCS11_CTX_load(context_, module_->path().c_str()) != 0) {
    // SoftHSM says CKR_GENERAL_ERROR for everything: no configuration, a bad one, no token folder.
    return Error(StatusCode::kFailedPrecondition,
                 "PKCS#11 module {} does not start: {}; check its configuration (SoftHSM: the file "
                 "that SOFTHSM2_CONF names, and the folder that directories.tokendir in it names)",
                 module_->path(), ca::MessageOf(TokenError("C_Initialize", TakeLibp11Error())));
  }
  is_initialized_ = true;
  return ca::Ok();
}

ca::Status Login::ChooseSlot(Progress& progress) {
  ERR_clear_error();
  progress.Enter("C_GetSlotList, C_GetTokenInfo");
  if (PKCS11_enumerate_slots(context_, &slots_, &slot_count_) != 0) {
    return ca::Annotate(TokenError("C_GetSlotList", TakeLibp11Error()), "listing the tokens: ");
  }

  // By label, and only initialized ones. PKCS11_find_token would take the first it sees; and a
  // login to an uninitialized slot, which SoftHSM always has, waits for ever for a session.
  std::vector<std::string> labels;
  size_t match_count = 0;
  for (PKCS11_SLOT& slot : std::span(slots_, slot_count_)) {
    if (slot.token == nullptr || slot.token->initialized == 0) continue;
    labels.push_back(Quoted(slot.token->label));
    if (slot.token->label != token_label_) continue;
    slot_ = &slot;
    ++match_count;
  }
  if (match_count == 0) {
    // kUnavailable, because it may be there the next time: each login rewrites SoftHSM's token
    // file, and a process that opens it in that moment sees no token, or one without a PIN.
    return Error(
        StatusCode::kUnavailable,
        "no token is labelled {}; {}; check the label, and that the token is plugged in or "
        "its folder mounted",
        Quoted(token_label_.c_str()), Listed(labels));
  }
  if (match_count > 1) {
    return Error(StatusCode::kFailedPrecondition,
                 "{} tokens are labelled {}; {}; rename or remove all but one", match_count,
                 Quoted(token_label_.c_str()), Listed(labels));
  }
  slot_id_ = PKCS11_get_slotid_from_slot(slot_);
  return ca::Ok();
}

ca::Status Login::LogIn(const ca::Secret& pin, Progress& progress) {
  const PKCS11_TOKEN& token = *slot_->token;
  if (token.userPinSet == 0) {
    return Error(StatusCode::kFailedPrecondition,
                 "the token has no user PIN yet; set it with the security officer's PIN "
                 "(pkcs11-tool --init-pin)");
  }
  // A service that starts over and over, or looks after its token every few seconds, would lock it.
  if (token.userPinLocked != 0 || token.userPinFinalTry != 0) {
    return Error(
        StatusCode::kFailedPrecondition,
        "the PIN was refused too often: the token {}; log in by hand, with the right one",
        token.userPinLocked != 0 ? "is locked" : "allows one more try, which is left to you");
  }

  ERR_clear_error();
  progress.Enter("C_OpenSession, C_Login");
  if (PKCS11_login(slot_, 0, pin.Reveal().c_str()) == 0) return ca::Ok();
  ca::Status status = TokenError("C_Login", TakeLibp11Error());
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
      return Session(*this, Session::Kind::kReadOnly, handle);
    }

    ++session_count_;
    lock.unlock();
    CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
    const CK_RV answer = OpenSession(CKF_SERIAL_SESSION, &handle);
    if (answer == CKR_OK) return Session(*this, Session::Kind::kReadOnly, handle);
    lock.lock();
    --session_count_;
    // This token allows fewer than we do: wait for one of those. Any other failure is one to
    // report; libp11's own pool would wait for ever then.
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
  return Session(*this, Session::Kind::kReadWrite, handle);
}

CK_RV Login::OpenSession(CK_FLAGS flags, CK_SESSION_HANDLE* handle) {
  return functions().C_OpenSession(slot_id_, flags, nullptr, nullptr, handle);
}

void Login::TakeBack(Session::Kind kind, CK_SESSION_HANDLE handle, bool has_failed) {
  const bool is_pooled = kind == Session::Kind::kReadOnly;
  const bool is_reusable = is_pooled && !has_failed;
  // Whether it can be closed does not matter: it is gone already, or goes with the login.
  if (!is_reusable) functions().C_CloseSession(handle);
  if (!is_pooled) return;

  const std::lock_guard lock(mutex_);
  if (is_reusable) {
    idle_sessions_.push_back(handle);
  } else {
    --session_count_;
  }
  has_returned_.notify_one();
}

}  // namespace hsm
