#include "ca/model/hierarchy.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AcmeProd;
using testing::IsRefusal;
using testing::Must;
using testing::Says;

// ---- validation ---------------------------------------------------------------------------------

Status Validated(const std::function<void(Hierarchy&)>& change) {
  Hierarchy hierarchy = AcmeProd();
  change(hierarchy);
  return hierarchy.Validate();
}

::testing::AssertionResult Refuses(const std::function<void(Hierarchy&)>& change,
                                   std::string_view words) {
  return Says(Validated(change), StatusCode::kInvalidArgument, words);
}

TEST(HierarchyTest, IsFineAsTheSamplesAre) {
  for (const Hierarchy& sample : {testing::SystemHierarchy(), AcmeProd(), testing::GlobexProd()}) {
    EXPECT_TRUE(sample.Validate().ok()) << sample.Name();
  }
}

TEST(HierarchyTest, RefusesNamesThatAreNotNames) {
  for (const std::string& name :
       {std::string(), std::string("Acme"), std::string("a_b"), std::string("a/b"),
        std::string("a b"), std::string("ä"), std::string(33, 'x')}) {
    EXPECT_TRUE(Refuses([&](Hierarchy& h) { h.tenant = name; }, "tenant: ")) << name;
    EXPECT_TRUE(Refuses([&](Hierarchy& h) { h.environment = name; }, "environment: ")) << name;
    EXPECT_TRUE(Refuses([&](Hierarchy& h) { h.profiles[1].name = name; }, "profiles: name: "))
        << name;
  }
  EXPECT_TRUE(Validated([](Hierarchy& h) { h.tenant = std::string(32, 'x'); }).ok());
}

TEST(HierarchyTest, BoundsTheLifetimesOfItsAuthorities) {
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.root_lifetime = hours(24) - seconds(1); },
                      "root lifetime: 23h 59m is out of bounds"));
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.root_lifetime = hours(24 * 366 * 25) + seconds(1); },
                      "root lifetime: "));
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.issuing_lifetime = hours(23); }, "issuing lifetime: "));
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.issuing_lifetime = h.root_lifetime + seconds(1); },
                      "issuing lifetime: "));
  EXPECT_TRUE(Validated([](Hierarchy& h) {
                h.root_lifetime = h.issuing_lifetime = hours(48);
                h.rotate_every = hours(24);
                h.publish_ahead = hours(1);
              }).ok());
}

TEST(HierarchyTest, LeavesTheLastCertificateOfAnAuthorityItsWholeLife) {
  const auto with_profile_of = [](seconds lifetime) {
    return [lifetime](Hierarchy& h) {
      h.issuing_lifetime = hours(24 * 30);
      h.rotate_every = hours(24 * 25);
      h.profiles[0].lifetime = lifetime;
    };
  };
  EXPECT_TRUE(Validated(with_profile_of(hours(24 * 5))).ok());
  EXPECT_TRUE(Refuses(with_profile_of(hours(24 * 5) + seconds(1)), "issuing rotate_every: 25d"));
}

TEST(HierarchyTest, PublishesASuccessorLongEnoughAhead) {
  EXPECT_TRUE(Validated([](Hierarchy& h) { h.publish_ahead = seconds(15); }).ok());
  EXPECT_TRUE(
      Refuses([](Hierarchy& h) { h.publish_ahead = seconds(14); }, "issuing publish_ahead: 14s"));
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.publish_ahead = h.rotate_every + seconds(1); },
                      "issuing publish_ahead: "));
}

TEST(HierarchyTest, BoundsTheLifetimesOfCertificates) {
  for (const seconds lifetime : {seconds(0), minutes(5) - seconds(1), hours(168) + seconds(1)}) {
    EXPECT_TRUE(Refuses([&](Hierarchy& h) { h.profiles[1].lifetime = lifetime; },
                        "profiles: service: lifetime: "));
  }
  for (const seconds lifetime : {seconds(minutes(5)), seconds(hours(168))}) {
    EXPECT_TRUE(Validated([&](Hierarchy& h) { h.profiles[1].lifetime = lifetime; }).ok());
  }
}

TEST(HierarchyTest, RefusesWhatCannotBeAConstraint) {
  EXPECT_TRUE(Refuses(
      [](Hierarchy& h) {
        h.dns_subtrees = {"fine.example", "*.svc"};
      },
      "dns_subtrees: '*.svc'"));
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.dns_subtrees.assign(33, "a.example"); },
                      "dns_subtrees, ip_ranges: "));
  EXPECT_TRUE(
      Refuses([](Hierarchy& h) { h.ip_ranges.assign(33, Must(IpRange::Parse("10.0.0.0/8"))); },
              "dns_subtrees, ip_ranges: "));
}

TEST(HierarchyTest, HasAtLeastOneProfileAndNoneTwice) {
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.profiles.clear(); }, "profiles: write 1 to 32"));
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.profiles.assign(33, h.profiles[0]); }, "1 to 32"));
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.profiles[1].name = "agent"; },
                      "profiles: 'agent' is there twice"));
}

TEST(HierarchyTest, HasNoProfileThatNoKeyFitsOrThatIsForNothing) {
  EXPECT_TRUE(Refuses([](Hierarchy& h) { h.profiles[0].key_types.clear(); },
                      "profiles: agent: key_types: "));
  EXPECT_TRUE(
      Refuses([](Hierarchy& h) { h.profiles[0].client_auth = h.profiles[0].server_auth = false; },
              "profiles: agent: allow client_auth, server_auth or both"));
}

TEST(HierarchyTest, NamesTheProfilesThereAreWhenAnotherIsAskedFor) {
  EXPECT_EQ(Must(AcmeProd().FindProfile("service"))->name, "service");
  EXPECT_TRUE(Says(AcmeProd().FindProfile("nope").status(), StatusCode::kInvalidArgument,
                   "acme/prod has no 'nope', but agent, service"));
}

// ---- what it covers -----------------------------------------------------------------------------

TEST(HierarchyTest, CoversItsTrustDomainItsSubtreesAndWhatIsBelow) {
  const Hierarchy acme = AcmeProd();
  for (const char* name :
       {"prod.acme.example", "a.prod.acme.example", "svc.acme.example", "x.y.svc.acme.example"}) {
    EXPECT_TRUE(acme.CoversDnsName(name)) << name;
  }
  for (const char* name : {"acme.example", "xprod.acme.example", "xsvc.acme.example", "example",
                           "prod.acme.example.evil", "prod.globex.example", ""}) {
    EXPECT_FALSE(acme.CoversDnsName(name)) << name;
  }
}

TEST(HierarchyTest, CoversTheAddressesInItsRanges) {
  EXPECT_TRUE(AcmeProd().CoversIpAddress(Must(IpAddress::Parse("10.255.0.1"))));
  EXPECT_FALSE(AcmeProd().CoversIpAddress(Must(IpAddress::Parse("11.0.0.1"))));
  EXPECT_FALSE(AcmeProd().CoversIpAddress(Must(IpAddress::Parse("::10.0.0.1"))));
  EXPECT_FALSE(testing::GlobexProd().CoversIpAddress(Must(IpAddress::Parse("10.0.0.1"))));
}

// ---- profiles -----------------------------------------------------------------------------------

TEST(CertificateProfileTest, AdmitsTheTypesOfKeysThatItNames) {
  CertificateProfile profile = AcmeProd().profiles[0];
  const PublicKey p256 = testing::PublicHalf(testing::NewSubjectKey());
  EXPECT_TRUE(profile.Admit(p256).ok());
  profile.key_types = {KeyType::kP384, KeyType::kEd25519};
  EXPECT_TRUE(IsRefusal(profile.Admit(p256), StatusCode::kInvalidArgument, "profile.key-type"));
  EXPECT_TRUE(Says(profile.Admit(p256), StatusCode::kInvalidArgument,
                   "csr key is p256; profile 'agent' allows p384, ed25519"));
}

class ValidityTest : public ::testing::Test {
 protected:
  const TimePoint now_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
  const Validity issuer_ = {now_ - hours(24), now_ + hours(24)};
  const CertificateProfile profile_ = AcmeProd().profiles[0];
};

TEST_F(ValidityTest, IsBackdatedByAMinuteAndInWholeSeconds) {
  const Validity validity = profile_.ValidityAt(now_ + microseconds(999'999), issuer_);
  EXPECT_EQ(validity.not_before, now_ - minutes(1));
  EXPECT_EQ(validity.not_after, now_ + hours(1));
}

TEST_F(ValidityTest, IsNeverBeyondTheIssuers) {
  const Validity early = profile_.ValidityAt(issuer_.not_before + seconds(10), issuer_);
  EXPECT_EQ(early.not_before, issuer_.not_before);
  const Validity late = profile_.ValidityAt(issuer_.not_after - minutes(10), issuer_);
  EXPECT_EQ(late.not_after, issuer_.not_after);
}

}  // namespace
}  // namespace ca
