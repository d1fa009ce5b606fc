// Agents are registered and invited; a refused call leaves nothing but its event.

#include "ca/certificates/registration.h"

#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsRefusal;
using testing::Must;
using testing::Says;

class RegistrationTest : public testing::StoryTest {
 protected:
  RegistrationTest() {
    alice_ = OperatorWith(Role::kRegistrar);
    auditor_ = OperatorWith(Role::kAuditor);
  }

  AgentRegistration Wanted() const {
    return {.id = testing::IdOf(deployment_.acme, "billing/bot"),
            .owner = "billing-team",
            .role = "invoicing",
            .version = "1.4.0"};
  }

  Result<Agent> Register(const AgentRegistration& wanted) {
    return testing::ValueOf(
        registration_.RegisterAgent(CallBy(alice_, Action::kRegisterAgent), wanted));
  }
  Result<Registration::Created> Invite(const SpiffeId& agent, seconds lifetime = hours(1)) {
    return testing::ValueOf(
        registration_.CreateJoinToken(CallBy(alice_, Action::kCreateJoinToken), agent, lifetime));
  }

  Caller alice_;
  Caller auditor_;
  const Authorization authorization_{ports_.registry};
  const Registration registration_{*deployment_.catalogs, authorization_, ports_.registry,
                                   "ca.acme.example:8443"};
};

// ---- registering --------------------------------------------------------------------------------

TEST_F(RegistrationTest, RegistersAnAgentAsAsked) {
  AgentRegistration wanted = Wanted();
  wanted.profile = "service";
  wanted.dns_names = {"a.svc.acme.example"};
  wanted.ip_addresses = {Must(IpAddress::Parse("10.0.0.1"))};
  Must(Register(wanted).status());

  const Agent agent = Must(ports_.registry.FindAgent(deployment_.acme.id, wanted.id));
  EXPECT_EQ(agent.owner, "billing-team");
  EXPECT_EQ(agent.role, "invoicing");
  EXPECT_EQ(agent.version, "1.4.0");
  EXPECT_EQ(agent.profile, "service");
  EXPECT_EQ(agent.dns_names, wanted.dns_names);
  EXPECT_EQ(agent.ip_addresses, wanted.ip_addresses);
  EXPECT_FALSE(agent.disabled);
  EXPECT_EQ(agent.registered_at, clock_.Now());
}

TEST_F(RegistrationTest, RegistersNoMoreOfATenantThanItsQuota) {
  const Quotas quotas({{"acme", {.agents = 2, .certificates_per_minute = 0}}});
  const Registration registration(*deployment_.catalogs, authorization_, ports_.registry,
                                  "ca.acme.example:8443", quotas);
  const auto register_one = [&](const Hierarchy& hierarchy, const std::string& path) {
    AgentRegistration wanted = Wanted();
    wanted.id = testing::IdOf(hierarchy, path);
    return registration.RegisterAgent(CallBy(alice_, Action::kRegisterAgent), wanted).status();
  };
  Must(register_one(deployment_.acme, "one"));
  Must(register_one(deployment_.acme, "two"));
  EXPECT_TRUE(testing::IsRefusal(register_one(deployment_.acme, "three"),
                                 StatusCode::kResourceExhausted, "quota.agents"));
}

TEST_F(RegistrationTest, TakesTheFirstProfileWhenNoneIsNamed) {
  EXPECT_EQ(Must(Register(Wanted())).profile, "agent");
}

TEST_F(RegistrationTest, RecordsItsEventWithTheRegistration) {
  Must(registration_.RegisterAgent(CallBy(alice_, Action::kRegisterAgent), Wanted()).status());
  const AuditEvent recorded = ports_.events.All().back();
  EXPECT_EQ(recorded.subject, "spiffe://prod.acme.example/billing/bot");
  EXPECT_EQ(recorded.hierarchy, deployment_.acme.id);
  EXPECT_EQ(recorded.action, "RegisterAgent");
  EXPECT_EQ(recorded.actor, alice_.Name());
}

TEST_F(RegistrationTest, RegistersNobodyForACallerWithoutTheRole) {
  const size_t events = ports_.events.All().size();
  EXPECT_TRUE(IsRefusal(
      registration_.RegisterAgent(CallBy(auditor_, Action::kRegisterAgent), Wanted()).status(),
      StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_EQ(LastEvent().subject, "spiffe://prod.acme.example/billing/bot")
      << "for the caller to record";
  EXPECT_EQ(LastEvent().hierarchy, deployment_.acme.id);
  EXPECT_EQ(ports_.events.All().size(), events) << "it is the caller's to record";
  EXPECT_FALSE(ports_.registry.FindAgent(deployment_.acme.id, Wanted().id).ok());
}

TEST_F(RegistrationTest, RegistersNobodyInATrustDomainThatNoHierarchyHas) {
  AgentRegistration wanted = Wanted();
  wanted.id = Must(SpiffeId::Parse("spiffe://nowhere.example/bot"));
  EXPECT_TRUE(Says(Register(wanted).status(), StatusCode::kNotFound, "nowhere.example"));
}

TEST_F(RegistrationTest, RegistersNobodyWhoIsNotValid) {
  AgentRegistration no_owner = Wanted();
  no_owner.owner = "";
  EXPECT_TRUE(Says(Register(no_owner).status(), StatusCode::kInvalidArgument, "owner: "));
  AgentRegistration no_profile = Wanted();
  no_profile.profile = "nope";
  EXPECT_TRUE(Says(Register(no_profile).status(), StatusCode::kInvalidArgument, "profile: "));
  AgentRegistration host_name = Wanted();
  host_name.dns_names = {"a.svc.acme.example"};
  EXPECT_TRUE(Says(Register(host_name).status(), StatusCode::kInvalidArgument, "allows none"));
}

TEST_F(RegistrationTest, RegistersNobodyTwice) {
  Must(Register(Wanted()).status());
  EXPECT_EQ(Register(Wanted()).status().code(), StatusCode::kAlreadyExists);
}

// ---- inviting -----------------------------------------------------------------------------------

TEST_F(RegistrationTest, InvitesAnAgentWithATokenThatTellsWhomToTrust) {
  const Agent agent = Must(Register(Wanted()));
  const auto created = Must(Invite(agent.id));

  EXPECT_EQ(created.token.address, "ca.acme.example:8443");
  EXPECT_EQ(created.token.root_fingerprint,
            Sha256(deployment_.catalog->Find(deployment_.system.id)->Roots().front()))
      << "the server's root, not the agent's";
  const auto invitation =
      Must(ports_.registry.FindInvitation(Sha256(created.token.secret.Reveal())));
  EXPECT_EQ(invitation.agent.id, agent.id);
  EXPECT_EQ(invitation.token.created_by, alice_.Name());
  EXPECT_EQ(invitation.token.created_at, clock_.Now());
  EXPECT_EQ(invitation.token.expires_at, clock_.Now() + hours(1));
  EXPECT_EQ(created.record.Id(), invitation.token.Id());
}

TEST_F(RegistrationTest, BoundsTheLifetimeOfAnInvitation) {
  const Agent agent = Must(Register(Wanted()));
  for (const seconds lifetime : {seconds(minutes(1)), seconds(hours(24 * 7))}) {
    EXPECT_TRUE(Invite(agent.id, lifetime).ok());
  }
  for (const seconds lifetime :
       {seconds(0), -seconds(60), seconds(59), seconds(hours(24 * 7)) + seconds(1)}) {
    EXPECT_TRUE(
        Says(Invite(agent.id, lifetime).status(), StatusCode::kInvalidArgument, "lifetime: "));
  }
}

TEST_F(RegistrationTest, InvitesNobodyWhoIsNotRegistered) {
  EXPECT_EQ(Invite(Wanted().id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Invite(Must(SpiffeId::Parse("spiffe://nowhere.example/bot"))).status().code(),
            StatusCode::kNotFound);
}

TEST_F(RegistrationTest, InvitesNobodyWhoIsDisabled) {
  const Agent agent = Must(Register(Wanted()));
  ports_.registry.Disable(agent.id);
  EXPECT_TRUE(
      IsRefusal(Invite(agent.id).status(), StatusCode::kPermissionDenied, "agent.disabled"));
}

TEST_F(RegistrationTest, InvitesNobodyForACallerWithoutTheRole) {
  const Agent agent = Must(Register(Wanted()));
  EXPECT_TRUE(IsRefusal(
      registration_.CreateJoinToken(CallBy(auditor_, Action::kCreateJoinToken), agent.id, hours(1))
          .status(),
      StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_EQ(LastEvent().subject, agent.id.ToString());
  EXPECT_EQ(LastEvent().hierarchy, deployment_.acme.id);
  EXPECT_TRUE(Must(ports_.registry.ListJoinTokens({.hierarchy = deployment_.acme.id})).empty());
}

// ---- revoking an invitation ---------------------------------------------------------------------

TEST_F(RegistrationTest, RevokesAnInvitation) {
  const auto created = Must(Invite(Must(Register(Wanted())).id));
  const JoinTokenRecord revoked = Must(registration_.RevokeJoinToken(
      CallBy(alice_, Action::kRevokeJoinToken), deployment_.acme.id, created.record.Id()));
  EXPECT_EQ(revoked.StateAt(clock_.Now()), JoinTokenRecord::State::kRevoked);
  EXPECT_EQ(ports_.events.All().back().subject, "join-token:" + created.record.Id());
}

TEST_F(RegistrationTest, RevokesNoInvitationForACallerWithoutTheRole) {
  const auto created = Must(Invite(Must(Register(Wanted())).id));
  EXPECT_TRUE(IsRefusal(registration_
                            .RevokeJoinToken(CallBy(auditor_, Action::kRevokeJoinToken),
                                             deployment_.acme.id, created.record.Id())
                            .status(),
                        StatusCode::kPermissionDenied, "caller.role"));
  EXPECT_EQ(LastEvent().subject, "join-token:" + created.record.Id());
  EXPECT_EQ(LastEvent().hierarchy, deployment_.acme.id);
}

TEST_F(RegistrationTest, RevokesNoInvitationThatDoesNotExist) {
  EXPECT_EQ(registration_
                .RevokeJoinToken(CallBy(alice_, Action::kRevokeJoinToken), deployment_.acme.id,
                                 "0123456789abcdef")
                .status()
                .code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace ca
