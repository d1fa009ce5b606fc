// The scripts that a ceremony accepts and refuses.

#include "ca/ceremony/script.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/fakes/refusal.h"
#include "tests/fakes/samples.h"

namespace ca {
namespace {

using testing::Says;

CeremonyScript Whole() {
  return {
      .file = "acme.yaml",
      .name = "acme-prod-root-2026",
      .hierarchy = testing::AcmeProd(),
      .token_label = "acme-root",
      .pin_file = "pin",
      .root = {.key_label = "acme-prod-root-1", .certificate = "root.pem"},
      .issuing = {{.generation = 1, .csr = "1.csr", .certificate = "1.pem"},
                  {.generation = 2, .csr = "2.csr", .certificate = "2.pem"}},
      .crls = {{.file = "1.crl"},
               {.file = "2.crl", .revocations = {{"1.pem", RevocationReason::kSuperseded, {}}}}},
      .transcript = "transcript",
      .witnesses = {"Ada"},
  };
}

TEST(CeremonyScriptTest, TakesAWholeOne) { EXPECT_EQ(Whole().Validate(), Ok()); }

TEST(CeremonyScriptTest, NamesTheFieldThatCannotBe) {
  using Change = std::function<void(CeremonyScript&)>;
  const std::pair<const char*, Change> changes[] = {
      {"name: write 1 to 64", [](auto& s) { s.name = "Acme"; }},
      {"name: write 1 to 64", [](auto& s) { s.name = ""; }},
      {"hierarchy: tenant", [](auto& s) { s.hierarchy.tenant = ""; }},
      {"hierarchy: root lifetime",
       [](auto& s) { s.hierarchy.root_lifetime = std::chrono::hours(1); }},
      {"token.token_label", [](auto& s) { s.token_label = ""; }},
      {"root.key_label", [](auto& s) { s.root.key_label = "a\nb"; }},
      {"root.generation", [](auto& s) { s.root.generation = 0; }},
      {"root.certificate", [](auto& s) { s.root.certificate = ""; }},
      {"transcript: 'acme.yaml' is the file of", [](auto& s) { s.transcript = "acme.yaml"; }},
      {"issuing: generation 1 is there twice", [](auto& s) { s.issuing[1].generation = 1; }},
      {"issuing: generation 0", [](auto& s) { s.issuing[1].generation = 0; }},
      {"issuing.2.certificate: 'root.pem' is the file of root.certificate already",
       [](auto& s) { s.issuing[1].certificate = "root.pem"; }},
      {"root.certificate: 'root.pem.unfinished' is the file of transcript already",
       [](auto& s) { s.transcript = "root.pem.unfinished"; }},
      {"crls.1.file: '1.csr.unfinished' is the file of issuing.1.certificate already",
       [](auto& s) {
         s.issuing[0].certificate = "1.csr";
         s.issuing[0].csr = "x.csr";
         s.crls[0].file = "1.csr.unfinished";
       }},
      {"transcript: 'pin' is the file of token.pin_file", [](auto& s) { s.transcript = "pin"; }},
      {"issuing.2.csr: '1.csr' is the file of", [](auto& s) { s.issuing[1].csr = "1.csr"; }},
      {"issuing.1.lifetime: 400000d",
       [](auto& s) { s.issuing[0].lifetime = std::chrono::hours(24 * 400'000); }},
      {"issuing.1.ocsp: 'ldap://x'", [](auto& s) { s.issuing[0].status.ocsp = "ldap://x"; }},
      {"issuing.1.crl: 'http://a b'", [](auto& s) { s.issuing[0].status.crl = "http://a b"; }},
      {"issuing.1.ca_issuers", [](auto& s) { s.issuing[0].status.ca_issuers = "x"; }},
      {"crls.1.file", [](auto& s) { s.crls[0].file = ""; }},
      {"crls.2.lifetime: 366d is not between 1d and 365d",
       [](auto& s) { s.crls[1].lifetime = std::chrono::hours(24 * 366); }},
      {"crls.2.revocations: 'root.pem' is not the certificate of an entry of issuing",
       [](auto& s) { s.crls[1].revocations[0].certificate = "root.pem"; }},
      {"crls.2.revocations: '1.pem' is revoked twice",
       [](auto& s) { s.crls[1].revocations.push_back(s.crls[1].revocations[0]); }},
      {"witnesses: name 1 to 32", [](auto& s) { s.witnesses.clear(); }},
      {"witnesses: write 1 to 256", [](auto& s) { s.witnesses = {"\x1b[2J"}; }},
      {"issuing, crls: write at most 256", [](auto& s) { s.crls.resize(257); }},
  };
  for (const auto& [words, change] : changes) {
    CeremonyScript script = Whole();
    change(script);
    EXPECT_TRUE(Says(script.Validate(), StatusCode::kInvalidArgument, words));
  }
}

TEST(CeremonyScriptTest, TakesFilesInItsOwnFolderAndBelow) {
  for (const std::string& name : {std::string("day-1/root.pem"), std::string("..root"),
                                  std::string(200, 'r'), std::string(".root")}) {
    CeremonyScript script = Whole();
    script.root.certificate = name;
    EXPECT_EQ(script.Validate(), Ok()) << name;
  }
}

TEST(CeremonyScriptTest, RefusesFilesElsewhereAndNamesThatCannotBeWritten) {
  for (const std::string& name :
       {std::string("/root.pem"), std::string("../root.pem"), std::string("a/../../root.pem"),
        std::string("a/../root.pem"), std::string("./root.pem"), std::string("a//root.pem"),
        std::string("a/"), std::string("."), std::string(".."), std::string("a/."),
        std::string(201, 'r'), "a/" + std::string(201, 'r')}) {
    const std::pair<const char*, std::function<void(CeremonyScript&)>> changes[] = {
        {"root.certificate: '", [&](auto& s) { s.root.certificate = name; }},
        {"transcript: '", [&](auto& s) { s.transcript = name; }},
        {"issuing.1.csr: '", [&](auto& s) { s.issuing[0].csr = name; }},
        {"crls.1.file: '", [&](auto& s) { s.crls[0].file = name; }},
    };
    for (const auto& [words, change] : changes) {
      CeremonyScript script = Whole();
      change(script);
      EXPECT_TRUE(Says(script.Validate(), StatusCode::kInvalidArgument, words)) << name;
    }
  }
}

}  // namespace
}  // namespace ca
