#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>

#include "ca/access/call.h"
#include "ca/base/clock.h"
#include "ca/ports/ledger.h"
#include "ca/server/rpc/worker_pool.h"
#include "ca/server/telemetry/metrics.h"

namespace server {

// Every gRPC call of every service goes through Handle() or Open(). No other code resolves the
// caller, makes the correlation id, records the audit event (allowed, denied or failed), turns a
// ca::Status into gRPC's, or counts the call by its method and status. Thread-safe.
class CallGate {
 public:
  CallGate(const ca::CallerVerifier& callers, ca::Ledger& ledger, Metrics& metrics,
           const ca::Clock& clock, WorkerPool& workers)
      : callers_(callers), ledger_(ledger), metrics_(metrics), clock_(clock), workers_(workers) {}

  // The key of the trailing metadata that names the rule of a refusal.
  static constexpr char kRuleMetadata[] = "agentpki-rule";

  // Each calls a use case of ca/ and fills the response. A change returns the proof that its
  // decision is recorded. A reading changes nothing: the gate records its event before the answer.
  using Change = std::function<ca::Result<ca::RecordedDecision>(ca::Call& call)>;
  using Reading = std::function<ca::Status(ca::Call& call)>;

  // Runs `change` on a worker and finishes the call with its status. `request_id` comes from the
  // caller; "" if the method has none. `change` must return exactly Result<RecordedDecision>, since
  // a Status would convert to one.
  template <typename Use>
  requires std::same_as<std::invoke_result_t<Use&, ca::Call&>, ca::Result<ca::RecordedDecision>>
      grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext* context, ca::Action action,
                                       const std::string& request_id, Use change) {
    return Start(context, action, request_id, Change(std::move(change)));
  }
  // The same for a call that only reads.
  grpc::ServerUnaryReactor* HandleReading(grpc::CallbackServerContext* context, ca::Action action,
                                          Reading reading) {
    return Start(context, action, "", std::move(reading));
  }

  // The call gate's part of a streaming call: a call that is answered by messages until one side
  // ends it.
  class Stream {
   public:
    virtual ~Stream() = default;

   protected:
    // The call is allowed and recorded. The stream may send messages from now on.
    virtual void Begin() = 0;
    // Ends the call with `status`, and with `rule` in the trailing metadata. Called once.
    virtual void Finish(const grpc::Status& status, const std::string& rule) = 0;

   private:
    friend class CallGate;

    ca::Action action_{};
    ca::TimePoint begun_at_;
    std::string certificate_;  // the caller's, PEM
    ca::AuditEvent event_;     // of the call that began the stream
    std::atomic<bool> has_end_ = false;
  };

  // Like HandleReading(), for a call that `stream` answers. The stream begins when `reading` has
  // returned Ok and that is recorded. It ends by End(), or when the caller disconnects. It needs no
  // thread meanwhile. The metrics count its time from the call to its end.
  void Open(grpc::CallbackServerContext* context, ca::Action action, std::shared_ptr<Stream> stream,
            Reading reading);

  // The caller of the stream, if the certificate that it began with is still valid. Reads memory
  // only.
  ca::Result<ca::Caller> Verify(const Stream& stream) const;

  // Ends a stream with `why`; only the first call counts. A refusal is recorded before the caller
  // hears it.
  void End(Stream& stream, const ca::Status& why) const;

 private:
  using UseCase = std::variant<Change, Reading>;

  grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* context, ca::Action action,
                                  const std::string& request_id, UseCase use_case);
  // The call before its caller is resolved.
  ca::Call CallOf(const grpc::CallbackServerContext& context, ca::Action action,
                  const std::string& request_id) const;
  // `begun_at`: when the call arrived.
  void Finish(grpc::ServerUnaryReactor* reactor, ca::Action action, ca::TimePoint begun_at,
              const grpc::Status& status) const;
  grpc::Status Run(grpc::CallbackServerContext* context, ca::Call& call,
                   const UseCase& use_case) const;
  // Returns the status for the caller, after the event is recorded.
  ca::Status Decide(const grpc::CallbackServerContext& context, ca::Call& call,
                    const UseCase& use_case) const;
  void RecordRefusal(const ca::Status& status, ca::AuditEvent& event) const;
  void EndWith(Stream& stream, const grpc::Status& status, const std::string& rule) const;

  const ca::CallerVerifier& callers_;
  ca::Ledger& ledger_;
  Metrics& metrics_;
  const ca::Clock& clock_;
  WorkerPool& workers_;
};

}  // namespace server
