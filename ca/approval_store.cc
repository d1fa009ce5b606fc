#include "ca/approval_store.h"

namespace ca {

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
    case ApprovalState::kExpired:
      return "expired";
  }
  return "?";
}

ApprovalState Approval::StateAt(TimePoint now) const {
  if (used_at) return ApprovalState::kDone;
  if (decision && decision->verdict == Verdict::kDeny) return ApprovalState::kDenied;
  if (now >= expires_at) return ApprovalState::kExpired;
  return decision ? ApprovalState::kApproved : ApprovalState::kPending;
}

Status Approval::CheckDecidable(TimePoint now) const {
  if (decision) {
    return Refusal(StatusCode::kFailedPrecondition, "approval.decided", "{} was {} by {} at {}", id,
                   decision->verdict == Verdict::kApprove ? "approved" : "denied",
                   decision->by.ToString(), Rfc3339(decision->at));
  }
  if (now >= expires_at) {
    return Refusal(StatusCode::kFailedPrecondition, "approval.expired",
                   "{} expired at {}; whoever needs it asks again", id, Rfc3339(expires_at));
  }
  return Ok();
}

}  // namespace ca
