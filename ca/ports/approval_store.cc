#include "ca/ports/approval_store.h"

#include "ca/base/rules.h"

namespace ca {
namespace {

Status DecidedRefusal(const Approval& approval) {
  const ApprovalDecision& decision = *approval.decision;
  return Refusal<kApprovalDecided>(approval.id,
                                   decision.verdict == Verdict::kApprove ? "approved" : "denied",
                                   decision.by.ToString(), Rfc3339(decision.at));
}

Status CheckNotExpired(const Approval& approval, TimePoint now) {
  if (now < approval.expires_at) return Ok();
  return Refusal<kApprovalExpired>(approval.id, Rfc3339(approval.expires_at));
}

}  // namespace

std::string_view NameOf(ApprovalState state) {
  switch (state) {
    case ApprovalState::kPending:
      return "pending";
    case ApprovalState::kApproved:
      return "approved";
    case ApprovalState::kDenied:
      return "denied";
    case ApprovalState::kDone:
      return "done";
    case ApprovalState::kWithdrawn:
      return "withdrawn";
    case ApprovalState::kExpired:
      return "expired";
  }
  return "?";
}

ApprovalState Approval::StateAt(TimePoint now) const {
  if (used_at) return ApprovalState::kDone;
  if (withdrawn_at) return ApprovalState::kWithdrawn;
  if (decision && decision->verdict == Verdict::kDeny) return ApprovalState::kDenied;
  if (now >= expires_at) return ApprovalState::kExpired;
  return decision ? ApprovalState::kApproved : ApprovalState::kPending;
}

Status Approval::CheckDecidable(TimePoint now) const {
  if (withdrawn_at) {
    return Refusal<kApprovalWithdrawn>(id, Rfc3339(*withdrawn_at), requested_by.ToString());
  }
  if (decision) return DecidedRefusal(*this);
  return CheckNotExpired(*this, now);
}

// A denial stands until it expires: by withdrawing, nobody gets to ask again.
Status Approval::CheckWithdrawable(TimePoint now) const {
  if (used_at) {
    return Refusal<kApprovalUsed>(id, Rfc3339(*used_at));
  }
  if (decision && decision->verdict == Verdict::kDeny) return DecidedRefusal(*this);
  return CheckNotExpired(*this, now);
}

}  // namespace ca
