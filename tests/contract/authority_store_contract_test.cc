// Authorities. Each step of making one may be interrupted and repeated.

#include <gtest/gtest.h>

#include <set>

#include "tests/contract/hierarchy_store_fixture.h"

namespace contract {
namespace {

using ca::AuthorityId;
using ca::AuthorityKind;
using ca::AuthorityRecord;
using ca::Certificate;
using ca::Hierarchy;
using ca::StatusCode;
using ca::testing::AcmeProd;
using ca::testing::GlobexProd;
using ca::testing::Must;

class AuthorityStoreContract : public HierarchyStoreContract {};
INSTANTIATE_CONTRACT(AuthorityStoreContract);

// ---- plans --------------------------------------------------------------------------------------

TEST_P(AuthorityStoreContract, PlansARootThatIsItsOwnIssuer) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  EXPECT_NE(root.id, AuthorityId{});
  EXPECT_EQ(root.hierarchy, acme.id);
  EXPECT_EQ(root.kind, AuthorityKind::kRoot);
  EXPECT_EQ(root.generation, 1);
  EXPECT_EQ(root.issuer, root.id);
  EXPECT_TRUE(root.key_label.starts_with("acme/prod/root/1-")) << root.key_label;
  EXPECT_TRUE(root.certificate.empty());
}

TEST_P(AuthorityStoreContract, LoadsWhatIsPlannedAndNoMore) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const AuthorityRecord issuing = Must(Plan(acme, AuthorityKind::kIssuing, 1, root.id));
  const auto loaded = Must(authorities().LoadAuthorities());
  ASSERT_EQ(loaded.size(), 2u) << "oldest first";
  EXPECT_EQ(loaded[0].id, root.id);
  EXPECT_EQ(loaded[1].id, issuing.id);
  EXPECT_EQ(loaded[1].kind, AuthorityKind::kIssuing);
  EXPECT_EQ(loaded[1].issuer, root.id);
  EXPECT_EQ(loaded[1].key_label, issuing.key_label);
  EXPECT_TRUE(loaded[1].certificate.empty());
}

TEST_P(AuthorityStoreContract, LoadsAResponderWithTheAuthorityThatItAnswersFor) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const AuthorityRecord responder = Must(Plan(acme, AuthorityKind::kResponder, 1, root.id));
  const auto loaded = Must(authorities().LoadAuthorities());
  ASSERT_EQ(loaded.size(), 2u);
  EXPECT_EQ(loaded[1].id, responder.id);
  EXPECT_EQ(loaded[1].kind, AuthorityKind::kResponder);
  EXPECT_EQ(loaded[1].issuer, root.id);
}

// It has no key of its own: it is the next root's name and key, signed by the one before.
TEST_P(AuthorityStoreContract, GivesALinkTheKeyLabelOfItsRoot) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord first = PlanRoot(acme);
  const AuthorityRecord second = Must(Plan(acme, AuthorityKind::kRoot, 2, AuthorityId{}));
  const AuthorityRecord link = Must(Plan(acme, AuthorityKind::kLink, 2, first.id));
  EXPECT_EQ(link.key_label, second.key_label);
  EXPECT_EQ(Find(link.id).key_label, second.key_label);
  EXPECT_EQ(Find(link.id).kind, AuthorityKind::kLink);
  EXPECT_EQ(Find(link.id).issuer, first.id);
  EXPECT_EQ(Plan(acme, AuthorityKind::kLink, 2, first.id).status().code(), StatusCode::kAborted);
}

TEST_P(AuthorityStoreContract, PlansNoLinkBeforeItsRoot) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord first = PlanRoot(acme);
  EXPECT_FALSE(Plan(acme, AuthorityKind::kLink, 2, first.id).ok());
  EXPECT_EQ(Must(authorities().LoadAuthorities()).size(), 1u);
}

TEST_P(AuthorityStoreContract, LetsOnePlanAGenerationAndTellsTheOtherToLoadAgain) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const size_t events = world_.Events().size();
  EXPECT_EQ(Plan(acme, AuthorityKind::kRoot, 1, AuthorityId{}).status().code(),
            StatusCode::kAborted);
  EXPECT_EQ(world_.Events().size(), events);
  EXPECT_TRUE(Plan(acme, AuthorityKind::kRoot, 2, AuthorityId{}).ok());
  EXPECT_TRUE(Plan(acme, AuthorityKind::kIssuing, 1, root.id).ok());
}

TEST_P(AuthorityStoreContract, GivesEveryPlanALabelOfItsOwn) {
  std::set<std::string> labels;
  for (const Hierarchy& wanted : {AcmeProd(), GlobexProd()}) {
    const Hierarchy hierarchy = Must(Create(wanted));
    for (const int generation : {1, 2}) {
      labels.insert(
          Must(Plan(hierarchy, AuthorityKind::kRoot, generation, AuthorityId{})).key_label);
    }
  }
  EXPECT_EQ(labels.size(), 4u);
}

// ---- record, sign, release ----------------------------------------------------------------------

TEST_P(AuthorityStoreContract, GivesBackWhatItRecordsToBeSigned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  auto prepared = PrepareRoot(acme, root, *key);
  const ca::IssuanceRecord expected = prepared.record();
  const auto recorded =
      Must(authorities().RecordAuthority(root.id, std::move(prepared), EventIn(acme, "Create")));
  ExpectSame(recorded.record(), expected);
}

TEST_P(AuthorityStoreContract, YieldsTheFirstRecordToASecondAttempt) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  const ca::IssuanceRecord first = Record(acme, root, *key).record();
  const size_t events = world_.Events().size();
  clock_.Advance(std::chrono::hours(1));

  ExpectSame(Record(acme, root, *key).record(), first);
  EXPECT_EQ(world_.Events().size(), events) << "it decided nothing new";
}

TEST_P(AuthorityStoreContract, HasNoCertificateOfAnAuthorityThatIsRecordedAndNotSigned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  Record(acme, root, *NewKey(root.key_label));
  EXPECT_TRUE(Find(root.id).certificate.empty());
}

TEST_P(AuthorityStoreContract, LoadsTheCertificateThatWasSigned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  const Certificate certificate = Must(ca::SignRecorded(*key, Record(acme, root, *key)));
  Must(authorities().RecordAuthorityCertificate(root.id, certificate, clock_.Now()).status());
  EXPECT_EQ(Find(root.id).certificate, certificate.Der());
}

TEST_P(AuthorityStoreContract, KeepsTheFirstOfTwoSignatures) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  const auto key = NewKey(root.key_label);
  const Certificate winner = Must(ca::SignRecorded(*key, Record(acme, root, *key)));
  const Certificate loser = Must(ca::SignRecorded(*key, Record(acme, root, *key)));
  ASSERT_NE(loser.signature, winner.signature);
  for (const Certificate& signed_one : {winner, loser}) {
    EXPECT_EQ(
        Must(authorities().RecordAuthorityCertificate(root.id, signed_one, clock_.Now())).Der(),
        winner.Der());
  }
  EXPECT_EQ(Find(root.id).certificate, winner.Der());
}

TEST_P(AuthorityStoreContract, ReleasesNoSignatureOverWhatIsNotRecorded) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord recorded = PlanRoot(acme);
  const auto key = NewKey(recorded.key_label);
  const Certificate certificate = Must(ca::SignRecorded(*key, Record(acme, recorded, *key)));
  const AuthorityRecord planned = Must(Plan(acme, AuthorityKind::kRoot, 2, AuthorityId{}));
  EXPECT_FALSE(
      authorities().RecordAuthorityCertificate(planned.id, certificate, clock_.Now()).ok());
  EXPECT_TRUE(Find(planned.id).certificate.empty());
}

// ---- certificates of somebody else's ------------------------------------------------------------

TEST_P(AuthorityStoreContract, AdoptsARootWithItsCertificateAndWithoutAKey) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const ca::AuditEvent event = EventIn(acme, "AdoptRoot");
  const AuthorityRecord root = Must(authorities().AdoptRoot(acme, 1, "a certificate", event));
  ExpectSame(world_.Events().back(), event);
  EXPECT_TRUE(root.IsExternalRoot());
  EXPECT_EQ(root.issuer, root.id);
  EXPECT_EQ(root.key_label, "");
  EXPECT_EQ(root.certificate, "a certificate");
  EXPECT_EQ(root.published_at, event.at);
  EXPECT_EQ(Find(root.id), root);
}

TEST_P(AuthorityStoreContract, LetsOneAdoptAGeneration) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const Hierarchy globex = Must(Create(GlobexProd()));
  const auto adopt = [&](const Hierarchy& hierarchy, int generation) {
    return authorities()
        .AdoptRoot(hierarchy, generation, "a certificate", EventIn(hierarchy, "AdoptRoot"))
        .status();
  };
  Must(adopt(acme, 1));
  const size_t events = world_.Events().size();
  EXPECT_EQ(adopt(acme, 1).code(), StatusCode::kAborted);
  EXPECT_EQ(world_.Events().size(), events);
  Must(adopt(acme, 2));
  Must(adopt(globex, 1));
}

TEST_P(AuthorityStoreContract, ImportsTheFirstCertificateThatIsBrought) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord first =
      Must(authorities().AdoptRoot(acme, 1, "root 1", EventIn(acme, "AdoptRoot")));
  const AuthorityRecord second =
      Must(authorities().AdoptRoot(acme, 2, "root 2", EventIn(acme, "AdoptRoot")));
  const AuthorityRecord planned = Must(Plan(acme, AuthorityKind::kIssuing, 1, second.id));
  const ca::AuditEvent event = EventIn(acme, "ImportAuthority");
  const ca::ExternalCertificate brought{"a certificate", {"nearest", "next"}, "root 1"};
  Must(authorities().ImportCertificate(planned.id, brought, first.id, event));
  ExpectSame(world_.Events().back(), event);
  EXPECT_EQ(authorities().ImportCertificate(planned.id, brought, first.id, event).status().code(),
            StatusCode::kAborted);

  const AuthorityRecord imported = Find(planned.id);
  EXPECT_EQ(imported.certificate, "a certificate");
  EXPECT_EQ(imported.intermediates, (std::vector<ca::Bytes>{"nearest", "next"}));
  EXPECT_EQ(imported.issuer, first.id) << "under which it was signed, not the one planned";
  EXPECT_TRUE(imported.is_imported);
  EXPECT_FALSE(imported.IsExternalRoot());
  EXPECT_EQ(imported.key_label, planned.key_label);
  EXPECT_EQ(imported.published_at, event.at);
}

TEST_P(AuthorityStoreContract, ActivatesWhatIsImportedAndNotWhatIsPlanned) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root =
      Must(authorities().AdoptRoot(acme, 1, "root 1", EventIn(acme, "AdoptRoot")));
  const AuthorityRecord planned = Must(Plan(acme, AuthorityKind::kIssuing, 1, root.id));
  const auto activate = [&] {
    return activations()
        .Activate({acme.id, 1, planned.id, clock_.Now()}, EventIn(acme, "ActivateAuthority"))
        .status();
  };
  EXPECT_EQ(activate().code(), StatusCode::kAborted);
  Must(authorities().ImportCertificate(planned.id, {"a certificate", {}, "root 1"}, root.id,
                                       EventIn(acme, "ImportAuthority")));
  Must(activate());
}

TEST_P(AuthorityStoreContract, RecordsTheEventsOfAPlanAndOfARecord) {
  const Hierarchy acme = Must(Create(AcmeProd()));
  const AuthorityRecord root = PlanRoot(acme);
  ExpectSame(world_.Events().back(), EventIn(acme, "PlanAuthority"));
  Record(acme, root, *NewKey(root.key_label));
  ExpectSame(world_.Events().back(), EventIn(acme, "CreateAuthority"));
}

}  // namespace
}  // namespace contract
