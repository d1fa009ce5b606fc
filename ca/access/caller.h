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

// Who calls, as far as the TLS handshake proved it. What the caller may do is looked up elsewhere.
struct Caller {
  std::optional<SpiffeId> id;  // none: no client certificate was shown
  HierarchyId hierarchy{};
  std::optional<SerialNumber> serial;  // of the certificate that was shown

  // SPIFFE ID, or "anonymous".
  std::string Name() const { return id ? id->ToString() : "anonymous"; }
};

// Verifies client certificates against today's roots and revocations, from memory: the TLS layer
// only proves that the peer has the key. Thread-safe.
class CallerVerifier {
 public:
  // All outlive it.
  CallerVerifier(const LiveCatalog& catalogs, const RevocationIndex& revocations,
                 const Clock& clock);

  // `pem` is the certificate that the peer showed, without its chain: what is between it and a root
  // we know ourselves. An empty one is an anonymous caller.
  //
  // kUnauthenticated with a rule of `caller.malformed`, `caller.identity` (no single SPIFFE ID, of
  // no hierarchy's trust domain, or not from one of its issuing authorities), `caller.untrusted`
  // (no chain to a root of that hierarchy, by RFC 5280 section 6 with name constraints and
  // id-kp-clientAuth), `caller.expired` or `caller.revoked`.
  Result<Caller> Verify(std::string_view pem) const;

 private:
  struct Verified {
    SpiffeId id;
    HierarchyId hierarchy{};
    SerialNumber serial;
    Validity validity;
  };

  // Whom one snapshot of the catalog trusts, ready for X509_verify_cert().
  class Trust;

  std::shared_ptr<const Trust> Trusted() const;

  const LiveCatalog& catalogs_;
  const RevocationIndex& revocations_;
  const Clock& clock_;

  // Verification costs half a millisecond, and a connection makes many calls: what was verified is
  // remembered by the SHA-256 of its PEM. Two generations bound it: when the young one is full it
  // becomes the old one.
  static constexpr size_t kGenerationMax = 16 * 1024;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Trust> trust_;  // what is remembered was verified by it
  mutable std::unordered_map<Bytes, Verified> young_;
  mutable std::unordered_map<Bytes, Verified> old_;
};

}  // namespace ca
