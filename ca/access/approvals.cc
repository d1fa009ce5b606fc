#include "ca/access/approvals.h"

#include <algorithm>

#include "ca/base/random.h"
#include "ca/base/rules.h"
#include "ca/model/hierarchy_declaration.h"

namespace ca {
namespace {

// The line is shown on the terminal of the operator that decides.
std::string LineOf(const std::string& text) {
  std::string line = text.substr(0, Approval::kChangeSizeMax);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < 0x20 || c >= 0x7f; }, '?');
  if (text.size() > line.size()) line += "...";
  return line;
}

std::vector<std::string> LinesOf(const std::vector<std::string>& changes) {
  std::vector<std::string> lines;
  for (const std::string& change : changes) {
    if (lines.size() == Approval::kChangesMax) {
      lines.push_back(fmt::format("... and {} more", changes.size() - lines.size()));
      break;
    }
    lines.push_back(LineOf(change));
  }
  return lines;
}

Status CheckId(const std::string& id) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (id.size() == Approval::kIdSize && std::all_of(id.begin(), id.end(), is_digit)) return Ok();
  return Error(StatusCode::kInvalidArgument,
               "id: '{}' is not {} lower-case hex digits; see: agentpki approval list",
               Printable(id), Approval::kIdSize);
}

AuditEvent EventOf(const AuditEvent& of, std::string action, HierarchyId hierarchy,
                   const std::string& approval, std::string reason) {
  AuditEvent event = of;
  event.action = std::move(action);
  event.hierarchy = hierarchy;
  event.rule = "";
  event.subject = approval;
  event.reason = std::move(reason);
  return event;
}

}  // namespace

Bytes DigestOf(ApprovalKind kind, const std::vector<std::string>& words) {
  // Each word is hashed by itself, so that two words never run together.
  Bytes text = Sha256(NameOf(kind));
  for (const std::string& word : words) text += Sha256(word);
  return Sha256(text);
}

// ---- asking -------------------------------------------------------------------------------------

// Reads the database: the catalog may be some seconds old, and its reload waits for the token.
Result<std::optional<Hierarchy>> Approvals::FindStanding(HierarchyId id) const {
  std::vector<Hierarchy> standing = TRY(hierarchies_.LoadHierarchies());
  for (Hierarchy& hierarchy : standing) {
    if (hierarchy.id == id) return std::optional(std::move(hierarchy));
  }
  return std::optional<Hierarchy>();
}

Result<bool> Approvals::Asks(HierarchyId id, ApprovalKind kind) const {
  const auto hierarchy = TRY(FindStanding(id));
  return hierarchy && hierarchy->approvals.Asks(kind);
}

Status Approvals::Require(Call& call, HierarchyId id, const ProposedChange& change) const {
  const auto hierarchy = TRY(FindStanding(id));
  if (!hierarchy || !hierarchy->approvals.Asks(change.kind)) return Ok();
  return RequireIn(call, *hierarchy, change);
}

Status Approvals::RequireAlways(Call& call, HierarchyId id, const ProposedChange& change) const {
  const auto hierarchy = TRY(FindStanding(id));
  if (!hierarchy) return Error(StatusCode::kAborted, "the hierarchy was destroyed just now");
  return RequireIn(call, *hierarchy, change);
}

Status Approvals::RequireIn(Call& call, const Hierarchy& hierarchy,
                            const ProposedChange& change) const {
  const auto catalog = catalogs_.Snapshot();
  const auto system = TRY(catalog->System());
  const Approval approval = TRY(FindOrRequest(call, hierarchy, change));
  const std::string what = fmt::format("{} in {}", NameOf(change.kind), hierarchy.Name());
  if (!approval.decision) {
    return Refusal<kApprovalPending>(what, approval.id, Rfc3339(approval.expires_at),
                                     hierarchy.Name(), approval.id);
  }
  const std::string decided_by = OperatorNameOf(system->hierarchy(), approval.decision->by);
  if (approval.decision->verdict == Verdict::kDeny) {
    return Refusal<kApprovalDenied>(what, decided_by, approval.decision->reason, approval.id,
                                    Rfc3339(approval.expires_at));
  }
  call.event().approval_use =
      std::make_shared<AuditEvent>(EventOf(call.event(), "UseApproval", hierarchy.id, approval.id,
                                           fmt::format("{}, approved by {}", what, decided_by)));
  call.event().rule = kApprovalApproved.name;
  return Ok();
}

Result<Approval> Approvals::FindOrRequest(const Call& call, const Hierarchy& hierarchy,
                                          const ProposedChange& change) const {
  const TimePoint now = call.now();
  const Approval wanted{
      .id = Hex(RandomBytes(Approval::kIdSize / 2)),
      .hierarchy = hierarchy.id,
      .kind = change.kind,
      .digest = change.digest,
      .changes = LinesOf(change.changes),
      .requested_by = *call.caller().id,
      .requested_at = now,
      .expires_at = now + hierarchy.approvals.expire_after,
      .decision = std::nullopt,
      .used_at = std::nullopt,
      .withdrawn_at = std::nullopt,
  };
  const AuditEvent asked = EventOf(call.event(), "RequestApproval", hierarchy.id, wanted.id,
                                   fmt::format("{} in {}", NameOf(change.kind), hierarchy.Name()));
  std::set<std::string> disregarded;
  while (true) {
    Approval found = TRY(store_.FindOrRequest(wanted, disregarded, asked));
    if (!found.decision || found.decision->verdict == Verdict::kDeny) return found;
    // The role of the approver is looked up now, when the approval is used (DESIGN.md, invariant
    // 7).
    const bool stands = TRY(MayDecide(found.decision->by, hierarchy.id));
    if (stands) return found;
    disregarded.insert(found.id);
  }
}

Result<bool> Approvals::MayDecide(const SpiffeId& operator_id, HierarchyId hierarchy) const {
  const Caller decider{.id = operator_id, .hierarchy = {}, .serial = std::nullopt};
  const Status may = authorization_.Require(decider, Action::kApproveChange, hierarchy);
  if (may.code() == StatusCode::kPermissionDenied) return false;
  TRY(Status(may));
  return true;
}

// ---- deciding -----------------------------------------------------------------------------------

Result<std::vector<Approval>> Approvals::List(Call& call, const std::string& name, Which which,
                                              int page_size, const std::string& page_token) const {
  call.event().subject = Printable(name);
  const auto catalog = catalogs_.Snapshot();
  const auto hierarchy = TRY(catalog->FindByName(name));
  call.event().hierarchy = hierarchy->id();
  TRY(authorization_.Require(call.caller(), Action::kListApprovals, hierarchy->id()));
  return store_.List({
      .hierarchy = hierarchy->id(),
      .pending_at = which == Which::kPending ? std::optional(call.now()) : std::nullopt,
      .page_size = page_size,
      .page_token = page_token,
  });
}

Result<Recorded<Approval>> Approvals::Approve(Call& call, const std::string& id,
                                              const std::string& reason) const {
  return Decide(call, Action::kApproveChange, id, Verdict::kApprove, reason);
}

Result<Recorded<Approval>> Approvals::Deny(Call& call, const std::string& id,
                                           const std::string& reason) const {
  return Decide(call, Action::kDenyChange, id, Verdict::kDeny, reason);
}

Result<Recorded<Approval>> Approvals::Decide(Call& call, Action action, const std::string& id,
                                             Verdict verdict, const std::string& reason) const {
  call.event().subject = Printable(id);
  const Approval found = TRY(FindPermitted(call, action, id));
  call.event().hierarchy = found.hierarchy;
  // An approval needs no reason.
  if (verdict == Verdict::kDeny || !reason.empty()) TRY(CheckNote("reason", reason));
  if (found.requested_by == *call.caller().id) {
    return Refusal<kApprovalOwn>(call.caller().Name(), id);
  }
  call.event().reason = reason;
  const ApprovalDecision decision{
      .verdict = verdict, .by = *call.caller().id, .at = call.now(), .reason = reason};
  return store_.Decide(found.hierarchy, id, decision, call.event());
}

Result<Recorded<Approval>> Approvals::Withdraw(Call& call, const std::string& id) const {
  call.event().subject = Printable(id);
  const Approval found = TRY(FindPermitted(call, Action::kWithdrawApproval, id));
  call.event().hierarchy = found.hierarchy;
  if (found.requested_by != *call.caller().id) {
    return Refusal<kApprovalNotOwn>(found.requested_by.ToString(), id, id);
  }
  return store_.Withdraw(found.hierarchy, id, call.event());
}

// The caller has the id alone, so each hierarchy where the caller may do `action` is searched.
Result<Approval> Approvals::FindPermitted(const Call& call, Action action,
                                          const std::string& id) const {
  const auto catalog = catalogs_.Snapshot();
  const auto allowed = TRY(authorization_.Allowed(call.caller(), action, catalog->hierarchies()));
  if (allowed.empty()) {
    // For its refusal, which names the roles; the hierarchy makes no difference.
    TRY(authorization_.Require(call.caller(), action, call.caller().hierarchy));
  }
  TRY(CheckId(id));
  for (const HierarchyId hierarchy : allowed) {
    auto found = store_.Find(hierarchy, id);
    if (found.status().code() != StatusCode::kNotFound) return found;
  }
  return Error(StatusCode::kNotFound,
               "id: no hierarchy where {} may {} has an approval {}; see: agentpki approval list",
               call.caller().Name(), NameOf(action), id);
}

}  // namespace ca
