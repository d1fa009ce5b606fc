#include "tests/fakes/memory_key_store.h"

namespace ca::testing {

class MemoryKeyStore::Key final : public SigningKey {
 public:
  Key(EvpPkeyPtr key, std::shared_ptr<const std::atomic<Fault>> fault)
      : key_(std::move(key)),
        spki_(DerOf<EVP_PKEY, i2d_PUBKEY>(key_.get())),
        fault_(std::move(fault)) {}

  const Bytes& spki() const override { return spki_; }
  EVP_PKEY* evp() const { return key_.get(); }
  void Destroy() const { is_destroyed_ = true; }

 private:
  Result<Bytes> Sign(BytesView message) const override {
    if (is_destroyed_) return Error(StatusCode::kFailedPrecondition, "it was destroyed");
    const Fault fault = *fault_;
    if (fault == Fault::kUnavailable) return Error(StatusCode::kUnavailable, "the token is away");
    if (fault == Fault::kWrongSignature) message = "something else";
    Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key_.get())), '\0');
    size_t size = signature.size();
    const EvpMdCtxPtr context(EVP_MD_CTX_new());
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), MutableOctets(signature), &size, Octets(message),
                       message.size()) != 1) {
      return OpenSslError("EVP_DigestSign");
    }
    signature.resize(size);
    return signature;
  }

  const EvpPkeyPtr key_;
  const Bytes spki_;
  const std::shared_ptr<const std::atomic<Fault>> fault_;
  mutable std::atomic<bool> is_destroyed_ = false;
};

Result<std::shared_ptr<const SigningKey>> MemoryKeyStore::Find(const std::string& label) {
  TRY(CheckHealth());
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(label);
  if (found == keys_.end()) return Error(StatusCode::kNotFound, "no key '{}'", label);
  return found->second;
}

Result<std::shared_ptr<const SigningKey>> MemoryKeyStore::Generate(const std::string& label) {
  TRY(CheckHealth());
  const std::lock_guard lock(mutex_);
  if (keys_.contains(label)) return Error(StatusCode::kAlreadyExists, "key '{}' exists", label);
  const auto key = std::make_shared<const Key>(EvpPkeyPtr(EVP_EC_gen("P-256")), fault_);
  keys_.emplace(label, key);
  return key;
}

Status MemoryKeyStore::Destroy(const std::string& label) {
  TRY(CheckHealth());
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(label);
  if (found == keys_.end()) return Ok();
  found->second->Destroy();
  keys_.erase(found);
  return Ok();
}

Result<std::vector<std::string>> MemoryKeyStore::Labels() {
  TRY(CheckHealth());
  const std::lock_guard lock(mutex_);
  std::vector<std::string> labels;
  for (const auto& [label, key] : keys_) labels.push_back(label);
  return labels;
}

std::vector<TokenContent> MemoryKeyStore::Contents() {
  auto labels = Labels();
  TokenContent content{TokenOf(""), labels.status(), {}};
  if (labels.ok()) content.labels = *std::move(labels);
  return {std::move(content)};
}

std::string MemoryKeyStore::TokenOf(const std::string&) const { return token_; }

bool MemoryKeyStore::IsApart(const std::string&) const { return is_apart_; }

Status MemoryKeyStore::CheckHealth() {
  if (*fault_ == Fault::kUnavailable) return Error(StatusCode::kUnavailable, "the token is away");
  return Ok();
}

EVP_PKEY* MemoryKeyStore::PrivateKey(const std::string& label) const {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(label);
  return found == keys_.end() ? nullptr : found->second->evp();
}

}  // namespace ca::testing
