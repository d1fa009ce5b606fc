#include "ca/model/join_token.h"

#include "ca/base/random.h"

namespace ca {
namespace {

constexpr size_t kCheckSize = 4;
constexpr size_t kFingerprintSize = 32;
constexpr size_t kFixedSize = kCheckSize + kFingerprintSize + JoinToken::kSecretSize;

Bytes CheckOf(BytesView rest) { return Sha256(rest).substr(0, kCheckSize); }

Status Damaged() {
  return Error(StatusCode::kInvalidArgument,
               "the join token is not whole: it begins with {} and is one line; copy it again",
               JoinToken::kPrefix);
}

}  // namespace

JoinToken JoinToken::New(std::string address, Bytes root_fingerprint) {
  return JoinToken{std::move(address), std::move(root_fingerprint),
                   Secret(RandomBytes(kSecretSize))};
}

Result<JoinToken> JoinToken::Parse(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() > kTextSizeMax) return Damaged();
  const auto decoded = FromBase64Url(text.substr(kPrefix.size()));
  if (!decoded.ok()) return Damaged();
  const Secret owned{std::string(*decoded)};  // wipes its own copy only
  const BytesView bytes = owned.Reveal();
  if (bytes.size() <= kFixedSize || bytes.size() > kFixedSize + kAddressSizeMax) return Damaged();
  if (CheckOf(bytes.substr(kCheckSize)) != bytes.substr(0, kCheckSize)) return Damaged();
  return JoinToken{
      std::string(bytes.substr(kFixedSize)),
      Bytes(bytes.substr(kCheckSize, kFingerprintSize)),
      Secret(std::string(bytes.substr(kCheckSize + kFingerprintSize, kSecretSize))),
  };
}

Secret JoinToken::ToText() const {
  const Secret rest(root_fingerprint + secret.Reveal() + address);
  const Secret whole(CheckOf(rest.Reveal()) + rest.Reveal());
  return Secret(std::string(kPrefix) + Base64Url(whole.Reveal()));
}

JoinTokenRecord JoinTokenRecord::Of(const JoinToken& token, SpiffeId agent, std::string created_by,
                                    TimePoint now, std::chrono::seconds lifetime) {
  return JoinTokenRecord{
      .secret_hash = Sha256(token.secret.Reveal()),
      .agent = std::move(agent),
      .created_by = std::move(created_by),
      .created_at = now,
      .expires_at = now + lifetime,
  };
}

JoinTokenRecord::State JoinTokenRecord::StateAt(TimePoint now) const {
  if (used_at != TimePoint{}) return State::kUsed;
  if (revoked_at != TimePoint{}) return State::kRevoked;
  return expires_at <= now ? State::kExpired : State::kReady;
}

std::string_view NameOf(JoinTokenRecord::State state) {
  switch (state) {
    case JoinTokenRecord::State::kReady:
      return "ready";
    case JoinTokenRecord::State::kUsed:
      return "used";
    case JoinTokenRecord::State::kExpired:
      return "expired";
    case JoinTokenRecord::State::kRevoked:
      return "revoked";
  }
  return "";
}

}  // namespace ca
