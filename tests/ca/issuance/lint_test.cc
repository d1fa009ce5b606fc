// A correct certificate passes the linter, and a certificate with any difference does not. The
// goal: no mistake of ca/issuance/tbs_certificate.cc, and no memory fault, reaches a CA key. The
// method: make each mistake, with the builder or by a change of the octets.

#include "ca/issuance/lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "ca/x509/certificate_chain.h"
#include "tests/fakes/refusal.h"
#include "tests/fixtures/csr_builder.h"
#include "tests/fixtures/der_mutator.h"
#include "tests/fixtures/lint_fixture.h"

namespace ca::testing {
namespace {

using namespace std::string_literals;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

CertificateProfile Profile(bool host_names = false, bool status_free = false) {
  CertificateProfile profile = AcmeProd().profiles.front();
  profile.host_names = host_names;
  profile.status_free = status_free;
  if (status_free) profile.lifetime = CertificateProfile::kStatusFreeLifetimeMax;
  return profile;
}

std::vector<std::string> RulesOf(const std::vector<LintFinding>& findings) {
  std::vector<std::string> rules;
  for (const LintFinding& finding : findings) rules.push_back(finding.rule);
  return rules;
}

std::string Text(const std::vector<LintFinding>& findings) {
  std::string text;
  for (const LintFinding& finding : findings) text += finding.rule + ": " + finding.text + "\n";
  return text;
}

::testing::AssertionResult Finds(const std::vector<LintFinding>& findings,
                                 const std::string& rule) {
  const auto rules = RulesOf(findings);
  if (std::ranges::find(rules, rule) != rules.end()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "no " << rule << " among:\n" << Text(findings);
}

// ---- as it should be ----------------------------------------------------------------------------

TEST(LintTest, FindsNothingInWhatEachKindOfAuthorityHas) {
  for (const AuthorityKind kind :
       {AuthorityKind::kRoot, AuthorityKind::kIssuing, AuthorityKind::kResponder,
        AuthorityKind::kLink, AuthorityKind::kRecorder}) {
    const LintSample sample(kind);
    EXPECT_EQ(Text(FindingsOf(sample.Record(), sample.terms())), "") << NameOf(kind);
  }
}

TEST(LintTest, FindsNothingInWhatEachKindOfProfileGrants) {
  for (const bool host_names : {false, true}) {
    for (const bool status_free : {false, true}) {
      LintSample sample(Profile(host_names, status_free));
      EXPECT_EQ(Text(FindingsOf(sample.Record(), sample.terms())), "");
      sample.profile.server_auth = false;
      EXPECT_EQ(Text(FindingsOf(sample.Record(), sample.terms())), "");
    }
  }
}

TEST(LintTest, FindsNothingWithAnyTypeOfKeyThatTheProfileAllows) {
  LintSample sample(Profile());
  for (const KeyType type :
       {KeyType::kP256, KeyType::kP384, KeyType::kRsa2048, KeyType::kEd25519}) {
    sample.profile.key_types = {type};
    const EvpPkeyPtr key = NewKey(type);
    sample.key = Must(PublicKey::FromSpki(DerOf<EVP_PKEY, i2d_PUBKEY>(key.get())));
    EXPECT_EQ(Text(FindingsOf(sample.Record(), sample.terms())), "") << NameOf(type);
  }
}

TEST(LintTest, FindsNothingInTheLargestCertificate) {
  LintSample sample(Profile(true));
  const std::string label(63, 'a');
  sample.hierarchy.dns_subtrees = {label + "." + label};
  sample.agent.dns_names.clear();
  for (size_t i = 0; i < Agent::kHostNamesMax; ++i) {
    sample.agent.dns_names.push_back(fmt::format("{:02}", i) + label.substr(2) + "." + label + "." +
                                     label);
  }
  const std::string path(SpiffeId::kSizeMax - 64, 'p');
  sample.agent.id = IdOf(sample.hierarchy, path);
  TbsCertificate tbs = sample.Tbs();
  tbs.subject = EncodeName({{"O", "acme"}, {"OU", "prod"}, {"UID", path.substr(0, 256)}});
  const IssuanceRecord record = sample.Record(tbs);
  EXPECT_EQ(Text(FindingsOf(record, sample.terms())), "");
  EXPECT_LT(record.tbs.size(), kCertificateSizeMax / 3);
}

TEST(LintTest, FindsNothingBeforeAndAfter2050) {
  LintSample sample(AuthorityKind::kRoot);
  for (const int year : {2049, 2050}) {
    const TimePoint now = std::chrono::sys_days(std::chrono::year(year) / 12 / 31);
    sample.validity = {now, now + hours(20)};
    EXPECT_EQ(Text(FindingsOf(sample.Record(), sample.terms())), "") << year;
  }
}

// ---- mistakes of the builder --------------------------------------------------------------------

LeafExtensions& LeafOf(TbsCertificate& tbs) { return std::get<LeafExtensions>(tbs.extensions); }
AuthorityExtensions& AuthorityOf(TbsCertificate& tbs) {
  return std::get<AuthorityExtensions>(tbs.extensions);
}

struct Mistake {
  std::string rule;
  std::function<void(TbsCertificate&)> make;
};

void ExpectEach(const LintSample& sample, const std::vector<Mistake>& mistakes) {
  for (const auto& [rule, make] : mistakes) {
    TbsCertificate tbs = sample.Tbs();
    make(tbs);
    IssuanceRecord record = sample.Record(sample.Tbs());
    record.serial = tbs.serial;  // another each time
    record.tbs = tbs.Encode();
    EXPECT_TRUE(Finds(FindingsOf(record, sample.terms()), rule)) << rule;
  }
}

TEST(LintTest, FindsWhatAnAgentsCertificateMustNotSay) {
  const LintSample sample(Profile(true));
  const SpiffeId other = IdOf(sample.hierarchy, "somebody/else");
  const Bytes no_uid = EncodeName({{"O", "acme"}, {"OU", "prod"}});
  const Bytes with_cn = EncodeName({{"O", "acme"}, {"OU", "prod"}, {"CN", "billing/invoice-bot"}});
  const Bytes more = EncodeName(
      {{"O", "acme"}, {"OU", "prod"}, {"UID", "billing/invoice-bot"}, {"CN", "localhost"}});
  ExpectEach(
      sample,
      {
          {"lint.issuer", [](auto& tbs) { tbs.issuer = tbs.subject; }},
          {"lint.subject", [&](auto& tbs) { tbs.subject = no_uid; }},
          {"lint.subject", [&](auto& tbs) { tbs.subject = with_cn; }},
          {"lint.subject", [&](auto& tbs) { tbs.subject = more; }},
          {"lint.subject", [&](auto& tbs) { tbs.subject = EncodeName({}); }},
          {"lint.validity.too-long", [](auto& tbs) { tbs.validity.not_after += seconds(1); }},
          {"lint.validity.too-long", [](auto& tbs) { tbs.validity.not_before -= seconds(1); }},
          {"lint.validity.record", [](auto& tbs) { tbs.validity.not_after -= seconds(1); }},
          {"lint.validity.order",
           [](auto& tbs) { tbs.validity.not_after = tbs.validity.not_before; }},
          {"lint.validity.beyond-issuer", [](auto& tbs) { tbs.validity.not_before -= hours(1); }},
          {"lint.validity.beyond-issuer", [](auto& tbs) { tbs.validity.not_after += hours(25); }},
          {"lint.key.record", [](auto& tbs) { tbs.spki = PublicHalf(NewSubjectKey()).spki(); }},
          {"lint.basic-constraints.value",
           [](auto& tbs) {
             tbs.extensions = AuthorityExtensions{LeafOf(tbs).id, 0, nullptr};
           }},
          {"lint.extended-key-usage.value", [](auto& tbs) { LeafOf(tbs).server_auth = false; }},
          {"lint.subject-alternative-name.value", [&](auto& tbs) { LeafOf(tbs).id = other; }},
          {"lint.subject-alternative-name.value", [](auto& tbs) { LeafOf(tbs).dns_names.clear(); }},
          {"lint.subject-alternative-name.value",
           [](auto& tbs) { LeafOf(tbs).dns_names.push_back("www.acme.example"); }},
          {"lint.subject-alternative-name.value",
           [](auto& tbs) { LeafOf(tbs).ip_addresses.clear(); }},
          {"lint.subject-key-identifier.value",
           [](auto& tbs) { tbs.subject_key_identifier = Bytes(20, 'x'); }},
          {"lint.authority-key-identifier.value",
           [](auto& tbs) { tbs.authority_key_identifier = Bytes(20, 'x'); }},
          {"lint.authority-key-identifier.missing",
           [](auto& tbs) { tbs.authority_key_identifier.clear(); }},
          {"lint.authority-information-access.missing",
           [](auto& tbs) { tbs.status = {.crl = tbs.status.crl}; }},
          {"lint.authority-information-access.value", [](auto& tbs) { tbs.status.ocsp += "0"; }},
          {"lint.crl-distribution-points.missing", [](auto& tbs) { tbs.status.crl.clear(); }},
          {"lint.crl-distribution-points.value", [](auto& tbs) { tbs.status.crl += "0"; }},
          {"lint.no-rev-avail.unexpected", [](auto& tbs) { LeafOf(tbs).no_rev_avail = true; }},
          {"lint.extended-key-usage.value",
           [](auto& tbs) { tbs.extensions = ResponderExtensions{}; }},
      });
}

TEST(LintTest, FindsWhatAStatusFreeCertificateMustNotSay) {
  const LintSample sample(Profile(false, true));
  ExpectEach(sample,
             {
                 {"lint.no-rev-avail.missing", [](auto& tbs) { LeafOf(tbs).no_rev_avail = false; }},
                 {"lint.authority-information-access.unexpected",
                  [&](auto& tbs) { tbs.status.ocsp = sample.status.ocsp; }},
                 {"lint.crl-distribution-points.unexpected",
                  [&](auto& tbs) { tbs.status.crl = sample.status.crl; }},
             });
}

TEST(LintTest, FindsWhatAnIssuingAuthoritysCertificateMustNotSay) {
  const LintSample sample(AuthorityKind::kIssuing);
  Hierarchy narrower = sample.hierarchy;
  narrower.ip_ranges.clear();
  Hierarchy wider = sample.hierarchy;
  wider.dns_subtrees.push_back("acme.example");
  ExpectEach(
      sample,
      {
          {"lint.basic-constraints.value", [](auto& tbs) { AuthorityOf(tbs).path_length = 1; }},
          {"lint.name-constraints.missing",
           [](auto& tbs) { AuthorityOf(tbs).name_constraints = nullptr; }},
          {"lint.name-constraints.value",
           [&](auto& tbs) { AuthorityOf(tbs).name_constraints = &narrower; }},
          {"lint.name-constraints.value",
           [&](auto& tbs) { AuthorityOf(tbs).name_constraints = &wider; }},
          {"lint.subject",
           [](auto& tbs) {
             tbs.subject =
                 EncodeName({{"O", "acme"}, {"OU", "prod"}, {"CN", "issuing authority 2"}});
           }},
          {"lint.openssl.self-issued", [](auto& tbs) { tbs.subject = tbs.issuer; }},
      });
}

TEST(LintTest, FindsThatAnAuthoritysCertificateIsAnAgents) {
  const LintSample sample(AuthorityKind::kRoot);
  ExpectEach(
      sample,
      {
          {"lint.openssl.ca",
           [&](auto& tbs) { tbs.extensions = LeafExtensions{AuthorityOf(tbs).trust_domain}; }},
      });
}

// ---- the terms ----------------------------------------------------------------------------------

TEST(LintTest, FindsAKeyOfATypeThatTheProfileDoesNotAllow) {
  LintSample sample(Profile());
  sample.profile.key_types = {KeyType::kP384};
  EXPECT_TRUE(Finds(FindingsOf(sample.Record(), sample.terms()), "lint.key.type"));
}

TEST(LintTest, FindsHostNamesThatTheProfileDoesNotGrant) {
  LintSample sample(Profile(true));
  sample.profile.host_names = false;
  EXPECT_TRUE(Finds(FindingsOf(sample.Record(), sample.terms()),
                    "lint.subject-alternative-name.host-names"));
}

TEST(LintTest, FindsHostNamesOutsideTheHierarchy) {
  LintSample sample(Profile(true));
  sample.agent.dns_names.push_back("www.globex.example");
  EXPECT_TRUE(
      Finds(FindingsOf(sample.Record(), sample.terms()), "lint.subject-alternative-name.outside"));
}

TEST(LintTest, FindsARecordOfAnotherThanWasAskedFor) {
  const LintSample sample(Profile());
  const std::vector<std::function<void(IssuanceRecord&)>> changes = {
      [](auto& record) { record.hierarchy = HierarchyId{2}; },
      [](auto& record) { record.agent = AgentNumber{2}; },
      [](auto& record) { record.profile = "other"; },
      [&](auto& record) { record.subject = IdOf(sample.hierarchy, "somebody/else"); },
  };
  for (const auto& change : changes) {
    IssuanceRecord record = sample.Record();
    change(record);
    EXPECT_TRUE(Finds(FindingsOf(record, sample.terms()), "lint.record"));
  }
}

TEST(LintTest, FindsASerialThatIsNotTheRecordsOrOfAnotherDay) {
  const LintSample sample(Profile());
  IssuanceRecord record = sample.Record();
  record.serial = SerialNumber::New(record.validity.not_after);
  EXPECT_TRUE(Finds(FindingsOf(record, sample.terms()), "lint.serial.record"));

  TbsCertificate tbs = sample.Tbs();
  tbs.serial = SerialNumber::New(tbs.validity.not_after + hours(24));
  EXPECT_TRUE(Finds(FindingsOf(sample.Record(tbs), sample.terms()), "lint.serial.day"));
}

// ---- what only a scalpel can do -----------------------------------------------------------------

struct Cut {
  std::string rule;
  std::function<void(DerNode& tbs)> cut;
};

DerNode& ExtensionsIn(DerNode& tbs) { return tbs[kTbsExtensions][0]; }

void Fill(DerNode& node, Bytes content) {
  node.children.clear();
  node.content = std::move(content);
}

TEST(LintTest, FindsWhatNoCertificateMayHave) {
  const LintSample sample(Profile());
  const IssuanceRecord good = sample.Record();
  const std::vector<Cut> cuts = {
      {"lint.version", [](DerNode& tbs) { Fill(tbs[kTbsVersion][0], "\x01"); }},
      {"lint.form", [](DerNode& tbs) { tbs.children.erase(tbs.children.begin()); }},
      {"lint.serial.too-long", [](DerNode& tbs) { tbs[kTbsSerial].content += '\1'; }},
      {"lint.serial.not-positive", [](DerNode& tbs) { tbs[kTbsSerial].content[0] = '\x81'; }},
      {"lint.serial.not-positive", [](DerNode& tbs) { Fill(tbs[kTbsSerial], "\0"s); }},
      {"lint.serial.form", [](DerNode& tbs) { tbs[kTbsSerial].content[0] = '\2'; }},
      {"lint.signature-algorithm", [](DerNode& tbs) { tbs[kTbsAlgorithm][0].content[7] = '\3'; }},
      {"lint.signature-algorithm",
       [](DerNode& tbs) { tbs[kTbsAlgorithm].children.push_back({.tag = 0x05}); }},
      {"lint.validity.encoding",
       [](DerNode& tbs) { Fill(tbs[kTbsValidity][1], "261124130000.5Z"); }},
      {"lint.validity.encoding", [](DerNode& tbs) { Fill(tbs[kTbsValidity][1], "2611241300Z"); }},
      {"lint.validity.encoding",
       [](DerNode& tbs) { Fill(tbs[kTbsValidity][1], "261124130000+0100"); }},
      {"lint.validity.encoding", [](DerNode& tbs) { Fill(tbs[kTbsValidity][1], "260230130000Z"); }},
      {"lint.validity.encoding",
       [](DerNode& tbs) {
         tbs[kTbsValidity][1].tag = 0x18;
         tbs[kTbsValidity][1].content.insert(0, "20");
       }},
      {"lint.subject", [](DerNode& tbs) { tbs[kTbsSubject][0][0][1].tag = 0x13; }},
      {"lint.key.malformed", [](DerNode& tbs) { tbs[kTbsSpki][1].content[1] = '\2'; }},
      {"lint.key.malformed", [](DerNode& tbs) { tbs[kTbsSpki][1].content.back() ^= 1; }},
      {"lint.unique-identifier",
       [](DerNode& tbs) {
         tbs.children.insert(tbs.children.begin() + kTbsExtensions,
                             {.tag = 0x81, .content = "\0x"s});
       }},
      {"lint.form", [](DerNode& tbs) { tbs.children.pop_back(); }},
      {"lint.form", [](DerNode& tbs) { tbs.children.push_back(tbs[kTbsExtensions]); }},
      {"lint.form", [](DerNode& tbs) { tbs.length = DerNode::Length::kLong; }},
      {"lint.form", [](DerNode& tbs) { tbs[kTbsSubject].length = DerNode::Length::kIndefinite; }},
      {"lint.extension.duplicate",
       [](DerNode& tbs) { ExtensionsIn(tbs).children.push_back(ExtensionsIn(tbs)[0]); }},
      {"lint.extension.unknown",
       [](DerNode& tbs) {
         DerNode extension = ExtensionsIn(tbs)[2];
         Fill(extension[0], "\x55\x1d\x12");  // issuerAltName
         ExtensionsIn(tbs).children.push_back(extension);
       }},
      {"lint.extension.form", [](DerNode& tbs) { Fill(ExtensionsIn(tbs)[0][1], "\0"s); }},
      {"lint.extension.form", [](DerNode& tbs) { ExtensionsIn(tbs)[0].children.pop_back(); }},
      {"lint.basic-constraints.critical",
       [](DerNode& tbs) {
         auto& extension = ExtensionsIn(tbs)[0].children;
         extension.erase(extension.begin() + 1);
       }},
      {"lint.extended-key-usage.critical",
       [](DerNode& tbs) {
         auto& extension = ExtensionsIn(tbs)[2].children;
         extension.insert(extension.begin() + 1, {.tag = 0x01, .content = "\xff"});
       }},
      {"lint.key-usage.value",
       [](DerNode& tbs) { Fill(ExtensionsIn(tbs)[1][2], "\x03\x02\x05\xa0"); }},
      {"lint.key-usage.missing",
       [](DerNode& tbs) {
         auto& extensions = ExtensionsIn(tbs).children;
         extensions.erase(extensions.begin() + 1);
       }},
  };
  for (size_t i = 0; i < cuts.size(); ++i) {
    IssuanceRecord record = good;
    DerNode tbs = ParseDer(record.tbs);
    cuts[i].cut(tbs);
    record.tbs = Encode(tbs);
    EXPECT_TRUE(Finds(FindingsOf(record, sample.terms()), cuts[i].rule)) << "cut " << i;
  }
}

// Only the order of extensions may differ, because it has no meaning.
Bytes InOrder(const Bytes& tbs) {
  DerNode node = ParseDer(tbs);
  std::ranges::sort(ExtensionsIn(node).children, {}, [](const DerNode& e) { return Encode(e); });
  return Encode(node);
}

TEST(LintTest, FindsSomethingInEveryCertificateThatIsNotTheOneThatWasToBeMade) {
  constexpr int kMutationCount = 20'000;
  const LintSample leaf(Profile(true));
  const LintSample issuing(AuthorityKind::kIssuing);
  DerMutator mutator(20261128);
  for (const LintSample* const sample : {&leaf, &issuing}) {
    const IssuanceRecord good = sample->Record();
    const DerNode tree = ParseDer(good.tbs);
    for (int i = 0; i < kMutationCount; ++i) {
      IssuanceRecord record = good;
      record.tbs = i % 2 == 0 ? mutator.MutateOctets(good.tbs) : mutator.MutateTree(tree);
      if (!FindingsOf(record, sample->terms()).empty()) continue;
      EXPECT_EQ(Hex(InOrder(record.tbs)), Hex(InOrder(good.tbs))) << "mutation " << i;
    }
  }
}

// ---- what comes of it ---------------------------------------------------------------------------

TEST(LintTest, AFindingIsAnInternalErrorWithItsRuleAndTheSectionThatItBreaks) {
  const LintSample sample(Profile());
  TbsCertificate tbs = sample.Tbs();
  tbs.validity.not_after += minutes(1);
  const Status status = Lint(sample.Record(tbs), sample.terms()).status();
  EXPECT_TRUE(IsRefusal(status, StatusCode::kInternal, "lint.validity.too-long"));
  EXPECT_NE(MessageOf(status).find("it is valid for 1h 2m; at most 1h 1m"), std::string::npos)
      << status;
}

}  // namespace
}  // namespace ca::testing
