#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ca/base/clock.h"
#include "ca/issuance/tbs_certificate.h"
#include "ca/model/authority_record.h"

namespace ca {

// The state of an authority at one instant. No state is stored: it follows from the records and
// from the time.
enum class AuthorityState {
  kPending,       // planned: it has no certificate yet
  kPublished,     // everybody may know it; it does not issue yet
  kActive,        // it issues; for a root: the active issuing authority is under it
  kRetiring,      // another issues; certificates that it issued may still be valid
  kRetired,       // the last of its certificates has ended
  kKeyDestroyed,  // its key is to be destroyed, or was: it never signs again
};

std::string_view NameOf(AuthorityState state);  // pending, published, ...
// Whether nothing that it issued is valid any more: kRetired and kKeyDestroyed.
bool IsOver(AuthorityState state);

// The state and its times, without a copy of the record.
struct AuthorityTimes {
  AuthorityState state{};
  std::optional<Validity> validity;         // none while pending
  std::optional<TimePoint> active_since;    // since it was last activated
  std::optional<TimePoint> active_until;    // when another followed it; for the active one: when
                                            // the schedule wants another
  std::optional<TimePoint> retiring_until;  // when the last of its certificates has ended
};

struct AuthorityView : AuthorityTimes {
  AuthorityRecord record;
  std::string name;       // acme/prod/issuing/2
  std::string hierarchy;  // acme/prod
};

// Whether a certificate that it issued may be valid now or later.
bool IsAskedAbout(const AuthorityTimes& times, TimePoint now);
// Whether our OCSP and CRLs have to answer for it. They do not answer for an external root.
bool NeedsStatusService(const AuthorityView& view, TimePoint now);
bool NeedsStatusService(const AuthorityRecord& record, const AuthorityTimes& times, TimePoint now);

// Whether an issuing authority under an external root is planned, not tainted, and waits for the
// certificate that the owner of the root is to sign.
bool AwaitsCertificate(const Hierarchy& hierarchy, const AuthorityRecord& record);

}  // namespace ca
