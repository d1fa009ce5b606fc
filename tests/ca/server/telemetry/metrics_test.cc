#include "ca/server/telemetry/metrics.h"

#include <gmock/gmock.h>

#include "ca/server/http/http_listener.h"
#include "tests/ca/server/http/raw_http_client.h"
#include "tests/fixtures/use_case_test.h"

namespace server {
namespace {

using ca::testing::Must;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

class MetricsTest : public ca::testing::StoryTest {
 protected:
  Metrics metrics_;
};

TEST_F(MetricsTest, CountsRequestsByMethodAndCode) {
  metrics_.CountRequest("Enroll", ca::StatusCode::kOk, milliseconds(3));
  metrics_.CountRequest("Enroll", ca::StatusCode::kOk, milliseconds(30));
  metrics_.CountRequest("Enroll", ca::StatusCode::kPermissionDenied, milliseconds(1));
  const std::string text = metrics_.Scrape();
  const std::string total = "agentpki_requests_total{code=";
  EXPECT_THAT(text, HasSubstr(total + "\"OK\",method=\"Enroll\"} 2"));
  EXPECT_THAT(text, HasSubstr(total + "\"PERMISSION_DENIED\",method=\"Enroll\"} 1"));
  EXPECT_THAT(text, HasSubstr("agentpki_request_seconds_bucket{method=\"Enroll\",le=\"0.005\"} 2"));
  EXPECT_THAT(text, HasSubstr("agentpki_request_seconds_count{method=\"Enroll\"} 3"));
}

TEST_F(MetricsTest, CountsLintErrorsByRuleAndNoOtherRefusals) {
  metrics_.CountLintError("lint.validity.too-long");
  metrics_.CountLintError("csr.subject");
  metrics_.CountLintError("");
  const std::string text = metrics_.Scrape();
  EXPECT_THAT(text, HasSubstr("agentpki_lint_errors_total{rule=\"lint.validity.too-long\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("csr.subject")));
}

TEST_F(MetricsTest, ShowsHowSoonARevocationIsVisible) {
  metrics_.ObserveRevocationVisibleInOcsp(milliseconds(40));
  metrics_.ObserveRevocationVisibleInCrl(milliseconds(8000));
  const std::string text = metrics_.Scrape();
  const std::string bucket = "agentpki_revocation_visible_seconds_bucket{service=";
  EXPECT_THAT(text, HasSubstr(bucket + "\"ocsp\",le=\"0.05\"} 1"));
  EXPECT_THAT(text, HasSubstr(bucket + "\"crl\",le=\"7.5\"} 0"));
  EXPECT_THAT(text, HasSubstr(bucket + "\"crl\",le=\"10\"} 1"));
}

TEST_F(MetricsTest, CallsItsReadersAtEachScrape) {
  ocsp::Responder::Counts counts{.recalled = 5, .signed_answers = 4, .malformed = 3};
  size_t revocations = 10;
  metrics_.ReadOcsp([&] { return counts; });
  metrics_.ReadHttpConnections([] { return 7; });
  metrics_.ReadRevocations([&] { return revocations; });
  EXPECT_THAT(metrics_.Scrape(), HasSubstr("agentpki_ocsp_responses_total{kind=\"recalled\"} 5"));
  counts.recalled = 6;
  revocations = 11;
  const std::string text = metrics_.Scrape();
  EXPECT_THAT(text, HasSubstr("agentpki_ocsp_responses_total{kind=\"recalled\"} 6"));
  EXPECT_THAT(text, HasSubstr("agentpki_ocsp_responses_total{kind=\"malformed\"} 3"));
  EXPECT_THAT(text, HasSubstr("agentpki_http_connections 7"));
  EXPECT_THAT(text, HasSubstr("agentpki_revocations 11"));
}

TEST_F(MetricsTest, ShowsTheNewestCompleteCrlOfEachShard) {
  const auto issuer = Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  for (const auto& [number, base] : {std::pair(4, 0), std::pair(5, 4)}) {
    Must(ports_.crls.Publish(deployment_.acme.id,
                             {.authority = issuer->id(),
                              .number = number,
                              .base_number = base,
                              .this_update = clock_.Now(),
                              .next_update = ca::TimePoint(std::chrono::seconds(2'000'000'000)),
                              .der = "a CRL"}));
  }
  crl::CrlCache crl_cache;
  Must(crl_cache.Refresh(ports_.crls));
  bool goes_on = true;
  metrics_.ReadCrls(crl_cache, [&](ca::AuthorityId) { return goes_on; });
  const std::string labels =
      fmt::format("{{authority=\"{}\",shard=\"0\"}}", static_cast<std::int64_t>(issuer->id()));
  const std::string text = metrics_.Scrape();
  EXPECT_THAT(text, HasSubstr("agentpki_crl_number" + labels + " 4\n"));
  EXPECT_THAT(text, HasSubstr("agentpki_crl_next_update_seconds" + labels + " 2000000000\n"));
  goes_on = false;
  EXPECT_THAT(metrics_.Scrape(), Not(HasSubstr(labels))) << "nobody is to be alarmed";
}

TEST_F(MetricsTest, ShowsNoDiscrepanciesBeforeTheFirstCheck) {
  EXPECT_THAT(metrics_.Scrape(), Not(HasSubstr("agentpki_status_")));
  const ca::TimePoint at(std::chrono::seconds(2'000'000'000));
  metrics_.SetStatusChecked("acme/prod", 0, at);
  metrics_.SetStatusChecked("acme/test", 2, at + std::chrono::seconds(1));
  const std::string text = metrics_.Scrape();
  EXPECT_THAT(text, HasSubstr("agentpki_status_discrepancies{hierarchy=\"acme/prod\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("agentpki_status_discrepancies{hierarchy=\"acme/test\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("agentpki_status_checked_seconds{hierarchy=\"acme/test\"} 2000000001\n"));
}

TEST_F(MetricsTest, ServesTheMetricsAndNothingElse) {
  metrics_.ReadHttpConnections([] { return 7; });
  MetricsSite site(metrics_);
  const auto listener = Must(HttpListener::Start("127.0.0.1:0", {}, site, clock_));
  const auto response = testing::Get(listener->port(), "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("agentpki_http_connections 7"));
  EXPECT_EQ(testing::Get(listener->port(), "/").status, 404);
  EXPECT_EQ(testing::Post(listener->port(), "/metrics", "", "").status, 405);
}

}  // namespace
}  // namespace server
