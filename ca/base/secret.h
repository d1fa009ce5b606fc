#pragma once

#include <openssl/crypto.h>

#include <string>
#include <string_view>
#include <utility>

namespace ca {

// A secret that is wiped on destruction and cannot be printed: it has no conversion to string and
// no formatter.
class Secret {
 public:
  Secret() = default;
  // Copies `value` and wipes it. It does not move, because a moved-from string may still hold a
  // short secret in its own buffer.
  explicit Secret(std::string value) : value_(value) {
    OPENSSL_cleanse(value.data(), value.size());
  }
  Secret(Secret&& other) noexcept
      : value_(other.value_) {  // NOLINT(performance-move-constructor-init)
    other.Wipe();
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    Wipe();
    value_ = other.value_;
    other.Wipe();
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Wipe(); }

  // Call this only in the argument of the function that needs the secret.
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  // Takes the same time for all contents of one length.
  bool Equals(std::string_view other) const {
    return value_.size() == other.size() &&
           CRYPTO_memcmp(value_.data(), other.data(), value_.size()) == 0;
  }

 private:
  void Wipe() {
    OPENSSL_cleanse(value_.data(), value_.size());
    value_.clear();
  }

  std::string value_;
};

}  // namespace ca
