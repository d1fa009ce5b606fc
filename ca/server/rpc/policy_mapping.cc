#include "ca/server/rpc/policy_mapping.h"

#include "ca/server/rpc/common_mapping.h"

namespace server {
namespace {

using ca::Error;
using ca::Result;
using ca::StatusCode;

// Paging may take this long: `since` stays valid from the first page to the last.
constexpr std::chrono::hours kPagingMax(24);

}  // namespace

agentpki::v1::RecordedRequest ToProto(const ca::RecordedRequest& request) {
  agentpki::v1::RecordedRequest message;
  *message.mutable_at() = ToProto(request.position.at);
  message.set_operation(std::string(NameOf(request.operation)));
  message.set_spiffe_id(request.subject);
  message.set_decision(std::string(NameOf(request.decision)));
  message.set_rule(request.rule);
  if (!request.facts) return message;
  message.mutable_facts()->set_owner(request.facts->owner);
  message.mutable_facts()->set_role(request.facts->role);
  message.mutable_facts()->set_version(request.facts->version);
  message.mutable_facts()->set_profile(request.facts->profile);
  message.mutable_facts()->set_key_type(std::string(NameOf(request.facts->key_type)));
  return message;
}

Result<ca::RequestQuery> FromProto(const agentpki::v1::ListEnrollmentRequestsRequest& request,
                                   const ca::Hierarchy& hierarchy, ca::TimePoint now) {
  ca::RequestQuery query{.hierarchy = hierarchy.id, .after = std::nullopt};
  if (request.has_since()) query.since = TRY(TimeFrom("since", request.since()));
  if (!request.has_since() || query.since < now - ca::RequestQuery::kBackMax - kPagingMax) {
    return Error(StatusCode::kInvalidArgument, "since: write a time of the last {}",
                 ca::DurationText(ca::RequestQuery::kBackMax));
  }
  query.page_size = TRY(PageSizeFrom(request.page_size(), ca::RequestQuery::kPageSizeMax));
  if (!request.page_token().empty()) {
    query.after = TRY(ca::RequestPosition::Parse(request.page_token()));
  }
  return query;
}

}  // namespace server
