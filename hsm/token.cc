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

// How often a call may find that an opening has just begun, before it gives up.
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
    : module_(std::move(module)), state_(std::move(options)) {
  module_->Join(state_);
}

Token::~Token() { module_->Leave(state_); }

// ---- the keys -----------------------------------------------------------------------------------

template <typename Use>
std::invoke_result_t<Use, Login&> Token::WithLogin(Use use) const {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (state_.is_unavailable() || !module_->AwaitOpening()) return Unavailable();
    const std::shared_lock lock(module_->mutex());
    if (Login* const login = state_.login()) return use(*login);
  }
  return Unavailable();
}

ca::Result<std::shared_ptr<const TokenKeyPair>> Token::Find(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Result<std::shared_ptr<const TokenKeyPair>> {
    const std::lock_guard lock(module_->objects_mutex());
    Session session = TRY(login.Lease());
    return Add(label, FindKeyPair(session, label));
  });
}

ca::Result<std::shared_ptr<const TokenKeyPair>> Token::Generate(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Result<std::shared_ptr<const TokenKeyPair>> {
    const std::lock_guard lock(module_->objects_mutex());
    Session session = TRY(login.OpenReadWrite());
    return Add(label, GenerateKeyPair(session, label));
  });
}

ca::Result<std::shared_ptr<const TokenKeyPair>> Token::Add(const std::string& label,
                                                           ca::Result<KeyPair> pair) {
  if (!pair.ok()) return Named(pair.status(), label);
  auto added = state_.Add(label, *std::move(pair));
  if (!added.ok()) return Named(added.status(), label);
  return added;
}

ca::Status Token::Destroy(const std::string& label) {
  return WithLogin([&](Login& login) -> ca::Status {
    const std::lock_guard lock(module_->objects_mutex());
    Session session = TRY(login.OpenReadWrite());
    // Before the key goes, so that a concurrent signature fails with "it was destroyed" and not as
    // if the token were unavailable.
    state_.Forget(label);
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

ca::Result<ca::Bytes> Token::Sign(const TokenKeyPair& key, ca::BytesView message) const {
  return WithLogin([&](Login& login) -> ca::Result<ca::Bytes> {
    if (key.is_destroyed()) {
      return Named(Error(StatusCode::kFailedPrecondition, "it was destroyed"), key.label());
    }
    const CK_OBJECT_HANDLE private_key = key.private_key();
    if (private_key == CK_INVALID_HANDLE) {
      return Named(Error(StatusCode::kUnavailable, "it was not found again"), key.label());
    }
    auto session = login.Lease();
    if (!session.ok()) return Named(session.status());
    auto signature = hsm::Sign(*session, private_key, message);
    if (!signature.ok()) return Named(signature.status(), key.label());
    return signature;
  });
}

// ---- health -------------------------------------------------------------------------------------

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

// A key that signs is better evidence than C_GetTokenInfo: SoftHSM's fails for moments while
// another process logs in. The loop goes on after a key that is lost, because CheckKey() finds the
// others again in a new login.
ca::Status Token::CheckKeys() {
  const auto keys = state_.HeldKeys();
  if (keys.empty()) return CheckLogin();
  ca::Status health = ca::Ok();
  for (const auto& key : keys) {
    ca::Status status = CheckKey(*key);
    if (key->is_destroyed()) continue;  // since HeldKeys()
    if (status.code() == StatusCode::kUnavailable) return status;
    if (health.ok()) health = std::move(status);
  }
  return health;
}

ca::Status Token::CheckKey(const TokenKeyPair& key) {
  if (key.private_key() == CK_INVALID_HANDLE) TRY(Find(key.label()));
  const ca::Bytes signature = TRY(Sign(key, kProbe));
  return Named(CheckProbe(key.public_key(), signature), key.label());
}

ca::Status Token::Reopen(int seen_count, const ca::Status& health) {
  const auto begin = Steady::now();
  if (begin >= reopen_due_ || !module_->OthersAreAvailable(state_)) {
    const TokenOptions& options = state_.options();
    reopen_pause_ =
        std::clamp(2 * reopen_pause_, options.reopen_pause_min, options.reopen_pause_max);
    reopen_due_ = begin + reopen_pause_;
    module_->OpenAnew(state_, seen_count);
  } else if (!state_.is_unavailable()) {
    return health;
  }
  if (!state_.is_unavailable()) return ca::Ok();
  return Named(Error(StatusCode::kUnavailable, "unavailable: {}", ca::MessageOf(opened())));
}

// ---- errors -------------------------------------------------------------------------------------

ca::Status Token::Unavailable() const {
  return Named(Error(StatusCode::kUnavailable, "unavailable until a health check opens it again"));
}

ca::Status Token::Named(const ca::Status& status) const {
  return ca::Annotate(status, fmt::format("token '{}': ", ca::Printable(label())));
}

ca::Status Token::Named(const ca::Status& status, const std::string& label) const {
  return Named(ca::Annotate(status, fmt::format("key '{}': ", ca::Printable(label))));
}

}  // namespace hsm
