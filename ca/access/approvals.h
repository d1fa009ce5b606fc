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

// A change for which an approval is asked.
struct ProposedChange {
  ApprovalKind kind{};
  // SHA-256 over the exact change and the state that it changes; an approval is valid for this
  // alone.
  Bytes digest;
  std::vector<std::string> changes;  // the change in words for people, an item a line
};

// The digest of a change that these words describe exactly.
Bytes DigestOf(ApprovalKind kind, const std::vector<std::string>& words);

// The use case of changes that take two operators. One operator asks for the change by attempting
// it. Another approves or denies exactly this change. Then the first repeats the attempt, or
// withdraws. Thread-safe; calls block. Each may also fail as Authorization::Require does.
class Approvals {
 public:
  // All outlive it.
  Approvals(const LiveCatalog& catalogs, const Authorization& authorization,
            HierarchyStore& hierarchies, ApprovalStore& store)
      : catalogs_(catalogs),
        authorization_(authorization),
        hierarchies_(hierarchies),
        store_(store) {}

  // Whether a change of this kind takes two operators in the hierarchy, by its current declaration
  // in the database, which another replica may just have changed. False in a destroyed hierarchy.
  Result<bool> Asks(HierarchyId hierarchy, ApprovalKind kind) const;

  // Call it last before the change, after every other check. Ok if the change takes one operator,
  // or if another operator, still an admin of the hierarchy, has approved exactly this change for
  // this caller and the approval has not expired. Then the call's event carries the use of the
  // approval, and the first change that is made with this event, or with a copy, uses it in its
  // transaction. Otherwise the approval is requested, or was before:
  //   kFailedPrecondition  rule `approval.pending`; the message names the commands to go on
  //                        rule `approval.denied`; the message names the operator and the reason
  //                        rule `approval.too-many`
  // The change itself fails if the approval ends before it: kAborted when another call used it.
  Status Require(Call& call, HierarchyId hierarchy, const ProposedChange& change) const;
  // As Require(), and takes two operators even if the hierarchy's declaration does not.
  Status RequireAlways(Call& call, HierarchyId hierarchy, const ProposedChange& change) const;

  // A page of the approvals of one hierarchy, newest first: the pending ones, or all. kNotFound.
  enum class Which { kPending, kAll };
  Result<std::vector<Approval>> List(Call& call, const std::string& hierarchy, Which which,
                                     int page_size, const std::string& page_token) const;

  // Only an admin other than the one that asked decides. The decision is final, and is recorded
  // with the call's event.
  //   kInvalidArgument     `id` or the reason is malformed
  //   kNotFound            no such approval where the caller is an admin
  //   kPermissionDenied    rule `approval.own`
  //   kFailedPrecondition  rule `approval.expired`, `approval.decided`, `approval.withdrawn`
  Result<Recorded<Approval>> Approve(Call& call, const std::string& id,
                                     const std::string& reason) const;
  Result<Recorded<Approval>> Deny(Call& call, const std::string& id,
                                  const std::string& reason) const;

  // Only the operator that asked withdraws, with any role over the hierarchy; an approved change
  // can be withdrawn too. Final; the change may be asked for anew. Recorded with the call's event.
  //   kInvalidArgument     `id` is malformed
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
