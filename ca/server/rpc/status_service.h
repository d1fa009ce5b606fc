#pragma once

#include "agentpki/v1/status.grpc.pb.h"
#include "ca/access/authorization.h"
#include "ca/server/rpc/call_gate.h"
#include "ca/server/status/consistency.h"
#include "ca/server/telemetry/metrics.h"
#include "ca/server/upkeep/health_monitor.h"

namespace server {

class StatusService final : public agentpki::v1::StatusService::CallbackService {
 public:
  StatusService(CallGate& call_gate, const ca::LiveCatalog& catalogs,
                const ca::Authorization& authorization, const HealthMonitor& health,
                const Consistency& consistency, Metrics& metrics, const ca::Clock& clock)
      : call_gate_(call_gate),
        catalogs_(catalogs),
        authorization_(authorization),
        health_(health),
        consistency_(consistency),
        metrics_(metrics),
        clock_(clock),
        started_at_(clock.Now()) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const agentpki::v1::GetStatusRequest* request,
                                      agentpki::v1::GetStatusResponse* response) override;
  grpc::ServerUnaryReactor* CheckStatus(grpc::CallbackServerContext* context,
                                        const agentpki::v1::CheckStatusRequest* request,
                                        agentpki::v1::CheckStatusResponse* response) override;

 private:
  CallGate& call_gate_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  const HealthMonitor& health_;
  const Consistency& consistency_;
  Metrics& metrics_;
  const ca::Clock& clock_;
  const ca::TimePoint started_at_;
};

}  // namespace server
