// An issuing authority under somebody else's root: from the file that names the root to the first
// certificate, and how one follows another there.

#include "ca/authorities/external_issuing.h"

#include <set>

#include "ca/access/caller.h"
#include "ca/authorities/key_retirement.h"
#include "ca/certificates/enrollment.h"
#include "ca/hierarchies/diagnosis.h"
#include "ca/x509/credentials.h"
#include "ca/x509/csr.h"
#include "tests/ca/authorities/rotation_use_case_test.h"
#include "tests/fakes/stepped_ports.h"
#include "tests/fixtures/corporate_ca.h"
#include "tests/fixtures/judges.h"

namespace ca {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::CorporateCa;
using testing::IsRefusal;
using testing::Must;
using testing::OpenSslAccepts;
using testing::Says;

Hierarchy AcmeCorp(const Bytes& root) {
  Hierarchy hierarchy = testing::AcmeProd();
  hierarchy.environment = "corp";
  hierarchy.trust_domain = Must(TrustDomain::Parse("corp.acme.example"));
  hierarchy.external_roots = {root};
  return hierarchy;
}

// The judges look at the machine's clock: what is issued stands now.
class ExternalIssuingTest : public testing::RotationStoryTest {
 protected:
  ExternalIssuingTest() : RotationStoryTest(SystemClock().Now() - minutes(10)) {}

  Hierarchy Apply(const Hierarchy& wanted) {
    Provisioning provisioning(ports_.stores(), ports_.keys, testing::Directory(), clock_);
    const Hierarchy made = Must(provisioning.hierarchies.EnsureHierarchy(wanted, "alice"));
    Must(deployment_.catalogs->Reload());
    return made;
  }
  Hierarchy Apply() { return Apply(AcmeCorp(corporate_.root())); }

  Result<AuthorityRequest> Request(const std::string& name, const Caller& caller) {
    return external_.Request(CallBy(caller, Action::kCreateCertificationRequest), name);
  }
  Bytes Request(const std::string& name) { return Must(Request(name, admin_)).der; }

  Result<AuthorityView> Import(const std::string& name, const std::vector<Bytes>& brought) {
    return testing::ValueOf(
        external_.Import(CallBy(admin_, Action::kImportAuthority), name, brought));
  }
  // Signed as it should be.
  AuthorityView Import(const Hierarchy& hierarchy, int generation) {
    const std::string name = fmt::format("{}/issuing/{}", hierarchy.Name(), generation);
    corporate_.common_name = "Agents of Acme " + std::to_string(generation);
    const Bytes certificate =
        corporate_.Sign(Request(name), CorporateCa::IssuingExtensions(hierarchy));
    return Must(Import(name, {certificate}));
  }
  // A hierarchy that issues.
  Hierarchy Begin() {
    const Hierarchy hierarchy = Apply();
    Import(hierarchy, 1);
    return hierarchy;
  }

  std::shared_ptr<const ca::Catalog> Catalog() const { return deployment_.catalogs->Snapshot(); }
  AuthorityView View(const Hierarchy& hierarchy, const std::string& name) const {
    for (AuthorityView& view : Catalog()->Find(hierarchy.id)->ViewsAt(clock_.Now())) {
      if (view.name == name) return std::move(view);
    }
    ADD_FAILURE() << "there is no " << name;
    return {};
  }
  AuthorityState State(const Hierarchy& hierarchy, const std::string& name) const {
    return View(hierarchy, name).state;
  }

  IssuedCertificate Issue(const Agent& agent) {
    return Must(enrollment_.Issue(CallBy(Caller(), Action::kEnroll), agent,
                                  testing::NewSubjectKey().Csr(agent.id), SystemGrounds{},
                                  RequestId::New(clock_.Now())));
  }

  std::vector<Finding> Findings(const Hierarchy& hierarchy) {
    Evidence evidence;
    evidence.catalog = Catalog();
    for (const TokenContent& content : ports_.keys.Contents()) {
      evidence.key_labels.insert(content.labels.begin(), content.labels.end());
    }
    return Diagnose(evidence, *evidence.catalog->Find(hierarchy.id), clock_.Now());
  }

  CorporateCa corporate_{clock_.Now()};
  const Caller admin_ = OperatorWith(Role::kAdmin);
  ExternalIssuing external_{
      *deployment_.catalogs,    authorization_,          ports_.stores(), ports_.keys,
      publishing_.provisioning, publishing_.publication, ports_.ledger,   clock_};
  const Enrollment enrollment_{*deployment_.catalogs, ports_.registry, ports_.ledger,
                               testing::Directory(), clock_};
};

// ---- the first ----------------------------------------------------------------------------------

TEST_F(ExternalIssuingTest, WaitsForItsFirstCertificate) {
  const Hierarchy acme = Apply();
  EXPECT_EQ(State(acme, "acme/corp/issuing/1"), AuthorityState::kPending);
  EXPECT_EQ(State(acme, "acme/corp/root/1"), AuthorityState::kPublished);
  EXPECT_EQ(Catalog()->Find(acme.id)->Roots(), std::vector{corporate_.root()});
  EXPECT_FALSE(Catalog()->Find(acme.id)->ActiveIssuer().ok());
  const auto findings = Findings(acme);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "authority.awaits-certificate");
  EXPECT_NE(findings[0].fix.find("agentpki authority csr acme/corp/issuing/1"), std::string::npos);
  Must(rotation_.Advance(*deployment_.Now(acme)));
  EXPECT_EQ(State(acme, "acme/corp/issuing/1"), AuthorityState::kPending);
}

TEST_F(ExternalIssuingTest, AsksForWhatItsOwnRootWouldGiveIt) {
  const Hierarchy acme = Apply();
  const Bytes der = Request("acme/corp/issuing/1");
  const Csr csr = Must(Csr::Parse(der));
  const std::vector<Csr::SubjectAttribute> subject = {
      {"O", "acme"}, {"OU", "corp"}, {"CN", "issuing authority 1"}};
  EXPECT_EQ(csr.subject(), subject);
  EXPECT_EQ(csr.alternative_names(),
            (std::vector<Csr::AlternativeName>{{"URI", "spiffe://corp.acme.example"}}));
  std::set<std::string> critical;
  std::set<std::string> others;
  for (const auto& extension : csr.extensions()) {
    (extension.critical ? critical : others).insert(extension.name);
  }
  EXPECT_EQ(critical, (std::set<std::string>{"basicConstraints", "keyUsage", "nameConstraints"}));
  EXPECT_EQ(others, (std::set<std::string>{"subjectKeyIdentifier"}));
  EXPECT_TRUE(csr.other_attributes().empty());
  EXPECT_EQ(csr.public_key().spki(),
            Must(ports_.keys.Find(View(acme, "acme/corp/issuing/1").record.key_label))->spki());
}

// Signed by somebody who takes over what is asked for, octet for octet.
TEST_F(ExternalIssuingTest, TakesACertificateWithTheExtensionsOfItsRequest) {
  Apply();
  const Bytes der = Request("acme/corp/issuing/1");
  const unsigned char* at = Octets(der);
  const X509ReqPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  const ExtensionsPtr extensions(X509_REQ_get_extensions(request.get()));
  const X509Ptr certificate = Must(ParseX509(corporate_.Sign(der, {})));
  // But for the authorityKeyIdentifier, which is the signer's to say.
  const X509ExtensionPtr replaced(X509_delete_ext(
      certificate.get(), X509_get_ext_by_NID(certificate.get(), NID_subject_key_identifier, -1)));
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
    X509_add_ext(certificate.get(), sk_X509_EXTENSION_value(extensions.get(), i), -1);
  }
  unsigned char* octets = nullptr;
  const int size = i2d_re_X509_tbs(certificate.get(), &octets);
  const OpenSslBuffer<unsigned char> owned(octets);
  const BytesView tbs(reinterpret_cast<const char*>(octets), static_cast<size_t>(size));
  EXPECT_EQ(Must(Import("acme/corp/issuing/1", {corporate_.SignTbs(tbs)})).state,
            AuthorityState::kActive);
}

TEST_F(ExternalIssuingTest, IssuesFromItsFirstCertificateOn) {
  const Hierarchy acme = Apply();
  const AuthorityView view = Import(acme, 1);
  EXPECT_EQ(view.state, AuthorityState::kActive);
  EXPECT_EQ(State(acme, "acme/corp/root/1"), AuthorityState::kActive);
  EXPECT_TRUE(Catalog()->Find(acme.id)->NewestTrustBundle()->Has(view.record.issuer));
  EXPECT_TRUE(Catalog()->Find(acme.id)->NewestTrustBundle()->Has(view.record.id));

  const Agent agent = deployment_.Register(acme, "billing/bot");
  const IssuedCertificate issued = Issue(agent);
  EXPECT_EQ(issued.roots(), std::vector{corporate_.root()});
  ASSERT_EQ(issued.intermediates().size(), 1u);
  const testing::Chain chain{issued.certificate.Der(), issued.intermediates(), corporate_.root()};
  EXPECT_TRUE(OpenSslAccepts(chain, "sslclient"));
  EXPECT_TRUE(OpenSslAccepts(chain, "sslserver"));
  EXPECT_TRUE(CerttoolTrusts(chain));
  for (const Finding& finding : Findings(acme)) {
    EXPECT_EQ(finding.code, "authority.ending") << finding.what;
  }
}

TEST_F(ExternalIssuingTest, SendsWhatStandsBetweenItAndTheRoot) {
  const Hierarchy acme = Apply();
  const Bytes first = corporate_.AddIntermediate("Corporate Intermediate 1");
  const Bytes second = corporate_.AddIntermediate("Corporate Intermediate 2");
  const Bytes certificate =
      corporate_.Sign(Request("acme/corp/issuing/1"), CorporateCa::IssuingExtensions(acme));
  Must(Import("acme/corp/issuing/1", {certificate, second, first}).status());
  const IssuedCertificate issued = Issue(deployment_.Register(acme, "billing/bot"));
  EXPECT_EQ(issued.intermediates(), (std::vector{certificate, second, first}));
  const testing::Chain chain{issued.certificate.Der(), issued.intermediates(), corporate_.root()};
  EXPECT_TRUE(OpenSslAccepts(chain));
  EXPECT_TRUE(CerttoolTrusts(chain));
}

TEST_F(ExternalIssuingTest, IsImportedOnceAndMayBeRepeated) {
  const Hierarchy acme = Apply();
  const auto sign = [&] {
    return corporate_.Sign(Request("acme/corp/issuing/1"), CorporateCa::IssuingExtensions(acme));
  };
  const Bytes certificate = sign();
  const Bytes another = sign();
  Must(Import("acme/corp/issuing/1", {certificate}).status());
  EXPECT_EQ(Must(Import("acme/corp/issuing/1", {certificate})).record.certificate, certificate);
  EXPECT_TRUE(IsRefusal(Import("acme/corp/issuing/1", {another}).status(),
                        StatusCode::kFailedPrecondition, "authority.has-certificate"));
  EXPECT_TRUE(IsRefusal(Request("acme/corp/issuing/1", admin_).status(),
                        StatusCode::kFailedPrecondition, "authority.has-certificate"));
  EXPECT_EQ(Catalog()->Find(acme.id)->activations().size(), 1u);
}

TEST_F(ExternalIssuingTest, StoresNothingOfWhatItRefuses) {
  Apply();
  const Bytes unconstrained =
      corporate_.Sign(Request("acme/corp/issuing/1"), CorporateCa::CaExtensions(",pathlen:0"));
  EXPECT_TRUE(IsRefusal(Import("acme/corp/issuing/1", {unconstrained}).status(),
                        StatusCode::kInvalidArgument, "import.name-constraints"));
  const Hierarchy acme = Must(Catalog()->FindByName("acme/corp"))->hierarchy();
  EXPECT_EQ(State(acme, "acme/corp/issuing/1"), AuthorityState::kPending);
}

// ---- who may ------------------------------------------------------------------------------------

TEST_F(ExternalIssuingTest, IsForAdminsOfTheHierarchy) {
  const Hierarchy acme = Apply();
  for (const Role role : {Role::kRegistrar, Role::kRevoker, Role::kAuditor}) {
    EXPECT_TRUE(IsRefusal(Request("acme/corp/issuing/1", OperatorWith(role)).status(),
                          StatusCode::kPermissionDenied, "caller.role"));
  }
  const Caller other = OperatorWith(Role::kAdmin, deployment_.globex.id);
  EXPECT_TRUE(IsRefusal(Request("acme/corp/issuing/1", other).status(),
                        StatusCode::kPermissionDenied, "caller.role"));
  Must(Request("acme/corp/issuing/1", OperatorWith(Role::kAdmin, acme.id)).status());
}

TEST_F(ExternalIssuingTest, IsNotForAuthoritiesOfOurOwnRoot) {
  EXPECT_TRUE(IsRefusal(Request("acme/prod/issuing/1", admin_).status(),
                        StatusCode::kFailedPrecondition, "authority.root-ours"));
  EXPECT_EQ(Request("acme/prod/root/1", admin_).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Request("acme/corp/issuing/1", admin_).status().code(), StatusCode::kNotFound);
}

// ---- who is believed ----------------------------------------------------------------------------

TEST_F(ExternalIssuingTest, BelievesNobodyElseWhomTheRootHasSigned) {
  const Hierarchy acme = Begin();
  const CallerVerifier verifier(*deployment_.catalogs, revocations_, clock_);
  const Agent agent = deployment_.Register(acme, "billing/bot");
  EXPECT_EQ(Must(verifier.Verify(PemOf({Issue(agent).certificate.Der()}))).id, agent.id);

  corporate_.serial = SerialNumber::New(clock_.Now() + hours(1)).bytes();
  const Bytes forged = corporate_.SignLeaf("URI:" + agent.id.ToString());
  EXPECT_TRUE(IsRefusal(verifier.Verify(PemOf({forged})).status(), StatusCode::kUnauthenticated,
                        "caller.identity"));
}

// OpenSSL finds issuers by name and key identifier: whoever copies those of another hierarchy's
// authority into a root of their own would be in the way of its callers.
TEST_F(ExternalIssuingTest, IsInNobodyElsesWayByItsNames) {
  const CallerVerifier verifier(*deployment_.catalogs, revocations_, clock_);
  const Agent victim = deployment_.Register(deployment_.globex, "billing/bot");
  const Bytes certificate = deployment_.Issue(victim).Der();
  const auto issuer = Must(deployment_.catalog->Find(deployment_.globex.id)->ActiveIssuer());
  std::string identifier;
  for (const char octet : issuer->key_identifier()) {
    identifier +=
        fmt::format("{}{:02X}", identifier.empty() ? "" : ":", static_cast<unsigned char>(octet));
  }
  testing::OpenSslExtensions extensions = CorporateCa::CaExtensions("");
  extensions.emplace_back("subjectKeyIdentifier", identifier);
  const EvpPkeyPtr key(EVP_EC_gen("P-256"));
  const Bytes root =
      testing::Forgery{.key = key.get(),
                       .subject = issuer->name(),
                       .validity = {clock_.Now() - hours(1), clock_.Now() + hours(24 * 3650)},
                       .serial = "\x01",
                       .extensions = extensions}
          .Der();
  Apply(AcmeCorp(root));
  EXPECT_EQ(Must(verifier.Verify(PemOf({certificate}))).id, victim.id);
}

// ---- one after another --------------------------------------------------------------------------

TEST_F(ExternalIssuingTest, GoesOnIssuingUntilItsSuccessorIsBrought) {
  const Hierarchy acme = Begin();
  clock_.Advance(acme.rotate_every);
  Must(rotation_.Advance(*deployment_.Now(acme)));
  EXPECT_EQ(State(acme, "acme/corp/issuing/2"), AuthorityState::kPending);
  EXPECT_EQ(State(acme, "acme/corp/issuing/1"), AuthorityState::kActive);
  Must(rotation_.Advance(*deployment_.Now(acme)));
  Issue(deployment_.Register(acme, "billing/bot"));
  clock_.Advance(minutes(6));
  for (const Finding& finding : Findings(acme)) {
    if (!finding.code.starts_with("authority.")) continue;
    EXPECT_NE(finding.fix.find("agentpki authority csr acme/corp/issuing/2"), std::string::npos)
        << finding.code << ": " << finding.fix;
  }

  EXPECT_EQ(Import(acme, 2).state, AuthorityState::kPublished) << "its turn comes later";
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(rotation_.Advance(*deployment_.Now(acme)));
  EXPECT_EQ(State(acme, "acme/corp/issuing/2"), AuthorityState::kActive);
  EXPECT_EQ(State(acme, "acme/corp/issuing/1"), AuthorityState::kRetiring);
  EXPECT_EQ(Catalog()->Find(acme.id)->activations().size(), 2u);
}

TEST_F(ExternalIssuingTest, IsFollowedByAnotherWhenItWasSignedForTooShort) {
  const Hierarchy acme = Begin();
  clock_.Advance(acme.rotate_every - hours(24));
  Must(rotation_.Advance(*deployment_.Now(acme)));
  corporate_.common_name = "Agents of Acme 2";
  const Bytes brief =
      corporate_.Sign(Request("acme/corp/issuing/2"), CorporateCa::IssuingExtensions(acme),
                      acme.rotate_every + hours(2));
  EXPECT_EQ(Must(Import("acme/corp/issuing/2", {brief})).state, AuthorityState::kPublished);
  clock_.Advance(hours(26));
  Must(rotation_.Advance(*deployment_.Now(acme)));
  EXPECT_EQ(State(acme, "acme/corp/issuing/1"), AuthorityState::kActive);
  EXPECT_EQ(State(acme, "acme/corp/issuing/3"), AuthorityState::kPending);
}

TEST_F(ExternalIssuingTest, HasASubjectOfItsOwn) {
  const Hierarchy acme = Begin();
  EXPECT_EQ(Must(rotation_.Prepare(CallBy(admin_, Action::kPrepareAuthority), "acme/corp")).state,
            AuthorityState::kPending);
  corporate_.common_name = "Agents of Acme 1";
  const Bytes certificate =
      corporate_.Sign(Request("acme/corp/issuing/2"), CorporateCa::IssuingExtensions(acme));
  const Status refused = Import("acme/corp/issuing/2", {certificate}).status();
  EXPECT_TRUE(IsRefusal(refused, StatusCode::kInvalidArgument, "import.subject"));
  EXPECT_TRUE(Says(refused, StatusCode::kInvalidArgument, "acme/corp/issuing/1"));
}

TEST_F(ExternalIssuingTest, IsRevokedWithAllThatItHasIssuedWhileItsOwnStatusIsSomebodyElses) {
  const Hierarchy acme = Begin();
  Issue(deployment_.Register(acme, "billing/bot"));
  const auto revoked =
      Must(rotation_.Revoke(CallBy(admin_, Action::kRevokeAuthority), "acme/corp/issuing/1",
                            RevocationReason::kCaCompromise, "stolen"));
  EXPECT_EQ(revoked.revoked_count, 1);
  Must(bundles_.Publish(*deployment_.Now(acme), "conductor"));
  EXPECT_FALSE(Catalog()->Find(acme.id)->NewestTrustBundle()->Has(revoked.view.record.id));
  EXPECT_TRUE(Catalog()->Find(acme.id)->NewestTrustBundle()->Has(revoked.view.record.issuer));
  EXPECT_EQ(State(acme, "acme/corp/issuing/2"), AuthorityState::kPending);
  Import(acme, 2);
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(rotation_.Advance(*deployment_.Now(acme)));
  EXPECT_EQ(State(acme, "acme/corp/issuing/2"), AuthorityState::kActive);
}

TEST_F(ExternalIssuingTest, AsksAnewAfterADoubtInARequestThatIsOut) {
  const Hierarchy acme = Apply();
  const Bytes lost = Request("acme/corp/issuing/1");
  Must(rotation_
           .Taint(CallBy(admin_, Action::kTaintAuthority), "acme/corp/issuing/1",
                  "the CSR was misplaced")
           .status());
  EXPECT_TRUE(IsRefusal(Request("acme/corp/issuing/1", admin_).status(),
                        StatusCode::kFailedPrecondition, "authority.tainted"));
  const Bytes certificate = corporate_.Sign(lost, CorporateCa::IssuingExtensions(acme));
  EXPECT_TRUE(IsRefusal(Import("acme/corp/issuing/1", {certificate}).status(),
                        StatusCode::kFailedPrecondition, "authority.tainted"));
  Apply();
  EXPECT_EQ(Import(acme, 2).state, AuthorityState::kActive);
  const auto spent = SpentKeysAt(*Catalog()->Find(acme.id), clock_.Now());
  ASSERT_EQ(spent.size(), 1u);
  EXPECT_EQ(NameOf(acme, spent[0].record), "acme/corp/issuing/1");
}

// ---- roots --------------------------------------------------------------------------------------

TEST_F(ExternalIssuingTest, HasNoRootOfOursToFollowItsRoot) {
  const Hierarchy acme = Begin();
  EXPECT_TRUE(IsRefusal(
      rotation_.PrepareRoot(CallBy(admin_, Action::kPrepareAuthority), "acme/corp").status(),
      StatusCode::kFailedPrecondition, "authority.root-external"));
  EXPECT_EQ(acme.external_roots.size(), 1u);
}

TEST_F(ExternalIssuingTest, MovesToAnotherRootWhileBothAreTrusted) {
  Hierarchy acme = Begin();
  const Bytes old_root = corporate_.root();
  CorporateCa next(clock_.Now(), "Corporate Root 2");
  Hierarchy wanted = acme;
  wanted.external_roots.push_back(next.root());
  const AuditEvent event = testing::EventAt(clock_.Now(), "ChangeHierarchy");
  Must(ports_.hierarchies.ChangeHierarchy(acme, wanted, event));
  acme = Apply(wanted);
  Must(bundles_.Publish(*deployment_.Now(acme), "conductor"));
  EXPECT_EQ(Catalog()->Find(acme.id)->Roots(), (std::vector{old_root, next.root()}));

  clock_.Advance(acme.rotate_every);
  Must(rotation_.Advance(*deployment_.Now(acme)));
  next.common_name = "Agents of Acme 2";
  const Bytes certificate =
      next.Sign(Request("acme/corp/issuing/2"), CorporateCa::IssuingExtensions(acme));
  const AuthorityView moved = Must(Import("acme/corp/issuing/2", {certificate}));
  EXPECT_EQ(Must(Catalog()->FindAuthority(moved.record.issuer))->certificate(), next.root());
  clock_.Advance(Hierarchy::kPublishAheadMin);
  Must(rotation_.Advance(*deployment_.Now(acme)));
  EXPECT_EQ(State(acme, "acme/corp/root/2"), AuthorityState::kActive);
  EXPECT_EQ(State(acme, "acme/corp/root/1"), AuthorityState::kRetiring);

  clock_.Advance(acme.LongestLifetime() + minutes(1));
  Must(bundles_.Publish(*deployment_.Now(acme), "conductor"));
  EXPECT_EQ(Catalog()->Find(acme.id)->Roots(), std::vector{next.root()});
  for (const SpentKey& key :
       SpentKeysAt(*Catalog()->Find(acme.id), clock_.Now() + hours(24 * 30))) {
    EXPECT_FALSE(key.record.IsExternalRoot());
  }
}

// ---- its end ------------------------------------------------------------------------------------

TEST_F(ExternalIssuingTest, LeavesNoKeyOfItsRootToBeDestroyed) {
  const Hierarchy acme = Begin();
  AuditEvent event = testing::EventAt(clock_.Now(), "DestroyHierarchy");
  Must(ports_.hierarchies.DestroyHierarchy(acme.id, "over", event).status());
  Must(deployment_.catalogs->Reload());
  for (const SpentKey& key : SpentKeysAt(*Catalog()->Find(acme.id), clock_.Now())) {
    EXPECT_FALSE(key.record.IsExternalRoot());
    EXPECT_FALSE(key.record.key_label.empty());
  }
}

// ---- interrupted --------------------------------------------------------------------------------

TEST_F(ExternalIssuingTest, GoesOnFromWhereverItWasInterrupted) {
  const Hierarchy wanted = AcmeCorp(corporate_.root());
  bool is_done = false;
  for (int broken = 0; !is_done; ++broken) {
    ASSERT_LT(broken, 100);
    testing::MemoryPorts ports(clock_);
    int step = 0;
    int broken_at = broken;
    const auto interrupt = [&] {
      return step++ == broken_at ? Error(StatusCode::kUnavailable, "interrupted") : Ok();
    };
    testing::SteppedHierarchyPorts store(ports.stores(), interrupt);
    testing::SteppedKeyStore keys(ports.keys, interrupt);
    Provisioning provisioning(store, keys, testing::Directory(), clock_);
    is_done = provisioning.hierarchies.EnsureHierarchy(wanted, "alice").ok();
    broken_at = -1;
    Must(provisioning.hierarchies.EnsureHierarchy(wanted, "alice").status());
    Must(provisioning.hierarchies.EnsureHierarchy(wanted, "alice").status());
    const auto authorities = Must(ports.authorities.LoadAuthorities());
    ASSERT_EQ(authorities.size(), 2u) << "one root, one issuing authority, broken at " << broken;
    EXPECT_TRUE(authorities[0].IsExternalRoot());
    EXPECT_EQ(authorities[1].issuer, authorities[0].id);
    EXPECT_EQ(keys.generated, std::set{authorities[1].key_label});
  }
}

TEST_F(ExternalIssuingTest, MayBeMadeBySeveralAtOnce) {
  const Hierarchy wanted = AcmeCorp(corporate_.root());
  bool was_overtaken = true;
  for (int overtaken_at = 0; was_overtaken; ++overtaken_at) {
    ASSERT_LT(overtaken_at, 100);
    testing::MemoryPorts ports(clock_);
    int step = 0;
    was_overtaken = false;
    const auto overtake = [&]() -> Status {
      if (step++ != overtaken_at) return Ok();
      was_overtaken = true;
      Provisioning other(ports.stores(), ports.keys, testing::Directory(), clock_);
      return other.hierarchies.EnsureHierarchy(wanted, "other").status();
    };
    testing::SteppedHierarchyPorts store(ports.stores(), overtake);
    testing::SteppedKeyStore keys(ports.keys, overtake);
    Provisioning provisioning(store, keys, testing::Directory(), clock_);
    Must(provisioning.hierarchies.EnsureHierarchy(wanted, "alice").status());
    const auto authorities = Must(ports.authorities.LoadAuthorities());
    ASSERT_EQ(authorities.size(), 2u) << "overtaken at " << overtaken_at;
    EXPECT_EQ(authorities[1].kind, AuthorityKind::kIssuing);
    EXPECT_EQ(ports.keys.Contents().front().labels,
              std::vector<std::string>{authorities[1].key_label});
  }
}

}  // namespace
}  // namespace ca
