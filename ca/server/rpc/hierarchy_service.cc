#include "ca/server/rpc/hierarchy_service.h"

#include <algorithm>

#include "ca/base/openssl.h"
#include "ca/base/rules.h"
#include "ca/catalog/authority_view.h"
#include "ca/files/hierarchy_file.h"
#include "ca/files/message_difference.h"
#include "ca/hierarchies/policy_widening.h"
#include "ca/server/rpc/proto_mapping.h"

namespace server {
namespace {

using agentpki::v1::FieldChange;
using agentpki::v1::HierarchyPlan;
using agentpki::v1::HierarchySpec;
using ca::Action;
using ca::AuditEvent;
using ca::Caller;
using ca::HierarchyDeclaration;
using ca::Status;

constexpr size_t kSummaryMax = 1024;

HierarchyPlan PlanOf(const std::optional<HierarchyDeclaration>& standing,
                     const HierarchyDeclaration& wanted) {
  const HierarchySpec before = standing ? files::SpecOf(*standing) : HierarchySpec();
  const HierarchySpec after = files::SpecOf(wanted);
  HierarchyPlan plan;
  plan.set_hierarchy(wanted.hierarchy.Name());
  plan.set_creates(!standing);
  const auto widenings =
      standing ? ca::WideningsOf(*standing, wanted) : std::vector<ca::Widening>();
  plan.set_needs_approval(standing && ca::TakesApproval(*standing, wanted));
  for (const files::FieldDifference& difference : files::DifferencesOf(before, after)) {
    FieldChange& change = *plan.add_changes();
    change.set_field(difference.field);
    change.set_before(difference.before);
    change.set_after(difference.after);
    change.set_widens(std::any_of(
        widenings.begin(), widenings.end(),
        [&](const ca::Widening& widening) { return widening.Covers(difference.field); }));
  }
  // Neither has a map, so equal messages have equal octets.
  plan.set_digest(ca::Hex(
      ca::Sha256(ca::Sha256(before.SerializeAsString()) + ca::Sha256(after.SerializeAsString()))));
  return plan;
}

// issuing.rotate_every: 90d -> 30d
std::string TextOf(const FieldChange& change) {
  return fmt::format("{}: {} -> {}", change.field(),
                     change.before().empty() ? "none" : change.before(),
                     change.after().empty() ? "none" : change.after());
}

ca::Result<ca::PlanText> TextOf(const HierarchyPlan& plan) {
  auto digest = TRY(ca::FromHex(plan.digest()));
  ca::PlanText text{.summary = "", .digest = std::move(digest), .lines = {}};
  for (const FieldChange& change : plan.changes()) {
    text.summary += (text.summary.empty() ? "" : "; ") + TextOf(change);
  }
  if (text.summary.size() > kSummaryMax) {
    text.summary = fmt::format("{} fields, plan {}", plan.changes_size(), plan.digest());
  }
  for (const bool widens : {true, false}) {
    for (const FieldChange& change : plan.changes()) {
      if (change.widens() != widens) continue;
      text.lines.push_back((widens ? "widens " : "") + TextOf(change));
    }
  }
  return text;
}

// The issuing authority that somebody else is to sign; "" when there is none.
std::string PendingAuthorityOf(const ca::Catalog& catalog, const ca::Hierarchy& hierarchy) {
  std::string pending;
  for (const ca::AuthorityRecord& record : catalog.records().authorities) {
    if (ca::AwaitsCertificate(hierarchy, record)) pending = NameOf(hierarchy, record);
  }
  return pending;
}

agentpki::v1::Destruction DestructionOf(const ca::DestructionView& view) {
  const ca::HierarchyDestruction& destruction = view.destruction;
  agentpki::v1::Destruction message;
  message.set_hierarchy(destruction.hierarchy.Name());
  message.set_trust_domain(destruction.hierarchy.trust_domain.name());
  message.set_state(destruction.finished_at ? "destroyed" : "destroying");
  message.set_reason(destruction.reason);
  message.set_decided_by(destruction.decided_by);
  *message.mutable_decided_at() = server::ToProto(destruction.decided_at);
  message.set_revoked_certificates(destruction.revoked_count);
  message.set_keys(view.key_count);
  message.set_destroyed_keys(view.destroyed_key_count);
  if (destruction.finished_at) {
    *message.mutable_recorded_at() = server::ToProto(*destruction.finished_at);
  }
  message.set_record(destruction.record);
  return message;
}

}  // namespace

agentpki::v1::Hierarchy HierarchyService::ToProto(const HierarchyDeclaration& declaration) const {
  agentpki::v1::Hierarchy message;
  const ca::Hierarchy& hierarchy = declaration.hierarchy;
  message.set_name(hierarchy.Name());
  *message.mutable_spec() = files::SpecOf(declaration);
  const auto catalog = catalogs_.Snapshot();
  for (const ca::Bytes& root : catalog->Roots(hierarchy.id)) {
    message.add_root_fingerprints(ca::Hex(ca::Sha256(root)));
  }
  const auto active = catalog->ActiveIssuer(hierarchy.id);
  if (active.ok()) {
    message.set_active_authority(NameOf(hierarchy, **active));
    for (const ca::AuthorityId id : {(*active)->issuer(), (*active)->id()}) {
      const auto authority = catalog->FindAuthority(id);
      if (!authority.ok() || (*authority)->IsExternalRoot()) continue;
      const std::string name = NameOf(hierarchy, **authority);
      for (const std::string& what : missing_(**authority)) {
        message.add_waiting_for(fmt::format("{} of {}", what, name));
      }
    }
  } else {
    message.set_pending_authority(PendingAuthorityOf(*catalog, hierarchy));
    message.add_waiting_for(message.pending_authority().empty()
                                ? "an issuing authority; apply its file again"
                                : "the certificate of " + message.pending_authority());
  }
  const char* const not_yet =
      message.pending_authority().empty() ? "provisioning" : "awaiting-certificate";
  message.set_state(message.waiting_for().empty() ? "ready" : not_yet);
  return message;
}

grpc::ServerUnaryReactor* HierarchyService::ListHierarchies(
    grpc::CallbackServerContext* context, const agentpki::v1::ListHierarchiesRequest*,
    agentpki::v1::ListHierarchiesResponse* response) {
  return call_gate_.Handle(context, Action::kListHierarchies, "",
                           [=, this](const Caller& caller, AuditEvent&) -> Status {
                             const auto declarations = TRY(hierarchies_.List(caller));
                             for (const HierarchyDeclaration& declaration : declarations) {
                               *response->add_hierarchies() = ToProto(declaration);
                             }
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* HierarchyService::GetHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::GetHierarchyRequest* request,
    agentpki::v1::GetHierarchyResponse* response) {
  return call_gate_.Handle(context, Action::kGetHierarchy, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto declaration =
                                 TRY(hierarchies_.Get(caller, request->hierarchy(), event));
                             *response->mutable_hierarchy() = ToProto(declaration);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* HierarchyService::PlanHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::PlanHierarchyRequest* request,
    agentpki::v1::PlanHierarchyResponse* response) {
  return call_gate_.Handle(context, Action::kPlanHierarchy, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto wanted = TRY(files::DeclarationOf(request->spec()));
                             const auto standing = TRY(hierarchies_.Plan(caller, wanted, event));
                             *response->mutable_plan() = PlanOf(standing, wanted);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* HierarchyService::ApplyHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::ApplyHierarchyRequest* request,
    agentpki::v1::ApplyHierarchyResponse* response) {
  return call_gate_.Handle(
      context, Action::kApplyHierarchy, "",
      [=, this](const Caller& caller, AuditEvent& event) -> Status {
        const auto wanted = TRY(files::DeclarationOf(request->spec()));
        const auto standing = TRY(hierarchies_.Plan(caller, wanted, event));
        HierarchyPlan plan = PlanOf(standing, wanted);
        if (!request->plan_digest().empty() && request->plan_digest() != plan.digest()) {
          return ca::Refusal<ca::kHierarchyPlanStale>(plan.hierarchy());
        }
        const ca::PlanText text = TRY(TextOf(plan));
        const auto made = TRY(hierarchies_.Apply(caller, standing, wanted, text, event));
        *response->mutable_plan() = std::move(plan);
        *response->mutable_hierarchy() = ToProto(made);
        return ca::Ok();
      });
}

grpc::ServerUnaryReactor* HierarchyService::DestroyHierarchy(
    grpc::CallbackServerContext* context, const agentpki::v1::DestroyHierarchyRequest* request,
    agentpki::v1::DestroyHierarchyResponse* response) {
  return call_gate_.Handle(context, Action::kDestroyHierarchy, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto view = TRY(decommissioning_.Destroy(
                                 caller, request->hierarchy(), request->reason(), event));
                             *response->mutable_destruction() = DestructionOf(view);
                             return ca::Ok();
                           });
}

grpc::ServerUnaryReactor* HierarchyService::ListDestructions(
    grpc::CallbackServerContext* context, const agentpki::v1::ListDestructionsRequest* request,
    agentpki::v1::ListDestructionsResponse* response) {
  return call_gate_.Handle(context, Action::kListDestructions, "",
                           [=, this](const Caller& caller, AuditEvent& event) -> Status {
                             const auto views =
                                 TRY(decommissioning_.List(caller, request->hierarchy(), event));
                             for (const ca::DestructionView& view : views) {
                               *response->add_destructions() = DestructionOf(view);
                             }
                             return ca::Ok();
                           });
}

}  // namespace server
