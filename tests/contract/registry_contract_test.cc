// Agents, join tokens, and grants.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/contract/contract_test.h"

namespace contract {
namespace {

using ca::Agent;
using ca::Grant;
using ca::JoinTokenRecord;
using ca::Role;
using ca::StatusCode;
using ca::testing::AgentOf;
using ca::testing::IsRefusal;
using ca::testing::Must;
using std::chrono::hours;
using std::chrono::seconds;

class RegistryContract : public DeployedContractTest {
 protected:
  ca::Result<Agent> Register(const Agent& agent) {
    ca::AuditEvent event = EventIn(deployment_.acme, "RegisterAgent");
    event.hierarchy = agent.hierarchy;
    return ca::testing::ValueOf(registry().RegisterAgent(agent, event));
  }

  std::vector<std::string> PathsOf(const ca::AgentQuery& query) {
    std::vector<std::string> paths;
    for (const Agent& agent : Must(registry().ListAgents(query))) {
      paths.emplace_back(agent.id.path());
    }
    return paths;
  }

  JoinTokenRecord NewToken(const Agent& agent) const {
    return JoinTokenRecord::Of(ca::JoinToken::New("ca.example:8443", ca::Bytes(32, 'r')), agent.id,
                               "spiffe://system.agentpki.internal/operator/jürgen", clock_.Now(),
                               hours(1));
  }

  ca::Status Create(const JoinTokenRecord& token) {
    return registry()
        .CreateJoinToken(deployment_.acme.id, token, EventIn(deployment_.acme, "CreateJoinToken"))
        .status();
  }

  ca::Result<JoinTokenRecord> Revoke(const ca::Hierarchy& hierarchy, const std::string& id) {
    return ca::testing::ValueOf(registry().RevokeJoinToken(hierarchy.id, id, clock_.Now(),
                                                           EventIn(hierarchy, "RevokeJoinToken")));
  }

  std::vector<std::string> IdsOf(const ca::JoinTokenQuery& query) {
    std::vector<std::string> ids;
    for (const auto& token : Must(registry().ListJoinTokens(query))) ids.push_back(token.Id());
    return ids;
  }

  // The request id of the certificate that used the token.
  void Use(const Agent& agent, const JoinTokenRecord& token) {
    Must(ledger()
             .RecordIntent(
                 deployment_.Prepare(agent, ca::testing::PublicHalf(ca::testing::NewSubjectKey())),
                 ca::JoinTokenGrounds{token.secret_hash}, ca::RequestId::New(clock_.Now()),
                 EventIn(deployment_.acme, "Enroll"))
             .status());
  }

  ca::Status AddGrant(const Agent& agent, const Grant& grant) {
    ca::AuditEvent event = EventIn(deployment_.system, "AddGrant");
    event.hierarchy = agent.hierarchy;
    return registry().AddGrant(agent.id, grant, event).status();
  }

  Agent RegisterOperator() { return deployment_.Register(deployment_.system, "operator/alice"); }
};
INSTANTIATE_CONTRACT(RegistryContract);

// ---- agents -------------------------------------------------------------------------------------

TEST_P(RegistryContract, CountsTheAgentsOfOneHierarchy) {
  EXPECT_EQ(Must(registry().CountAgents(deployment_.globex.id)), 0);
  deployment_.Register(deployment_.globex, "one");
  deployment_.Register(deployment_.globex, "two");
  deployment_.Register(deployment_.acme, "three");
  EXPECT_EQ(Must(registry().CountAgents(deployment_.globex.id)), 2);
}

TEST_P(RegistryContract, KeepsAnAgentAsItWasRegistered) {
  Agent wanted = AgentOf(deployment_.acme, "web/front");
  wanted.owner = "Jürgen Müller, 日本支社";
  wanted.role = R"(it's "quoted", \escaped\ and {braced, NULL})";
  wanted.version = "";
  wanted.profile = "service";
  wanted.dns_names = {"front.svc.acme.example", "svc.acme.example"};
  wanted.ip_addresses = {Must(ca::IpAddress::Parse("10.1.2.3")),
                         Must(ca::IpAddress::Parse("10.0.0.1"))};
  wanted.registered_at = clock_.Now();

  const Agent registered = Must(Register(wanted));

  EXPECT_NE(registered.number, ca::AgentNumber{});
  wanted.number = registered.number;
  ExpectSame(registered, wanted);
  ExpectSame(Must(registry().FindAgent(deployment_.acme.id, wanted.id)), wanted);
}

TEST_P(RegistryContract, RegistersASpiffeIdOnce) {
  const Agent first = Must(Register(AgentOf(deployment_.acme, "billing/bot")));
  Agent second = AgentOf(deployment_.acme, "billing/bot");
  second.owner = "somebody-else";
  const size_t events = world_.Events().size();

  EXPECT_EQ(Register(second).status().code(), StatusCode::kAlreadyExists);

  EXPECT_EQ(world_.Events().size(), events);
  ExpectSame(Must(registry().FindAgent(deployment_.acme.id, first.id)), first);
}

TEST_P(RegistryContract, RecordsTheEventOfARegistration) {
  ca::AuditEvent event = EventIn(deployment_.acme, "RegisterAgent");
  event.subject = "spiffe://prod.acme.example/billing/bot";
  Must(registry().RegisterAgent(AgentOf(deployment_.acme, "billing/bot"), event).status());
  ExpectSame(world_.Events().back(), event);
}

TEST_P(RegistryContract, DoesNotFindAnAgentThatIsNotRegistered) {
  const auto id = ca::testing::IdOf(deployment_.acme, "ghost");
  EXPECT_EQ(registry().FindAgent(deployment_.acme.id, id).status().code(), StatusCode::kNotFound);
}

TEST_P(RegistryContract, DoesNotFindAnAgentInAnotherHierarchy) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  EXPECT_EQ(registry().FindAgent(deployment_.globex.id, agent.id).status().code(),
            StatusCode::kNotFound);
}

TEST_P(RegistryContract, ShowsThatAnAgentIsDisabled) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  world_.Disable(agent.id);
  EXPECT_TRUE(Must(registry().FindAgent(deployment_.acme.id, agent.id)).disabled);
}

TEST_P(RegistryContract, ListsTheAgentsOfAHierarchyBySpiffeId) {
  for (const char* path : {"b", "a/z", "B", "a-z", "a"}) {
    deployment_.Register(deployment_.acme, path);
  }
  deployment_.Register(deployment_.globex, "a");
  EXPECT_EQ(PathsOf({.hierarchy = deployment_.acme.id}),
            (std::vector<std::string>{"B", "a", "a-z", "a/z", "b"}));
}

TEST_P(RegistryContract, ListsTheAgentsOfOneOwnerWhenAskedFor) {
  deployment_.Register(deployment_.acme, "a");
  Agent other = AgentOf(deployment_.acme, "b");
  other.owner = "o'neill";
  deployment_.Register(other);
  EXPECT_EQ(PathsOf({.hierarchy = deployment_.acme.id, .owner = "o'neill"}),
            std::vector<std::string>{"b"});
}

TEST_P(RegistryContract, ListsAgentsPageByPageAndLeavesNoneOut) {
  for (const char* path : {"a", "b", "c"}) deployment_.Register(deployment_.acme, path);
  ca::AgentQuery query{.hierarchy = deployment_.acme.id, .page_size = 2};
  EXPECT_EQ(PathsOf(query), (std::vector<std::string>{"a", "b"}));
  query.page_token = "spiffe://prod.acme.example/b";
  EXPECT_EQ(PathsOf(query), std::vector<std::string>{"c"});
}

// ---- join tokens --------------------------------------------------------------------------------

TEST_P(RegistryContract, FindsAnInvitationByItsSecretAlone) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const JoinTokenRecord token = NewToken(agent);
  Must(Create(token));
  const auto invitation = Must(registry().FindInvitation(token.secret_hash));
  ExpectSame(invitation.token, token);
  ExpectSame(invitation.agent, agent);
}

TEST_P(RegistryContract, FindsNoInvitationByAnotherSecret) {
  Must(Create(NewToken(deployment_.Register(deployment_.acme, "billing/bot"))));
  EXPECT_EQ(registry().FindInvitation(ca::Bytes(32, 'x')).status().code(), StatusCode::kNotFound);
}

TEST_P(RegistryContract, FindsAnInvitationThatIsUsedRevokedOrExpired) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const JoinTokenRecord used = NewToken(agent);
  const JoinTokenRecord revoked = NewToken(agent);
  for (const auto& token : {used, revoked}) Must(Create(token));
  Use(agent, used);
  Must(Revoke(deployment_.acme, revoked.Id()).status());
  clock_.Advance(hours(2));
  const auto state = [&](const JoinTokenRecord& token) {
    return Must(registry().FindInvitation(token.secret_hash)).token.StateAt(clock_.Now());
  };
  EXPECT_EQ(state(used), JoinTokenRecord::State::kUsed);
  EXPECT_EQ(state(revoked), JoinTokenRecord::State::kRevoked);
}

TEST_P(RegistryContract, InvitesNobodyWhoIsNotRegistered) {
  const JoinTokenRecord token = NewToken(AgentOf(deployment_.acme, "ghost"));
  const size_t events = world_.Events().size();
  EXPECT_EQ(Create(token).code(), StatusCode::kNotFound);
  EXPECT_EQ(world_.Events().size(), events);
  EXPECT_EQ(registry().FindInvitation(token.secret_hash).status().code(), StatusCode::kNotFound);
}

TEST_P(RegistryContract, InvitesNobodyOfAnotherHierarchy) {
  const Agent stranger = deployment_.Register(deployment_.globex, "billing/bot");
  EXPECT_EQ(Create(NewToken(stranger)).code(), StatusCode::kNotFound);
}

TEST_P(RegistryContract, RecordsTheEventOfAnInvitation) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  ca::AuditEvent event = EventIn(deployment_.acme, "CreateJoinToken");
  event.subject = agent.id.ToString();
  Must(registry().CreateJoinToken(deployment_.acme.id, NewToken(agent), event));
  ExpectSame(world_.Events().back(), event);
}

TEST_P(RegistryContract, ListsJoinTokensByIdPageByPageAndLeavesNoneOut) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    const JoinTokenRecord token = NewToken(agent);
    Must(Create(token));
    ids.push_back(token.Id());
  }
  std::sort(ids.begin(), ids.end());
  deployment_.Invite(deployment_.Register(deployment_.globex, "billing/bot"));

  ca::JoinTokenQuery query{.hierarchy = deployment_.acme.id};
  EXPECT_EQ(IdsOf(query), ids);
  query.page_size = 2;
  EXPECT_EQ(IdsOf(query), std::vector(ids.begin(), ids.begin() + 2));
  query.page_token = ids[1];
  EXPECT_EQ(IdsOf(query), std::vector(ids.begin() + 2, ids.begin() + 4));
  query.page_token = ids[4];
  EXPECT_TRUE(IdsOf(query).empty());
}

TEST_P(RegistryContract, ListsTheJoinTokensOfOneAgentWhenAskedFor) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const JoinTokenRecord wanted = NewToken(agent);
  Must(Create(wanted));
  Must(Create(NewToken(deployment_.Register(deployment_.acme, "support/bot"))));
  const auto tokens =
      Must(registry().ListJoinTokens({.hierarchy = deployment_.acme.id, .agent = agent.id}));
  ASSERT_EQ(tokens.size(), 1u);
  ExpectSame(tokens.front(), wanted);
}

TEST_P(RegistryContract, RevokesAJoinTokenOnceAndForAll) {
  JoinTokenRecord token = NewToken(deployment_.Register(deployment_.acme, "billing/bot"));
  Must(Create(token));
  token.revoked_at = clock_.Now();
  ExpectSame(Must(Revoke(deployment_.acme, token.Id())), token);

  clock_.Advance(seconds(1));
  ExpectSame(Must(Revoke(deployment_.acme, token.Id())), token);  // as it was revoked first
  ExpectSame(Must(registry().FindInvitation(token.secret_hash)).token, token);
}

TEST_P(RegistryContract, RecordsTheEventOfARevocation) {
  const JoinTokenRecord token = NewToken(deployment_.Register(deployment_.acme, "billing/bot"));
  Must(Create(token));
  Must(Revoke(deployment_.acme, token.Id()).status());
  ExpectSame(world_.Events().back(), EventIn(deployment_.acme, "RevokeJoinToken"));
}

TEST_P(RegistryContract, RevokesNoJoinTokenThatDoesNotExist) {
  const size_t events = world_.Events().size();
  EXPECT_EQ(Revoke(deployment_.acme, "0123456789abcdef").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(RegistryContract, RevokesNoJoinTokenOfAnotherHierarchy) {
  const JoinTokenRecord token = NewToken(deployment_.Register(deployment_.acme, "billing/bot"));
  Must(Create(token));
  EXPECT_EQ(Revoke(deployment_.globex, token.Id()).status().code(), StatusCode::kNotFound);
  ExpectSame(Must(registry().FindInvitation(token.secret_hash)).token, token);
}

TEST_P(RegistryContract, RevokesNoJoinTokenThatWasUsed) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const JoinTokenRecord token = NewToken(agent);
  Must(Create(token));
  Use(agent, token);
  const size_t events = world_.Events().size();
  EXPECT_TRUE(IsRefusal(Revoke(deployment_.acme, token.Id()).status(),
                        StatusCode::kFailedPrecondition, "join-token.used"));
  EXPECT_EQ(world_.Events().size(), events);
  EXPECT_EQ(Must(registry().FindInvitation(token.secret_hash)).token.revoked_at, ca::TimePoint{});
}

// ---- grants -------------------------------------------------------------------------------------

bool Holds(const std::vector<Grant>& grants, Role role, std::optional<ca::HierarchyId> hierarchy) {
  return std::any_of(grants.begin(), grants.end(), [&](const Grant& grant) {
    return grant.role == role && grant.hierarchy == hierarchy;
  });
}

TEST_P(RegistryContract, FindsTheGrantsOfAnOperator) {
  const Agent alice = RegisterOperator();
  Must(AddGrant(alice, {Role::kAuditor, std::nullopt}));
  Must(AddGrant(alice, {Role::kRegistrar, deployment_.acme.id}));
  Must(AddGrant(alice, {Role::kRegistrar, deployment_.globex.id}));
  const auto grants = Must(registry().FindGrants(alice.id));
  EXPECT_EQ(grants.size(), 3u);
  EXPECT_TRUE(Holds(grants, Role::kAuditor, std::nullopt));
  EXPECT_TRUE(Holds(grants, Role::kRegistrar, deployment_.acme.id));
  EXPECT_TRUE(Holds(grants, Role::kRegistrar, deployment_.globex.id));
}

TEST_P(RegistryContract, KeepsTheGrantsOfTwoOperatorsApart) {
  const Agent alice = RegisterOperator();
  const Agent bob = deployment_.Register(deployment_.system, "operator/bob");
  Must(AddGrant(alice, {Role::kAdmin, std::nullopt}));
  EXPECT_TRUE(Must(registry().FindGrants(bob.id)).empty());
}

TEST_P(RegistryContract, GrantsTheSameOnlyOnce) {
  const Agent alice = RegisterOperator();
  for (int i = 0; i < 2; ++i) {
    Must(AddGrant(alice, {Role::kAdmin, std::nullopt}));
    Must(AddGrant(alice, {Role::kRevoker, deployment_.acme.id}));
  }
  EXPECT_EQ(Must(registry().FindGrants(alice.id)).size(), 2u);
}

TEST_P(RegistryContract, FindsAGrantOverATenantForEachOfItsHierarchies) {
  const Agent alice = RegisterOperator();
  Must(AddGrant(alice, {Role::kRegistrar, std::nullopt, "acme"}));
  Must(AddGrant(alice, {Role::kAuditor, std::nullopt, "initech"}));
  const auto grants = Must(registry().FindGrants(alice.id));
  ASSERT_EQ(grants.size(), 2u);
  for (const Grant& grant : grants) {
    if (grant.role == Role::kRegistrar) {
      EXPECT_EQ(grant, (Grant{Role::kRegistrar, deployment_.acme.id, "acme"}));
    } else {
      EXPECT_EQ(grant, (Grant{Role::kAuditor, std::nullopt, "initech"})) << "it has none yet";
    }
  }
}

TEST_P(RegistryContract, TakesAGrantAndNoOther) {
  const Agent alice = RegisterOperator();
  const std::vector<Grant> all = {{Role::kAuditor, std::nullopt, ""},
                                  {Role::kAuditor, deployment_.acme.id, ""},
                                  {Role::kAuditor, std::nullopt, "globex"},
                                  {Role::kRevoker, deployment_.acme.id, ""}};
  for (const Grant& grant : all) Must(AddGrant(alice, grant));
  for (const Grant& grant : all) {
    for (int i = 0; i < 2; ++i) {
      Must(registry().RemoveGrant(alice.id, grant, EventIn(deployment_.system, "RemoveGrant")));
    }
    ExpectSame(world_.Events().back(), EventIn(deployment_.system, "RemoveGrant"));
    std::vector<Grant> left;
    for (const auto& of : Must(registry().ListGrants())) {
      if (of.operator_id == alice.id) left.push_back(of.grant);
    }
    EXPECT_EQ(std::count(left.begin(), left.end(), grant), 0);
    EXPECT_EQ(left.size(), static_cast<size_t>(&all.back() - &grant));
  }
}

TEST_P(RegistryContract, ListsGrantsAsTheyWereGivenByOperator) {
  const Agent bob = deployment_.Register(deployment_.system, "operator/bob");
  const Agent alice = RegisterOperator();
  Must(AddGrant(bob, {Role::kAdmin, std::nullopt, ""}));
  Must(AddGrant(alice, {Role::kRevoker, std::nullopt, "acme"}));
  const auto grants = Must(registry().ListGrants());
  ASSERT_EQ(grants.size(), 2u);
  EXPECT_EQ(grants[0].operator_id, alice.id);
  EXPECT_EQ(grants[0].grant, (Grant{Role::kRevoker, std::nullopt, "acme"}));
  EXPECT_EQ(grants[1].grant, (Grant{Role::kAdmin, std::nullopt, ""}));
}

TEST_P(RegistryContract, GrantsNothingToSomebodyWhoIsNotRegistered) {
  const size_t events = world_.Events().size();
  EXPECT_EQ(
      AddGrant(AgentOf(deployment_.system, "operator/ghost"), {Role::kAdmin, std::nullopt}).code(),
      StatusCode::kNotFound);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(RegistryContract, RecordsTheEventOfAGrant) {
  const Agent alice = RegisterOperator();
  Must(AddGrant(alice, {Role::kAdmin, std::nullopt}));
  ExpectSame(world_.Events().back(), EventIn(deployment_.system, "AddGrant"));
}

TEST_P(RegistryContract, FindsNoGrantsOfSomebodyUnknown) {
  const auto id = ca::testing::IdOf(deployment_.system, "operator/ghost");
  EXPECT_TRUE(Must(registry().FindGrants(id)).empty());
}

TEST_P(RegistryContract, FindsNoGrantsOfAnOperatorWhoIsDisabled) {
  const Agent alice = RegisterOperator();
  Must(AddGrant(alice, {Role::kAdmin, std::nullopt}));
  world_.Disable(alice.id);
  EXPECT_TRUE(Must(registry().FindGrants(alice.id)).empty());
}

TEST_P(RegistryContract, FindsNoGrantsOfAnAgentThatIsNoOperator) {
  const Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  Must(AddGrant(agent, {Role::kAdmin, std::nullopt}));
  EXPECT_TRUE(Must(registry().FindGrants(agent.id)).empty());
}

}  // namespace
}  // namespace contract
