#include "tests/ca/csr_surgery.h"

namespace ca::testing {

Bytes SignInfo(BytesView info, EVP_PKEY* key, const EVP_MD* digest) {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key)), '\0');
  size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), MutableOctets(signature), &size, Octets(info), info.size()) !=
          1) {
    AbortOnOpenSslFailure("EVP_DigestSign");
  }
  signature.resize(size);

  const int key_type = EVP_PKEY_get_base_id(key);
  int algorithm_id = key_type;
  if (digest != nullptr) OBJ_find_sigid_by_algs(&algorithm_id, EVP_MD_get_type(digest), key_type);
  const int parameters = key_type == EVP_PKEY_RSA ? V_ASN1_NULL : V_ASN1_UNDEF;
  const Owned<X509_ALGOR, X509_ALGOR_free> algorithm(X509_ALGOR_new());
  if (X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(algorithm_id), parameters, nullptr) != 1) {
    AbortOnOpenSslFailure("X509_ALGOR_set0");
  }

  return Tlv(0x30, Bytes(info) + DerOf<X509_ALGOR, i2d_X509_ALGOR>(algorithm.get()) +
                       Tlv(V_ASN1_BIT_STRING, Bytes(1, '\0') + signature));
}

Bytes ChangeInfo(const CsrBuilder& builder, const std::function<void(DerNode& info)>& change) {
  DerNode info = ParseDer(builder.Der())[kInfo];
  change(info);
  return SignInfo(Encode(info), builder.key(), builder.digest());
}

Bytes ChangeRequest(const CsrBuilder& builder,
                    const std::function<void(DerNode& request)>& change) {
  DerNode request = ParseDer(builder.Der());
  change(request);
  return Encode(request);
}

DerNode& FirstOfSubject(DerNode& info) { return info[kSubject][0][0]; }
DerNode& Extensions(DerNode& info) { return info[kAttributes][0][1][0]; }
DerNode& AlternativeNames(DerNode& info) { return Extensions(info)[0][1][0]; }

}  // namespace ca::testing
