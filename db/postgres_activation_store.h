#pragma once

#include <memory>

#include "ca/ports/activation_store.h"

namespace db {

class Pool;

class PostgresActivationStore final : public ca::ActivationStore {
 public:
  explicit PostgresActivationStore(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  ca::Result<std::vector<ca::Activation>> LoadActivations() override;
  ca::Result<ca::RecordedDecision> Activate(const ca::Activation& activation,
                                            const ca::AuditEvent& event) override;
  ca::Result<std::vector<ca::TrustBundleRecord>> LoadTrustBundles() override;
  ca::Status PublishTrustBundle(const ca::TrustBundleRecord& bundle,
                                const ca::AuditEvent& event) override;

 private:
  const std::shared_ptr<Pool> pool_;
};

}  // namespace db
