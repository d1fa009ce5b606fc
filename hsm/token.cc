#include "hsm/token.h"

#include <utility>

#include "hsm/key_destruction.h"
#include "hsm/key_generation.h"
#include "hsm/watchdog.h"

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

// Ends the old login, if any, and makes a new one. The old one first: see Module's claim.
ca::Result<std::unique_ptr<Login>> OpenLogin(const TokenOptions& options,
                                             std::unique_ptr<Login> old, Progress& progress) {
  progress.Enter("C_Finalize");
  old.reset();
  progress.Enter("reading the PIN");
  const ca::Secret pin = TRY(options.read_pin());
  return Login::Open(options, pin, progress);
}

ca::Result<std::unique_ptr<Login>> OpenLoginWithin(const TokenOptions& options,
                                                   std::unique_ptr<Login> old) {
  const std::string what = fmt::format("opening token '{}'", ca::Printable(options.token_label));
  // A copy of the options: a thread that hangs outlives us.
  return RunWithin(options.open_timeout, what,
                   [options, old = std::move(old)](Progress& progress) mutable {
                     return OpenLogin(options, std::move(old), progress);
                   });
}

}  // namespace

ca::Result<std::shared_ptr<Token>> Token::Open(TokenOptions options) {
  auto login = TRY(OpenLoginWithin(options, nullptr));
  return std::shared_ptr<Token>(new Token(std::move(options), std::move(login)));
}

Token::Token(TokenOptions options, std::unique_ptr<Login> login)
    : options_(std::move(options)), login_(std::move(login)) {}

Token::~Token() = default;

// ---- the keys -----------------------------------------------------------------------------------

template <typename Use>
std::invoke_result_t<Use, Login&> Token::WithLogin(Use use) const {
  // Before the lock, which prefers readers: a crowd of signers, each failing fast, could keep
  // TakeLogin waiting for it.
  if (is_away_) return Away();
  const std::shared_lock lock(mutex_);
  if (login_ == nullptr) return Away();
  return use(*login_);
}

ca::Result<std::shared_ptr<const Token::Key>> Token::Find(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Result<std::shared_ptr<const Key>> {
    const std::lock_guard lock(objects_mutex_);
    Session session = TRY(login.Lease());
    auto pair = FindKeyPair(session, label);
    if (!pair.ok()) return Named(pair.status(), label);
    return Remember(label, *std::move(pair));
  });
}

ca::Result<std::shared_ptr<const Token::Key>> Token::Generate(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Result<std::shared_ptr<const Key>> {
    const std::lock_guard lock(objects_mutex_);
    Session session = TRY(login.OpenReadWrite());
    auto pair = GenerateKeyPair(session, label);
    if (!pair.ok()) return Named(pair.status(), label);
    return Remember(label, *std::move(pair));
  });
}

ca::Status Token::Destroy(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Status {
    const std::lock_guard lock(objects_mutex_);
    Session session = TRY(login.OpenReadWrite());
    // Whoever still signs with it is told so, and not that the token is away.
    Forget(label);
    return Named(DestroyKeyPair(session, label), label);
  });
}

ca::Result<std::vector<std::string>> Token::Labels() const {
  return WithLogin([&](Login& login) -> ca::Result<std::vector<std::string>> {
    const std::lock_guard lock(objects_mutex_);
    Session session = TRY(login.Lease());
    auto labels = ListKeyLabels(session);
    if (!labels.ok()) return Named(labels.status());
    return labels;
  });
}

ca::Result<std::shared_ptr<const Token::Key>> Token::Remember(const std::string& label,
                                                              KeyPair pair) {
  const std::lock_guard lock(keys_mutex_);
  std::shared_ptr<Key>& known = keys_[label];
  if (!known) {
    known = std::make_shared<Key>(label, std::move(pair));
    return known;
  }
  if (!known->Is(pair)) {
    return Named(Error(StatusCode::kFailedPrecondition,
                       "it is another key than the one that was found before"),
                 label);
  }
  known->private_key_ = pair.private_key;
  return known;
}

void Token::Forget(const std::string& label) {
  const std::lock_guard lock(keys_mutex_);
  const auto known = keys_.find(label);
  if (known == keys_.end()) return;
  known->second->is_destroyed_ = true;
  keys_.erase(known);
}

std::vector<std::shared_ptr<const Token::Key>> Token::HeldKeys() const {
  const std::lock_guard lock(keys_mutex_);
  std::vector<std::shared_ptr<const Key>> held;
  for (const auto& [label, key] : keys_) {
    if (key.use_count() > 1) held.push_back(key);
  }
  return held;
}

ca::Result<ca::Bytes> Token::Sign(const Key& key, ca::BytesView message) const {
  return WithLogin([&](Login& login) -> ca::Result<ca::Bytes> {
    if (key.is_destroyed_) {
      return Named(Error(StatusCode::kFailedPrecondition, "it was destroyed"), key.label_);
    }
    const CK_OBJECT_HANDLE private_key = key.private_key_;
    if (private_key == CK_INVALID_HANDLE) {
      return Named(Error(StatusCode::kUnavailable, "it was not found again"), key.label_);
    }
    auto session = login.Lease();
    if (!session.ok()) return Named(session.status());
    auto signature = hsm::Sign(*session, private_key, message);
    if (!signature.ok()) return Named(signature.status(), key.label_);
    return signature;
  });
}

// ---- going away and coming back -----------------------------------------------------------------

ca::Status Token::CheckHealth() {
  const std::lock_guard lock(health_mutex_);
  ca::Status health = CheckKeys();
  if (health.code() != StatusCode::kUnavailable) return health;
  TRY(Reopen());
  return CheckKeys();
}

ca::Status Token::CheckLogin() const {
  return WithLogin([&](Login& login) -> ca::Status {
    Session session = TRY(login.Lease());
    return Named(session.CheckLogin());
  });
}

// A key that signs says more of the token than the token's own word: SoftHSM's C_GetTokenInfo fails
// for moments while another process logs in. Goes through all of them, also behind one that is
// lost: this is what finds them in a new login.
ca::Status Token::CheckKeys() {
  const std::vector<std::shared_ptr<const Key>> keys = HeldKeys();
  if (keys.empty()) return CheckLogin();
  ca::Status health = ca::Ok();
  for (const auto& key : keys) {
    ca::Status status = CheckKey(*key);
    if (key->is_destroyed_) continue;  // meanwhile
    if (status.code() == StatusCode::kUnavailable) return status;
    if (health.ok()) health = std::move(status);
  }
  return health;
}

ca::Status Token::CheckKey(const Key& key) {
  if (key.private_key_ == CK_INVALID_HANDLE) TRY(Find(key.label_));
  const ca::Bytes signature = TRY(Sign(key, kProbe));
  return Named(CheckProbe(key.public_key_, signature), key.label_);
}

ca::Status Token::Reopen() {
  auto login = OpenLoginWithin(options_, TakeLogin());
  if (!login.ok()) {
    return Named(Error(StatusCode::kUnavailable, "away: {}", ca::MessageOf(login.status())));
  }
  const std::lock_guard lock(mutex_);
  login_ = *std::move(login);
  is_away_ = false;
  return ca::Ok();
}

// When it returns, no thread is in the login, nor can get there.
std::unique_ptr<Login> Token::TakeLogin() {
  is_away_ = true;
  const std::lock_guard lock(mutex_);
  const std::lock_guard keys_lock(keys_mutex_);
  for (auto& [label, key] : keys_) key->private_key_ = CK_INVALID_HANDLE;
  return std::move(login_);
}

// ---- what went wrong ----------------------------------------------------------------------------

ca::Status Token::Away() const {
  return Named(Error(StatusCode::kUnavailable, "away until a health check opens it anew"));
}

ca::Status Token::Named(const ca::Status& status) const {
  return ca::Annotate(status, fmt::format("token '{}': ", ca::Printable(options_.token_label)));
}

ca::Status Token::Named(const ca::Status& status, const std::string& label) const {
  return Named(ca::Annotate(status, fmt::format("key '{}': ", ca::Printable(label))));
}

}  // namespace hsm
