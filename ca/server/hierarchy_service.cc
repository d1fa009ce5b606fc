#include "ca/server/hierarchy_service.h"

#include "ca/base/openssl.h"
#include "ca/files/hierarchy_file.h"
#include "ca/files/message_difference.h"

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
  for (const files::FieldDifference& difference : files::DifferencesOf(before, after)) {
    FieldChange& change = *plan.add_changes();
    change.set_field(difference.field);
    change.set_before(difference.before);
    change.set_after(difference.after);
  }
  // Neither has a map, so equal messages have equal octets.
  plan.set_digest(ca::Hex(
      ca::Sha256(ca::Sha256(before.SerializeAsString()) + ca::Sha256(after.SerializeAsString()))));
  return plan;
}

// For the auditor: "issuing.rotate_every: 90d -> 30d; ...".
std::string SummaryOf(const HierarchyPlan& plan) {
  std::string summary;
  for (const FieldChange& change : plan.changes()) {
    summary += fmt::format("{}{}: {} -> {}", summary.empty() ? "" : "; ", change.field(),
                           change.before().empty() ? "none" : change.before(),
                           change.after().empty() ? "none" : change.after());
  }
  if (summary.size() <= kSummaryMax) return summary;
  return fmt::format("{} fields, plan {}", plan.changes_size(), plan.digest());
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
      if (!authority.ok()) continue;
      const std::string name = NameOf(hierarchy, **authority);
      for (const std::string& what : missing_(**authority)) {
        message.add_waiting_for(fmt::format("{} of {}", what, name));
      }
    }
  } else {
    message.add_waiting_for("an issuing authority; apply its file again");
  }
  message.set_state(message.waiting_for().empty() ? "ready" : "provisioning");
  return message;
}

grpc::ServerUnaryReactor* HierarchyService::ListHierarchies(
    grpc::CallbackServerContext* context, const agentpki::v1::ListHierarchiesRequest*,
    agentpki::v1::ListHierarchiesResponse* response) {
  return door_.Handle(context, Action::kListHierarchies, "",
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
  return door_.Handle(context, Action::kGetHierarchy, "",
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
  return door_.Handle(context, Action::kPlanHierarchy, "",
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
  return door_.Handle(
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
        const auto made = TRY(hierarchies_.Apply(caller, standing, wanted, SummaryOf(plan), event));
        *response->mutable_plan() = std::move(plan);
        *response->mutable_hierarchy() = ToProto(made);
        return ca::Ok();
      });
}

}  // namespace server
