#pragma once

#include <memory>

#include "ca/ports/acknowledgement_store.h"

namespace db {

struct Endpoint;
class Pool;

class PostgresAcknowledgementStore final : public ca::AcknowledgementStore {
 public:
  // Connects when first used.
  explicit PostgresAcknowledgementStore(const Endpoint& endpoint);
  ~PostgresAcknowledgementStore() override;

  ca::Result<ca::RecordedDecision> Acknowledge(const ca::Acknowledgement& acknowledgement,
                                               const ca::AuditEvent& event) override;
  ca::Result<ca::AcknowledgedCount> Count(ca::HierarchyId hierarchy, int version,
                                          ca::TimePoint now) override;
  ca::Result<std::vector<ca::LiveAgent>> ListStragglers(const ca::StragglerQuery& query) override;

 private:
  std::unique_ptr<Pool> pool_;
};

}  // namespace db
