#include "hsm/token_key_store.h"

#include <utility>

#include "hsm/token.h"

namespace hsm {
namespace {

// A key of a token that it keeps open.
class TokenKey final : public ca::SigningKey {
 public:
  TokenKey(std::shared_ptr<const Token> token, std::shared_ptr<const Token::Key> key)
      : token_(std::move(token)), key_(std::move(key)) {}

  const ca::Bytes& spki() const override { return key_->spki(); }

 private:
  ca::Result<ca::Bytes> Sign(ca::BytesView message) const override {
    return token_->Sign(*key_, message);
  }

  const std::shared_ptr<const Token> token_;
  const std::shared_ptr<const Token::Key> key_;
};

}  // namespace

ca::Result<std::shared_ptr<TokenKeyStore>> TokenKeyStore::Open(TokenOptions options) {
  auto token = TRY(Token::Open(std::move(options)));
  return std::shared_ptr<TokenKeyStore>(new TokenKeyStore(std::move(token)));
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

ca::Status TokenKeyStore::CheckHealth() { return token_->CheckHealth(); }

}  // namespace hsm
