#include "tools/agentpki-bench/issue.h"

#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "ca/base/request_id.h"
#include "ca/x509/subject_key.h"
#include "tools/agentpki-bench/baseline.h"
#include "tools/agentpki-bench/fleet.h"
#include "tools/agentpki-bench/latency.h"

namespace bench {
namespace {

using ca::Status;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kWarmUp(1);
// More CSRs than a level should need. A level that uses them up ends early; its rate is still
// right.
constexpr size_t kCsrsPerSecondMax = 8000;
constexpr size_t kCsrsPerSecondAndAgent = 2000;

// ---- one level of the closed loop ---------------------------------------------------------------

std::vector<ca::Bytes> MakeCsrs(size_t count) {
  std::vector<ca::Bytes> csrs(count);
  std::atomic<size_t> next = 0;
  const auto make = [&] {
    for (size_t i = next++; i < count; i = next++) {
      csrs[i] = ca::SubjectKey::Generate(ca::KeyType::kP256)->Csr(std::nullopt);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back(make);
  }
  for (std::thread& thread : threads) thread.join();
  return csrs;
}

// The state that all agents of one level share.
struct SharedLoad {
  std::vector<ca::Bytes> csrs;
  std::atomic<size_t> next_csr = 0;
  std::atomic<bool> is_counting = false;
  std::atomic<bool> is_over = false;
};

// One agent that renews again and again, on gRPC's threads.
class Runner {
 public:
  Runner(Agent& agent, SharedLoad& load) : agent_(agent), load_(load) {}

  void Start() {
    const size_t index = load_.next_csr++;
    if (load_.is_over || index >= load_.csrs.size()) {
      load_.is_over = true;
      is_done_ = true;
      is_done_.notify_all();
      return;
    }
    request_.set_request_id(ca::RequestId::New(clock_.Now()).ToString());
    request_.set_csr(load_.csrs[index]);
    context_ = std::make_unique<grpc::ClientContext>();
    started_ = Steady::now();
    agent_.stub->async()->Renew(context_.get(), &request_, &response_,
                                [this](const grpc::Status& status) { Finish(status); });
  }

  void Wait() { is_done_.wait(false); }
  const Latencies& latencies() const { return latencies_; }
  size_t failures() const { return failures_; }
  const std::string& last_failure() const { return last_failure_; }

 private:
  void Finish(const grpc::Status& status) {
    if (load_.is_counting) {
      if (status.ok()) {
        latencies_.Add(Steady::now() - started_);
      } else {
        ++failures_;
        last_failure_ = status.error_message();
      }
    }
    Start();
  }

  Agent& agent_;
  SharedLoad& load_;
  const ca::SystemClock clock_;
  agentpki::v1::RenewRequest request_;
  agentpki::v1::RenewResponse response_;
  std::unique_ptr<grpc::ClientContext> context_;
  Steady::time_point started_;
  Latencies latencies_;
  size_t failures_ = 0;
  std::string last_failure_;
  std::atomic<bool> is_done_ = false;
};

struct Level {
  int concurrency = 0;
  double seconds = 0;
  Latencies latencies;
  size_t failures = 0;
  std::string last_failure;
  std::map<std::string, double> cpu_us_per_certificate;

  double Rate() const { return static_cast<double>(latencies.count()) / seconds; }
};

void RunFor(std::chrono::seconds duration, const SharedLoad& load) {
  const auto end = Steady::now() + duration;
  while (Steady::now() < end && !load.is_over) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Level RunLevel(std::vector<Agent>& agents, int concurrency, const IssueOptions& options) {
  const auto seconds = static_cast<size_t>((options.duration + kWarmUp).count());
  SharedLoad load;
  load.csrs = MakeCsrs(seconds * std::min(kCsrsPerSecondMax, kCsrsPerSecondAndAgent *
                                                                 static_cast<size_t>(concurrency)));
  std::vector<std::unique_ptr<Runner>> runners;
  for (int i = 0; i < concurrency; ++i) {
    runners.push_back(std::make_unique<Runner>(agents.at(static_cast<size_t>(i)), load));
  }
  const CpuClock cpu(options.processes);
  for (auto& runner : runners) runner->Start();
  RunFor(kWarmUp, load);

  const auto cpu_before = cpu.Read();
  const auto started = Steady::now();
  load.is_counting = true;
  RunFor(options.duration, load);
  load.is_counting = false;
  Level level{.concurrency = concurrency,
              .seconds = std::chrono::duration<double>(Steady::now() - started).count()};
  const auto cpu_after = cpu.Read();
  load.is_over = true;
  for (auto& runner : runners) {
    runner->Wait();
    level.latencies.Merge(runner->latencies());
    level.failures += runner->failures();
    if (!runner->last_failure().empty()) level.last_failure = runner->last_failure();
  }
  for (size_t i = 0; i < cpu_before.size() && level.latencies.count() > 0; ++i) {
    level.cpu_us_per_certificate[cpu_before[i].name] =
        static_cast<double>((cpu_after[i].used - cpu_before[i].used).count()) /
        static_cast<double>(level.latencies.count());
  }
  return level;
}

// ---- output ------------------------------------------------------------------------------------

void PrintTable(const OpenSslSpeed& openssl, const std::vector<Level>& levels) {
  fmt::print(
      "openssl speed ecdsap256: {:.0f} signatures/s, {:.0f} verifications/s, one processor\n\n",
      openssl.signs_per_second, openssl.verifies_per_second);
  std::vector<std::string> header = {"AGENTS", "CERTIFICATES/S", "OF OPENSSL SIGN",
                                     "P50 MS", "P99 MS",         "FAILED"};
  for (const auto& [name, used] : levels.front().cpu_us_per_certificate) {
    header.push_back("CPU US/CERT " + name);
  }
  client::Table table(header);
  for (const Level& level : levels) {
    std::vector<std::string> row = {
        std::to_string(level.concurrency),
        fmt::format("{:.0f}", level.Rate()),
        fmt::format("{:.3f}", level.Rate() / openssl.signs_per_second),
        fmt::format("{:.2f}", level.latencies.Milliseconds(0.50)),
        fmt::format("{:.2f}", level.latencies.Milliseconds(0.99)),
        std::to_string(level.failures),
    };
    for (const auto& [name, used] : level.cpu_us_per_certificate) {
      row.push_back(fmt::format("{:.0f}", used));
    }
    table.Add(std::move(row));
  }
  table.Print();
}

void PrintJson(const OpenSslSpeed& openssl, const std::vector<Level>& levels) {
  google::protobuf::Struct message;
  auto& fields = *message.mutable_fields();
  fields["openssl_signs_per_second"].set_number_value(openssl.signs_per_second);
  fields["openssl_verifies_per_second"].set_number_value(openssl.verifies_per_second);
  for (const Level& level : levels) {
    auto& row = *fields["levels"].mutable_list_value()->add_values()->mutable_struct_value();
    auto& cells = *row.mutable_fields();
    cells["agents"].set_number_value(level.concurrency);
    cells["certificates_per_second"].set_number_value(level.Rate());
    cells["ratio_to_openssl_sign"].set_number_value(level.Rate() / openssl.signs_per_second);
    cells["p50_ms"].set_number_value(level.latencies.Milliseconds(0.50));
    cells["p99_ms"].set_number_value(level.latencies.Milliseconds(0.99));
    cells["failures"].set_number_value(static_cast<double>(level.failures));
    auto& cpu = *cells["cpu_us_per_certificate"].mutable_struct_value()->mutable_fields();
    for (const auto& [name, used] : level.cpu_us_per_certificate) {
      cpu[name].set_number_value(used);
    }
  }
  fmt::print("{}\n", client::ToJson(message));
}

}  // namespace

Status RunIssue(const IssueOptions& options) {
  const ca::SystemClock clock;
  Fleet fleet(TRY(ca::Credentials::Read(options.identity)));
  const std::string run = ca::RequestId::New(clock.Now()).ToString();
  const int agents_max = *std::max_element(options.concurrency.begin(), options.concurrency.end());
  std::vector<Agent> agents;
  fmt::print(stderr, "registering and enrolling {} agents\n", agents_max);
  for (int i = 0; i < agents_max; ++i) {
    agents.push_back(
        TRY(fleet.Add(fmt::format("spiffe://{}/bench/{}/{}", options.trust_domain, run, i))));
  }
  const OpenSslSpeed openssl = TRY(MeasureOpenSslSpeed());
  std::vector<Level> levels;
  for (const int concurrency : options.concurrency) {
    fmt::print(stderr, "{} agents renew for {} s\n", concurrency, options.duration.count());
    levels.push_back(RunLevel(agents, concurrency, options));
    if (levels.back().failures > 0) {
      fmt::print(stderr, "{} calls failed; the last: {}\n", levels.back().failures,
                 levels.back().last_failure);
    }
  }
  if (options.format == client::Format::kJson) {
    PrintJson(openssl, levels);
  } else {
    PrintTable(openssl, levels);
  }
  return ca::Ok();
}

}  // namespace bench
