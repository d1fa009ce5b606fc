#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ca/base/clock.h"
#include "ca/catalog/revocation_index.h"
#include "ca/issuance/authority.h"
#include "ca/ports/revocation.h"
#include "ocsp/answer_cache.h"
#include "ocsp/request.h"
#include "ocsp/striped_counter.h"

namespace ocsp {

// An authority for whose certificates the responder answers, and the key that signs the answers.
struct AnsweredAuthority {
  std::shared_ptr<const ca::Authority> issuer;
  // The OCSP responder that `issuer` certified. Null while there is none: the answer is tryLater.
  std::shared_ptr<const ca::Authority> responder;
  // Serials of the CA certificates that it issued, which are not in the ledger's tables of agents'
  // certificates.
  std::vector<ca::SerialNumber> issued_authorities;
  std::optional<std::chrono::seconds> lifetime;  // replaces ResponderOptions::lifetime
};
using AnsweredAuthorities = std::map<ca::AuthorityId, AnsweredAuthority>;

struct ResponderOptions {
  // While an answer may be given, the index must know every revocation that contradicts it. The
  // index keeps a revocation for RevocationIndex::kKeptAfterExpiry, so that bounds the lifetime.
  static constexpr std::chrono::seconds kLifetimeMin = std::chrono::minutes(1);
  static constexpr std::chrono::seconds kLifetimeMax = std::chrono::hours(24);

  // nextUpdate - thisUpdate, clamped to the bounds above. Shorter if the OCSP responder's
  // certificate expires earlier.
  std::chrono::seconds lifetime = std::chrono::hours(1);
  size_t cached_answers_max = 1'000'000;  // about 1 KiB each
  size_t signed_serials_max = 1'000'000;  // about 70 octets each
};

class SignedSerials;
struct Statement;

// Answers OCSP requests (RFC 6960, RFC 5019, RFC 9654). Thread-safe. Never guesses: it says `good`
// only of certificates that the ledger knows as signed. While the database is unavailable, it gives
// the answers that it has signed until they expire, and then tryLater.
//
// An answer without a nonce that says `unknown` of no certificate is cached by its authority and
// its CertIDs. The index is checked each time a cached answer is given, so a revocation acts at
// once. After half its lifetime a new answer is signed.
//
// The ledger is read once for each certificate: a signed certificate stays signed, and the index
// knows whether it is revoked. While the index is not current, the ledger is read each time.
class Responder {
 public:
  static constexpr size_t kRequestMax = Request::kSizeMax;     // octets
  static constexpr size_t kCertIdsMax = Request::kCertIdsMax;  // in one request

  // `index`, `store` and `clock` must outlive the responder.
  Responder(const ca::RevocationIndex& index, ca::RevocationStore& store, const ca::Clock& clock,
            ResponderOptions options);
  ~Responder();

  // Replaces the authorities. Answers that an earlier OCSP responder signed are still given until
  // they expire.
  void SetAuthorities(std::shared_ptr<const AnsweredAuthorities> authorities);

  // The cached answer to the request. Null if there is none that is valid, or if it has passed half
  // its lifetime. Does not block (a hash lookup), so the thread that reads the network may call it.
  std::shared_ptr<const Answer> Recall(ca::AuthorityId authority, ca::BytesView request);

  // Answers any octets. Blocks for the ledger and the token. An error is an answer, too:
  // malformedRequest, unauthorized (a certificate of another issuer, RFC 5019 section 2.2.3),
  // tryLater, internalError. Never null.
  std::shared_ptr<const Answer> Make(ca::AuthorityId authority, ca::BytesView request);

  // The status that Make() would state for one serial now. Signs nothing; for the consistency
  // check. kNotFound if it does not answer for the authority; also the errors of
  // RevocationStore::FindStatus.
  ca::Result<ca::CertificateStatus> StatusOf(ca::AuthorityId authority,
                                             const ca::SerialNumber& serial);

  // Whether it has an OCSP responder's key and certificate to sign with. Otherwise it gives cached
  // answers, and tryLater.
  bool CanSignFor(ca::AuthorityId authority) const;

  struct Counts {
    std::uint64_t recalled = 0;
    std::uint64_t signed_answers = 0;
    std::uint64_t malformed = 0;
    std::uint64_t unauthorized = 0;
    std::uint64_t try_later = 0;
    std::uint64_t internal_errors = 0;
  };
  Counts counts() const;

 private:
  // An unsigned error, which is the same for every request, and how often it was given.
  struct ErrorAnswer {
    explicit ErrorAnswer(ca::Bytes der);
    std::shared_ptr<const Answer> Give() {
      given_count.Add();
      return answer;
    }
    const std::shared_ptr<const Answer> answer;
    StripedCounter given_count;
  };
  struct AnsweredIssuer;  // an AnsweredAuthority with the hashes that CertIDs name it by
  using AnsweredIssuers = std::map<ca::AuthorityId, AnsweredIssuer>;

  std::shared_ptr<const AnsweredIssuer> FindAnsweredIssuer(ca::AuthorityId authority) const;
  // Null also if a certificate that the answer says `good` of was revoked. The answer may be past
  // its next_update.
  std::shared_ptr<const CachedAnswer> FindTrueAnswer(ca::AuthorityId authority,
                                                     ca::BytesView plain_request) const;
  // Without a serial (not of our form): UnknownCertificate.
  ca::Result<ca::CertificateStatus> FindStatus(const AnsweredIssuer& issuer,
                                               const std::optional<ca::SerialNumber>& serial);
  ca::Result<Statement> MakeStatement(const AnsweredIssuer& issuer, const Request& request);
  ca::Result<std::shared_ptr<const CachedAnswer>> SignAnswer(const AnsweredIssuer& issuer,
                                                             const Request& request,
                                                             ca::TimePoint now);
  std::shared_ptr<const Answer> Recalled(std::shared_ptr<const CachedAnswer> cached);

  const ca::RevocationIndex& index_;
  ca::RevocationStore& store_;
  const ca::Clock& clock_;
  const std::chrono::seconds lifetime_;
  const std::unique_ptr<AnswerCache> cache_;
  const std::unique_ptr<SignedSerials> signed_;

  mutable std::mutex mutex_;
  std::shared_ptr<const AnsweredIssuers> issuers_;  // never null

  ErrorAnswer malformed_;
  ErrorAnswer unauthorized_;
  ErrorAnswer try_later_;
  ErrorAnswer internal_error_;
  StripedCounter recalled_count_;
  StripedCounter signed_count_;
};

}  // namespace ocsp
