#include "ocsp/responder.h"

#include <algorithm>
#include <set>

#include "ocsp/issuer.h"
#include "ocsp/response.h"
#include "ocsp/signed_serials.h"

namespace ocsp {
namespace {

using std::chrono::seconds;

static_assert(ResponderOptions::kLifetimeMax < ca::RevocationIndex::kKeptAfterExpiry);

// The OCSP responder of an authority, and the validity of an answer that it signs now.
struct Signer {
  std::shared_ptr<const ca::Authority> responder;
  ca::TimePoint this_update;
  ca::TimePoint next_update;
};

// kUnavailable while the authority has no OCSP responder with a valid certificate. The conductor
// makes one.
ca::Result<Signer> SignerOf(const AnsweredAuthority& authority, ca::TimePoint now,
                            seconds lifetime) {
  const ca::TimePoint this_update = std::chrono::floor<seconds>(now);
  const auto& responder = authority.responder;
  if (!responder || now < responder->validity().not_before ||
      this_update >= responder->validity().not_after) {
    return ca::Error(ca::StatusCode::kUnavailable, "authority has no ocsp responder that is valid");
  }
  lifetime = std::clamp(authority.lifetime.value_or(lifetime), ResponderOptions::kLifetimeMin,
                        ResponderOptions::kLifetimeMax);
  // An answer must not outlive the certificate of its signer.
  return Signer{responder, this_update,
                std::min(this_update + lifetime, responder->validity().not_after)};
}

std::vector<ca::SerialNumber> GoodOf(const Request& request, const Statement& statement) {
  std::vector<ca::SerialNumber> good;
  for (size_t i = 0; i < request.cert_ids.size(); ++i) {
    if (std::holds_alternative<ca::GoodCertificate>(statement.singles[i].status)) {
      good.push_back(*request.cert_ids[i].serial);
    }
  }
  return good;
}

bool SaysUnknown(const Statement& statement) {
  return std::any_of(statement.singles.begin(), statement.singles.end(), [](const auto& single) {
    return std::holds_alternative<ca::UnknownCertificate>(single.status);
  });
}

bool IsTemporary(const ca::Status& status) {
  return status.code() == ca::StatusCode::kUnavailable ||
         status.code() == ca::StatusCode::kDeadlineExceeded;
}

// RFC 5019 section 6.2 proposes a hash of the response. 128 bits of a hash are enough.
std::string EtagOf(ca::BytesView der) {
  return fmt::format("\"{}\"", ca::Hex(ca::Sha256(der).substr(0, 16)));
}

}  // namespace

struct Responder::AnsweredIssuer {
  explicit AnsweredIssuer(const AnsweredAuthority& answered)
      : authority(answered),
        hashes(*answered.issuer),
        issued_authorities(answered.issued_authorities.begin(), answered.issued_authorities.end()) {
  }

  AnsweredAuthority authority;
  IssuerHashes hashes;
  std::set<ca::SerialNumber> issued_authorities;
};

Responder::ErrorAnswer::ErrorAnswer(ca::Bytes der)
    : answer(std::make_shared<const Answer>(Answer{.der = std::move(der)})) {}

Responder::Responder(const ca::RevocationIndex& index, ca::RevocationStore& store,
                     const ca::Clock& clock, ResponderOptions options)
    : index_(index),
      store_(store),
      clock_(clock),
      lifetime_(options.lifetime),
      cache_(std::make_unique<AnswerCache>(options.cached_answers_max)),
      signed_(std::make_unique<SignedSerials>(options.signed_serials_max)),
      issuers_(std::make_shared<const AnsweredIssuers>()),
      malformed_(EncodeError(ErrorStatus::kMalformedRequest)),
      unauthorized_(EncodeError(ErrorStatus::kUnauthorized)),
      try_later_(EncodeError(ErrorStatus::kTryLater)),
      internal_error_(EncodeError(ErrorStatus::kInternalError)) {}

Responder::~Responder() = default;

void Responder::SetAuthorities(std::shared_ptr<const AnsweredAuthorities> authorities) {
  auto issuers = std::make_shared<AnsweredIssuers>();
  for (const auto& [id, answered] : *authorities) issuers->emplace(id, answered);
  const std::lock_guard lock(mutex_);
  issuers_ = std::move(issuers);
}

std::shared_ptr<const Responder::AnsweredIssuer> Responder::FindAnsweredIssuer(
    ca::AuthorityId authority) const {
  const auto issuers = [this] {
    const std::lock_guard lock(mutex_);
    return issuers_;
  }();
  const auto found = issuers->find(authority);
  if (found == issuers->end()) return nullptr;
  return {issuers, &found->second};
}

// ---- cached answers

std::shared_ptr<const CachedAnswer> Responder::FindTrueAnswer(ca::AuthorityId authority,
                                                              ca::BytesView plain_request) const {
  auto cached = cache_->Find(authority, plain_request);
  if (!cached) return nullptr;
  for (const ca::SerialNumber& serial : cached->good) {
    if (index_.Contains(serial)) return nullptr;
  }
  return cached;
}

std::shared_ptr<const Answer> Responder::Recalled(std::shared_ptr<const CachedAnswer> cached) {
  recalled_count_.Add();
  const Answer* const answer = &cached->answer;
  return {std::move(cached), answer};
}

std::shared_ptr<const Answer> Responder::Recall(ca::AuthorityId authority, ca::BytesView request) {
  if (request.size() > kRequestMax) return nullptr;
  auto cached = FindTrueAnswer(authority, request);
  if (!cached || clock_.Now() >= cached->refresh_at) return nullptr;
  return Recalled(std::move(cached));
}

// ---- new answers

std::shared_ptr<const Answer> Responder::Make(ca::AuthorityId authority,
                                              ca::BytesView request_der) {
  const auto request = Request::Parse(request_der);
  if (!request.ok()) return malformed_.Give();

  // RFC 5019 section 2.2.3: "unauthorized" when "the server is not capable of responding
  // authoritatively", which it is for the certificates of this path's authority alone.
  const auto issuer = FindAnsweredIssuer(authority);
  const auto is_its = [&](const CertId& id) { return issuer->hashes.AreIn(id); };
  if (!issuer || !std::all_of(request->cert_ids.begin(), request->cert_ids.end(), is_its)) {
    return unauthorized_.Give();
  }

  // The answer may be cached by now: another thread has signed it, or it answers a request for the
  // same certificates in another encoding. A request with a nonce needs an answer of its own.
  const ca::TimePoint now = clock_.Now();
  if (!request->nonce) {
    auto recalled = Recall(authority, request->plain_der);
    if (recalled) return recalled;
  }
  auto made = SignAnswer(*issuer, *request, now);
  if (made.ok()) {
    signed_count_.Add();
    if ((*made)->answer.is_cacheable) cache_->Put(*made);
    return {*made, &(*made)->answer};
  }

  // The database or the token is unavailable: a cached answer is given until it expires.
  if (!request->nonce) {
    auto cached = FindTrueAnswer(authority, request->plain_der);
    if (cached && now < cached->answer.next_update) return Recalled(std::move(cached));
  }
  return IsTemporary(made.status()) ? try_later_.Give() : internal_error_.Give();
}

ca::Result<std::shared_ptr<const CachedAnswer>> Responder::SignAnswer(const AnsweredIssuer& issuer,
                                                                      const Request& request,
                                                                      ca::TimePoint now) {
  const Signer signer = TRY(SignerOf(issuer.authority, now, lifetime_));
  Statement statement = TRY(MakeStatement(issuer, request));
  statement.this_update = signer.this_update;
  statement.next_update = signer.next_update;
  ca::Bytes der = TRY(Sign(statement, *signer.responder));

  auto made = std::make_shared<CachedAnswer>();
  made->answer.der = std::move(der);
  made->answer.is_cacheable = !request.nonce && !SaysUnknown(statement);
  if (!made->answer.is_cacheable) return made;
  made->answer.this_update = signer.this_update;
  made->answer.next_update = signer.next_update;
  made->answer.etag = EtagOf(made->answer.der);
  made->authority = issuer.authority.issuer->id();
  made->request = request.plain_der;
  made->good = GoodOf(request, statement);
  made->refresh_at = signer.this_update + (signer.next_update - signer.this_update) / 2;
  return made;
}

ca::Result<Statement> Responder::MakeStatement(const AnsweredIssuer& issuer,
                                               const Request& request) {
  Statement statement;
  for (const CertId& id : request.cert_ids) {
    auto status = TRY(FindStatus(issuer, id.serial));
    statement.singles.push_back({id.der, std::move(status)});
  }
  statement.nonce = request.nonce;
  return statement;
}

ca::Result<ca::CertificateStatus> Responder::FindStatus(
    const AnsweredIssuer& answered, const std::optional<ca::SerialNumber>& serial) {
  if (!serial) return ca::CertificateStatus(ca::UnknownCertificate());
  const ca::Authority& issuer = *answered.authority.issuer;
  // Read before the index, which only grows: the index is at least as complete as this says.
  const bool is_current = index_.IsCurrent(clock_.Now());
  const auto revocation = index_.Find(*serial);
  if (revocation && revocation->authority == issuer.id()) return ca::CertificateStatus(*revocation);
  if (answered.issued_authorities.contains(*serial)) {
    return ca::CertificateStatus(ca::GoodCertificate());
  }
  if (is_current && signed_->Contains(issuer.id(), *serial)) {
    return ca::CertificateStatus(ca::GoodCertificate());
  }
  auto status = TRY(store_.FindStatus(issuer.hierarchy(), issuer.id(), *serial));
  if (std::holds_alternative<ca::GoodCertificate>(status)) signed_->Add(issuer.id(), *serial);
  return status;
}

ca::Result<ca::CertificateStatus> Responder::StatusOf(ca::AuthorityId authority,
                                                      const ca::SerialNumber& serial) {
  const auto issuer = FindAnsweredIssuer(authority);
  if (!issuer) {
    return ca::Error(ca::StatusCode::kNotFound,
                     "this responder does not answer for that authority");
  }
  return FindStatus(*issuer, serial);
}

bool Responder::CanSignFor(ca::AuthorityId authority) const {
  const auto issuer = FindAnsweredIssuer(authority);
  return issuer && SignerOf(issuer->authority, clock_.Now(), lifetime_).ok();
}

Responder::Counts Responder::counts() const {
  return {
      .recalled = recalled_count_.Sum(),
      .signed_answers = signed_count_.Sum(),
      .malformed = malformed_.given_count.Sum(),
      .unauthorized = unauthorized_.given_count.Sum(),
      .try_later = try_later_.given_count.Sum(),
      .internal_errors = internal_error_.given_count.Sum(),
  };
}

}  // namespace ocsp
