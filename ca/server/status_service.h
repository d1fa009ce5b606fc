#pragma once

#include "agentpki/v1/status.grpc.pb.h"
#include "ca/authorization.h"
#include "ca/server/consistency.h"
#include "ca/server/door.h"
#include "ca/server/health_monitor.h"
#include "ca/server/metrics.h"

namespace server {

class StatusService final : public agentpki::v1::StatusService::CallbackService {
 public:
  StatusService(Door& door, const ca::LiveCatalog& catalogs, const ca::Authorization& authorization,
                const HealthMonitor& health, const Consistency& consistency, Metrics& metrics,
                const ca::Clock& clock)
      : door_(door),
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
  Door& door_;
  const ca::LiveCatalog& catalogs_;
  const ca::Authorization& authorization_;
  const HealthMonitor& health_;
  const Consistency& consistency_;
  Metrics& metrics_;
  const ca::Clock& clock_;
  const ca::TimePoint started_at_;
};

}  // namespace server
