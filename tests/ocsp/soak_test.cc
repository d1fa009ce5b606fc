// One hour of virtual time: certificates are issued and revoked, the replica's index follows, the
// database is unavailable now and then, OCSP responders change. Every answer is compared with the
// truth.

#include <random>
#include <unordered_map>

#include "tests/ocsp/responder_fixture.h"

namespace ocsp::testing {
namespace {

constexpr int kSeconds = 3600;
constexpr int kIssuedFirst = 300;
constexpr int kQuestionsASecond = 4;

class SoakTest : public ResponderFixture {
 protected:
  struct Subject {
    ca::SerialNumber serial;
    bool is_revoked = false;  // in the ledger
    bool is_indexed = false;  // in the replica's index, too
  };

  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }

  void IssueOne() { subjects_.push_back({Issue()}); }

  // Does nothing if the chosen certificate is revoked already.
  void RevokeOne() {
    Subject& subject = subjects_[Below(subjects_.size())];
    if (subject.is_revoked) return;
    RevokeInTheLedger(subject.serial);
    subject.is_revoked = true;
    ++revoked_count_;
  }

  void FollowTheLedger() {
    Reconcile();
    for (Subject& subject : subjects_) subject.is_indexed = subject.is_revoked;
  }

  // The statuses that an answer may have now. In the second between the ledger and the index, both
  // are allowed.
  bool IsTrue(const Subject& subject, const std::string& status) const {
    if (status == "revoked") return subject.is_revoked;
    return status == "good" && !subject.is_indexed;
  }

  // Each answer is parsed once, however often it is given. The signature of every 16th is verified.
  const Verdict& VerdictOf(const std::shared_ptr<const Answer>& answer, const ca::Bytes& request) {
    const auto found = verdicts_.find(answer);
    if (found != verdicts_.end()) return found->second;
    Verdict verdict = Read(*answer, request);
    if (verdict.response == "successful" && ++signed_count_ % 16 == 0) {
      EXPECT_EQ(Verified(*answer), "");
    }
    return verdicts_.emplace(answer, std::move(verdict)).first->second;
  }

  void AskOne() {
    std::vector<const Subject*> asked;
    Question question;
    for (size_t count = Below(10) == 0 ? 3 : 1; count > 0; --count) {
      asked.push_back(&subjects_[Below(subjects_.size())]);
      question.About(*issuer_, asked.back()->serial, Below(2) == 0 ? EVP_sha1() : EVP_sha256());
    }
    const bool has_nonce = Below(20) == 0;
    if (has_nonce) question.Nonce(std::to_string(random_()));
    const ca::Bytes request = question.Der();

    const auto answer = Ask(request);
    const Verdict verdict = has_nonce ? Read(*answer, request) : VerdictOf(answer, request);
    ++answer_count_;
    if (verdict.response == "trylater") {
      ++try_later_count_;
      ASSERT_TRUE(is_away_);
      return;
    }
    ASSERT_EQ(verdict.response, "successful");
    ASSERT_EQ(verdict.singles.size(), asked.size());
    ASSERT_EQ(verdict.nonce, has_nonce ? 1 : 2);  // in both, or in neither
    for (size_t i = 0; i < asked.size(); ++i) {
      const Single& single = verdict.singles[i];
      ASSERT_TRUE(IsTrue(*asked[i], single.status)) << single.status;
      ASSERT_LE(single.this_update, clock_.Now());
      ASSERT_GT(single.next_update, clock_.Now());
      const auto age = clock_.Now() - single.this_update;
      ASSERT_TRUE(is_away_ || age < minutes(30)) << ca::HumanDuration(age);
    }
  }

  void AskForNobody() {
    const ca::Bytes request = About(ca::SerialNumber::New(clock_.Now() + hours(1))).Der();
    const std::string status = Status(request);
    ASSERT_EQ(status, is_away_ ? "trylater" : "unknown");
  }

  void TakeAwayOrBringBack(int second) {
    const bool is_away = second % 600 >= 540;  // one minute of ten
    if (is_away == is_away_) return;
    is_away_ = is_away;
    if (is_away) {
      ports_.revocations.TakeAway();
    } else {
      ports_.revocations.BringBack();
    }
  }

  std::mt19937_64 random_{20261124};
  std::vector<Subject> subjects_;
  std::unordered_map<std::shared_ptr<const Answer>, Verdict> verdicts_;
  bool is_away_ = false;
  int signed_count_ = 0;
  int revoked_count_ = 0;
  int answer_count_ = 0;
  int try_later_count_ = 0;
};

TEST_F(SoakTest, GivesNoWrongAnswerInAnHour) {
  for (int i = 0; i < kIssuedFirst; ++i) IssueOne();
  for (int second = 0; second < kSeconds; ++second) {
    TakeAwayOrBringBack(second);
    if (!is_away_) {
      FollowTheLedger();  // reads the revocations of the second before
      IssueOne();
      RevokeOne();
      if (second % 2 == 0) RevokeOne();
    }
    if (second % 300 == 0) Appoint();
    for (int i = 0; i < kQuestionsASecond; ++i) ASSERT_NO_FATAL_FAILURE(AskOne()) << second;
    if (second % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(AskForNobody()) << second;
    }
    clock_.Advance(seconds(1));
  }
  const Responder::Counts counts = responder_.counts();
  EXPECT_GT(revoked_count_, 2000);
  EXPECT_GT(try_later_count_, 100);
  EXPECT_LT(try_later_count_, answer_count_ / 5);
  EXPECT_GT(counts.recalled, 1500u);
  EXPECT_EQ(counts.malformed + counts.unauthorized + counts.internal_errors, 0u);
}

}  // namespace
}  // namespace ocsp::testing
