#include "tools/agentpki-bench/crl.h"

#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "ca/base/request_id.h"
#include "ca/x509/subject_key.h"
#include "tools/agentpki-bench/baseline_servers.h"
#include "tools/agentpki-bench/crl_watch.h"
#include "tools/agentpki-bench/fleet.h"
#include "tools/agentpki-bench/http_load.h"
#include "tools/agentpki-bench/latency.h"
#include "tools/agentpki-bench/revocation_status.h"
#include "tools/client/channel.h"

namespace bench {
namespace {

using agentpki::v1::EnrollmentService;
using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;
using Steady = std::chrono::steady_clock;

constexpr int kRenewersMax = 64;
constexpr std::chrono::milliseconds kBetweenSingles(100);
constexpr std::chrono::seconds kTimeout(30);
// How many of the certificates that are revoked at once are asked of OCSP: asking of all would load
// the server that is measured.
constexpr size_t kAskedMax = 50;

// An agent with `count` certificates. The first is from its enrollment, the others from renewals.
class Subjects {
 public:
  static Result<Subjects> Make(Fleet& fleet, const std::string& spiffe_id, int count) {
    Subjects made(TRY(fleet.Add(spiffe_id)));
    std::vector<ca::Bytes> ders(static_cast<size_t>(count));
    ders[0] = made.agent_.chain.at(0);
    TRY(made.Renew(ders));
    for (const ca::Bytes& der : ders) {
      made.subjects_.push_back(TRY(StatusSubject::Of(der, made.agent_.chain.at(1))));
    }
    return made;
  }

  const std::string& spiffe_id() const { return agent_.spiffe_id; }
  const std::vector<StatusSubject>& all() const { return subjects_; }

 private:
  explicit Subjects(Agent agent) : agent_(std::move(agent)) {}

  // Requests all certificates but the first, at most kRenewersMax at a time.
  Status Renew(std::vector<ca::Bytes>& ders) {
    std::atomic<size_t> next = 1;
    std::vector<Status> statuses(std::min<size_t>(kRenewersMax, ders.size()));
    std::vector<std::thread> threads;
    for (Status& status : statuses) {
      threads.emplace_back([&] {
        for (size_t i = next++; i < ders.size() && status.ok(); i = next++) {
          auto der = RenewOnce();
          if (der.ok()) {
            ders[i] = *std::move(der);
          } else {
            status = der.status();
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Status& status : statuses) TRY(status);
    return ca::Ok();
  }

  Result<ca::Bytes> RenewOnce() const {
    const auto key = TRY(ca::SubjectKey::Generate(ca::KeyType::kP256));
    agentpki::v1::RenewRequest request;
    request.set_request_id(ca::RequestId::New(ca::SystemClock().Now()).ToString());
    request.set_csr(key.Csr(std::nullopt));
    const auto response =
        TRY(client::Call(&EnrollmentService::Stub::Renew, *agent_.stub, request, kCallTimeout));
    return response.certificate().certificate();
  }

  Agent agent_;
  std::vector<StatusSubject> subjects_;
};

struct Delay {
  std::string what;
  Latencies latencies;
};

class CrlBench {
 public:
  CrlBench(const CrlOptions& options, Fleet& fleet, const TemporaryFolder& folder)
      : options_(options), fleet_(fleet), folder_(folder) {}

  Status Run(const std::string& run) {
    const std::string id = fmt::format("spiffe://{}/bench/{}", options_.trust_domain, run);
    fmt::print(stderr, "one agent renews until it has {} certificates, another until {}\n",
               options_.singles, options_.certificates);
    const Subjects singles = TRY(Subjects::Make(fleet_, id + "/singles", options_.singles));
    const Subjects mass = TRY(Subjects::Make(fleet_, id + "/mass", options_.certificates));
    for (const Subjects* subjects : {&singles, &mass}) {
      for (const StatusSubject& subject : subjects->all()) TRY(Watch(subject));
    }
    TRY(RevokeOneByOne(singles));
    TRY(RevokeAtOnce(mass));
    TRY(MeasureDownloads(mass.all().front()));
    Print();
    return ca::Ok();
  }

 private:
  Status Watch(const StatusSubject& subject) {
    auto& watch = watches_[subject.crl_url()];
    if (!watch) watch = TRY(CrlWatch::At(subject.crl_url()));
    if (!http_) http_.emplace(TRY(Url::Parse(subject.ocsp_url())));
    return ca::Ok();
  }

  Result<bool> AskOcsp(const StatusSubject& subject) {
    const Url url = TRY(Url::Parse(subject.ocsp_url()));
    const HttpAnswer answer = TRY(http_->PostOcsp(url.path, subject.OcspRequest()));
    return subject.IsRevoked(answer.body);
  }

  Status CacheGood(const StatusSubject& subject) {
    const bool is_revoked = TRY(AskOcsp(subject));
    if (!is_revoked) return ca::Ok();
    return Error(StatusCode::kFailedPrecondition, "OCSP answers 'revoked' for a new certificate");
  }

  Status WaitForOcsp(const StatusSubject& subject, Steady::time_point since, Latencies& latencies) {
    while (Steady::now() < since + kTimeout) {
      const bool is_revoked = TRY(AskOcsp(subject));
      if (is_revoked) {
        latencies.Add(Steady::now() - since);
        return ca::Ok();
      }
      std::this_thread::sleep_for(kPollPause);
    }
    return Error(StatusCode::kUnavailable,
                 "OCSP still answers 'good' for {}, {} s after its revocation", subject.serial(),
                 kTimeout.count());
  }

  Result<Latencies> WaitForCrls() {
    Latencies all;
    for (const auto& [url, watch] : watches_) {
      const Latencies latencies = TRY(watch->WaitForAll(kTimeout));
      all.Merge(latencies);
    }
    return all;
  }

  Status RevokeOneByOne(const Subjects& subjects) {
    fmt::print(stderr, "{} certificates are revoked one by one\n", subjects.all().size());
    Latencies calls;
    Latencies ocsp;
    for (const StatusSubject& subject : subjects.all()) {
      TRY(CacheGood(subject));
      const auto asked = Steady::now();
      TRY(fleet_.Revoke(subject.serial()));
      const auto acknowledged = Steady::now();
      calls.Add(acknowledged - asked);
      watches_.at(subject.crl_url())->Expect(subject.serial(), acknowledged);
      TRY(WaitForOcsp(subject, acknowledged, ocsp));
      std::this_thread::sleep_for(kBetweenSingles);
    }
    delays_.push_back({"one: the call", calls});
    delays_.push_back({"one: acknowledged to OCSP", ocsp});
    const Latencies crl = TRY(WaitForCrls());
    delays_.push_back({"one: acknowledged to CRL", crl});
    return ca::Ok();
  }

  Status RevokeAtOnce(const Subjects& subjects) {
    const auto& all = subjects.all();
    fmt::print(stderr, "{} certificates are revoked at once\n", all.size());
    const size_t step = std::max<size_t>(1, all.size() / kAskedMax);
    for (size_t i = 0; i < all.size(); i += step) TRY(CacheGood(all[i]));
    Latencies call;
    Latencies ocsp;
    const auto asked = Steady::now();
    const std::int64_t revoked = TRY(fleet_.RevokeAllOf(subjects.spiffe_id()));
    const auto acknowledged = Steady::now();
    call.Add(acknowledged - asked);
    if (revoked != static_cast<std::int64_t>(all.size())) {
      return Error(StatusCode::kFailedPrecondition,
                   "{} certificates were revoked, but the agent has {}", revoked, all.size());
    }
    for (const StatusSubject& subject : all) {
      watches_.at(subject.crl_url())->Expect(subject.serial(), acknowledged);
    }
    for (size_t i = 0; i < all.size(); i += step) TRY(WaitForOcsp(all[i], acknowledged, ocsp));
    const std::string name = fmt::format("{} at once: ", all.size());
    delays_.push_back({name + "the call", call});
    delays_.push_back({name + "acknowledged to OCSP, asked one after another", ocsp});
    const Latencies crl = TRY(WaitForCrls());
    delays_.push_back({name + "acknowledged to CRL", crl});
    return ca::Ok();
  }

  Status MeasureDownloads(const StatusSubject& subject) {
    const CrlWatch& watch = *watches_.at(subject.crl_url());
    const ca::Bytes der = watch.der();
    downloaded_ = fmt::format("CRL of {} entries, {} octets", watch.entry_count(), der.size());
    watches_.clear();  // their polling would be measured, too
    std::vector<CpuClock::Group> server;
    for (const auto& group : options_.processes) {
      if (group.name == "server") server.push_back(group);
    }
    TRY(Measure("agentpki", {subject.crl_url()}, server));
    for (const int workers : {1, 2}) {
      const std::string name = fmt::format("nginx, {} of its processes", workers);
      const auto nginx = StartNginx(der, workers, folder_);
      if (!nginx.ok()) {
        fmt::print(stderr, "{} is left out: {}\n", name, ca::MessageOf(nginx.status()));
        continue;
      }
      TRY(Measure(name, nginx->question,
                  {{.name = name, .pid = nginx->process.pid(), .with_children = true}}));
    }
    return ca::Ok();
  }

  Status Measure(const std::string& name, const HttpQuestion& question,
                 const std::vector<CpuClock::Group>& processes) {
    const HttpLoad load{name, downloaded_, question, processes};
    HttpRate rate = TRY(MeasureHttp(load, options_.duration, folder_));
    rates_.push_back(std::move(rate));
    return ca::Ok();
  }

  void Print() const {
    if (options_.format == client::Format::kJson) {
      PrintJson();
      return;
    }
    client::Table table({"FROM A REVOCATION", "COUNT", "P50 MS", "P99 MS", "MAX MS"});
    for (const auto& [what, latencies] : delays_) {
      table.Add({what, std::to_string(latencies.count()),
                 fmt::format("{:.1f}", latencies.Milliseconds(0.50)),
                 fmt::format("{:.1f}", latencies.Milliseconds(0.99)),
                 fmt::format("{:.1f}", latencies.Milliseconds(1))});
    }
    table.Print();
    fmt::print("\n");
    PrintRates(rates_, {"nginx"});
  }

  void PrintJson() const {
    google::protobuf::Struct message;
    auto& fields = *message.mutable_fields();
    for (const auto& [what, latencies] : delays_) {
      auto& row = *fields["delays"].mutable_list_value()->add_values()->mutable_struct_value();
      auto& cells = *row.mutable_fields();
      cells["what"].set_string_value(what);
      cells["count"].set_number_value(static_cast<double>(latencies.count()));
      cells["p50_ms"].set_number_value(latencies.Milliseconds(0.50));
      cells["p99_ms"].set_number_value(latencies.Milliseconds(0.99));
      cells["max_ms"].set_number_value(latencies.Milliseconds(1));
    }
    *fields["rates"].mutable_list_value() = RatesForJson(rates_, {"nginx"});
    fmt::print("{}\n", client::ToJson(message));
  }

  const CrlOptions& options_;
  Fleet& fleet_;
  const TemporaryFolder& folder_;
  std::map<std::string, std::unique_ptr<CrlWatch>> watches_;  // by URL: certificates share CRLs
  std::optional<HttpClient> http_;
  std::vector<Delay> delays_;
  std::string downloaded_;
  std::vector<HttpRate> rates_;
};

}  // namespace

Status RunCrl(const CrlOptions& options) {
  const ca::SystemClock clock;
  Fleet fleet(TRY(ca::Credentials::Read(options.identity)));
  const TemporaryFolder folder = TRY(TemporaryFolder::Make());
  return CrlBench(options, fleet, folder).Run(ca::RequestId::New(clock.Now()).ToString());
}

}  // namespace bench
