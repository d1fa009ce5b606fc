#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "ca/base/clock.h"
#include "ca/base/openssl.h"
#include "ca/base/serial_number.h"
#include "ca/catalog/live_catalog.h"
#include "ca/catalog/revocation_index.h"

namespace ca {

// The identity of a caller, as far as the TLS handshake proved it. Authorization decides what it
// may do.
struct Caller {
  std::optional<SpiffeId> id;  // none: no client certificate was presented
  HierarchyId hierarchy{};
  std::optional<SerialNumber> serial;  // of the certificate that was presented

  // SPIFFE ID, or "anonymous".
  std::string Name() const { return id ? id->ToString() : "anonymous"; }
};

// Verifies client certificates against the current roots and revocations, from memory. The TLS
// layer proves only that the peer has the key. Thread-safe.
class CallerVerifier {
 public:
  // All outlive it.
  CallerVerifier(const LiveCatalog& catalogs, const RevocationIndex& revocations,
                 const Clock& clock);

  // `pem` is the certificate that the peer presented, without its chain: the catalog has the
  // intermediate certificates. An empty `pem` is an anonymous caller.
  //
  // kUnauthenticated with a rule of `caller.malformed`, `caller.identity` (not exactly one SPIFFE
  // ID, no hierarchy has its trust domain, or none of that hierarchy's issuing authorities issued
  // it), `caller.untrusted` (no chain to a root of that hierarchy, by RFC 5280 section 6 with name
  // constraints and id-kp-clientAuth), `caller.expired` or `caller.revoked`.
  Result<Caller> Verify(std::string_view pem) const;

 private:
  struct Verified {
    SpiffeId id;
    HierarchyId hierarchy{};
    SerialNumber serial;
    Validity validity;
  };

  // The trust anchors of one snapshot of the catalog, ready for X509_verify_cert().
  class Trust;

  std::shared_ptr<const Trust> Trusted() const;

  const LiveCatalog& catalogs_;
  const RevocationIndex& revocations_;
  const Clock& clock_;

  // Verification costs half a millisecond, and a connection makes many calls, so verified
  // certificates are cached by the SHA-256 of their PEM. Two generations bound the cache: when the
  // young one is full, it replaces the old one.
  static constexpr size_t kGenerationMax = 16 * 1024;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Trust> trust_;  // verified every cached certificate
  mutable std::unordered_map<Bytes, Verified> young_;
  mutable std::unordered_map<Bytes, Verified> old_;
};

}  // namespace ca
