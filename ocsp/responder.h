#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ca/authority.h"
#include "ca/base/clock.h"
#include "ca/revocation.h"
#include "ca/revocation_index.h"

namespace ocsp {

// A DER OCSPResponse (RFC 6960 section 4.2.1), ready to be sent.
struct Answer {
  ca::Bytes der;
  // When it may be cached by whoever stands between (RFC 5019 section 6): not an error, and without
  // a nonce.
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
};
using AnsweredAuthorities = std::map<ca::AuthorityId, AnsweredAuthority>;

struct ResponderOptions {
  std::chrono::seconds lifetime = std::chrono::hours(1);  // nextUpdate - thisUpdate
  size_t cached_answers_max = 1'000'000;                  // about 1 KiB each
};

// Answers OCSP requests (RFC 6960, RFC 5019, RFC 9654). Thread-safe. Never guesses: `good` is said
// of what the ledger knows to be signed and of nothing else; while the database is away, signed
// answers go on until they end, and then it is tryLater.
class Responder {
 public:
  static constexpr size_t kRequestMax = 16 * 1024;  // octets
  static constexpr size_t kCertIdsMax = 32;         // in one request

  Responder(const ca::RevocationIndex& index, ca::RevocationStore& store, const ca::Clock& clock,
            ResponderOptions options);
  ~Responder();

  // From now on. Answers that another responder signed, and that stand, are still given.
  void SetAuthorities(std::shared_ptr<const AnsweredAuthorities> authorities);

  // An answer that was signed before and still stands; null when there is none. Does not block: a
  // hash lookup, for the thread that reads the network.
  std::shared_ptr<const Answer> Recall(ca::AuthorityId authority, ca::BytesView request);

  // Any request, whatever it holds. Blocks for the ledger and the token. Errors are answers too:
  // malformedRequest, unauthorized (another issuer's certificate, RFC 5019 section 2.2.3),
  // tryLater, internalError.
  std::shared_ptr<const Answer> Make(ca::AuthorityId authority, ca::BytesView request);

  // What it would say of one serial, as of now, without signing. For the consistency check.
  ca::Result<ca::CertificateStatus> StatusOf(ca::AuthorityId authority,
                                             const ca::SerialNumber& serial);

  struct Counts {
    std::uint64_t recalled = 0;
    std::uint64_t signed_answers = 0;
    std::uint64_t malformed = 0;
    std::uint64_t unauthorized = 0;
    std::uint64_t try_later = 0;
  };
  Counts counts() const;

 private:
  class Cache;
  class Story;

  std::unique_ptr<Story> story_;
};

}  // namespace ocsp
