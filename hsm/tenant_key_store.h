#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ca/issuance/key_store.h"

namespace hsm {

// Keys on several tokens. The keys of a tenant that has a dedicated token are on that token; the
// keys of all other tenants are on the common token. A label begins with its tenant:
// acme/prod/issuing/1-5f3a9c0e. Thread-safe.
class TenantKeyStore final : public ca::KeyStore {
 public:
  struct Token {
    std::string label;
    std::set<std::string> tenants;
    std::shared_ptr<ca::KeyStore> keys;
  };

  // No tenant may have two tokens.
  TenantKeyStore(std::shared_ptr<ca::KeyStore> common, std::vector<Token> dedicated);
  TenantKeyStore(const TenantKeyStore&) = delete;
  TenantKeyStore& operator=(const TenantKeyStore&) = delete;

  ca::Result<std::shared_ptr<const ca::SigningKey>> Find(const std::string& label) override;
  ca::Result<std::shared_ptr<const ca::SigningKey>> Generate(const std::string& label) override;
  ca::Status Destroy(const std::string& label) override;
  std::vector<ca::TokenContent> Contents() override;
  std::string TokenOf(const std::string& label) const override;
  bool IsApart(const std::string& label) const override;

  // Checks all tokens, one after the other. Returns the first error, with the token's tenants. The
  // server checks each token on its own instead, so that one that hangs does not delay the others.
  ca::Status CheckHealth() override;

  ca::KeyStore& common() const { return *common_; }
  const std::vector<Token>& dedicated() const { return dedicated_; }
  // The error names the tenants: "tenants acme, globex: token 'hsm-acme': unavailable ...".
  static ca::Status CheckHealth(const Token& token);

 private:
  const Token* DedicatedTokenFor(const std::string& label) const;
  ca::KeyStore& StoreOf(const std::string& label) const;

  const std::shared_ptr<ca::KeyStore> common_;
  const std::vector<Token> dedicated_;
  std::map<std::string, const Token*, std::less<>> by_tenant_;
};

}  // namespace hsm
