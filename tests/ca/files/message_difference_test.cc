#include "ca/files/message_difference.h"

#include <gmock/gmock.h>

#include "agentpki/v1/hierarchy.pb.h"
#include "ca/base/bytes.h"
#include "ca/files/yaml_message.h"

namespace files {
namespace {

using agentpki::v1::HierarchySpec;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

HierarchySpec Of(const std::string& yaml) {
  HierarchySpec spec;
  EXPECT_TRUE(ParseYaml(yaml, "test.yaml", spec).ok());
  return spec;
}

std::vector<FieldDifference> Differences(const std::string& before, const std::string& after) {
  return DifferencesOf(Of(before), Of(after));
}

TEST(MessageDifferenceTest, IsNoneOfWhatIsTheSame) {
  constexpr char kYaml[] = "tenant: acme\nroot: {lifetime: 1d}\nprofiles: [{name: a}, {name: b}]\n";
  EXPECT_THAT(Differences(kYaml, kYaml), IsEmpty());
  EXPECT_THAT(Differences("root: {lifetime: 24h}", "root: {lifetime: 1d}"), IsEmpty());
}

TEST(MessageDifferenceTest, IsAsItIsWrittenInTheOrderOfTheSchema) {
  EXPECT_THAT(Differences("tenant: acme\nissuing: {rotate_every: 90d}",
                          "tenant: globex\nissuing: {rotate_every: 36h, publish_ahead: 1h}"),
              ElementsAre(FieldDifference{"tenant", "acme", "globex"},
                          FieldDifference{"issuing.rotate_every", "90d", "36h"},
                          FieldDifference{"issuing.publish_ahead", "", "1h"}));
}

TEST(MessageDifferenceTest, ShowsCertificatesByTheirFingerprints) {
  agentpki::v1::HierarchySpec before;
  agentpki::v1::HierarchySpec after;
  after.mutable_root()->set_external_certificates(ca::Pem("CERTIFICATE", "one") +
                                                  ca::Pem("CERTIFICATE", "two"));
  const std::string fingerprints =
      "SHA-256 " + ca::Hex(ca::Sha256("one")) + ", " + ca::Hex(ca::Sha256("two"));
  EXPECT_THAT(DifferencesOf(before, after),
              ElementsAre(FieldDifference{"root.external_certificates", "", fingerprints}));
}

TEST(MessageDifferenceTest, ComparesElementsOfTheSameName) {
  EXPECT_THAT(Differences("profiles: [{name: a, lifetime: 1h}, {name: b, host_names: true}]",
                          "profiles: [{name: b}, {name: a, lifetime: 2h}]"),
              ElementsAre(FieldDifference{"profiles.b.host_names", "true", "false"},
                          FieldDifference{"profiles.a.lifetime", "1h", "2h"},
                          FieldDifference{"profiles", "a, b", "b, a"}));
}

// Whose default is somebody else's to say.
TEST(MessageDifferenceTest, TellsWhatIsNotWrittenFromWhatIsFalse) {
  EXPECT_THAT(Differences("status: {crl_lifetime: 1h}", "status: {delta_crls: false}"),
              ElementsAre(FieldDifference{"status.delta_crls", "", "false"},
                          FieldDifference{"status.crl_lifetime", "1h", ""}));
  EXPECT_THAT(Differences("tenant: acme\nstatus: {crl_shard_size: 20}", "tenant: acme"),
              ElementsAre(FieldDifference{"status.crl_shard_size", "20", ""}));
}

TEST(MessageDifferenceTest, HasEveryValueOfWhatIsAddedAndOfWhatIsGone) {
  EXPECT_THAT(Differences("operators: [{name: eve, roles: [admin]}]",
                          "operators: [{name: bob, roles: [auditor, revoker]}]"),
              ElementsAre(FieldDifference{"operators.bob.name", "", "bob"},
                          FieldDifference{"operators.bob.roles", "", "auditor, revoker"},
                          FieldDifference{"operators", "eve", "bob"},
                          FieldDifference{"operators.eve.name", "eve", ""},
                          FieldDifference{"operators.eve.roles", "admin", ""}));
}

}  // namespace
}  // namespace files
