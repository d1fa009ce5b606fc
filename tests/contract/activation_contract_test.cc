// Which authority issues, and which authorities relying parties hold.

#include <gtest/gtest.h>

#include "tests/contract/hierarchy_store_fixture.h"

namespace contract {
namespace {

using ca::AuthorityId;
using ca::AuthorityKind;
using ca::AuthorityRecord;
using ca::Hierarchy;
using ca::StatusCode;
using ca::testing::AcmeProd;
using ca::testing::GlobexProd;
using ca::testing::Must;

// ---- activations --------------------------------------------------------------------------------

INSTANTIATE_CONTRACT(ActivationContract);

TEST_P(ActivationContract, KeepsThemInTheirOrder) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const Hierarchy globex = Must(Create(GlobexProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  const AuthorityId other = NewAuthority(globex, 1).id;
  Must(Activate(acme, 1, first));
  Must(Activate(globex, 1, other));
  EXPECT_EQ(Find(first).published_at, clock_.Now());
  clock_.Advance(std::chrono::hours(1));
  Must(Activate(acme, 2, second));
  Must(Activate(acme, 3, first));  // back again

  const auto loaded = Must(activations().LoadActivations());

  ASSERT_EQ(loaded.size(), 4u);
  EXPECT_EQ(loaded[0].authority, first);
  EXPECT_EQ(loaded[1].authority, second);
  EXPECT_EQ(loaded[1].at, clock_.Now());
  EXPECT_EQ(loaded[2].authority, first);
  EXPECT_EQ(loaded[2].sequence, 3);
  EXPECT_EQ(loaded[3].authority, other);
  EXPECT_EQ(loaded[3].hierarchy, globex.id);
}

TEST_P(ActivationContract, LetsOneOfTwoAtOnce) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  Must(Activate(acme, 1, first));
  EXPECT_EQ(Activate(acme, 1, second).code(), StatusCode::kAborted);
  EXPECT_EQ(Activate(acme, 3, second).code(), StatusCode::kAborted) << "leaves a gap";
  EXPECT_EQ(Must(activations().LoadActivations()).size(), 1u);
}

TEST_P(ActivationContract, WantsACertificate) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord planned = PlanRoot(acme);
  EXPECT_FALSE(Activate(acme, 1, planned.id).ok());
  EXPECT_TRUE(Must(activations().LoadActivations()).empty());
}

TEST_P(ActivationContract, LeavesAnEvent) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  Must(Activate(acme, 1, first));
  ExpectSame(world_.Events().back(), EventIn(acme, "ActivateAuthority"));
  const size_t events = world_.Events().size();
  EXPECT_EQ(Activate(acme, 1, first).code(), StatusCode::kAborted);
  EXPECT_EQ(world_.Events().size(), events);
}

// ---- before its time ----------------------------------------------------------------------------

TEST_P(ActivationContract, KeepsATaintAndActivatesItNoMore) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  Must(Activate(acme, 1, first));
  EXPECT_EQ(Find(second).taint, std::nullopt);
  const ca::TimePoint at = clock_.Now();
  Must(authorities().TaintAuthority(second, "an advisory", EventIn(acme, "TaintAuthority")));
  ExpectSame(world_.Events().back(), EventIn(acme, "TaintAuthority"));
  EXPECT_EQ(Find(second).taint, (ca::Taint{"an advisory", at, false}));
  EXPECT_EQ(Activate(acme, 2, second).code(), StatusCode::kAborted);

  clock_.Advance(std::chrono::minutes(1));
  const size_t events = world_.Events().size();
  Must(authorities().TaintAuthority(second, "another", EventIn(acme, "TaintAuthority")));
  EXPECT_EQ(world_.Events().size(), events) << "the first stands";
  EXPECT_EQ(Find(second).taint, (ca::Taint{"an advisory", at, false}));

  Must(authorities()
           .RevokeAuthority(second, ca::RevocationReason::kCaCompromise, "it was stolen",
                            EventIn(acme, "RevokeAuthority"))
           .status());
  EXPECT_EQ(Find(second).taint, (ca::Taint{"it was stolen", at, true}));
  ExpectSame(world_.Events().back(), EventIn(acme, "RevokeAuthority"));
  EXPECT_EQ(Find(first).taint, std::nullopt);
}

// ---- trust bundles ------------------------------------------------------------------------------

class TrustBundleContract : public ActivationContract {
 protected:
  ca::Status Publish(const Hierarchy& hierarchy, int version,
                     std::vector<AuthorityId> authorities) {
    return activations().PublishTrustBundle(
        {hierarchy.id, version, std::move(authorities), clock_.Now()},
        EventIn(hierarchy, "PublishTrustBundle"));
  }
};
INSTANTIATE_CONTRACT(TrustBundleContract);

TEST_P(TrustBundleContract, KeepsEveryVersion) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const Hierarchy globex = Must(Create(GlobexProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  const AuthorityId second = NewAuthority(acme, 2).id;
  const AuthorityId other = NewAuthority(globex, 1).id;
  const ca::TimePoint begin = clock_.Now();
  Must(Publish(acme, 1, {first}));
  Must(Publish(globex, 1, {other}));
  clock_.Advance(std::chrono::hours(1));
  Must(Publish(acme, 2, {first, second}));

  const std::vector<ca::TrustBundleRecord> expected = {
      {acme.id, 1, {first}, begin},
      {acme.id, 2, {first, second}, clock_.Now()},
      {globex.id, 1, {other}, begin},
  };
  EXPECT_EQ(Must(activations().LoadTrustBundles()), expected);
}

TEST_P(TrustBundleContract, LetsOneOfTwoAtOnce) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityId first = NewAuthority(acme, 1).id;
  Must(Publish(acme, 1, {first}));
  const size_t events = world_.Events().size();
  EXPECT_EQ(Publish(acme, 1, {first}).code(), StatusCode::kAborted);
  EXPECT_EQ(Publish(acme, 3, {first}).code(), StatusCode::kAborted) << "leaves a gap";
  EXPECT_EQ(Must(activations().LoadTrustBundles()).size(), 1u);
  EXPECT_EQ(world_.Events().size(), events);
}

TEST_P(TrustBundleContract, LeavesAnEvent) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  Must(Publish(acme, 1, {NewAuthority(acme, 1).id}));
  ExpectSame(world_.Events().back(), EventIn(acme, "PublishTrustBundle"));
}

}  // namespace
}  // namespace contract
