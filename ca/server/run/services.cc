#include "ca/server/run/services.h"

#include <initializer_list>

namespace server {

Services::Services(const Config& config, const Backends& backends, const ca::LiveCatalog& catalogs,
                   UseCases& use_cases, StatusPlane& status, const UpkeepLoops& upkeep,
                   const ca::Clock& clock)
    : callers_(catalogs, status.index(), clock),
      workers_(config.concurrent_calls),
      call_gate_(callers_, *backends.ledger, status.metrics(), clock, workers_),
      doctor_(*backends.stores, *backends.keys, *backends.crls, status.crl_cache(), clock),
      bundle_watch_(call_gate_, use_cases.bundles),
      enrollment_(call_gate_, use_cases.enrollment, clock),
      registry_(call_gate_, catalogs, use_cases.authorization, use_cases.registration,
                *backends.registry, clock),
      certificate_(call_gate_, catalogs, use_cases.authorization, *backends.ledger, status.index(),
                   clock),
      policy_(call_gate_, catalogs, use_cases.authorization, *backends.ledger, clock),
      revocation_(call_gate_, use_cases.revocations),
      hierarchy_(
          call_gate_, catalogs, use_cases.hierarchies, use_cases.decommissioning,
          [&status](const ca::Authority& authority) { return status.MissingFor(authority); }),
      operator_(call_gate_, catalogs, use_cases.operators),
      authority_(call_gate_, catalogs, use_cases.authorization, use_cases.rotation,
                 use_cases.external_issuing, use_cases.bundles, clock),
      approval_(call_gate_, catalogs, use_cases.approvals, clock),
      status_(call_gate_, catalogs, use_cases.authorization, upkeep.health(), status.consistency(),
              status.metrics(), clock),
      doctor_service_(call_gate_, catalogs, use_cases.authorization, doctor_, clock),
      trust_bundle_(call_gate_, use_cases.bundles, bundle_watch_) {}

void Services::RegisterWith(grpc::ServerBuilder& builder) {
  for (grpc::Service* const service : std::initializer_list<grpc::Service*>{
           &enrollment_, &registry_, &certificate_, &policy_, &revocation_, &hierarchy_, &operator_,
           &authority_, &approval_, &status_, &doctor_service_, &trust_bundle_}) {
    builder.RegisterService(service);
  }
}

}  // namespace server
