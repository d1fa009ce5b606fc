#include "ocsp/issuer.h"

#include "ca/base/asn1.h"

namespace ocsp {
namespace {

ca::Bytes Digest(ca::BytesView octets, const EVP_MD* algorithm) {
  ca::Bytes digest(static_cast<size_t>(EVP_MD_get_size(algorithm)), '\0');
  ca::RequireAsn1(EVP_Digest(octets.data(), octets.size(), ca::MutableOctets(digest), nullptr,
                             algorithm, nullptr) == 1,
                  "EVP_Digest");
  return digest;
}

}  // namespace

// RFC 6960 section 4.1.1: issuerKeyHash "shall be calculated over the value (excluding tag and
// length) of the subject public key field in the issuer's certificate". The octet that counts the
// unused bits is left out as well, as all implementations do; OpenSSL's BIT STRING has none.
IssuerHashes::IssuerHashes(const ca::Authority& issuer) {
  const ca::BytesView key = ca::OctetsOf(X509_get0_pubkey_bitstr(issuer.x509()));
  sha1_ = {Digest(issuer.name(), EVP_sha1()), Digest(key, EVP_sha1())};
  sha256_ = {Digest(issuer.name(), EVP_sha256()), Digest(key, EVP_sha256())};
}

bool IssuerHashes::AreIn(const CertId& id) const {
  if (id.hash == HashAlgorithm::kOther) return false;
  const Hashes& hashes = id.hash == HashAlgorithm::kSha1 ? sha1_ : sha256_;
  return id.issuer_name_hash == hashes.name && id.issuer_key_hash == hashes.key;
}

}  // namespace ocsp
