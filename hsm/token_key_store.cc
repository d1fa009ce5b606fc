#include "hsm/token_key_store.h"

#include <map>
#include <utility>

#include "hsm/token.h"

namespace hsm {
namespace {

// A key that keeps its token open.
class TokenKey final : public ca::SigningKey {
 public:
  TokenKey(std::shared_ptr<const Token> token, std::shared_ptr<const TokenKeyPair> key)
      : token_(std::move(token)), key_(std::move(key)) {}

  const ca::Bytes& spki() const override { return key_->public_key().spki(); }

 private:
  ca::Result<ca::Bytes> Sign(ca::BytesView message) const override {
    return token_->Sign(*key_, message);
  }

  const std::shared_ptr<const Token> token_;
  const std::shared_ptr<const TokenKeyPair> key_;
};

}  // namespace

ca::Result<std::shared_ptr<TokenKeyStore>> TokenKeyStore::Open(TokenOptions options) {
  Opened opened = std::move(OpenAll({std::move(options)}).front());
  TRY(std::move(opened.opened));
  return std::move(opened.store);
}

std::vector<TokenKeyStore::Opened> TokenKeyStore::OpenAll(
    const std::vector<TokenOptions>& options) {
  std::map<std::string, std::vector<TokenOptions>> by_module;
  for (const TokenOptions& token : options) by_module[token.module_path].push_back(token);
  std::map<std::string, std::vector<std::shared_ptr<Token>>> tokens;
  for (const auto& [module, of_module] : by_module) tokens[module] = Token::OpenAll(of_module);

  std::vector<Opened> stores;
  std::map<std::string, size_t> next;
  for (const TokenOptions& token : options) {
    auto& opened = tokens[token.module_path][next[token.module_path]++];
    ca::Status status = opened->opened();
    stores.push_back(
        {std::shared_ptr<TokenKeyStore>(new TokenKeyStore(std::move(opened))), std::move(status)});
  }
  return stores;
}

TokenKeyStore::TokenKeyStore(std::shared_ptr<Token> token) : token_(std::move(token)) {}
TokenKeyStore::~TokenKeyStore() = default;

ca::Result<std::shared_ptr<const ca::SigningKey>> TokenKeyStore::Find(const std::string& label) {
  auto key = TRY(token_->Find(label));
  return std::make_shared<TokenKey>(token_, std::move(key));
}

ca::Result<std::shared_ptr<const ca::SigningKey>> TokenKeyStore::Generate(
    const std::string& label) {
  auto key = TRY(token_->Generate(label));
  return std::make_shared<TokenKey>(token_, std::move(key));
}

ca::Status TokenKeyStore::Destroy(const std::string& label) { return token_->Destroy(label); }

ca::Result<std::vector<std::string>> TokenKeyStore::Labels() { return token_->Labels(); }

std::vector<ca::TokenContent> TokenKeyStore::Contents() {
  auto labels = Labels();
  ca::TokenContent content{token_->label(), labels.status(), {}};
  if (labels.ok()) content.labels = *std::move(labels);
  return {std::move(content)};
}

std::string TokenKeyStore::TokenOf(const std::string&) const { return token_->label(); }

ca::Status TokenKeyStore::CheckHealth() { return token_->CheckHealth(); }

}  // namespace hsm
