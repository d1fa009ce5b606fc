#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ca/base/clock.h"
#include "ca/catalog/catalog.h"

namespace ca {

// What an authority is at one instant; each follows from what was recorded and from the time.
enum class AuthorityState {
  kPending,       // planned: it has no certificate yet
  kPublished,     // everybody may know it; it does not issue yet
  kActive,        // it issues. Of a root: the active issuing authority is its
  kRetiring,      // another issues; certificates of it may still stand
  kRetired,       // the last of its certificates has ended
  kKeyDestroyed,  // and its key is to be destroyed, or was: it never signs again
};

std::string_view NameOf(AuthorityState state);  // pending, published, ...

struct AuthorityView {
  AuthorityRecord record;
  std::string name;       // acme/prod/issuing/2
  std::string hierarchy;  // acme/prod
  AuthorityState state{};
  std::optional<Validity> validity;         // none while pending
  std::optional<TimePoint> active_since;    // since it was last activated
  std::optional<TimePoint> active_until;    // when another followed it; of the active one: when the
                                            // schedule says so
  std::optional<TimePoint> retiring_until;  // when the last of its certificates has ended
};

// Whether a certificate of it may still stand, or may come to.
bool IsAskedAbout(const AuthorityView& view, TimePoint now);
// Whether OCSP and CRLs of ours have to answer for it: not for a root of somebody else's.
bool NeedsStatusService(const AuthorityView& view, TimePoint now);

// Whether it is somebody else's turn: an issuing authority under an external root, planned, that
// nobody has doubts of and whose certificate is not there yet.
bool AwaitsCertificate(const Hierarchy& hierarchy, const AuthorityRecord& record);

// The roots and issuing authorities of a hierarchy, oldest first.
std::vector<AuthorityView> AuthoritiesAt(const Catalog& catalog, const Hierarchy& hierarchy,
                                         TimePoint now);

// When the schedule wants another in the place of the active one, which took over at `since`: at
// once when it is tainted.
TimePoint DueAt(const Catalog& catalog, const Hierarchy& hierarchy, const AuthorityRecord& active,
                TimePoint since);

}  // namespace ca
