#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>

#include "ca/authorization.h"
#include "ca/base/clock.h"
#include "ca/caller.h"
#include "ca/ledger.h"
#include "ca/server/metrics.h"
#include "ca/server/worker_pool.h"

namespace server {

// The one door of the gRPC edge. Every call of every service goes through Handle(), which alone
// resolves the caller, makes the correlation id, leaves the audit event (allowed, denied or
// failed), turns a ca::Status into gRPC's, and counts the call by its method and that status.
// Thread-safe.
class Door {
 public:
  Door(const ca::CallerVerifier& callers, ca::Ledger& ledger, Metrics& metrics,
       const ca::Clock& clock, WorkerPool& workers)
      : callers_(callers), ledger_(ledger), metrics_(metrics), clock_(clock), workers_(workers) {}

  // What a call is about: decides with the words of ca/, and fills the response. It leaves what it
  // learns in the event.
  using Story = std::function<ca::Status(const ca::Caller& caller, ca::AuditEvent& event)>;

  // Runs `story` on a worker and finishes the call with its outcome. `request_id` is the caller's,
  // or "".
  grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext* context, ca::Action action,
                                   const std::string& request_id, Story story);

 private:
  // `begun_at`: when the call came.
  void Finish(grpc::ServerUnaryReactor* reactor, ca::Action action, ca::TimePoint begun_at,
              const grpc::Status& status) const;
  grpc::Status Run(grpc::CallbackServerContext* context, ca::Action action, ca::AuditEvent& event,
                   const Story& story) const;
  // The status that the caller gets; the event is recorded by then.
  ca::Status Decide(const grpc::CallbackServerContext& context, ca::Action action,
                    ca::AuditEvent& event, const Story& story) const;
  void RecordRefusal(const ca::Status& status, ca::AuditEvent& event) const;

  const ca::CallerVerifier& callers_;
  ca::Ledger& ledger_;
  Metrics& metrics_;
  const ca::Clock& clock_;
  WorkerPool& workers_;
};

}  // namespace server
