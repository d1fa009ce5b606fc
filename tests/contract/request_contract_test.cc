// Listings of decided requests for certificates: their rows, their order, their pages.

#include <gtest/gtest.h>

#include "tests/contract/ledger_fixture.h"

namespace contract {
namespace {

using ca::Decision;
using ca::KeyType;
using ca::Operation;
using ca::RecordedRequest;
using ca::RequestFacts;
using ca::RequestQuery;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

class RequestContract : public LedgerContract {
 protected:
  RequestQuery QueryOf(const ca::Hierarchy& hierarchy) const {
    return {.hierarchy = hierarchy.id, .since = clock_.Now() - hours(1), .after = std::nullopt};
  }
  std::vector<RecordedRequest> Requests(const RequestQuery& query) {
    return ca::testing::Must(ledger().ListRequests(query));
  }
  std::vector<RecordedRequest> Requests() { return Requests(QueryOf(deployment_.acme)); }

  ca::AuditEvent EventOf(const ca::Agent& agent, std::string action) const {
    ca::AuditEvent event = EventIn(deployment_.HierarchyOf(agent), std::move(action));
    event.subject = agent.id.ToString();
    event.request = RequestFacts::Of(
        agent, KeyType::kP384, event.action == "Renew" ? Operation::kRenew : Operation::kEnroll);
    return event;
  }
  ca::AuditEvent Denied(const ca::Agent& agent, std::string rule) const {
    ca::AuditEvent event = EventOf(agent, "Enroll");
    event.decision = Decision::kDenied;
    event.rule = std::move(rule);
    return event;
  }
  void Tell(const ca::AuditEvent& event) { ca::testing::Must(ledger().RecordEvent(event)); }

  void Allow(const ca::AuditEvent& event, const ca::RequestId& request, const ca::PublicKey& key) {
    ASSERT_TRUE(
        ledger()
            .RecordIntent(deployment_.Prepare(bot_, key), ca::SystemGrounds{}, request, event)
            .ok());
  }
};
INSTANTIATE_CONTRACT(RequestContract);

TEST_P(RequestContract, ARequestThatWasAllowedIsThereWithWhatItWasDecidedBy) {
  ca::AuditEvent event = EventOf(bot_, "Renew");
  event.rule = "policy.known";
  Allow(event, NewRequest(), NewKey());

  const auto requests = Requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].position.at, event.at) << "to the microsecond";
  EXPECT_EQ(requests[0].operation, Operation::kRenew);
  EXPECT_EQ(requests[0].subject, bot_.id.ToString());
  EXPECT_EQ(requests[0].decision, Decision::kAllowed);
  EXPECT_EQ(requests[0].rule, "policy.known");
  EXPECT_EQ(requests[0].facts, event.request);
}

TEST_P(RequestContract, ARefusalIsThereWithWhatWasKnownOfIt) {
  Tell(Denied(bot_, "policy.others"));
  ca::AuditEvent malformed = Denied(bot_, "csr.signature");
  malformed.request.reset();
  Tell(malformed);
  ca::AuditEvent failed = EventOf(bot_, "Enroll");
  failed.decision = Decision::kFailed;
  Tell(failed);

  const auto requests = Requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].decision, Decision::kDenied);
  EXPECT_EQ(requests[0].rule, "policy.others");
  EXPECT_EQ(requests[0].facts, RequestFacts::Of(bot_, KeyType::kP384, Operation::kEnroll));
  EXPECT_EQ(requests[1].rule, "csr.signature");
  EXPECT_EQ(requests[1].facts, std::nullopt);
  EXPECT_EQ(requests[2].decision, Decision::kFailed);
}

TEST_P(RequestContract, ARequestThatWasAnsweredAgainIsThereOnce) {
  const ca::RequestId request = NewRequest();
  const ca::PublicKey key = NewKey();
  Allow(EventOf(bot_, "Enroll"), request, key);
  Allow(EventOf(bot_, "Enroll"), request, key);
  EXPECT_EQ(Requests().size(), 1u);
}

TEST_P(RequestContract, NothingElseThatHappenedIsThere) {
  for (const char* action : {"RegisterAgent", "Revoke", "ListAgents", "ListEnrollmentRequests"}) {
    Tell(EventIn(deployment_.acme, action));
  }
  ca::AuditEvent of_no_hierarchy = Denied(bot_, "join-token.unknown");
  of_no_hierarchy.hierarchy = {};
  Tell(of_no_hierarchy);
  Tell(Denied(stranger_, "policy.others"));
  EXPECT_TRUE(Requests().empty());
  EXPECT_EQ(Requests(QueryOf(deployment_.globex)).size(), 1u);
}

TEST_P(RequestContract, WhateverAnOwnerIsCalledItIsReadBack) {
  ca::AuditEvent event = Denied(bot_, "policy.others");
  event.request->owner = R"(the "A\B" team, {'x': [1]}, zoë 🤖)";
  event.request->role = "";
  event.request->version = R"(\u0041 \n)";
  Tell(event);
  ASSERT_EQ(Requests().size(), 1u);
  EXPECT_EQ(Requests()[0].facts, event.request);
}

TEST_P(RequestContract, IsInTheOrderOfTimeAndBeginsWhereItIsAskedTo) {
  ca::AuditEvent event = Denied(bot_, "policy.late");
  event.at += seconds(10);
  Tell(event);
  Tell(Denied(bot_, "policy.now"));
  event = Denied(bot_, "policy.early");
  event.at -= seconds(10);
  Tell(event);

  const auto rules = [&](const RequestQuery& query) {
    std::vector<std::string> found;
    for (const RecordedRequest& request : Requests(query)) found.push_back(request.rule);
    return found;
  };
  RequestQuery query = QueryOf(deployment_.acme);
  EXPECT_EQ(rules(query), (std::vector<std::string>{"policy.early", "policy.now", "policy.late"}));
  query.since = clock_.Now();
  EXPECT_EQ(rules(query), (std::vector<std::string>{"policy.now", "policy.late"}));
  query.since = clock_.Now() + microseconds(1);
  EXPECT_EQ(rules(query), std::vector<std::string>{"policy.late"});
}

TEST_P(RequestContract, GoesOnAfterThePageBeforeAlsoAmongThoseOfOneInstant) {
  for (int i = 0; i < 5; ++i) Tell(Denied(bot_, fmt::format("policy.rule-{}", i)));
  const auto all = Requests();
  ASSERT_EQ(all.size(), 5u);
  RequestQuery query = QueryOf(deployment_.acme);
  query.page_size = 2;
  std::vector<RecordedRequest> seen;
  for (int page = 0; page < 3; ++page) {
    const auto requests = Requests(query);
    EXPECT_EQ(requests.size(), page < 2 ? 2u : 1u);
    seen.insert(seen.end(), requests.begin(), requests.end());
    query.after = requests.back().position;
  }
  EXPECT_EQ(seen, all);
  EXPECT_TRUE(Requests(query).empty());
}

TEST_P(RequestContract, APositionBeforeTheBeginningShowsNothingBeforeIt) {
  Tell(Denied(bot_, "policy.now"));
  RequestQuery query = QueryOf(deployment_.acme);
  query.since = clock_.Now() + seconds(1);
  query.after = ca::RequestPosition{clock_.Now() - hours(1), 0};
  EXPECT_TRUE(Requests(query).empty());
}

}  // namespace
}  // namespace contract
