#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/result.h"
#include "hsm/pkcs11.h"

namespace hsm {

struct KeyHandles {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

// One PKCS#11 session of a login, which must outlive it. One thread at a time may use it, because
// an operation in two calls (C_SignInit, C_Sign) belongs to the session.
class Session {
 public:
  // Takes the session back. `has_failed`: a call failed in it, so it must not be used again.
  using Release = std::function<void(CK_SESSION_HANDLE handle, bool has_failed)>;

  // `functions` and `token_label` must outlive the session; the destructor calls `release`.
  Session(const CK_FUNCTION_LIST& functions, const std::string& token_label,
          CK_SESSION_HANDLE handle, Release release)
      : functions_(&functions),
        token_label_(&token_label),
        handle_(handle),
        release_(std::move(release)) {}
  Session(Session&& other) noexcept
      : functions_(other.functions_),
        token_label_(other.token_label_),
        handle_(other.handle_),
        has_failed_(other.has_failed_),
        release_(std::exchange(other.release_, nullptr)) {}
  Session& operator=(Session&&) = delete;
  ~Session() {
    if (release_) release_(handle_, has_failed_);
  }

  // The objects that have every attribute of `pattern`, but no more than `matches_max`.
  static constexpr size_t kMatchesMax = 16;
  ca::Result<std::vector<CK_OBJECT_HANDLE>> Find(std::vector<CK_ATTRIBUTE> pattern,
                                                 size_t matches_max = kMatchesMax);

  // The value of one attribute. Empty if the object or the token does not have the attribute.
  ca::Result<ca::Bytes> Read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

  // ECDSA over a digest: r and s, each as long as the group's order (PKCS #11 Current Mechanisms
  // 2.40, section 2.3.1).
  ca::Result<ca::Bytes> Sign(CK_OBJECT_HANDLE key, ca::BytesView digest);

  ca::Result<KeyHandles> GenerateEcKeyPair(std::vector<CK_ATTRIBUTE> public_template,
                                           std::vector<CK_ATTRIBUTE> private_template);

  ca::Status Destroy(CK_OBJECT_HANDLE object);

  // kUnavailable unless the token is present with the label of the login and the login still shows
  // private objects. Call it when Find() finds nothing: only after kOk are there no such objects.
  ca::Status CheckLogin();

 private:
  ca::Status Check(const char* call, CK_RV answer);
  const CK_FUNCTION_LIST& functions() const { return *functions_; }

  const CK_FUNCTION_LIST* functions_;
  const std::string* token_label_;
  CK_SESSION_HANDLE handle_;
  bool has_failed_ = false;
  Release release_;
};

}  // namespace hsm
