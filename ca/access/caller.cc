#include "ca/access/caller.h"

#include <openssl/pem.h>

#include <map>

#include "ca/base/rules.h"

namespace ca {
namespace {

Result<X509Ptr> ParsePem(std::string_view pem) {
  const auto blocks = FromPem("CERTIFICATE", pem);
  auto certificate = blocks.ok() ? ParseX509(blocks->front()) : Result<X509Ptr>(blocks.status());
  if (!certificate.ok()) return Refusal<kCallerMalformed>();
  return certificate;
}

// X509-SVID section 2: "An X.509 SVID MUST contain exactly one URI SAN, and by extension, exactly
// one SPIFFE ID."
Result<SpiffeId> SpiffeIdOf(X509* certificate) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const auto refuse = [] {
    return Refusal<kCallerIdentity>("it does not name exactly one SPIFFE ID");
  };
  std::optional<std::string> uri;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* const value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_URI) continue;
    if (uri) return refuse();
    uri.emplace(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                static_cast<size_t>(ASN1_STRING_length(value)));
  }
  auto id = SpiffeId::Parse(uri.value_or(""));
  if (!id.ok()) return refuse();
  return id;
}

Result<SerialNumber> SerialOf(X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  return SerialNumber::FromBytes({reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                                  static_cast<size_t>(ASN1_STRING_length(serial))});
}

X509Ptr Shared(X509* certificate) {
  X509_up_ref(certificate);
  return X509Ptr(certificate);
}

}  // namespace

class CallerVerifier::Trust {
 public:
  explicit Trust(std::shared_ptr<const Catalog> catalog);

  const Catalog& catalog() const { return *catalog_; }
  Result<Verified> Verify(std::string_view pem) const;

 private:
  // The certificates of one hierarchy. OpenSSL finds issuers by name: a foreign root that has the
  // name of another hierarchy's root disturbs only the hierarchy that it belongs to.
  struct Anchors {
    X509StorePtr roots{X509_STORE_new()};
    X509StackPtr intermediates{sk_X509_new_null()};
  };
  static Anchors AnchorsOf(const std::vector<std::shared_ptr<const Authority>>& authorities);
  static Status VerifyChain(X509_STORE_CTX* context);
  static bool IsIssuedWithin(const HierarchySnapshot& hierarchy, X509_STORE_CTX* verified);

  const std::shared_ptr<const Catalog> catalog_;
  std::map<HierarchyId, Anchors> anchors_;
};

CallerVerifier::CallerVerifier(const LiveCatalog& catalogs, const RevocationIndex& revocations,
                               const Clock& clock)
    : catalogs_(catalogs), revocations_(revocations), clock_(clock) {}

std::shared_ptr<const CallerVerifier::Trust> CallerVerifier::Trusted() const {
  auto catalog = catalogs_.Snapshot();
  const std::lock_guard lock(mutex_);
  if (!trust_ || &trust_->catalog() != catalog.get()) {
    trust_ = std::make_shared<const Trust>(std::move(catalog));
    young_.clear();
    old_.clear();
  }
  return trust_;
}

Result<Caller> CallerVerifier::Verify(std::string_view pem) const {
  if (pem.empty()) return Caller{};
  const auto trust = Trusted();
  const Bytes digest = Sha256(pem);
  const auto recall = [&]() -> std::optional<Verified> {
    const std::lock_guard lock(mutex_);
    for (const auto* generation : {&young_, &old_}) {
      const auto found = generation->find(digest);
      if (found != generation->end()) return found->second;
    }
    return std::nullopt;
  };
  std::optional<Verified> verified = recall();
  if (!verified) {
    verified = TRY(trust->Verify(pem));
    const std::lock_guard lock(mutex_);
    if (young_.size() >= kGenerationMax) {
      old_ = std::move(young_);
      young_.clear();
    }
    if (trust == trust_) young_.emplace(digest, *verified);
  }
  // A connection may be old: its certificate may have expired or been revoked since.
  const TimePoint now = clock_.Now();
  if (now < verified->validity.not_before || now > verified->validity.not_after) {
    return Refusal<kCallerExpired>(Rfc3339(verified->validity.not_before),
                                   Rfc3339(verified->validity.not_after));
  }
  if (const auto revocation = revocations_.Find(verified->serial)) {
    return Refusal<kCallerRevoked>(Rfc3339(revocation->revoked_at), NameOf(revocation->reason));
  }
  return Caller{verified->id, verified->hierarchy, verified->serial};
}

// ---- by one snapshot

CallerVerifier::Trust::Trust(std::shared_ptr<const Catalog> catalog)
    : catalog_(std::move(catalog)) {
  for (const HierarchySnapshotPtr& hierarchy : catalog_->hierarchies()) {
    anchors_.emplace(hierarchy->id(), AnchorsOf(hierarchy->authorities()));
  }
}

CallerVerifier::Trust::Anchors CallerVerifier::Trust::AnchorsOf(
    const std::vector<std::shared_ptr<const Authority>>& authorities) {
  Anchors anchors;
  if (!anchors.roots || !anchors.intermediates) AbortOnOpenSslFailure("X509_STORE_new");
  for (const auto& authority : authorities) {
    if (authority->kind() == AuthorityKind::kRoot) {
      X509_STORE_add_cert(anchors.roots.get(), authority->x509());
      continue;
    }
    sk_X509_push(anchors.intermediates.get(), Shared(authority->x509()).release());
    for (const Bytes& der : authority->intermediates()) {
      auto parsed = ParseX509(der);
      if (parsed.ok()) sk_X509_push(anchors.intermediates.get(), parsed->release());
    }
  }
  return anchors;
}

// Under our own roots, name constraints say the same; but the identity of a caller must not depend
// on one check. Under an external root, other CAs may issue, and none of them issues our agents.
bool CallerVerifier::Trust::IsIssuedWithin(const HierarchySnapshot& hierarchy,
                                           X509_STORE_CTX* verified) {
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(verified);
  if (sk_X509_num(chain) < 2) return false;
  for (const auto& authority : hierarchy.authorities()) {
    if (authority->kind() != AuthorityKind::kIssuing) continue;
    if (X509_cmp(authority->x509(), sk_X509_value(chain, 1)) == 0) return true;
  }
  return false;
}

Status CallerVerifier::Trust::VerifyChain(X509_STORE_CTX* context) {
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT);
  // The result is cached, so it must not depend on the time: each call checks the expiry.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_NO_CHECK_TIME);
  if (X509_verify_cert(context) == 1) return Ok();
  DrainOpenSslErrors();
  return Refusal<kCallerUntrusted>(
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

Result<CallerVerifier::Verified> CallerVerifier::Trust::Verify(std::string_view pem) const {
  const X509Ptr certificate = TRY(ParsePem(pem));
  const SpiffeId id = TRY(SpiffeIdOf(certificate.get()));
  const auto hierarchy = catalog_->FindByTrustDomain(id.trust_domain());
  if (!hierarchy.ok()) {
    return Refusal<kCallerIdentity>("no hierarchy here has its trust domain");
  }
  const Anchors& anchors = anchors_.at((*hierarchy)->id());
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), anchors.roots.get(), certificate.get(),
                                      anchors.intermediates.get()) != 1) {
    AbortOnOpenSslFailure("X509_STORE_CTX_init");
  }
  TRY(VerifyChain(context.get()));
  const auto serial = SerialOf(certificate.get());
  if (!serial.ok() || !IsIssuedWithin(**hierarchy, context.get())) {
    return Refusal<kCallerIdentity>("no issuing authority of its trust domain has issued it");
  }
  Validity validity;
  validity.not_before = TRY(TimeOf(X509_get0_notBefore(certificate.get())));
  validity.not_after = TRY(TimeOf(X509_get0_notAfter(certificate.get())));
  return Verified{id, (*hierarchy)->id(), *serial, validity};
}

}  // namespace ca
