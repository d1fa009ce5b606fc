#include "tests/ca/corporate_ca.h"

#include "ca/base/der.h"
#include "ca/csr.h"
#include "ca/tbs_certificate.h"
#include "tests/ca/csr_builder.h"
#include "tests/fakes/must.h"

namespace ca::testing {
namespace {

using std::chrono::hours;

constexpr hours kRootLifetime{24 * 3650};
constexpr hours kIntermediateLifetime{24 * 1000};
constexpr hours kIssuingLifetime{24 * 365};

}  // namespace

CorporateCa::CorporateCa(TimePoint now, const std::string& name)
    : now_(now), name_(name), root_key_(NewKey(KeyType::kP384)) {
  root_ = RootAnew(kRootLifetime);
}

Bytes CorporateCa::RootAnew(std::chrono::seconds lifetime) const {
  return Forgery{.key = root_key_.get(),
                 .common_name = name_,
                 .validity = {now_ - hours(24), now_ + lifetime},
                 .serial = "\x01",
                 .extensions = CaExtensions("")}
      .Der();
}

Bytes CorporateCa::Forge(Forgery forgery) const {
  const X509Ptr issuer = Must(ParseX509(intermediate_.empty() ? root_ : intermediate_));
  forgery.issuer = issuer.get();
  forgery.issuer_key = key();
  forgery.validity.not_before = now_ - hours(1);
  forgery.serial = serial;
  return forgery.Der();
}

Bytes CorporateCa::AddIntermediate(const std::string& name, OpenSslExtensions extensions) {
  EvpPkeyPtr key = NewKey(KeyType::kP256);
  Bytes certificate = Forge({.key = key.get(),
                             .common_name = name,
                             .validity = {{}, now_ + kIntermediateLifetime},
                             .extensions = std::move(extensions)});
  intermediate_key_ = std::move(key);
  intermediate_ = certificate;
  return certificate;
}

Bytes CorporateCa::Sign(const Bytes& csr, OpenSslExtensions extensions) const {
  return Sign(csr, std::move(extensions), kIssuingLifetime);
}

Bytes CorporateCa::Sign(const Bytes& csr, OpenSslExtensions extensions,
                        std::chrono::seconds lifetime) const {
  const Csr parsed = Must(Csr::Parse(csr));
  return Forge({.key = parsed.public_key().evp(),
                .common_name = common_name,
                .validity = {{}, now_ + lifetime},
                .extensions = std::move(extensions)});
}

Bytes CorporateCa::SignTbs(BytesView tbs) const {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key())), '\0');
  size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key()) != 1 ||
      EVP_DigestSign(context.get(), MutableOctets(signature), &size, Octets(tbs), tbs.size()) !=
          1) {
    AbortOnOpenSslFailure("EVP_DigestSign");
  }
  signature.resize(size);
  return EncodeCertificate(tbs, signature);
}

Bytes CorporateCa::SignLeaf(const std::string& alternative_names) const {
  return Forge({.common_name = "somebody",
                .validity = {{}, now_ + hours(1)},
                .extensions = LeafExtensionsWith(alternative_names)});
}

OpenSslExtensions CorporateCa::CaExtensions(const std::string& path_length) {
  return {{"basicConstraints", "critical,CA:TRUE" + path_length},
          {"keyUsage", "critical,keyCertSign,cRLSign"}};
}

OpenSslExtensions CorporateCa::IssuingExtensions(const Hierarchy& hierarchy) {
  const std::string& host = hierarchy.trust_domain.name();
  std::string names = fmt::format("critical,permitted;URI:{},permitted;DNS:{}", host, host);
  for (const std::string& subtree : hierarchy.dns_subtrees) names += ",permitted;DNS:" + subtree;
  names += ",permitted;email:" + host;
  names += hierarchy.ip_ranges.empty() ? ",excluded;IP:0.0.0.0/0.0.0.0"
                                       : ",permitted;IP:10.0.0.0/255.0.0.0";
  names += ",excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0";
  OpenSslExtensions extensions = CaExtensions(",pathlen:0");
  extensions.emplace_back("subjectAltName", "URI:spiffe://" + host);
  extensions.emplace_back("nameConstraints", names);
  return extensions;
}

Bytes TbsOf(BytesView certificate) {
  DerReader reader(OnlyDer(kDerSequence, certificate).value_or(""));
  const auto tbs = reader.Next(kDerSequence);
  return tbs ? Bytes(tbs->whole) : Bytes();
}

}  // namespace ca::testing
