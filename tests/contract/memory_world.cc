#include <optional>

#include "tests/contract/world.h"

namespace contract {
namespace {

class MemoryWorld final : public World {
 public:
  void Reset() override {
    World::Reset();
    ports_.emplace(clock);
  }

  ca::testing::Ports ports() override { return *ports_; }
  ca::RevocationStore& revocations() override { return ports_->revocations; }
  ca::CrlStore& crls() override { return ports_->crls; }
  ca::AcknowledgementStore& acknowledgements() override { return ports_->acknowledgements; }
  ca::ApprovalStore& approvals() override { return ports_->approvals; }
  void Disable(const ca::SpiffeId& agent) override { ports_->registry.Disable(agent); }
  std::vector<ca::AuditEvent> Events() override { return ports_->events.All(); }

 private:
  std::optional<ca::testing::MemoryPorts> ports_;
};

}  // namespace

std::unique_ptr<World> MakeMemoryWorld() { return std::make_unique<MemoryWorld>(); }

}  // namespace contract
