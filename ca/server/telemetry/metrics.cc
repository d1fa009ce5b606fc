#include "ca/server/telemetry/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <vector>

#include "ca/base/rules.h"
#include "ca/issuance/lint.h"

namespace server {
namespace {

using prometheus::ClientMetric;
using prometheus::Histogram;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kPath = "/metrics";

// Seconds. An issuance takes milliseconds; after ten seconds a caller has given up.
Histogram::BucketBoundaries RequestBuckets() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}
// Seconds. We promise 1 s for OCSP and 10 s for CRLs.
Histogram::BucketBoundaries VisibleBuckets() {
  return {0.05, 0.1, 0.25, 0.5, 0.75, 1, 2, 3, 5, 7.5, 10, 15, 30, 60};
}

double SecondsSince1970(ca::TimePoint time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

MetricFamily Empty(std::string name, std::string help, MetricType type) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

void AddGauge(MetricFamily& family, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

MetricFamily OcspFamily(const ocsp::Responder::Counts& counts) {
  MetricFamily family =
      Empty("agentpki_ocsp_responses_total", "OCSP responses, by kind", MetricType::Counter);
  const std::pair<const char*, std::uint64_t> kinds[] = {
      {"recalled", counts.recalled},   {"signed", counts.signed_answers},
      {"malformed", counts.malformed}, {"unauthorized", counts.unauthorized},
      {"try_later", counts.try_later}, {"internal_error", counts.internal_errors},
  };
  for (const auto& [kind, count] : kinds) {
    ClientMetric metric;
    metric.label = {{"kind", kind}};
    metric.counter.value = static_cast<double>(count);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

void AddCrlFamilies(const crl::CrlCache& crl_cache,
                    const std::function<bool(ca::AuthorityId)>& goes_on,
                    std::vector<MetricFamily>& families) {
  MetricFamily number =
      Empty("agentpki_crl_number", "Number of the newest complete CRL", MetricType::Gauge);
  MetricFamily next_update =
      Empty("agentpki_crl_next_update_seconds",
            "When the newest complete CRL ends, in seconds since 1970", MetricType::Gauge);
  for (const auto& entry : crl_cache.All()) {
    if (entry->crl.base_number != 0 || !goes_on(entry->crl.authority)) continue;
    const std::vector<ClientMetric::Label> labels = {
        {"authority", std::to_string(static_cast<std::int64_t>(entry->crl.authority))},
        {"shard", std::to_string(entry->crl.shard)}};
    AddGauge(number, static_cast<double>(entry->crl.number), labels);
    AddGauge(next_update, SecondsSince1970(entry->crl.next_update), labels);
  }
  families.push_back(std::move(number));
  families.push_back(std::move(next_update));
}

}  // namespace

class Metrics::Families {
 public:
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("agentpki_requests_total")
          .Help("gRPC calls, by method and status code")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& lint_errors =
      prometheus::BuildCounter()
          .Name("agentpki_lint_errors_total")
          .Help("Certificates that were not signed because the linter refused them, by rule")
          .Register(registry);
  prometheus::Family<Histogram>& request_seconds =
      prometheus::BuildHistogram()
          .Name("agentpki_request_seconds")
          .Help("Seconds to answer a gRPC call, by method")
          .Register(registry);
  prometheus::Family<Histogram>& visible =
      prometheus::BuildHistogram()
          .Name("agentpki_revocation_visible_seconds")
          .Help(
              "Seconds from just before the commit of a revocation, on any replica, until this "
              "replica's OCSP says so (ocsp), or until a CRL that lists it is published (crl; only "
              "the conductor observes it)")
          .Register(registry);
  Histogram& visible_in_ocsp = visible.Add({{"service", "ocsp"}}, VisibleBuckets());
  Histogram& visible_in_crl = visible.Add({{"service", "crl"}}, VisibleBuckets());
  prometheus::Family<prometheus::Gauge>& discrepancies =
      prometheus::BuildGauge()
          .Name("agentpki_status_discrepancies")
          .Help("Differences between ledger, OCSP and CRL that the last check found")
          .Register(registry);
  prometheus::Family<prometheus::Gauge>& checked =
      prometheus::BuildGauge()
          .Name("agentpki_status_checked_seconds")
          .Help("When the last check of ledger, OCSP and CRL ended, in seconds since 1970")
          .Register(registry);

  std::function<ocsp::Responder::Counts()> ocsp_counts;
  std::function<int()> http_connections;
  std::function<size_t()> revocations;
  const crl::CrlCache* crl_cache = nullptr;
  std::function<bool(ca::AuthorityId)> crls_go_on;
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::CountRequest(std::string_view method, ca::StatusCode code,
                           std::chrono::duration<double> took) {
  const std::string its_method(method);
  families_->requests.Add({{"method", its_method}, {"code", absl::StatusCodeToString(code)}})
      .Increment();
  families_->request_seconds.Add({{"method", its_method}}, RequestBuckets()).Observe(took.count());
}

void Metrics::CountLintError(std::string_view rule) {
  if (!ca::kLintRules.Has(rule)) return;
  families_->lint_errors.Add({{"rule", std::string(rule)}}).Increment();
}

void Metrics::ObserveRevocationVisibleInOcsp(std::chrono::duration<double> took) {
  families_->visible_in_ocsp.Observe(took.count());
}
void Metrics::ObserveRevocationVisibleInCrl(std::chrono::duration<double> took) {
  families_->visible_in_crl.Observe(took.count());
}
void Metrics::SetStatusChecked(std::string_view hierarchy, std::int64_t discrepancy_count,
                               ca::TimePoint at) {
  const prometheus::Labels labels = {{"hierarchy", std::string(hierarchy)}};
  families_->discrepancies.Add(labels).Set(static_cast<double>(discrepancy_count));
  families_->checked.Add(labels).Set(SecondsSince1970(at));
}

void Metrics::ReadOcsp(std::function<ocsp::Responder::Counts()> counts) {
  families_->ocsp_counts = std::move(counts);
}
void Metrics::ReadHttpConnections(std::function<int()> count) {
  families_->http_connections = std::move(count);
}
void Metrics::ReadRevocations(std::function<size_t()> count) {
  families_->revocations = std::move(count);
}
void Metrics::ReadCrls(const crl::CrlCache& crl_cache,
                       std::function<bool(ca::AuthorityId)> goes_on) {
  families_->crl_cache = &crl_cache;
  families_->crls_go_on = std::move(goes_on);
}

std::string Metrics::Scrape() const {
  std::vector<MetricFamily> families = families_->registry.Collect();
  if (families_->ocsp_counts) families.push_back(OcspFamily(families_->ocsp_counts()));
  if (families_->http_connections) {
    families.push_back(Empty("agentpki_http_connections", "Open connections of the status service",
                             MetricType::Gauge));
    AddGauge(families.back(), families_->http_connections());
  }
  if (families_->revocations) {
    families.push_back(Empty("agentpki_revocations", "Revocations in memory", MetricType::Gauge));
    AddGauge(families.back(), static_cast<double>(families_->revocations()));
  }
  if (families_->crl_cache) AddCrlFamilies(*families_->crl_cache, families_->crls_go_on, families);
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

std::optional<HttpResponse> MetricsSite::HandleAtOnce(const HttpRequest& request) {
  if (request.target.substr(0, request.target.find('?')) != kPath) {
    return HttpResponse::Line(404, "not found; the metrics are at /metrics");
  }
  if (request.method == HttpMethod::kGet) return std::nullopt;
  HttpResponse response = HttpResponse::Line(405, "use GET or HEAD");
  response.Add("Allow", "GET, HEAD");
  return response;
}

HttpResponse MetricsSite::Handle(const HttpRequest&) {
  HttpResponse response{.content_type = "text/plain; version=0.0.4; charset=utf-8"};
  response.Add("Cache-Control", "no-store");
  response.Carry(metrics_.Scrape());
  return response;
}

}  // namespace server
