#pragma once

#include <openssl/asn1t.h>
#include <openssl/objects.h>

#include <utility>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/openssl.h"

// Structures that are declared by OpenSSL's templates (openssl/asn1t.h). A field that the code does
// not look into stays in its octets. All functions abort if memory is exhausted, and fail for no
// other reason.
namespace ca {

inline void RequireAsn1(bool succeeded, std::string_view what) {
  if (!succeeded) AbortOnOpenSslFailure(what);
}

// An object of a template. It owns its fields.
template <typename T>
class Asn1Object {
 public:
  explicit Asn1Object(const ASN1_ITEM* item)
      : Asn1Object(item, reinterpret_cast<T*>(ASN1_item_new(item))) {
    RequireAsn1(object_ != nullptr, "ASN1_item_new");
  }
  ~Asn1Object() { ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(object_), item_); }
  Asn1Object(const Asn1Object&) = delete;
  Asn1Object& operator=(const Asn1Object&) = delete;
  Asn1Object(Asn1Object&& other) noexcept
      : item_(other.item_), object_(std::exchange(other.object_, nullptr)) {}

  // Empty unless `der` is one object and nothing else. OpenSSL reads BER too, so compare with Der()
  // where the encoding has to be DER.
  static Asn1Object Parse(const ASN1_ITEM* item, BytesView der) {
    const unsigned char* at = Octets(der);
    Asn1Object parsed(item, reinterpret_cast<T*>(
                                ASN1_item_d2i(nullptr, &at, static_cast<long>(der.size()), item)));
    if (parsed.object_ && at == Octets(der) + der.size()) return parsed;
    DrainOpenSslErrors();
    return Asn1Object(item, nullptr);
  }

  bool empty() const { return object_ == nullptr; }
  T* operator->() { return object_; }
  const T* operator->() const { return object_; }
  Bytes Der() const {
    unsigned char* der = nullptr;
    const int size = ASN1_item_i2d(reinterpret_cast<const ASN1_VALUE*>(object_), &der, item_);
    RequireAsn1(size > 0, "ASN1_item_i2d");
    const OpenSslBuffer<unsigned char> owned(der);
    return {reinterpret_cast<const char*>(der), static_cast<size_t>(size)};
  }

 private:
  Asn1Object(const ASN1_ITEM* item, T* object) : item_(item), object_(object) {}

  const ASN1_ITEM* item_;
  T* object_;
};

inline BytesView OctetsOf(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

inline void SetOctets(ASN1_STRING* string, BytesView octets) {
  RequireAsn1(ASN1_STRING_set(string, octets.data(), static_cast<int>(octets.size())) == 1,
              "ASN1_STRING_set");
}

// A whole number of octets (X.690 section 8.6.2). OpenSSL drops trailing zero bits unless the flag
// is set.
inline void SetBitString(ASN1_BIT_STRING* string, BytesView octets) {
  SetOctets(string, octets);
  string->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
  string->flags |= ASN1_STRING_FLAG_BITS_LEFT;
}

// RFC 5758 section 3.2: "the encoding MUST omit the parameters field".
inline void SetEcdsaWithSha256(X509_ALGOR* algorithm) {
  RequireAsn1(
      X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, nullptr) == 1,
      "X509_ALGOR_set0");
}

// Seconds since 1970, as OpenSSL takes them.
inline time_t SecondsOf(TimePoint time) {
  return static_cast<time_t>(
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

// UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5).
inline void SetTime(ASN1_TIME* asn1, TimePoint time) {
  RequireAsn1(ASN1_TIME_set(asn1, SecondsOf(time)) != nullptr, "ASN1_TIME_set");
}

inline void SetGeneralizedTime(ASN1_GENERALIZEDTIME* asn1, TimePoint time) {
  RequireAsn1(ASN1_GENERALIZEDTIME_set(asn1, SecondsOf(time)) != nullptr,
              "ASN1_GENERALIZEDTIME_set");
}

// Appends an extension; OpenSSL's template for `nid` encodes `value`.
inline void AddExtension(STACK_OF(X509_EXTENSION) * *extensions, int nid, void* value,
                         bool critical) {
  RequireAsn1(X509V3_add1_i2d(extensions, nid, value, critical, X509V3_ADD_APPEND) == 1,
              "X509V3_add1_i2d");
}

}  // namespace ca
