#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ca/issuance/key_store.h"

namespace hsm {

// Keys on several tokens: of a tenant that has a token apart, on that, and of all others on the
// common one. The tenant is what a label begins with, acme/prod/issuing/1-5f3a9c0e. Thread-safe.
class TenantKeyStore final : public ca::KeyStore {
 public:
  struct Token {
    std::string label;
    std::set<std::string> tenants;
    std::shared_ptr<ca::KeyStore> keys;
  };

  // No tenant is at two tokens.
  TenantKeyStore(std::shared_ptr<ca::KeyStore> common, std::vector<Token> apart);
  TenantKeyStore(const TenantKeyStore&) = delete;
  TenantKeyStore& operator=(const TenantKeyStore&) = delete;

  ca::Result<std::shared_ptr<const ca::SigningKey>> Find(const std::string& label) override;
  ca::Result<std::shared_ptr<const ca::SigningKey>> Generate(const std::string& label) override;
  ca::Status Destroy(const std::string& label) override;
  std::vector<ca::TokenContent> Contents() override;
  std::string TokenOf(const std::string& label) const override;
  bool IsApart(const std::string& label) const override;

  // Of all, one after the other; the first that is not well is told, with its tenants. A server
  // looks after each by itself, so that one that hangs holds up no other.
  ca::Status CheckHealth() override;

  ca::KeyStore& common() const { return *common_; }
  const std::vector<Token>& apart() const { return apart_; }
  // Says whose it is: "tenants acme, globex: token 'hsm-acme': away ...".
  static ca::Status CheckHealth(const Token& token);

 private:
  const Token* ApartFor(const std::string& label) const;
  ca::KeyStore& StoreOf(const std::string& label) const;

  const std::shared_ptr<ca::KeyStore> common_;
  const std::vector<Token> apart_;
  std::map<std::string, const Token*, std::less<>> by_tenant_;
};

}  // namespace hsm
