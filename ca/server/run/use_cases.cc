#include "ca/server/run/use_cases.h"

#include "ca/files/destruction_statement.h"

namespace server {

UseCases::UseCases(const Config& config, const Backends& backends, ca::LiveCatalog& catalogs,
                   ca::StatusDirectory& directory, const ca::RevocationIndex& revocation_index,
                   const ca::Clock& clock)
    : authorization(*backends.registry),
      approvals(catalogs, authorization, backends.stores->hierarchies, *backends.approvals),
      quotas(config.quotas),
      enrollment(catalogs, *backends.registry, *backends.ledger, directory, clock, quotas),
      registration(catalogs, authorization, *backends.registry, config.advertise, quotas),
      revocations(catalogs, authorization, *backends.registry, *backends.ledger,
                  *backends.revocations, approvals),
      operators(catalogs, authorization, *backends.registry, approvals),
      own_agents(*backends.registry, clock, "server"),
      provisioning(*backends.stores, *backends.keys, directory, clock),
      bundles(catalogs, authorization, backends.stores->activations, *backends.acknowledgements,
              *backends.registry, revocation_index, clock),
      publication(catalogs, provisioning.delegates, bundles),
      rotation(catalogs, authorization, *backends.stores, provisioning, publication,
               *backends.ledger, revocation_index, bundles, approvals, clock),
      external_issuing(catalogs, authorization, *backends.stores, *backends.keys, provisioning,
                       publication, *backends.ledger, clock),
      key_retirement(catalogs, backends.stores->authorities, *backends.keys, clock),
      hierarchies(catalogs, authorization, *backends.stores, *backends.keys, *backends.registry,
                  *backends.ledger, provisioning, publication, approvals, clock),
      decommissioning(catalogs, authorization, *backends.stores, key_retirement, provisioning,
                      approvals, clock, files::WriteStatement) {}

}  // namespace server
