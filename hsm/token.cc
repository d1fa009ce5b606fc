#include "hsm/token.h"

#include <algorithm>
#include <shared_mutex>
#include <utility>

#include "hsm/key_destruction.h"
#include "hsm/key_generation.h"

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

// How often somebody finds that an opening has just begun.
constexpr int kTriesMax = 3;

}  // namespace

std::vector<std::shared_ptr<Token>> Token::OpenAll(const std::vector<TokenOptions>& options) {
  std::chrono::milliseconds timeout{0};
  for (const TokenOptions& token : options) timeout = std::max(timeout, token.open_timeout);
  const auto module = std::make_shared<SharedModule>(options.front().module_path, timeout);
  std::vector<std::shared_ptr<Token>> tokens;
  for (const TokenOptions& token : options) {
    tokens.push_back(std::shared_ptr<Token>(new Token(token, module)));
  }
  module->OpenAll();
  return tokens;
}

Token::Token(TokenOptions options, std::shared_ptr<SharedModule> module)
    : options_(std::move(options)), module_(std::move(module)) {
  module_->Join(*this);
}

Token::~Token() { module_->Leave(*this); }

// ---- the keys -----------------------------------------------------------------------------------

template <typename Use>
std::invoke_result_t<Use, Login&> Token::WithLogin(Use use) const {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (is_away_ || !module_->AwaitOpening()) return Away();
    const std::shared_lock lock(module_->mutex());
    if (login_ != nullptr) return use(*login_);
  }
  return Away();
}

ca::Result<std::shared_ptr<const Token::Key>> Token::Find(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Result<std::shared_ptr<const Key>> {
    const std::lock_guard lock(module_->objects_mutex());
    Session session = TRY(login.Lease());
    auto pair = FindKeyPair(session, label);
    if (!pair.ok()) return Named(pair.status(), label);
    return Remember(label, *std::move(pair));
  });
}

ca::Result<std::shared_ptr<const Token::Key>> Token::Generate(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Result<std::shared_ptr<const Key>> {
    const std::lock_guard lock(module_->objects_mutex());
    Session session = TRY(login.OpenReadWrite());
    auto pair = GenerateKeyPair(session, label);
    if (!pair.ok()) return Named(pair.status(), label);
    return Remember(label, *std::move(pair));
  });
}

ca::Status Token::Destroy(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Status {
    const std::lock_guard lock(module_->objects_mutex());
    Session session = TRY(login.OpenReadWrite());
    // Whoever still signs with it is told so, and not that the token is away.
    Forget(label);
    return Named(DestroyKeyPair(session, label), label);
  });
}

ca::Result<std::vector<std::string>> Token::Labels() const {
  return WithLogin([&](Login& login) -> ca::Result<std::vector<std::string>> {
    const std::lock_guard lock(module_->objects_mutex());
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
  const int seen_count = module_->opened_count();
  ca::Status health = CheckKeys();
  if (health.code() == StatusCode::kUnavailable) {
    TRY(Reopen(seen_count, health));
    health = CheckKeys();
  }
  if (health.code() != StatusCode::kUnavailable) {
    reopen_pause_ = {};
    reopen_due_ = {};
  }
  return health;
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

ca::Status Token::Reopen(int seen_count, const ca::Status& health) {
  const auto begin = Steady::now();
  if (begin >= reopen_due_ || !module_->OthersAreWell(*this)) {
    reopen_pause_ =
        std::clamp(2 * reopen_pause_, options_.reopen_pause_min, options_.reopen_pause_max);
    reopen_due_ = begin + reopen_pause_;
    module_->OpenAnew(*this, seen_count);
  } else if (!is_away_) {
    return health;
  }
  if (!is_away_) return ca::Ok();
  return Named(Error(StatusCode::kUnavailable, "away: {}", ca::MessageOf(opened())));
}

std::unique_ptr<Login> Token::TakeLogin() {
  const std::lock_guard lock(keys_mutex_);
  for (auto& [label, key] : keys_) key->private_key_ = CK_INVALID_HANDLE;
  return std::move(login_);
}

void Token::GiveLogin(OpenedToken opened) {
  const std::lock_guard lock(keys_mutex_);
  opened_ = opened.login.status();
  is_away_ = !opened_.ok();
  if (!opened_.ok()) return;
  login_ = *std::move(opened.login);
  for (const auto& [label, pair] : opened.keys) {
    const auto known = keys_.find(label);
    if (known == keys_.end() || !known->second->Is(pair)) continue;  // the health check tells
    known->second->private_key_ = pair.private_key;
  }
}

ca::Status Token::opened() const {
  const std::lock_guard lock(keys_mutex_);
  return opened_;
}

std::vector<std::string> Token::HeldLabels() const {
  std::vector<std::string> labels;
  for (const auto& key : HeldKeys()) labels.push_back(key->label());
  return labels;
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
