#pragma once

#include <set>
#include <string>
#include <vector>

#include "ca/access/authorization.h"
#include "ca/access/call.h"
#include "ca/catalog/live_catalog.h"
#include "ca/ports/approval_store.h"
#include "ca/ports/hierarchy_store.h"

namespace ca {

// One change as far as its approval goes.
struct ProposedChange {
  ApprovalKind kind{};
  // SHA-256 over the exact change and what it changes from: an approval is for no other.
  Bytes digest;
  std::vector<std::string> changes;  // the same for people, an item a line
};

// The digest of a change that a few words say exactly.
Bytes DigestOf(ApprovalKind kind, const std::vector<std::string>& words);

// The story of what takes two operators: one asks for it, by doing it; another approves or denies
// exactly that; the first one does it again, or withdraws. Thread-safe; calls block.
//
// As in Registration, each call leaves what it learns in `event`, and may also fail as
// Authorization::Require does.
class Approvals {
 public:
  // All outlive it.
  Approvals(const LiveCatalog& catalogs, const Authorization& authorization,
            HierarchyStore& hierarchies, ApprovalStore& store)
      : catalogs_(catalogs),
        authorization_(authorization),
        hierarchies_(hierarchies),
        store_(store) {}

  // Whether it takes two in the hierarchy, as its file says now, also when it was changed just now
  // on another replica. Not in one that is destroyed.
  Result<bool> Asks(HierarchyId hierarchy, ApprovalKind kind) const;

  // To be called when the caller may, and nothing else is in the way, before the change. Ok when it
  // takes one operator; or when another, who still is an admin of the hierarchy, has approved
  // exactly this for this caller and it has not expired: then `event` has the use of that approval,
  // and it is used in the transaction of the first change that is made with `event` or a copy.
  // Else it is asked for, or was:
  //   kFailedPrecondition  rule `approval.pending`, saying who may do what about it
  //                        rule `approval.denied`, saying who did, and why
  //                        rule `approval.too-many`
  // The change itself fails when the approval ends before: kAborted when another call used it.
  Status Require(Call& call, HierarchyId hierarchy, const ProposedChange& change) const;
  // The same, whatever the hierarchy's file says.
  Status RequireAlways(Call& call, HierarchyId hierarchy, const ProposedChange& change) const;

  // A page of those of one hierarchy, newest first: what is pending, or all. kNotFound.
  enum class Which { kPending, kAll };
  Result<std::vector<Approval>> List(Call& call, const std::string& hierarchy, Which which,
                                     int page_size, const std::string& page_token) const;

  // By another admin than the one who asked; final. Recorded together with `event`.
  //   kInvalidArgument     `decision` or its reason is not what it may be
  //   kNotFound            no such approval where the caller is an admin
  //   kPermissionDenied    rule `approval.own`
  //   kFailedPrecondition  rule `approval.expired`, `approval.decided`, `approval.withdrawn`
  Result<Recorded<Approval>> Approve(Call& call, const std::string& id,
                                     const std::string& reason) const;
  Result<Recorded<Approval>> Deny(Call& call, const std::string& id,
                                  const std::string& reason) const;

  // By the one who asked, whatever role over the hierarchy that is now; also when it was approved.
  // Final, and it may be asked for anew. Recorded together with `event`.
  //   kInvalidArgument     `id` is none
  //   kNotFound            no such approval where the caller has a role
  //   kPermissionDenied    rule `approval.not-own`
  //   kFailedPrecondition  rule `approval.expired`, `approval.decided` (denied), `approval.used`
  Result<Recorded<Approval>> Withdraw(Call& call, const std::string& id) const;

 private:
  Result<Recorded<Approval>> Decide(Call& call, Action action, const std::string& id,
                                    Verdict verdict, const std::string& reason) const;
  Result<Approval> FindPermitted(const Call& call, Action action, const std::string& id) const;
  Result<std::optional<Hierarchy>> FindStanding(HierarchyId id) const;
  Status RequireIn(Call& call, const Hierarchy& hierarchy, const ProposedChange& change) const;
  Result<Approval> FindOrRequest(const Call& call, const Hierarchy& hierarchy,
                                 const ProposedChange& change) const;
  Result<bool> MayDecide(const SpiffeId& operator_id, HierarchyId hierarchy) const;

  const LiveCatalog& catalogs_;
  const Authorization& authorization_;
  HierarchyStore& hierarchies_;
  ApprovalStore& store_;
};

}  // namespace ca
