#pragma once

#include <p11-kit/pkcs11.h>

#include <concepts>
#include <string_view>

#include "ca/base/bytes.h"
#include "ca/base/result.h"

// PKCS#11 (OASIS PKCS #11 Cryptographic Token Interface Base Specification 2.40). Private to hsm/.
namespace hsm {

inline constexpr CK_BBOOL kTrue = CK_TRUE;
inline constexpr CK_BBOOL kFalse = CK_FALSE;

// One entry of a template. It points to `value`, which must outlive it. PKCS#11 declares the
// pointer non-const, but only C_GetAttributeValue writes through it: do not use these there.
template <std::integral T>
CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, const T& value) {
  return {type, const_cast<T*>(&value), sizeof value};
}
inline CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, ca::BytesView value) {
  return {type, const_cast<char*>(value.data()), value.size()};
}

// An error such as "C_Login: The password or PIN is incorrect (0xa0)". kFailedPrecondition if only
// an operator can change the outcome, else kUnavailable.
ca::Status TokenError(std::string_view call, CK_RV answer);

// Takes the CK_RV of libp11's last failure from the error queue, and empties the queue.
// CKR_GENERAL_ERROR if the queue has none. Some failures of libp11 0.4.12 leave the queue
// unchanged, so call ERR_clear_error() before each call of libp11.
CK_RV TakeLibp11Error();

}  // namespace hsm
