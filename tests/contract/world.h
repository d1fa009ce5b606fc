#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "ca/ports/acknowledgement_store.h"
#include "ca/ports/approval_store.h"
#include "ca/ports/crl_store.h"
#include "ca/ports/ledger.h"
#include "ca/ports/registry.h"
#include "ca/ports/revocation.h"
#include "tests/fakes/deployment.h"

namespace contract {

// One implementation of all ports, and the operations that tests need beside them.
class World {
 public:
  virtual ~World() = default;

  // Near today, for which PostgreSQL has partitions, and with microseconds.
  ca::testing::FakeClock clock;

  // Empties it and sets the clock.
  virtual void Reset() {
    clock.Set(std::chrono::floor<std::chrono::seconds>(ca::SystemClock().Now()) +
              std::chrono::microseconds(123'457));
  }

  virtual ca::testing::Ports ports() = 0;
  virtual ca::RevocationStore& revocations() = 0;
  virtual ca::CrlStore& crls() = 0;
  virtual ca::AcknowledgementStore& acknowledgements() = 0;
  virtual ca::ApprovalStore& approvals() = 0;

  // As an operator does it in the database.
  virtual void Disable(const ca::SpiffeId& agent) = 0;
  // The recorded audit events, in order.
  virtual std::vector<ca::AuditEvent> Events() = 0;
};

std::unique_ptr<World> MakeMemoryWorld();    // tests/fakes
std::unique_ptr<World> MakePostgresWorld();  // db/, on a PostgreSQL of its own

struct WorldKind {
  std::string name;
  std::unique_ptr<World> (*make)();
};
inline void PrintTo(const WorldKind& kind, std::ostream* out) { *out << kind.name; }

}  // namespace contract
