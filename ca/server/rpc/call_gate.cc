#include "ca/server/rpc/call_gate.h"

#include <grpc/grpc_security_constants.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "ca/base/random.h"
#include "ca/base/rules.h"

namespace server {
namespace {

using ca::AuditEvent;
using ca::Decision;
using ca::Status;
using ca::StatusCode;

constexpr char kCorrelationMetadata[] = "agentpki-correlation-id";
constexpr size_t kCorrelationIdSize = 8;
constexpr char kTooManyCalls[] =
    "the server has as many calls in progress as it takes; wait and retry";

std::string_view ClientCertificate(const grpc::CallbackServerContext& context) {
  const auto found = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return found.empty() ? std::string_view() : std::string_view(found[0].data(), found[0].size());
}

// A refusal is somebody's decision; the rest was permitted and did not come about.
Decision DecisionOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kUnavailable:
    case StatusCode::kInternal:
    case StatusCode::kAborted:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kCancelled:
    case StatusCode::kUnknown:
      return Decision::kFailed;
    default:
      return Decision::kDenied;
  }
}

// Before anything is looked at for them: strangers learn neither what there is nor what is valid.
Status CheckNotStranger(const ca::Caller& caller, ca::Action action) {
  if (caller.id || ca::IsForStrangers(action)) return ca::Ok();
  return ca::Refusal<ca::kCallerAnonymous>(
      fmt::format("{} needs an operator's (agentpki --identity DIR), or, to renew, the agent's own",
                  ca::NameOf(action)));
}

// The codes are gRPC's own. What only an operator may read stays in the log.
grpc::Status ToGrpc(const Status& status, const std::string& correlation_id) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  if (status.code() == StatusCode::kInternal) {
    return {code, "internal error; the server's log has it under " + correlation_id};
  }
  return {code, ca::MessageOf(status)};
}

}  // namespace

grpc::ServerUnaryReactor* CallGate::Handle(grpc::CallbackServerContext* context, ca::Action action,
                                           const std::string& request_id, Story story) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const ca::TimePoint begun_at = clock_.Now();
  const bool runs = workers_.TryRun(
      [this, context, reactor, action, begun_at, request_id, story = std::move(story)] {
        AuditEvent event = EventOf(*context, action, request_id);
        Finish(reactor, action, begun_at, Run(context, action, event, story));
      });
  if (!runs) {
    Finish(reactor, action, begun_at, {grpc::StatusCode::RESOURCE_EXHAUSTED, kTooManyCalls});
  }
  return reactor;
}

AuditEvent CallGate::EventOf(const grpc::CallbackServerContext& context, ca::Action action,
                             const std::string& request_id) const {
  return {
      .at = clock_.Now(),
      .actor = "anonymous",
      .action = std::string(ca::NameOf(action)),
      .from = context.peer(),
      .correlation_id = ca::Hex(ca::RandomBytes(kCorrelationIdSize)),
      .request_id = request_id,
  };
}

// Counted first, so that who has the answer finds it counted.
void CallGate::Finish(grpc::ServerUnaryReactor* reactor, ca::Action action, ca::TimePoint begun_at,
                      const grpc::Status& status) const {
  metrics_.CountRequest(ca::NameOf(action), static_cast<StatusCode>(status.error_code()),
                        std::max(begun_at, clock_.Now()) - begun_at);
  reactor->Finish(status);
}

grpc::Status CallGate::Run(grpc::CallbackServerContext* context, ca::Action action,
                           AuditEvent& event, const Story& story) const {
  context->AddTrailingMetadata(kCorrelationMetadata, event.correlation_id);
  const Status status = Decide(*context, action, event, story);
  const std::string rule = ca::RuleOf(status);
  if (!rule.empty()) context->AddTrailingMetadata(kRuleMetadata, rule);
  metrics_.CountLintError(rule);
  if (!status.ok()) {
    spdlog::info("{} {} actor={} subject={} from={} correlation-id={} rule={} status={}",
                 event.action, NameOf(event.decision), event.actor, event.subject, event.from,
                 event.correlation_id, rule, status.ToString());
  }
  return ToGrpc(status, event.correlation_id);
}

Status CallGate::Decide(const grpc::CallbackServerContext& context, ca::Action action,
                        AuditEvent& event, const Story& story) const {
  const auto caller = callers_.Verify(ClientCertificate(context));
  if (!caller.ok()) {
    RecordRefusal(caller.status(), event);
    return caller.status();
  }
  event.actor = caller->Name();
  Status status = CheckNotStranger(*caller, action);
  if (status.ok()) status = story(*caller, event);
  if (!status.ok()) {
    RecordRefusal(status, event);
    return status;
  }
  // Nothing is answered that is not on record.
  return ca::RecordsItself(action) ? status : ledger_.RecordEvent(event);
}

// Nothing was given, so the refusal stands even when it cannot be recorded.
void CallGate::RecordRefusal(const Status& status, AuditEvent& event) const {
  event.decision = DecisionOf(status);
  event.rule = ca::RuleOf(status);
  event.reason = ca::MessageOf(status);
  const Status recorded = ledger_.RecordEvent(event);
  if (!recorded.ok()) {
    spdlog::error("a refusal was not recorded: {} correlation-id={}", recorded.ToString(),
                  event.correlation_id);
  }
}

// ---- streams ------------------------------------------------------------------------------------

void CallGate::Open(grpc::CallbackServerContext* context, ca::Action action,
                    std::shared_ptr<Stream> stream, Story story) {
  stream->action_ = action;
  stream->begun_at_ = clock_.Now();
  stream->certificate_ = ClientCertificate(*context);
  const bool runs = workers_.TryRun([this, context, stream, story = std::move(story)] {
    AuditEvent event = EventOf(*context, stream->action_, "");
    const grpc::Status status = Run(context, stream->action_, event, story);
    if (!status.ok()) {
      EndWith(*stream, status, "");
      return;
    }
    stream->event_ = std::move(event);
    stream->Begin();
  });
  if (!runs) EndWith(*stream, {grpc::StatusCode::RESOURCE_EXHAUSTED, kTooManyCalls}, "");
}

ca::Result<ca::Caller> CallGate::Verify(const Stream& stream) const {
  return callers_.Verify(stream.certificate_);
}

void CallGate::End(Stream& stream, const Status& why) const {
  const std::string rule = ca::RuleOf(why);
  if (!rule.empty()) {
    AuditEvent event = stream.event_;
    event.at = clock_.Now();
    RecordRefusal(why, event);
  }
  EndWith(stream, ToGrpc(why, stream.event_.correlation_id), rule);
}

// Counted first, so that who hears the end finds it counted.
void CallGate::EndWith(Stream& stream, const grpc::Status& status, const std::string& rule) const {
  if (stream.has_end_.exchange(true)) return;
  metrics_.CountRequest(ca::NameOf(stream.action_), static_cast<StatusCode>(status.error_code()),
                        std::max(stream.begun_at_, clock_.Now()) - stream.begun_at_);
  stream.Finish(status, rule);
}

}  // namespace server
