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
#include "ocsp/request.h"
#include "ocsp/striped_counter.h"

namespace ocsp {

// A DER OCSPResponse (RFC 6960 section 4.2.1), ready to be sent.
struct Answer {
  ca::Bytes der;
  // When it may be cached by whoever stands between (RFC 5019 section 6): not an error, without a
  // nonce, and not `unknown` of any certificate, which may be issued in the next moment.
  bool is_cacheable = false;
  ca::TimePoint this_update;  // set when it is cacheable: Last-Modified
  ca::TimePoint next_update;  // likewise: Expires
  std::string etag;           // likewise: quoted
};

// An authority for whose certificates it answers, and the key that signs the answers.
struct AnsweredAuthority {
  std::shared_ptr<const ca::Authority> issuer;
  std::shared_ptr<const ca::Authority> responder;  // null as long as it has none: tryLater
  // Serials of CAs that it issued itself and that are not in the ledger's day-to-day tables.
  std::vector<ca::SerialNumber> issued_authorities;
  std::optional<std::chrono::seconds> lifetime;  // instead of ResponderOptions::lifetime
};
using AnsweredAuthorities = std::map<ca::AuthorityId, AnsweredAuthority>;

struct ResponderOptions {
  // While an answer may still be given, the index must know every revocation that contradicts it,
  // and that is RevocationIndex::kKeptAfterExpiry and no longer.
  static constexpr std::chrono::seconds kLifetimeMin = std::chrono::minutes(1);
  static constexpr std::chrono::seconds kLifetimeMax = std::chrono::hours(24);

  // nextUpdate - thisUpdate, brought within the bounds above. Less when the responder's certificate
  // ends before.
  std::chrono::seconds lifetime = std::chrono::hours(1);
  size_t cached_answers_max = 1'000'000;  // about 1 KiB each
  size_t signed_serials_max = 1'000'000;  // about 70 octets each
};

class AnswerCache;
class SignedSerials;
struct Remembered;
struct Statement;

// Answers OCSP requests (RFC 6960, RFC 5019, RFC 9654). Thread-safe. Never guesses: `good` is said
// of what the ledger knows to be signed and of nothing else; while the database is away, signed
// answers go on until they end, and then it is tryLater.
//
// Every answer that is signed without a nonce and says `unknown` of nothing is remembered by its
// authority and its CertIDs; at each recall the index is asked anew, so that a revocation acts at
// once. It is signed anew from half its life on.
//
// The ledger is asked once of each certificate: that it is signed stays true, and whether it is
// revoked is in the index, as long as that is current. While the index is not, the ledger is asked.
class Responder {
 public:
  static constexpr size_t kRequestMax = Request::kSizeMax;     // octets
  static constexpr size_t kCertIdsMax = Request::kCertIdsMax;  // in one request

  // `index`, `store` and `clock` outlive it.
  Responder(const ca::RevocationIndex& index, ca::RevocationStore& store, const ca::Clock& clock,
            ResponderOptions options);
  ~Responder();

  // From now on. Answers that another responder signed, and that stand, are still given.
  void SetAuthorities(std::shared_ptr<const AnsweredAuthorities> authorities);

  // An answer that was signed before and still stands; null when there is none, or when it has
  // passed half its life. Does not block: a hash lookup, for the thread that reads the network.
  std::shared_ptr<const Answer> Recall(ca::AuthorityId authority, ca::BytesView request);

  // Any request, whatever it holds. Blocks for the ledger and the token. Errors are answers too:
  // malformedRequest, unauthorized (another issuer's certificate, RFC 5019 section 2.2.3),
  // tryLater, internalError. Never null.
  std::shared_ptr<const Answer> Make(ca::AuthorityId authority, ca::BytesView request);

  // What it would say of one serial, as of now, without signing. For the consistency check.
  // kNotFound for an authority that it does not answer for, and the errors of
  // RevocationStore::FindStatus.
  ca::Result<ca::CertificateStatus> StatusOf(ca::AuthorityId authority,
                                             const ca::SerialNumber& serial);

  // Whether it has a responder's key to sign with: else it answers tryLater, but for what it signed
  // before.
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
  // An answer that is the same whoever asks, and how often it was given.
  struct ErrorAnswer {
    explicit ErrorAnswer(ca::Bytes der);
    std::shared_ptr<const Answer> Give() {
      given_count.Add();
      return answer;
    }
    const std::shared_ptr<const Answer> answer;
    StripedCounter given_count;
  };
  struct Known;  // an authority, and what CertIDs call it
  using KnownAuthorities = std::map<ca::AuthorityId, Known>;

  std::shared_ptr<const Known> FindKnown(ca::AuthorityId authority) const;
  std::shared_ptr<const Remembered> FindStanding(ca::AuthorityId authority,
                                                 ca::BytesView plain_request) const;
  ca::Result<ca::CertificateStatus> Judge(const Known& known,
                                          const std::optional<ca::SerialNumber>& serial);
  ca::Result<Statement> State(const Known& known, const Request& request);
  ca::Result<std::shared_ptr<const Remembered>> StateAndSign(const Known& known,
                                                             const Request& request,
                                                             ca::TimePoint now);
  std::shared_ptr<const Answer> Recalled(std::shared_ptr<const Remembered> remembered);

  const ca::RevocationIndex& index_;
  ca::RevocationStore& store_;
  const ca::Clock& clock_;
  const std::chrono::seconds lifetime_;
  const std::unique_ptr<AnswerCache> cache_;
  const std::unique_ptr<SignedSerials> signed_;

  mutable std::mutex mutex_;
  std::shared_ptr<const KnownAuthorities> authorities_;  // never null

  ErrorAnswer malformed_;
  ErrorAnswer unauthorized_;
  ErrorAnswer try_later_;
  ErrorAnswer internal_error_;
  StripedCounter recalled_count_;
  StripedCounter signed_count_;
};

}  // namespace ocsp
