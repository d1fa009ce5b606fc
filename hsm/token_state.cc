#include "hsm/token_state.h"

#include <utility>

namespace hsm {

ca::Status TokenState::opened() const {
  const std::lock_guard lock(mutex_);
  return opened_;
}

std::unique_ptr<Login> TokenState::TakeLogin() {
  const std::lock_guard lock(mutex_);
  for (auto& [label, key] : keys_) key->private_key_ = CK_INVALID_HANDLE;
  return std::move(login_);
}

void TokenState::GiveLogin(OpenedToken opened) {
  const std::lock_guard lock(mutex_);
  opened_ = opened.login.status();
  is_unavailable_ = !opened_.ok();
  if (!opened_.ok()) return;
  login_ = *std::move(opened.login);
  for (const auto& [label, pair] : opened.keys) {
    const auto known = keys_.find(label);
    // The next health check reports a key that is missing or is another one.
    if (known == keys_.end() || !known->second->Is(pair)) continue;
    known->second->private_key_ = pair.private_key;
  }
}

ca::Result<std::shared_ptr<const TokenKeyPair>> TokenState::Add(const std::string& label,
                                                                KeyPair pair) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<TokenKeyPair>& known = keys_[label];
  if (!known) {
    known = std::make_shared<TokenKeyPair>(label, std::move(pair));
    return known;
  }
  if (!known->Is(pair)) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "it is another key than the one that was found before");
  }
  known->private_key_ = pair.private_key;
  return known;
}

void TokenState::Forget(const std::string& label) {
  const std::lock_guard lock(mutex_);
  const auto known = keys_.find(label);
  if (known == keys_.end()) return;
  known->second->is_destroyed_ = true;
  keys_.erase(known);
}

std::vector<std::shared_ptr<const TokenKeyPair>> TokenState::HeldKeys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const TokenKeyPair>> held;
  for (const auto& [label, key] : keys_) {
    if (key.use_count() > 1) held.push_back(key);
  }
  return held;
}

std::vector<std::string> TokenState::HeldLabels() const {
  std::vector<std::string> labels;
  for (const auto& key : HeldKeys()) labels.push_back(key->label());
  return labels;
}

}  // namespace hsm
