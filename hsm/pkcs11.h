#pragma once

#include <p11-kit/pkcs11.h>

#include <concepts>
#include <string_view>

#include "ca/base/bytes.h"
#include "ca/base/result.h"

// PKCS#11 (OASIS PKCS #11 Cryptographic Token Interface Base Specification 2.40) as this folder
// speaks it. Private to hsm/.
namespace hsm {

inline constexpr CK_BBOOL kTrue = CK_TRUE;
inline constexpr CK_BBOOL kFalse = CK_FALSE;

// One entry of a template, which points to `value`. PKCS#11 declares the pointer non-const and
// writes through it in C_GetAttributeValue alone, for which these are not.
template <std::integral T>
CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, const T& value) {
  return {type, const_cast<T*>(&value), sizeof value};
}
inline CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, ca::BytesView value) {
  return {type, const_cast<char*>(value.data()), value.size()};
}

// "C_Login: The password or PIN is incorrect (0xa0)". kFailedPrecondition when it takes an operator
// to change the answer, else kUnavailable.
ca::Status TokenError(std::string_view call, CK_RV answer);

// Why libp11 failed, from the error queue, which is then empty: the CK_RV, or CKR_GENERAL_ERROR
// when it does not say. libp11 0.4.12 has failures that leave the queue as it was: call
// ERR_clear_error() before what may fail.
CK_RV TakeLibp11Error();

}  // namespace hsm
