#include "ca/server/upkeep/consistency_watch.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <sstream>

#include "tests/fixtures/use_case_test.h"

namespace server {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class ConsistencyWatchTest : public ca::testing::StoryTest {
 protected:
  ConsistencyWatchTest() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
  }
  ~ConsistencyWatchTest() override { spdlog::set_default_logger(logger_); }

  ca::Result<ConsistencyReport> Check(const ca::HierarchySnapshot& hierarchy) {
    checked_.push_back(hierarchy.name());
    if (hierarchy.id() == deployment_.acme.id) return acme_;
    return ConsistencyReport();
  }

  // How many hierarchies it checks now.
  size_t CheckedAfter(seconds time) {
    clock_.Advance(time);
    checked_.clear();
    watch_.CheckWhenDue();
    return checked_.size();
  }

  std::int64_t Now() const {
    return std::chrono::floor<seconds>(clock_.Now()).time_since_epoch().count();
  }

  const std::shared_ptr<spdlog::logger> logger_ = spdlog::default_logger();
  std::ostringstream log_;
  Metrics metrics_;
  ca::Result<ConsistencyReport> acme_ = ConsistencyReport();
  std::vector<std::string> checked_;
  ConsistencyWatch watch_{*deployment_.catalogs,
                          [this](const ca::HierarchySnapshot& hierarchy,
                                 const std::function<bool()>&) { return Check(hierarchy); },
                          metrics_, clock_};
  const size_t all_ = deployment_.catalog->hierarchies().size();
};

TEST_F(ConsistencyWatchTest, ChecksEveryHierarchyAfterAMinuteAndThenEveryTen) {
  EXPECT_EQ(CheckedAfter(seconds(59)), 0u);
  EXPECT_EQ(CheckedAfter(seconds(1)), all_);
  EXPECT_THAT(checked_, ::testing::Contains(deployment_.acme.Name()));
  EXPECT_EQ(CheckedAfter(seconds(599)), 0u);
  EXPECT_EQ(CheckedAfter(seconds(1)), all_);
}

TEST_F(ConsistencyWatchTest, ShowsWhatItFoundInEachHierarchyAndWhen) {
  acme_->discrepancy_count = 2;
  CheckedAfter(minutes(1));
  const std::string text = metrics_.Scrape();
  const auto gauge = [](std::string_view name, const ca::Hierarchy& hierarchy, std::int64_t value) {
    return HasSubstr(
        fmt::format("agentpki_status_{}{{hierarchy=\"{}\"}} {}", name, hierarchy.Name(), value));
  };
  EXPECT_THAT(text, gauge("discrepancies", deployment_.acme, 2));
  EXPECT_THAT(text, gauge("discrepancies", deployment_.globex, 0));
  EXPECT_THAT(text, gauge("checked_seconds", deployment_.acme, Now()));
  acme_->discrepancy_count = 0;
  CheckedAfter(minutes(10));
  EXPECT_THAT(metrics_.Scrape(), gauge("discrepancies", deployment_.acme, 0));
  EXPECT_THAT(metrics_.Scrape(), gauge("checked_seconds", deployment_.acme, Now()));
}

TEST_F(ConsistencyWatchTest, LogsTheFirstDiscrepanciesAndHowManyThereAre) {
  for (int i = 0; i < 7; ++i)
    acme_->discrepancies.push_back({"0" + std::to_string(i), "ocsp", "x"});
  acme_->discrepancies[1] = {"", "crl", "CRL 0 is late"};
  acme_->discrepancy_count = 70;
  CheckedAfter(minutes(1));
  EXPECT_THAT(log_.str(),
              HasSubstr("[error] status check of " + deployment_.acme.Name() +
                        ": ledger, OCSP and CRL differ 70 times: ocsp of 00: x; crl: "
                        "CRL 0 is late; ocsp of 02: x; ocsp of 03: x; ocsp of 04: x\n"));
}

TEST_F(ConsistencyWatchTest, LogsNothingWhenThereIsNone) {
  CheckedAfter(minutes(1));
  EXPECT_EQ(log_.str(), "");
}

TEST_F(ConsistencyWatchTest, ChecksAgainAfterAMinuteWhenItCouldNot) {
  acme_ = ca::Error(ca::StatusCode::kUnavailable, "the database is away");
  EXPECT_EQ(CheckedAfter(minutes(1)), all_) << "the others are checked nevertheless";
  EXPECT_THAT(metrics_.Scrape(), Not(HasSubstr("\"" + deployment_.acme.Name() + "\"")));
  EXPECT_THAT(log_.str(), HasSubstr("[warning] status check of " + deployment_.acme.Name() +
                                    ": not done: UNAVAILABLE: the database is away"));
  EXPECT_EQ(CheckedAfter(seconds(59)), 0u);
  EXPECT_EQ(CheckedAfter(seconds(1)), all_);
}

TEST_F(ConsistencyWatchTest, GivesUpACheckThatIsUnderWayWhenItIsStopped) {
  std::atomic<bool> has_begun = false;
  ConsistencyWatch watch(
      *deployment_.catalogs,
      [&](const ca::HierarchySnapshot&,
          const std::function<bool()>& is_given_up) -> ca::Result<ConsistencyReport> {
        has_begun = true;
        has_begun.notify_one();
        while (!is_given_up()) std::this_thread::yield();
        return ca::Error(ca::StatusCode::kCancelled, "nobody waits any more");
      },
      metrics_, clock_);
  clock_.Advance(minutes(1));
  watch.Start();
  has_begun.wait(false);
  watch.Stop();
  EXPECT_EQ(log_.str(), "");
}

}  // namespace
}  // namespace server
