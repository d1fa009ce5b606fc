#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "ca/base/openssl.h"
#include "ca/issuance/key_store.h"

namespace ca::testing {

// P-256 keys in memory, for tests that are not about the token.
class MemoryKeyStore final : public KeyStore {
 public:
  enum class Fault {
    kNone,
    kUnavailable,     // the token does not answer
    kWrongSignature,  // a glitch: it signs something else
  };

  explicit MemoryKeyStore(std::string token = "memory") : token_(std::move(token)) {}

  Result<std::shared_ptr<const SigningKey>> Find(const std::string& label) override;
  Result<std::shared_ptr<const SigningKey>> Generate(const std::string& label) override;
  Status Destroy(const std::string& label) override;
  std::vector<TokenContent> Contents() override;
  std::string TokenOf(const std::string& label) const override;
  bool IsApart(const std::string& label) const override;
  Status CheckHealth() override;

  // From now on it is for one tenant, beside a token that this is not about.
  void SetApart() { is_apart_ = true; }

  // The labels of all keys, sorted.
  Result<std::vector<std::string>> Labels();

  // From now on, for every key that it handed out.
  void Fail(Fault fault) { *fault_ = fault; }

  // For certificates that no CA of ours would sign. nullptr when there is no such key.
  EVP_PKEY* PrivateKey(const std::string& label) const;

 private:
  class Key;

  const std::string token_;
  std::atomic<bool> is_apart_ = false;
  const std::shared_ptr<std::atomic<Fault>> fault_ =
      std::make_shared<std::atomic<Fault>>(Fault::kNone);
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Key>> keys_;
};

}  // namespace ca::testing
