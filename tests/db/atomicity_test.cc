// Each decision and its event are one transaction: neither is there without the other.

#include <gtest/gtest.h>

#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::AuthorityId;
using ca::AuthorityKind;
using ca::JoinTokenRecord;
using ca::testing::AgentOf;
using ca::testing::Must;
using testing::DeployedDatabaseTest;

class AtomicityTest : public DeployedDatabaseTest {
 protected:
  // An event that no partition takes, as if the disk became full at this moment.
  ca::AuditEvent ImpossibleEvent(std::string action) const {
    ca::AuditEvent event = EventIn(deployment_.acme, std::move(action));
    event.at = ca::TimePoint{};
    return event;
  }

  // Whether the newest row of `table` and the newest event are of one transaction.
  void ExpectOneTransaction(const std::string& table, const std::string& order) {
    const std::string row =
        Value("SELECT xmin FROM agentpki." + table + " ORDER BY " + order + " DESC LIMIT 1");
    EXPECT_EQ(row, Value("SELECT transaction FROM agentpki.audit_events "
                         "ORDER BY sequence DESC LIMIT 1"))
        << table;
  }

  JoinTokenRecord NewToken(const ca::Agent& agent) const {
    return JoinTokenRecord::Of(ca::JoinToken::New("ca.example:8443", ca::Bytes(32, 'r')), agent.id,
                               "test", clock_.Now(), std::chrono::hours(1));
  }

  auto RecordIntent(const ca::Agent& agent, const ca::Grounds& grounds,
                    const ca::AuditEvent& event) {
    return ca::testing::ValueOf(
        ledger_.RecordIntent(deployment_.Prepare(agent, NewKey()), grounds, NewRequest(), event));
  }
};

// ---- with its event -----------------------------------------------------------------------------

TEST_F(AtomicityTest, ARegistrationAndItsEventAreOneTransaction) {
  deployment_.Register(deployment_.acme, "bot");
  ExpectOneTransaction("agents", "number");
}

TEST_F(AtomicityTest, AnInvitationAndItsEventAreOneTransaction) {
  deployment_.Invite(deployment_.Register(deployment_.acme, "bot"));
  ExpectOneTransaction("join_tokens", "created_at");
}

TEST_F(AtomicityTest, ARevocationOfAJoinTokenAndItsEventAreOneTransaction) {
  const JoinTokenRecord token = NewToken(deployment_.Register(deployment_.acme, "bot"));
  Must(registry_.CreateJoinToken(deployment_.acme.id, token,
                                 EventIn(deployment_.acme, "CreateJoinToken")));
  Must(registry_
           .RevokeJoinToken(deployment_.acme.id, token.Id(), clock_.Now(),
                            EventIn(deployment_.acme, "RevokeJoinToken"))
           .status());
  ExpectOneTransaction("join_tokens", "created_at");
}

TEST_F(AtomicityTest, AGrantAndItsEventAreOneTransaction) {
  const ca::Agent alice = deployment_.Register(deployment_.system, "operator/alice");
  Must(registry_.AddGrant(alice.id, {ca::Role::kAdmin, std::nullopt},
                          EventIn(deployment_.system, "AddGrant")));
  ExpectOneTransaction("grants", "granted_at");
}

TEST_F(AtomicityTest, AnIntentTheUseOfItsTokenAndItsEventAreOneTransaction) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  const ca::JoinToken token = deployment_.Invite(agent);
  Must(RecordIntent(agent, ca::JoinTokenGrounds{ca::Sha256(token.secret.Reveal())},
                    EventIn(deployment_.acme, "Enroll"))
           .status());
  ExpectOneTransaction("issuances", "recorded_at");
  ExpectOneTransaction("requests", "request_id");
  ExpectOneTransaction("join_tokens", "created_at");
}

TEST_F(AtomicityTest, AHierarchyItsProfilesAndItsEventAreOneTransaction) {
  ca::Hierarchy hierarchy = ca::testing::GlobexProd();
  hierarchy.environment = "staging";
  hierarchy.trust_domain = Must(ca::TrustDomain::Parse("staging.globex.example"));
  Must(
      hierarchies_.CreateHierarchy(hierarchy, ca::testing::EventAt(clock_.Now(), "CreateHierarchy"))
          .status());
  ExpectOneTransaction("hierarchies", "id");
  ExpectOneTransaction("profiles", "hierarchy");
}

TEST_F(AtomicityTest, APlanAndItsEventAreOneTransaction) {
  Must(authorities_
           .PlanAuthority(deployment_.acme, AuthorityKind::kRoot, 2, AuthorityId{},
                          EventIn(deployment_.acme, "PlanAuthority"))
           .status());
  ExpectOneTransaction("authorities", "id");
}

TEST_F(AtomicityTest, ARecordOfAnAuthorityAndItsEventAreOneTransaction) {
  const auto planned =
      Must(authorities_.PlanAuthority(deployment_.acme, AuthorityKind::kRoot, 2, AuthorityId{},
                                      EventIn(deployment_.acme, "PlanAuthority")));
  const auto key = Must(keys_.Generate(planned.key_label));
  Must(authorities_
           .RecordAuthority(
               planned.id,
               Must(ca::Authority::PrepareRoot(deployment_.acme, planned, *key, clock_.Now())),
               EventIn(deployment_.acme, "CreateAuthority"))
           .status());
  ExpectOneTransaction("authority_issuances", "authority");
}

// ---- and not without ----------------------------------------------------------------------------

TEST_F(AtomicityTest, NothingIsRegisteredWhenItsEventCannotBe) {
  const ca::Agent agent = AgentOf(deployment_.acme, "bot");
  EXPECT_FALSE(registry_.RegisterAgent(agent, ImpossibleEvent("RegisterAgent")).ok());
  EXPECT_EQ(Count("agentpki.agents"), 0);
}

TEST_F(AtomicityTest, NobodyIsInvitedWhenTheEventCannotBeRecorded) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  EXPECT_FALSE(
      registry_
          .CreateJoinToken(deployment_.acme.id, NewToken(agent), ImpossibleEvent("CreateJoinToken"))
          .ok());
  EXPECT_EQ(Count("agentpki.join_tokens"), 0);
}

TEST_F(AtomicityTest, NoTokenIsRevokedWhenTheEventCannotBeRecorded) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  const JoinTokenRecord token = NewToken(agent);
  Must(registry_.CreateJoinToken(deployment_.acme.id, token,
                                 EventIn(deployment_.acme, "CreateJoinToken")));
  EXPECT_FALSE(registry_
                   .RevokeJoinToken(deployment_.acme.id, token.Id(), clock_.Now(),
                                    ImpossibleEvent("RevokeJoinToken"))
                   .ok());
  EXPECT_EQ(Count("agentpki.join_tokens WHERE revoked_at IS NOT NULL"), 0);
}

TEST_F(AtomicityTest, NothingIsGrantedWhenTheEventCannotBeRecorded) {
  const ca::Agent alice = deployment_.Register(deployment_.system, "operator/alice");
  ca::AuditEvent event = ImpossibleEvent("AddGrant");
  event.hierarchy = deployment_.system.id;
  EXPECT_FALSE(registry_.AddGrant(alice.id, {ca::Role::kAdmin, std::nullopt}, event).ok());
  EXPECT_EQ(Count("agentpki.grants"), 0);
}

TEST_F(AtomicityTest, NoIntentIsRecordedAndNoTokenUsedWhenTheEventCannotBeRecorded) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "bot");
  const ca::JoinToken token = deployment_.Invite(agent);
  EXPECT_FALSE(RecordIntent(agent, ca::JoinTokenGrounds{ca::Sha256(token.secret.Reveal())},
                            ImpossibleEvent("Enroll"))
                   .ok());
  EXPECT_EQ(Count("agentpki.issuances"), 0);
  EXPECT_EQ(Count("agentpki.requests"), 0);
  EXPECT_EQ(Count("agentpki.join_tokens WHERE used_at IS NOT NULL"), 0);
}

TEST_F(AtomicityTest, NoHierarchyIsMadeAndNoAuthorityPlannedWhenTheEventCannotBeRecorded) {
  ca::Hierarchy hierarchy = ca::testing::GlobexProd();
  hierarchy.environment = "staging";
  hierarchy.trust_domain = Must(ca::TrustDomain::Parse("staging.globex.example"));
  const int before = Count("agentpki.hierarchies");
  EXPECT_FALSE(hierarchies_.CreateHierarchy(hierarchy, ImpossibleEvent("CreateHierarchy")).ok());
  EXPECT_EQ(Count("agentpki.hierarchies"), before);

  const int planned = Count("agentpki.authorities");
  EXPECT_FALSE(authorities_
                   .PlanAuthority(deployment_.acme, AuthorityKind::kRoot, 2, AuthorityId{},
                                  ImpossibleEvent("PlanAuthority"))
                   .ok());
  EXPECT_EQ(Count("agentpki.authorities"), planned);
}

// ---- what the events hold -----------------------------------------------------------------------

TEST_F(AtomicityTest, WritesWhatACallerSentInPrintableCharacters) {
  ca::AuditEvent event = EventIn(deployment_.acme, "RevokeJoinToken");
  event.subject = std::string("join-token:\0\x1b[2J\xff", 17);
  Must(ledger_.RecordEvent(event));
  EXPECT_EQ(Value("SELECT subject FROM agentpki.audit_events ORDER BY sequence DESC LIMIT 1"),
            R"(join-token:\x00\x1b[2J\xff)");
}

}  // namespace
}  // namespace db
