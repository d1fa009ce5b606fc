// How every gRPC call is counted in the metrics.

#include "ca/server/rpc/call_gate.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <latch>
#include <thread>

#include "agentpki/v1/status.grpc.pb.h"
#include "tests/fixtures/use_case_test.h"

namespace server {
namespace {

using ::testing::HasSubstr;

// Answers with a status that the test sets, for an action that needs no client certificate.
class ObedientService final : public agentpki::v1::StatusService::CallbackService {
 public:
  ObedientService(CallGate& call_gate, ca::Action action, CallGate::Reading reading)
      : call_gate_(call_gate), action_(action), reading_(std::move(reading)) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const agentpki::v1::GetStatusRequest*,
                                      agentpki::v1::GetStatusResponse*) override {
    return call_gate_.HandleReading(context, action_, reading_);
  }

 private:
  CallGate& call_gate_;
  const ca::Action action_;
  const CallGate::Reading reading_;
};

class DoorTest : public ca::testing::StoryTest {
 protected:
  // Serves until the test ends.
  void Serve(ca::Action action, CallGate::Reading reading) {
    service_ = std::make_unique<ObedientService>(call_gate_, action, std::move(reading));
    grpc::ServerBuilder builder;
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = agentpki::v1::StatusService::NewStub(server_->InProcessChannel({}));
  }
  ~DoorTest() override {
    if (server_) server_->Shutdown();
  }

  grpc::StatusCode Call() {
    grpc::ClientContext context;
    agentpki::v1::GetStatusResponse response;
    return stub_->GetStatus(&context, {}, &response).error_code();
  }

  const ca::RevocationIndex revocations_;
  const ca::CallerVerifier callers_{*deployment_.catalogs, revocations_, clock_};
  Metrics metrics_;
  // A worker becomes free shortly after the answer, so no test makes more calls than there are
  // workers.
  static constexpr int kWorkers = 3;
  WorkerPool workers_{kWorkers};
  CallGate call_gate_{callers_, ports_.ledger, metrics_, clock_, workers_};
  std::unique_ptr<ObedientService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<agentpki::v1::StatusService::Stub> stub_;
};

TEST_F(DoorTest, CountsACallByItsMethodAndStatusAndTime) {
  std::atomic<bool> is_empty = false;
  Serve(ca::Action::kEnroll, [&](ca::Call&) -> ca::Status {
    clock_.Advance(std::chrono::seconds(2));
    if (is_empty) return ca::Error(ca::StatusCode::kInvalidArgument, "csr is empty");
    return ca::Ok();
  });
  EXPECT_EQ(Call(), grpc::StatusCode::OK);
  is_empty = true;
  EXPECT_EQ(Call(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Call(), grpc::StatusCode::INVALID_ARGUMENT);
  const std::string text = metrics_.Scrape();
  EXPECT_THAT(text, HasSubstr("agentpki_requests_total{code=\"OK\",method=\"Enroll\"} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("agentpki_requests_total{code=\"INVALID_ARGUMENT\",method=\"Enroll\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("agentpki_request_seconds_sum{method=\"Enroll\"} 6\n"));
}

TEST_F(DoorTest, CountsStrangersThatItTurnsAway) {
  Serve(ca::Action::kGetStatus, [](ca::Call&) -> ca::Status { return ca::Ok(); });
  EXPECT_EQ(Call(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(
      metrics_.Scrape(),
      HasSubstr("agentpki_requests_total{code=\"UNAUTHENTICATED\",method=\"GetStatus\"} 1\n"));
}

TEST_F(DoorTest, CountsCallsForWhichItHasNoThread) {
  std::latch begun(kWorkers), may_end(1);
  Serve(ca::Action::kEnroll, [&](ca::Call&) -> ca::Status {
    begun.count_down();
    may_end.wait();
    return ca::Ok();
  });
  std::vector<std::thread> callers;
  for (int i = 0; i < kWorkers; ++i) {
    callers.emplace_back([this] { EXPECT_EQ(Call(), grpc::StatusCode::OK); });
  }
  begun.wait();
  EXPECT_EQ(Call(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(
      metrics_.Scrape(),
      HasSubstr("agentpki_requests_total{code=\"RESOURCE_EXHAUSTED\",method=\"Enroll\"} 1\n"));
  may_end.count_down();
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace server
