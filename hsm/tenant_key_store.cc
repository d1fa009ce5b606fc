#include "hsm/tenant_key_store.h"

#include <fmt/ranges.h>

#include <utility>

namespace hsm {

TenantKeyStore::TenantKeyStore(std::shared_ptr<ca::KeyStore> common, std::vector<Token> dedicated)
    : common_(std::move(common)), dedicated_(std::move(dedicated)) {
  for (const Token& token : dedicated_) {
    for (const std::string& tenant : token.tenants) by_tenant_.emplace(tenant, &token);
  }
}

const TenantKeyStore::Token* TenantKeyStore::DedicatedTokenFor(const std::string& label) const {
  const size_t slash = label.find('/');
  if (slash == std::string::npos) return nullptr;
  const auto found = by_tenant_.find(std::string_view(label).substr(0, slash));
  return found == by_tenant_.end() ? nullptr : found->second;
}

ca::KeyStore& TenantKeyStore::StoreOf(const std::string& label) const {
  const Token* const token = DedicatedTokenFor(label);
  return token ? *token->keys : *common_;
}

ca::Result<std::shared_ptr<const ca::SigningKey>> TenantKeyStore::Find(const std::string& label) {
  return StoreOf(label).Find(label);
}

ca::Result<std::shared_ptr<const ca::SigningKey>> TenantKeyStore::Generate(
    const std::string& label) {
  return StoreOf(label).Generate(label);
}

ca::Status TenantKeyStore::Destroy(const std::string& label) {
  return StoreOf(label).Destroy(label);
}

std::vector<ca::TokenContent> TenantKeyStore::Contents() {
  std::vector<ca::TokenContent> contents = common_->Contents();
  for (const Token& token : dedicated_) {
    for (ca::TokenContent& content : token.keys->Contents()) contents.push_back(std::move(content));
  }
  return contents;
}

std::string TenantKeyStore::TokenOf(const std::string& label) const {
  return StoreOf(label).TokenOf(label);
}

bool TenantKeyStore::IsApart(const std::string& label) const {
  return DedicatedTokenFor(label) != nullptr;
}

ca::Status TenantKeyStore::CheckHealth() {
  TRY(common_->CheckHealth());
  for (const Token& token : dedicated_) TRY(CheckHealth(token));
  return ca::Ok();
}

ca::Status TenantKeyStore::CheckHealth(const Token& token) {
  return ca::Annotate(token.keys->CheckHealth(),
                      fmt::format("tenants {}: ", fmt::join(token.tenants, ", ")));
}

}  // namespace hsm
