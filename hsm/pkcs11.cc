#include "hsm/pkcs11.h"

#include <libp11.h>
#include <openssl/err.h>
#include <p11-kit/p11-kit.h>

namespace hsm {
namespace {

ca::StatusCode CodeOf(CK_RV answer) {
  switch (answer) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED:
    case CKR_USER_TOO_MANY_TYPES:
    case CKR_USER_ANOTHER_ALREADY_LOGGED_IN:
    case CKR_TOKEN_WRITE_PROTECTED:
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_CURVE_NOT_SUPPORTED:
    case CKR_DOMAIN_PARAMS_INVALID:
    case CKR_TEMPLATE_INCOMPLETE:
    case CKR_TEMPLATE_INCONSISTENT:
    case CKR_ATTRIBUTE_TYPE_INVALID:
    case CKR_ATTRIBUTE_VALUE_INVALID:
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_FUNCTION_NOT_SUPPORTED:
      return ca::StatusCode::kFailedPrecondition;
    default:
      return ca::StatusCode::kUnavailable;
  }
}

}  // namespace

ca::Status TokenError(std::string_view call, CK_RV answer) {
  return ca::Error(CodeOf(answer), "{}: {} (0x{:x})", call, p11_kit_strerror(answer), answer);
}

CK_RV TakeLibp11Error() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const bool is_answer = error != 0 && ERR_GET_LIB(error) == ERR_get_CKR_code();
  return is_answer ? static_cast<CK_RV>(ERR_GET_REASON(error)) : CKR_GENERAL_ERROR;
}

}  // namespace hsm
