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
constexpr char kTooManyCalls[] = "the server is at its limit of concurrent calls; wait and retry";

std::string_view ClientCertificate(const grpc::CallbackServerContext& context) {
  const auto found = context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return found.empty() ? std::string_view() : std::string_view(found[0].data(), found[0].size());
}

// With these codes the call was permitted and failed. Every other code is a refusal.
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

// Runs before the request is read. So a caller without a certificate learns neither which objects
// exist nor which requests are valid.
Status CheckNotStranger(const ca::Caller& caller, ca::Action action) {
  if (caller.id || ca::IsForStrangers(action)) return ca::Ok();
  return ca::Refusal<ca::kCallerAnonymous>(
      fmt::format("{} needs an operator's (agentpki --identity DIR), or, to renew, the agent's own",
                  ca::NameOf(action)));
}

// The codes are gRPC's own. The message of an internal error is for operators only, so it stays in
// the log.
grpc::Status ToGrpc(const Status& status, const std::string& correlation_id) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  if (status.code() == StatusCode::kInternal) {
    return {code,
            "internal error; find it in the server's log by correlation id " + correlation_id};
  }
  return {code, ca::MessageOf(status)};
}

}  // namespace

grpc::ServerUnaryReactor* CallGate::Start(grpc::CallbackServerContext* context, ca::Action action,
                                          const std::string& request_id, UseCase use_case) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const ca::TimePoint begun_at = clock_.Now();
  const bool runs = workers_.TryRun(
      [this, context, reactor, action, begun_at, request_id, use_case = std::move(use_case)] {
        ca::Call call = CallOf(*context, action, request_id);
        Finish(reactor, action, begun_at, Run(context, call, use_case));
      });
  if (!runs) {
    Finish(reactor, action, begun_at, {grpc::StatusCode::RESOURCE_EXHAUSTED, kTooManyCalls});
  }
  return reactor;
}

ca::Call CallGate::CallOf(const grpc::CallbackServerContext& context, ca::Action action,
                          const std::string& request_id) const {
  return {action, AuditEvent{
                      .at = clock_.Now(),
                      .actor = "anonymous",
                      .action = std::string(ca::NameOf(action)),
                      .from = context.peer(),
                      .correlation_id = ca::Hex(ca::RandomBytes(kCorrelationIdSize)),
                      .request_id = request_id,
                  }};
}

// Counts first, so that a caller that has the answer finds it in the metrics.
void CallGate::Finish(grpc::ServerUnaryReactor* reactor, ca::Action action, ca::TimePoint begun_at,
                      const grpc::Status& status) const {
  metrics_.CountRequest(ca::NameOf(action), static_cast<StatusCode>(status.error_code()),
                        std::max(begun_at, clock_.Now()) - begun_at);
  reactor->Finish(status);
}

grpc::Status CallGate::Run(grpc::CallbackServerContext* context, ca::Call& call,
                           const UseCase& use_case) const {
  const AuditEvent& event = call.event();
  context->AddTrailingMetadata(kCorrelationMetadata, event.correlation_id);
  const Status status = Decide(*context, call, use_case);
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

Status CallGate::Decide(const grpc::CallbackServerContext& context, ca::Call& call,
                        const UseCase& use_case) const {
  auto caller = callers_.Verify(ClientCertificate(context));
  if (!caller.ok()) {
    RecordRefusal(caller.status(), call.event());
    return caller.status();
  }
  call.Identify(*std::move(caller));
  Status status = CheckNotStranger(call.caller(), call.action());
  if (status.ok()) {
    status =
        std::visit([&](const auto& use) { return ca::internal::StatusOf(use(call)); }, use_case);
  }
  if (!status.ok()) {
    RecordRefusal(status, call.event());
    return status;
  }
  // The event is recorded before the caller gets the answer. A change has proved that it is.
  if (std::holds_alternative<Change>(use_case)) return ca::Ok();
  return ledger_.RecordEvent(call.event()).status();
}

// If the refusal cannot be recorded, it is still a refusal: the caller got nothing.
void CallGate::RecordRefusal(const Status& status, AuditEvent& event) const {
  event.decision = DecisionOf(status);
  event.rule = ca::RuleOf(status);
  event.reason = ca::MessageOf(status);
  const Status recorded = ledger_.RecordEvent(event).status();
  if (!recorded.ok()) {
    spdlog::error("the audit event of a refusal was not recorded: {} correlation-id={}",
                  recorded.ToString(), event.correlation_id);
  }
}

// ---- streams ------------------------------------------------------------------------------------

void CallGate::Open(grpc::CallbackServerContext* context, ca::Action action,
                    std::shared_ptr<Stream> stream, Reading reading) {
  stream->action_ = action;
  stream->begun_at_ = clock_.Now();
  stream->certificate_ = ClientCertificate(*context);
  const bool runs =
      workers_.TryRun([this, context, stream, use_case = UseCase(std::move(reading))] {
        ca::Call call = CallOf(*context, stream->action_, "");
        const grpc::Status status = Run(context, call, use_case);
        if (!status.ok()) {
          EndWith(*stream, status, "");
          return;
        }
        stream->event_ = call.event();
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

// Counts first, so that a caller that hears the end finds it in the metrics.
void CallGate::EndWith(Stream& stream, const grpc::Status& status, const std::string& rule) const {
  if (stream.has_end_.exchange(true)) return;
  metrics_.CountRequest(ca::NameOf(stream.action_), static_cast<StatusCode>(status.error_code()),
                        std::max(stream.begun_at_, clock_.Now()) - stream.begun_at_);
  stream.Finish(status, rule);
}

}  // namespace server
