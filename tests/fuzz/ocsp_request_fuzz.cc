// ocsp::Request::Parse must agree with OpenSSL about every input, except for the differences listed
// in tests/ocsp/request_differences.cc; and the responder must answer every input.

#include <openssl/ocsp.h>

#include <cstdio>
#include <cstdlib>

#include "ca/authorities/provisioning.h"
#include "ocsp/request.h"
#include "ocsp/responder.h"
#include "tests/fakes/deployment.h"
#include "tests/fakes/must.h"
#include "tests/ocsp/request_differences.h"

namespace {

using ca::testing::Must;

[[noreturn]] void Fail(std::string_view why, ca::BytesView request) {
  fmt::print(stderr, "{}\n{}\n", why, ca::Hex(request));
  std::abort();
}

// A responder over an authority in memory, and one certificate that is good.
class World {
 public:
  World() {
    auto authorities = std::make_shared<ocsp::AnsweredAuthorities>();
    ca::Provisioning provisioning(ports_.stores(), ports_.keys, ca::testing::Directory(), clock_);
    authorities->emplace(
        issuer_->id(),
        ocsp::AnsweredAuthority{issuer_,
                                Must(provisioning.delegates.EnsureResponder(
                                    *deployment_.Reloaded(deployment_.acme), *issuer_, "fuzz")),
                                {}});
    responder_.SetAuthorities(std::move(authorities));
  }

  // The authority has another key in each run, so the seeds have these placeholders.
  ca::Bytes Filled(ca::Bytes request) const {
    const auto fill = [&](const ca::Bytes& placeholder, const ca::Bytes& octets) {
      size_t at = 0;
      while ((at = request.find(placeholder, at)) != ca::Bytes::npos) {
        request.replace(at, octets.size(), octets);
      }
    };
    fill(ca::Bytes(32, 'N'), ca::Sha256(issuer_->name()));
    fill(ca::Bytes(32, 'K'), ca::Sha256(key_octets_));
    fill(ca::Bytes(20, 'n'), Sha1(issuer_->name()));
    fill(ca::Bytes(20, 'k'), issuer_->key_identifier());
    fill("\1" + ca::Bytes(19, 's'), serial_.bytes());
    return request;
  }

  void Ask(ca::BytesView request) {
    const auto made = responder_.Make(issuer_->id(), request);
    const unsigned char* at = made ? ca::Octets(made->der) : nullptr;
    const ca::Owned<OCSP_RESPONSE, OCSP_RESPONSE_free> response(
        made ? d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(made->der.size())) : nullptr);
    if (!response) Fail("no answer", request);
    const bool is_malformed =
        OCSP_response_status(response.get()) == OCSP_RESPONSE_STATUS_MALFORMEDREQUEST;
    if (is_malformed == ocsp::Request::Parse(request).ok()) Fail("another verdict", request);
    const auto recalled = responder_.Recall(issuer_->id(), request);
    if (recalled && (recalled != made || !made->is_cacheable)) Fail("another answer", request);
  }

 private:
  static ca::Bytes Sha1(ca::BytesView octets) {
    ca::Bytes digest(20, '\0');
    EVP_Digest(octets.data(), octets.size(), ca::MutableOctets(digest), nullptr, EVP_sha1(),
               nullptr);
    return digest;
  }

  ca::testing::FakeClock clock_;
  ca::testing::MemoryPorts ports_{clock_};
  ca::testing::Deployment deployment_{ports_, clock_};
  const std::shared_ptr<const ca::Authority> issuer_ =
      Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  const ca::Bytes key_octets_{
      reinterpret_cast<const char*>(
          ASN1_STRING_get0_data(X509_get0_pubkey_bitstr(issuer_->x509()))),
      static_cast<size_t>(ASN1_STRING_length(X509_get0_pubkey_bitstr(issuer_->x509())))};
  const ca::SerialNumber serial_ =
      deployment_.Issue(deployment_.Register(deployment_.acme, "billing/invoice-bot"))
          .record.serial;
  ca::RevocationIndex index_;
  ocsp::Responder responder_{index_, ports_.revocations, clock_, {.cached_answers_max = 1000}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  static World& world = *new World();
  const ca::Bytes input = world.Filled(ca::Bytes(reinterpret_cast<const char*>(data), size));
  const ocsp::testing::Comparison comparison = ocsp::testing::Compare(input);
  if (!comparison.disagreement.empty()) Fail(comparison.disagreement, input);
  world.Ask(input);
  return 0;
}
