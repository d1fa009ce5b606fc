#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/model/hierarchy.h"

namespace ca {

// Responders and recorders are no CAs: a responder signs OCSP responses, in the name of the
// authority that issued it, and a recorder signs records for whoever has to prove something later
// (ca/issuance/signed_record.h). A link is the name and key of the root of the same generation,
// signed by the root before: whoever holds only that one verifies by it what the new one stands
// behind (newWithOld of RFC 4210 section 4.4).
enum class AuthorityKind { kRoot, kIssuing, kResponder, kLink, kRecorder };

std::string_view NameOf(AuthorityKind kind);  // root, issuing, responder, link, recorder

// Whether it signs statements alone, and no certificates.
constexpr bool IsDelegate(AuthorityKind kind) {
  return kind == AuthorityKind::kResponder || kind == AuthorityKind::kRecorder;
}

inline constexpr std::chrono::hours kResponderLifetime{24 * 7};
inline constexpr std::chrono::hours kRecorderLifetime{24 * 365};
// The most links that may lead from the newest root to a root that a relying party holds.
inline constexpr int kLinksMax = 3;

// The end of a key, in two records: decided, then done. Every replica has let go of a key that was
// decided upon kDestroyAfter ago, and none uses it again.
struct KeyDestruction {
  static constexpr std::chrono::seconds kDestroyAfter = Hierarchy::kPublishAheadMin;

  std::string reason;
  TimePoint decided_at;
  std::optional<TimePoint> destroyed_at;  // none while it is still to be done

  friend bool operator==(const KeyDestruction&, const KeyDestruction&) = default;
};

// An issuing authority is not to issue any more, before its time: somebody has doubts of it, or it
// is revoked. Another follows as soon as it can.
struct Taint {
  std::string reason;  // for people
  TimePoint at;
  bool is_revoked = false;  // with all that it has issued

  friend bool operator==(const Taint&, const Taint&) = default;
};

// An authority as the ledger knows it: planned, when it has no certificate yet.
struct AuthorityRecord {
  AuthorityId id{};
  HierarchyId hierarchy{};
  AuthorityKind kind{};
  int generation = 0;     // of its kind in its hierarchy, from 1 on
  AuthorityId issuer{};   // itself, for a root; the root above it, for what was imported
  std::string key_label;  // on the token: acme/prod/root/1-5f3a9c0e; of a link, its root's; of an
                          // external root, whose key somebody else has, ""
  Bytes certificate;      // DER, or ""
  bool is_imported = false;          // whether somebody else has signed that
  std::vector<Bytes> intermediates;  // DER, nearest first: what stands between it and its root
  TimePoint published_at;            // when it got its certificate
  std::optional<Taint> taint;
  std::optional<KeyDestruction> key_destruction;

  // A root of somebody else's: it is trusted, and nothing is signed for it here.
  bool IsExternalRoot() const { return kind == AuthorityKind::kRoot && is_imported; }
  // Whether there is a key on our token that is its own.
  bool HasOwnKey() const { return kind != AuthorityKind::kLink && !IsExternalRoot(); }

  friend bool operator==(const AuthorityRecord&, const AuthorityRecord&) = default;
};

// acme/prod/issuing/1
std::string NameOf(const Hierarchy& hierarchy, AuthorityKind kind, int generation);
std::string NameOf(const Hierarchy& hierarchy, const AuthorityRecord& record);

}  // namespace ca
