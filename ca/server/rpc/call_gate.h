#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "ca/access/authorization.h"
#include "ca/access/caller.h"
#include "ca/base/clock.h"
#include "ca/ports/ledger.h"
#include "ca/server/rpc/worker_pool.h"
#include "ca/server/telemetry/metrics.h"

namespace server {

// The one call gate of the gRPC edge. Every call of every service goes through Handle() or Open(),
// which alone resolve the caller, make the correlation id, leave the audit event (allowed, denied
// or failed), turn a ca::Status into gRPC's, and count the call by its method and that status.
// Thread-safe.
class CallGate {
 public:
  CallGate(const ca::CallerVerifier& callers, ca::Ledger& ledger, Metrics& metrics,
           const ca::Clock& clock, WorkerPool& workers)
      : callers_(callers), ledger_(ledger), metrics_(metrics), clock_(clock), workers_(workers) {}

  // The trailing metadata with the name of the rule that refused.
  static constexpr char kRuleMetadata[] = "agentpki-rule";

  // What a call is about: decides with the words of ca/, and fills the response. It leaves what it
  // learns in the event.
  using Story = std::function<ca::Status(const ca::Caller& caller, ca::AuditEvent& event)>;

  // Runs `story` on a worker and finishes the call with its outcome. `request_id` is the caller's,
  // or "".
  grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext* context, ca::Action action,
                                   const std::string& request_id, Story story);

  // A call that is answered by messages for as long as both sides want: what the call gate keeps of
  // it.
  class Stream {
   public:
    virtual ~Stream() = default;

   protected:
    // It may be, and that is on record: from now on messages may be sent.
    virtual void Begin() = 0;
    // Ends the call with `status`, and `rule` in its trailing metadata. Called once.
    virtual void Finish(const grpc::Status& status, const std::string& rule) = 0;

   private:
    friend class CallGate;

    ca::Action action_{};
    ca::TimePoint begun_at_;
    std::string certificate_;  // the caller's, PEM
    ca::AuditEvent event_;     // of its beginning
    std::atomic<bool> has_end_ = false;
  };

  // As Handle(), for a call that is answered by `stream`: when `story` is Ok and that is on record,
  // it begins, and ends by End() or when the caller goes away. It costs no thread meanwhile. Its
  // time in the metrics is all the time that it stood.
  void Open(grpc::CallbackServerContext* context, ca::Action action, std::shared_ptr<Stream> stream,
            Story story);

  // Whether the certificate that a stream began with still stands, and whose it is; from memory.
  ca::Result<ca::Caller> Verify(const Stream& stream) const;

  // Ends a stream and says why; of several, the first. A refusal is on record before.
  void End(Stream& stream, const ca::Status& why) const;

 private:
  // What is known of a call before it is looked at.
  ca::AuditEvent EventOf(const grpc::CallbackServerContext& context, ca::Action action,
                         const std::string& request_id) const;
  // `begun_at`: when the call came.
  void Finish(grpc::ServerUnaryReactor* reactor, ca::Action action, ca::TimePoint begun_at,
              const grpc::Status& status) const;
  grpc::Status Run(grpc::CallbackServerContext* context, ca::Action action, ca::AuditEvent& event,
                   const Story& story) const;
  // The status that the caller gets; the event is recorded by then.
  ca::Status Decide(const grpc::CallbackServerContext& context, ca::Action action,
                    ca::AuditEvent& event, const Story& story) const;
  void RecordRefusal(const ca::Status& status, ca::AuditEvent& event) const;
  void EndWith(Stream& stream, const grpc::Status& status, const std::string& rule) const;

  const ca::CallerVerifier& callers_;
  ca::Ledger& ledger_;
  Metrics& metrics_;
  const ca::Clock& clock_;
  WorkerPool& workers_;
};

}  // namespace server
