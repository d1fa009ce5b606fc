// Record, then answer: neither a use case nor a service can answer a call before the audit event of
// its decision is recorded. Each marked line tries a way around that, and must not compile
// (tests/fixtures/does_not_compile.py). A `return ca::Ok()` for a Result<RecordedDecision> compiles,
// but is an internal error and never an answer: absl::StatusOr takes no Ok.

#include "ca/access/call.h"
#include "ca/certificates/registration.h"
#include "ca/ports/ledger.h"
#include "ca/ports/recorded.h"
#include "ca/ports/registry.h"
#include "ca/server/rpc/call_gate.h"

using ca::Agent;
using ca::Call;
using ca::Recorded;
using ca::RecordedDecision;
using ca::Result;
using ca::Status;

// ---- as it should be ----

Result<Recorded<Agent>> Register(Call& call, ca::Registry& registry, const Agent& agent) {
  return registry.RegisterAgent(agent, call.event());
}
Result<Recorded<Agent>> Read(Call& call, ca::Ledger& ledger, const Agent& agent) {
  auto decision = TRY(ledger.RecordEvent(call.event()));
  return Recorded(std::move(decision), agent);
}
void Serve(server::CallGate& gate, grpc::CallbackServerContext* context, ca::Registry& registry,
           const Agent& agent) {
  gate.Handle(context, ca::Action::kRegisterAgent, "",
              [&](Call& call) -> Result<RecordedDecision> {
                auto registered = TRY(Register(call, registry, agent));
                return std::move(registered).decision();
              });
  gate.HandleReading(context, ca::Action::kGetAgent, [](Call&) -> Status { return ca::Ok(); });
}

#ifdef FORBIDDEN

// ---- a use case that forgets its event ----

Result<Recorded<Agent>> A1(Call&, const Agent& agent) {
  return agent;  // error: could not convert
}
Result<Recorded<Agent>> A2(Call&, const Agent& agent) {
  return Recorded<Agent>(agent);  // error: no matching function for call
}

// ---- saying that it is recorded ----

RecordedDecision B1;  // error: is private within this context
auto B2() {
  return RecordedDecision{};  // error: is private within this context
}
auto B3(const Agent& agent) {
  return Recorded<Agent>({}, agent);  // error: is private within this context
}
auto B4() {
  return ca::RecordsDecisions::OnRecord(ca::Ok());  // error: is protected within this context
}
auto B5() {
  return ca::Ledger::OnRecord(ca::Ok());  // error: is protected within this context
}

// ---- answering twice with one record ----

auto C1(const RecordedDecision& decision) {
  return RecordedDecision(decision);  // error: use of deleted function
}
auto C2(const Recorded<Agent>& registered) {
  return Recorded<Agent>(registered);  // error: use of deleted function
}
auto C3(Recorded<Agent>& registered) {
  return registered.decision();  // error: passing
}

// ---- a service that answers without ----

void D1(server::CallGate& gate, grpc::CallbackServerContext* context) {
  gate.Handle(context, ca::Action::kRegisterAgent, "",  // error: no matching function for call
              [](Call&) -> Status { return ca::Ok(); });
}

#endif
