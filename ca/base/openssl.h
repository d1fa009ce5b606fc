#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "ca/base/clock.h"
#include "ca/base/result.h"

// Ownership of OpenSSL objects: each is owned in the statement that creates it.
namespace ca {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

template <typename T, auto Free>
using Owned = std::unique_ptr<T, FreeWith<Free>>;

inline void FreeOpenSslMemory(void* memory) { OPENSSL_free(memory); }
inline void FreeExtensions(STACK_OF(X509_EXTENSION) * extensions) {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
inline void FreeX509Stack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }

template <typename T>
using OpenSslBuffer = std::unique_ptr<T, FreeWith<FreeOpenSslMemory>>;

using Asn1IntegerPtr = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Asn1ObjectPtr = Owned<ASN1_OBJECT, ASN1_OBJECT_free>;
using Asn1OctetStringPtr = Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using Asn1TimePtr = Owned<ASN1_TIME, ASN1_TIME_free>;
using BasicConstraintsPtr = Owned<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using BignumPtr = Owned<BIGNUM, BN_free>;
using BioPtr = Owned<BIO, BIO_free_all>;
using EvpMdCtxPtr = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using EvpPkeyCtxPtr = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpPkeyPtr = Owned<EVP_PKEY, EVP_PKEY_free>;
using ExtensionsPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeWith<FreeExtensions>>;
using GeneralNamesPtr = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using X509ExtensionPtr = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using X509NamePtr = Owned<X509_NAME, X509_NAME_free>;
using X509Ptr = Owned<X509, X509_free>;
using X509ReqPtr = Owned<X509_REQ, X509_REQ_free>;
using X509StackPtr = std::unique_ptr<STACK_OF(X509), FreeWith<FreeX509Stack>>;
using X509StoreCtxPtr = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
using X509StorePtr = Owned<X509_STORE, X509_STORE_free>;

inline const unsigned char* Octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* MutableOctets(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// Empties this thread's OpenSSL error queue into one line, oldest first; "no detail" when empty.
// For logs alone, because the text may name internals.
std::string DrainOpenSslErrors();

// kInternal with `what` and the drained error queue.
Status OpenSslError(std::string_view what);

// For calls that fail only when memory is exhausted or OpenSSL itself is broken: prints and aborts.
[[noreturn]] void AbortOnOpenSslFailure(std::string_view what);

// After PEM_read_bio failed: true when it failed because no further block begins. Clears the queue.
bool PemReaderIsAtEnd();

// DER of any object that has an i2d function; aborts when OpenSSL cannot encode what it holds.
template <typename T, auto Encode>
std::string DerOf(const T* object) {
  unsigned char* der = nullptr;
  const int size = Encode(object, &der);
  if (size < 0) AbortOnOpenSslFailure("i2d");
  const OpenSslBuffer<unsigned char> owned(der);
  return {reinterpret_cast<const char*>(der), static_cast<size_t>(size)};
}

// kInternal if `time` is not a valid time. A parsed certificate has valid times.
Result<TimePoint> TimeOf(const ASN1_TIME* time);

// The middle of its validity. The holder renews from then on.
Result<TimePoint> HalfLifeOf(const X509* certificate);

// A certificate that fills `der` to its last octet. kInvalidArgument otherwise. Costs about 140 us
// on OpenSSL 3.0, whose public-key decoder is slow: never call it per request without need.
Result<X509Ptr> ParseX509(std::string_view der);

}  // namespace ca
