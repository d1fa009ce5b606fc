#include "ca/server/rpc/hierarchy_service.h"

#include <algorithm>

#include "ca/base/openssl.h"
#include "ca/files/hierarchy_file.h"
#include "ca/files/message_difference.h"
#include "ca/hierarchies/policy_widening.h"
#include "ca/server/rpc/hierarchy_mapping.h"

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

}  // namespace

agentpki::v1::Hierarchy HierarchyService::Described(const HierarchyDeclaration& declaration) const {
  const auto catalog = catalogs_.Snapshot();
  const ca::Hierarchy& hierarchy = declaration.hierarchy;
  return ToProto(declaration, catalog->Roots(hierarchy.id),
                 ReadinessOf(hierarchy, *catalog, missing_));
}

grpc::ServerUnaryReactor* HierarchyService::ListHierarchies(
    grpc::CallbackServerContext* context, const agentpki::v1::ListHierarchiesRequest*,
    agentpki::v1::ListHierarchiesResponse* response) {
  return call_gate_.Handle(context, Action::kListHierarchies, "",
                           [=, this](const Caller& caller, AuditEvent&) -> Status {
                             const auto declarations = TRY(hierarchies_.List(caller));
                             for (const HierarchyDeclaration& declaration : declarations) {
                               *response->add_hierarchies() = Described(declaration);
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
                             *response->mutable_hierarchy() = Described(declaration);
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
          return ca::Refusal(ca::StatusCode::kAborted, "hierarchy.plan-stale",
                             "plan_digest: {} is not what the plan was made of any more; plan "
                             "again",
                             plan.hierarchy());
        }
        const ca::PlanText text = TRY(TextOf(plan));
        const auto made = TRY(hierarchies_.Apply(caller, standing, wanted, text, event));
        *response->mutable_plan() = std::move(plan);
        *response->mutable_hierarchy() = Described(made);
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
                             *response->mutable_destruction() = ToProto(view);
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
                               *response->add_destructions() = ToProto(view);
                             }
                             return ca::Ok();
                           });
}

}  // namespace server
