#include "ca/server/status/status_path.h"

#include <gtest/gtest.h>

#include "ca/model/status_urls.h"
#include "tests/fakes/must.h"

namespace server {
namespace {

constexpr ca::AuthorityId kSeven{7};

std::string Told(std::string_view target, std::string_view prefix = "") {
  const StatusPath path = ParseStatusPath(target, prefix);
  const auto number = [](ca::AuthorityId id) { return static_cast<std::int64_t>(id); };
  if (const auto* post = std::get_if<OcspPath>(&path)) {
    return fmt::format("ocsp {}", number(post->authority));
  }
  if (const auto* get = std::get_if<OcspGetPath>(&path)) {
    return fmt::format("ocsp {} {}", number(get->authority), ca::Hex(get->request));
  }
  if (const auto* crl = std::get_if<CrlPath>(&path)) {
    return fmt::format("crl {} {}{}", number(crl->authority), crl->shard,
                       crl->is_delta ? " delta" : "");
  }
  if (const auto* ca_path = std::get_if<CaPath>(&path)) {
    return fmt::format("ca {}", number(ca_path->authority));
  }
  return "unknown";
}

TEST(StatusPathTest, ReadsWhatCertificatesPointTo) {
  for (const std::string base : {"http://a.example", "http://a.example:8080/", "http://a/pki/x"}) {
    const auto urls = ca::testing::Must(ca::StatusUrls::At(base));
    const std::string_view prefix = PathOfUrl(urls.base());
    const auto told = [&](const std::string& url) {
      return Told(std::string_view(url).substr(urls.base().size() - prefix.size()), prefix);
    };
    EXPECT_EQ(told(urls.Ocsp(kSeven)), "ocsp 7");
    EXPECT_EQ(told(urls.Crl(kSeven, 3)), "crl 7 3");
    EXPECT_EQ(told(urls.DeltaCrl(kSeven, 0)), "crl 7 0 delta");
    EXPECT_EQ(told(urls.CaIssuers(kSeven)), "ca 7");
  }
}

// Two requests that between them have each of the characters that clients disagree about:
// 3003fbfffe is MAP7//4= and 3003fefbef is MAP+++8=.
TEST(StatusPathTest, ReadsARequestInBase64AsRealClientsSendIt) {
  for (const std::string_view encoded :
       {"MAP7//4=", "MAP7//4", "MAP7%2F%2F4%3D", "MAP7%2f%2f4%3d", "MAP7/%2F4=", "MAP7__4",
        "MAP7__4=", "%4DAP7//4=", "/MAP7//4=", "//MAP7//4=", "%2FMAP7//4=", "MAP7//4=?x=y",
        "MAP7%0A//4=%0A", "MAP7%0D%0A//4%3D%0d%0a", "MAP7//4=="}) {
    EXPECT_EQ(Told("/ocsp/7/" + std::string(encoded)), "ocsp 7 3003fbfffe") << encoded;
  }
  for (const std::string_view encoded : {"MAP+++8=", "MAP%2B%2b+8", "MAP---8", "MAP%20%20%208="}) {
    EXPECT_EQ(Told("/ocsp/7/" + std::string(encoded)), "ocsp 7 3003fefbef") << encoded;
  }
}

TEST(StatusPathTest, GivesNoRequestForWhatIsNotBase64) {
  for (const std::string_view encoded :
       {"M", "MAP7/", "MA=P", "=", "MAP7!", "MAP%", "MAP%2", "MAP%zz", "MAP%252F", "MAP7%00",
        "MAP\xc3\xa4", "MAP.", "MAP7//4=M"}) {
    EXPECT_EQ(Told("/ocsp/7/" + std::string(encoded)), "ocsp 7 ") << encoded;
  }
}

TEST(StatusPathTest, TakesSlashesThatClientsAddBetweenBaseAndPath) {
  EXPECT_EQ(Told("//ocsp/7"), "ocsp 7");
  EXPECT_EQ(Told("/pki//crl/7/0.crl", "/pki"), "crl 7 0");
  EXPECT_EQ(Told("/ocsp/7/"), "ocsp 7");
}

TEST(StatusPathTest, KnowsNothingElse) {
  for (const std::string_view target : {"/",
                                        "",
                                        "/ocsp",
                                        "/ocsp/",
                                        "/ocsp/x",
                                        "/ocsp/07",
                                        "/ocsp/0",
                                        "/ocsp/-7",
                                        "/ocsp/+7",
                                        "/ocsp/7x",
                                        "/ocsp/9223372036854775808",
                                        "/OCSP/7",
                                        "/crl/7",
                                        "/crl/7/0",
                                        "/crl/7/0.crl/",
                                        "/crl/7/0-delta",
                                        "/crl/7/-1.crl",
                                        "/crl/7/2147483648.crl",
                                        "/crl/7/0-delta-delta.crl",
                                        "/crl/7/00.crl",
                                        "/crl/7/.crl",
                                        "/ca/7",
                                        "/ca/7.crt",
                                        "/ca/7.cer/x",
                                        "/ca/.cer",
                                        "/pki/ca/7.cer",
                                        "/ocsp/../ca/7.cer"}) {
    EXPECT_EQ(Told(target), "unknown") << target;
  }
  EXPECT_EQ(Told("/ca/7.cer", "/pki"), "unknown");
  EXPECT_EQ(Told("/pkica/7.cer", "/pki"), "unknown");
}

}  // namespace
}  // namespace server
