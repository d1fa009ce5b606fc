#pragma once

#include <string>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/secret.h"
#include "ca/base/spiffe_id.h"

namespace ca {

// The one-time enrollment credential. It carries the server's address, the fingerprint of the
// system root and a secret, so that both sides are authenticated in the first contact.
//
//   apki1_<base64url of: SHA-256(rest)[0..4) | root fingerprint, 32 | secret, 32 | address>
//
// The check octets tell a truncated paste from a wrong token before anything is sent.
struct JoinToken {
  static constexpr std::string_view kPrefix = "apki1_";
  static constexpr size_t kTextSizeMax = 512;
  static constexpr size_t kSecretSize = 32;
  static constexpr size_t kAddressSizeMax = 255;

  std::string address;     // host:port
  Bytes root_fingerprint;  // SHA-256 of the system root certificate's DER
  Secret secret;

  static JoinToken New(std::string address, Bytes root_fingerprint);
  // kInvalidArgument if it is truncated, mistyped or of another kind; the message has none of it.
  static Result<JoinToken> Parse(std::string_view text);
  Secret ToText() const;
};

// A join token as the ledger keeps it, without the secret.
struct JoinTokenRecord {
  static constexpr std::chrono::seconds kLifetimeMin = std::chrono::minutes(1);
  static constexpr std::chrono::seconds kLifetimeMax = std::chrono::hours(24 * 7);
  static constexpr size_t kIdSize = 16;

  enum class State { kReady, kUsed, kExpired, kRevoked };

  Bytes secret_hash;  // SHA-256; 256 random bits need no salt and no stretching
  SpiffeId agent;
  std::string created_by;
  TimePoint created_at;
  TimePoint expires_at;
  std::string used_by_request;  // request id, or "" if it is not used
  TimePoint used_at{};          // the epoch if it is not used
  TimePoint revoked_at{};       // the epoch if it is not revoked

  static JoinTokenRecord Of(const JoinToken& token, SpiffeId agent, std::string created_by,
                            TimePoint now, std::chrono::seconds lifetime);

  // Public: the first kIdSize hex digits of `secret_hash`.
  std::string Id() const { return Hex(secret_hash).substr(0, kIdSize); }
  State StateAt(TimePoint now) const;
};

std::string_view NameOf(JoinTokenRecord::State state);  // ready, used, expired, revoked

}  // namespace ca
