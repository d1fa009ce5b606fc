#include "tools/agentpki-bench/ocsp.h"

#include "ca/base/request_id.h"
#include "tools/agentpki-bench/baseline_servers.h"
#include "tools/agentpki-bench/fleet.h"
#include "tools/agentpki-bench/http_client.h"
#include "tools/agentpki-bench/http_load.h"
#include "tools/agentpki-bench/revocation_status.h"

namespace bench {
namespace {

using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

// RFC 9654 section 2.1 recommends 32 octets. The load replaces them in each request.
constexpr std::string_view kNonce = "a nonce that is to be replaced..";
static_assert(kNonce.size() == 32);

class OcspBench {
 public:
  OcspBench(const CommonOptions& options, const StatusSubject& subject,
            const TemporaryFolder& folder)
      : options_(options), subject_(subject), folder_(folder) {
    for (const auto& group : options.processes) {
      if (group.name == "server") server_.push_back(group);
    }
  }

  Status Run() {
    const Url url = TRY(Url::Parse(subject_.ocsp_url()));
    const ca::Bytes request = subject_.OcspRequest();
    const std::string get_path = url.path + "/" + OcspPathPart(request);
    const ca::Bytes answer = TRY(Check(url, get_path, request));

    TRY(Measure("agentpki", "the same, GET", {url.At(get_path)}, server_));
    TRY(Measure("agentpki", "the same, POST", {url.At(url.path), request}, server_));
    const ca::Bytes with_nonce = subject_.OcspRequest(kNonce);
    TRY(Measure("agentpki", "a nonce each, POST", {url.At(url.path), with_nonce, ca::Bytes(kNonce)},
                server_));
    for (const int workers : {1, 2}) {
      TRY(MeasureBaseline(fmt::format("nginx, {} of its processes", workers), "file, GET",
                          StartNginx(answer, workers, folder_)));
    }
    TRY(MeasureBaseline("cfssl ocspserve", "the same, POST", StartCfssl(request, answer, folder_)));
    // wrk keeps one connection open that it never uses, and one of the three processes waits on it
    // for ever.
    TRY(MeasureBaseline("openssl ocsp, 2 of its 3 processes", "a nonce each, POST",
                        StartOpenSslOcsp(kNonce, folder_)));
    Print();
    return ca::Ok();
  }

 private:
  // Checks that all three questions get the right answer, before they are measured. Returns the
  // answer that is the same for each request.
  Result<ca::Bytes> Check(const Url& url, const std::string& get_path, const ca::Bytes& request) {
    HttpClient http(url);
    const ca::Bytes with_nonce = subject_.OcspRequest(kNonce);
    const HttpAnswer nonced = TRY(http.PostOcsp(url.path, with_nonce));
    const HttpAnswer posted = TRY(http.PostOcsp(url.path, request));
    const HttpAnswer got = TRY(http.Get(get_path));
    for (const HttpAnswer& answer : {nonced, posted, got}) {
      const bool is_revoked = TRY(subject_.IsRevoked(answer.body));
      if (is_revoked) {
        return Error(StatusCode::kFailedPrecondition,
                     "OCSP answers 'revoked' for a new certificate");
      }
    }
    if (nonced.body.find(kNonce) == ca::Bytes::npos) {
      return Error(StatusCode::kFailedPrecondition, "the nonce is not in the answer");
    }
    return got.body;
  }

  Status Measure(const std::string& server, const std::string& what, const HttpQuestion& question,
                 const std::vector<CpuClock::Group>& processes) {
    const HttpLoad load{server, what, question, processes};
    HttpRate rate = TRY(MeasureHttp(load, options_.duration, folder_));
    rates_.push_back(std::move(rate));
    return ca::Ok();
  }

  Status MeasureBaseline(const std::string& name, const std::string& what,
                         Result<BaselineServer> started) {
    if (!started.ok()) {
      fmt::print(stderr, "{} is left out: {}\n", name, ca::MessageOf(started.status()));
      return ca::Ok();
    }
    return Measure(name, what, started->question,
                   {{.name = name, .pid = started->process.pid(), .with_children = true}});
  }

  void Print() const {
    const std::vector<std::string> baselines = {"nginx", "cfssl", "openssl"};
    if (options_.format == client::Format::kTable) {
      PrintRates(rates_, baselines);
      return;
    }
    google::protobuf::Struct message;
    *(*message.mutable_fields())["rates"].mutable_list_value() = RatesForJson(rates_, baselines);
    fmt::print("{}\n", client::ToJson(message));
  }

  const CommonOptions& options_;
  const StatusSubject& subject_;
  const TemporaryFolder& folder_;
  std::vector<CpuClock::Group> server_;
  std::vector<HttpRate> rates_;
};

}  // namespace

Status RunOcsp(const CommonOptions& options) {
  const ca::SystemClock clock;
  Fleet fleet(TRY(ca::Credentials::Read(options.identity)));
  const Agent agent = TRY(fleet.Add(fmt::format("spiffe://{}/bench/{}/ocsp", options.trust_domain,
                                                ca::RequestId::New(clock.Now()).ToString())));
  const StatusSubject subject = TRY(StatusSubject::Of(agent.chain.at(0), agent.chain.at(1)));
  const TemporaryFolder folder = TRY(TemporaryFolder::Make());
  return OcspBench(options, subject, folder).Run();
}

}  // namespace bench
