#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"

namespace ca {

// An OCSP responder and a record signer are no CAs: the responder signs OCSP responses for the
// authority that issued it, and the record signer signs records that somebody may have to prove
// later (ca/issuance/signed_record.h). A cross-certificate (kLink) has the name and the key of the
// root of the same generation, and the root before has signed it: a relying party that holds only
// the older root verifies the new root's certificates by it (newWithOld of RFC 4210 section 4.4).
enum class AuthorityKind { kRoot, kIssuing, kResponder, kLink, kRecorder };

std::string_view NameOf(AuthorityKind kind);  // root, issuing, responder, link, recorder

// Says whether the authority is an OCSP responder or a record signer: it signs no certificates.
constexpr bool IsDelegate(AuthorityKind kind) {
  return kind == AuthorityKind::kResponder || kind == AuthorityKind::kRecorder;
}

inline constexpr std::chrono::hours kResponderLifetime{24 * 7};
inline constexpr std::chrono::hours kRecorderLifetime{24 * 365};
// The most cross-certificates between the newest root and a root that a relying party holds.
inline constexpr int kLinksMax = 3;

// The end of a key, in two records: first the decision, then the destruction. kDestroyAfter after
// the decision, every replica has closed the key and none opens it again.
struct KeyDestruction {
  static constexpr std::chrono::seconds kDestroyAfter = Hierarchy::kPublishAheadMin;

  std::string reason;
  TimePoint decided_at;
  std::optional<TimePoint> destroyed_at;  // none until the token has destroyed it

  friend bool operator==(const KeyDestruction&, const KeyDestruction&) = default;
};

// Ends the issuing of an authority before its time: an operator distrusts it, or it is revoked.
// Another one takes over as soon as possible.
struct Taint {
  std::string reason;  // for people
  TimePoint at;
  bool is_revoked = false;  // the authority, and all certificates that it has issued

  friend bool operator==(const Taint&, const Taint&) = default;
};

// An authority as the ledger knows it. Without a certificate it is only planned.
struct AuthorityRecord {
  AuthorityId id{};
  HierarchyId hierarchy{};
  AuthorityKind kind{};
  int generation = 0;    // of its kind in its hierarchy, from 1 on
  AuthorityId issuer{};  // a root names itself; an imported one names the root above it
  // acme/prod/root/1-5f3a9c0e, on the token. A cross-certificate has its root's label; an external
  // root has "", because its owner holds the key.
  std::string key_label;
  Bytes certificate;                 // DER, or ""
  bool is_imported = false;          // the certificate was signed outside of agentpki
  std::vector<Bytes> intermediates;  // DER, nearest first: the CAs between it and its root
  TimePoint published_at;            // the time at which it got its certificate
  std::optional<Taint> taint;
  std::optional<KeyDestruction> key_destruction;

  // An external root is trusted, and its owner has its key.
  bool IsExternalRoot() const { return kind == AuthorityKind::kRoot && is_imported; }
  // Says whether our token holds a key of its own.
  bool HasOwnKey() const { return kind != AuthorityKind::kLink && !IsExternalRoot(); }

  friend bool operator==(const AuthorityRecord&, const AuthorityRecord&) = default;
};

// acme/prod/issuing/1
std::string NameOf(const Hierarchy& hierarchy, AuthorityKind kind, int generation);
std::string NameOf(const Hierarchy& hierarchy, const AuthorityRecord& record);

}  // namespace ca
