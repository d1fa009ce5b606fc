#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/result.h"
#include "hsm/pkcs11.h"

namespace hsm {

class Login;

struct KeyHandles {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

// One session of a login, which must outlive it. An operation in two calls (C_SignInit, C_Sign) is
// the session's, so one thread at a time uses it. Goes back to the login at its end, or is closed
// when something has failed in it.
class Session {
 public:
  enum class Kind { kReadOnly, kReadWrite };

  Session(Login& login, Kind kind, CK_SESSION_HANDLE handle)
      : login_(&login), kind_(kind), handle_(handle) {}
  Session(Session&& other) noexcept
      : login_(std::exchange(other.login_, nullptr)),
        kind_(other.kind_),
        handle_(other.handle_),
        has_failed_(other.has_failed_) {}
  Session& operator=(Session&&) = delete;
  ~Session();

  // The objects that have every attribute of `pattern`; `matches_max` of them when there are more.
  static constexpr size_t kMatchesMax = 16;
  ca::Result<std::vector<CK_OBJECT_HANDLE>> Find(std::vector<CK_ATTRIBUTE> pattern,
                                                 size_t matches_max = kMatchesMax);

  // The value of one attribute; empty when the object or the token does not know it.
  ca::Result<ca::Bytes> Read(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

  // ECDSA over a digest: r and s, each as long as the group's order (PKCS #11 Current Mechanisms
  // 2.40, section 2.3.1).
  ca::Result<ca::Bytes> Sign(CK_OBJECT_HANDLE key, ca::BytesView digest);

  ca::Result<KeyHandles> GenerateEcKeyPair(std::vector<CK_ATTRIBUTE> public_template,
                                           std::vector<CK_ATTRIBUTE> private_template);

  ca::Status Destroy(CK_OBJECT_HANDLE object);

  // kUnavailable unless the token is there, under the label that was logged in to, and still lets
  // us see private objects: only then does finding nothing mean that there is nothing.
  ca::Status CheckLogin();

  const std::string& token_label() const;

 private:
  ca::Status Check(const char* call, CK_RV answer);
  const CK_FUNCTION_LIST& functions() const;

  Login* login_;
  Kind kind_;
  CK_SESSION_HANDLE handle_;
  bool has_failed_ = false;
};

}  // namespace hsm
