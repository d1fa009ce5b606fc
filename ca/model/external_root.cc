#include "ca/model/external_root.h"

#include "ca/x509/certificate_chain.h"

namespace ca {

Status CheckExternalRoot(BytesView certificate) {
  const auto refuse = [](std::string_view why) {
    return Error(StatusCode::kInvalidArgument, "{}", why);
  };
  const auto parsed = ParseExternalCertificate(certificate);
  if (!parsed.ok()) return refuse(MessageOf(parsed.status()));
  X509* const root = parsed->get();
  if (X509_check_ca(root) != 1) {
    return refuse(
        fmt::format("'{}' is no CA's: basicConstraints does not say so", SubjectOf(root)));
  }
  if (X509_self_signed(root, 1) != 1) {
    DrainOpenSslErrors();
    return refuse(
        fmt::format("'{}' is not self-signed; write the root that is above it", SubjectOf(root)));
  }
  std::vector<X509Ptr> roots;
  roots.push_back(TRY(ParseExternalCertificate(certificate)));
  const auto verified = VerifyChain(root, nullptr, roots, std::nullopt);
  if (!verified.ok()) return refuse(MessageOf(verified.status()));
  const auto not_before = TimeOf(X509_get0_notBefore(root));
  const auto not_after = TimeOf(X509_get0_notAfter(root));
  if (!not_before.ok() || !not_after.ok()) return refuse("its validity cannot be read");
  if (*not_before < *not_after) return Ok();
  return refuse("it ends before it begins");
}

}  // namespace ca
