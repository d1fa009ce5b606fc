#include "ca/server/status/status_site.h"

#include <openssl/evp.h>

#include "ca/server/http/http_caching.h"
#include "ca/server/http/http_listener.h"
#include "tests/ca/server/http/raw_http_client.h"
#include "tests/ocsp/responder_fixture.h"

namespace server {
namespace {

using ca::testing::Must;
using ocsp::testing::Question;
using testing::Exchange;
using testing::Get;
using testing::Post;
using testing::RawResponse;

constexpr std::string_view kOcspRequest = "application/ocsp-request";
constexpr std::string_view kMalformed = "30030a0101";  // RFC 6960 section 4.2.1

// The real responder, shelf and listener, on a store in memory.
class StatusSiteTest : public ocsp::testing::ResponderFixture {
 protected:
  StatusSiteTest() {
    for (const auto& [number, base] : {std::pair(1, 0), std::pair(2, 0), std::pair(3, 2)}) {
      Must(ports_.crls.Publish(deployment_.acme.id,
                               {.authority = issuer_->id(),
                                .number = number,
                                .base_number = base,
                                .this_update = clock_.Now(),
                                .next_update = clock_.Now() + std::chrono::hours(1),
                                .der = std::string(200'000, static_cast<char>('0' + number))}));
    }
    Must(crl_cache_.Refresh(ports_.crls));
  }

  static std::string Base64(ca::BytesView octets) {
    std::string text(octets.size() * 4 / 3 + 4, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(octets.data()),
                                     static_cast<int>(octets.size()));
    text.resize(static_cast<size_t>(size));
    return text;
  }

  static std::string Replaced(std::string text, char from, std::string_view to) {
    for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
      text.replace(at, 1, to);
    }
    return text;
  }

  std::string OcspPathOf(const ca::Authority& authority) const {
    return fmt::format("/ocsp/{}", static_cast<std::int64_t>(authority.id()));
  }
  std::string CrlPathOf(std::string_view file) const {
    return fmt::format("/crl/{}/{}", static_cast<std::int64_t>(issuer_->id()), file);
  }
  std::string CaPathOf(const ca::Authority& authority) const {
    return fmt::format("/ca/{}.cer", static_cast<std::int64_t>(authority.id()));
  }

  const ca::StatusUrls urls_ = Must(ca::StatusUrls::At("http://status.test"));
  crl::CrlCache crl_cache_;
  StatusSite site_{urls_, responder_, crl_cache_, *deployment_.catalogs, clock_};
  const std::unique_ptr<HttpListener> listener_ =
      Must(HttpListener::Start("127.0.0.1:0", {}, site_, clock_));
  const std::uint16_t port_ = listener_->port();
};

TEST_F(StatusSiteTest, AnswersAPostWithWhatTheResponderSays) {
  const ca::Bytes request = About(Issue()).Der();
  for (const std::string_view type :
       {std::string_view(""), kOcspRequest, std::string_view("Application/OCSP-Request; x=y")}) {
    const RawResponse response = Post(port_, OcspPathOf(*issuer_), type, request);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.fields.at("content-type"), "application/ocsp-response");
    EXPECT_EQ(StatusIn({.der = response.body}, request), "good");
    EXPECT_EQ(Verified({.der = response.body}), "");
  }
}

TEST_F(StatusSiteTest, AnswersAGetHoweverItIsWrittenLikeThePost) {
  // Serials are random: look for a request whose base64 has all that has to be escaped.
  ca::Bytes request;
  std::string text;
  for (int i = 0; i < 500; ++i) {
    request = About(Issue(), EVP_sha256()).Der();  // of a length that is padded
    text = Base64(request);
    if (text.find('+') != text.npos && text.find('/') != text.npos && text.ends_with('=')) break;
  }
  ASSERT_TRUE(text.find('+') != text.npos && text.find('/') != text.npos && text.ends_with('='));
  const std::string expected = Post(port_, OcspPathOf(*issuer_), kOcspRequest, request).body;
  ASSERT_EQ(StatusIn({.der = expected}, request), "good");

  const std::string escaped =
      Replaced(Replaced(Replaced(text, '+', "%2B"), '/', "%2F"), '=', "%3D");
  const std::string lower = Replaced(Replaced(Replaced(text, '+', "%2b"), '/', "%2f"), '=', "%3d");
  const std::string url = Replaced(Replaced(text, '+', "-"), '/', "_");
  for (const std::string& written :
       {text, escaped, lower, url, Replaced(text, '=', ""), Replaced(text, '=', "%3D"), "/" + text,
        "//" + escaped, Replaced(text, '+', "%20"), text + "%0A"}) {
    const RawResponse response = Get(port_, OcspPathOf(*issuer_) + "/" + written);
    EXPECT_EQ(response.status, 200) << written;
    EXPECT_EQ(response.body, expected) << written;
  }
  EXPECT_EQ(Get(port_, "/" + OcspPathOf(*issuer_) + "/" + escaped).body, expected);
}

// RFC 5019 section 6.2 and RFC 9110 section 13.
TEST_F(StatusSiteTest, TellsCachesHowLongAnAnswerStandsAndWhoHasItThatItDoes) {
  const std::string target = OcspPathOf(*issuer_) + "/" + Base64(About(Issue()).Der());
  const RawResponse first = Get(port_, target);
  clock_.Advance(std::chrono::minutes(10));
  const RawResponse second = Get(port_, target);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.fields.at("cache-control"),
            "max-age=2999, public, no-transform, must-revalidate");
  EXPECT_EQ(second.fields.at("last-modified"), "Tue, 24 Nov 2026 12:00:00 GMT");
  EXPECT_EQ(second.fields.at("expires"), "Tue, 24 Nov 2026 13:00:00 GMT");
  const std::string etag = second.fields.at("etag");
  EXPECT_EQ(etag, first.fields.at("etag"));
  EXPECT_TRUE(etag.size() > 2 && etag.starts_with('"') && etag.ends_with('"')) << etag;

  for (const std::string& condition :
       {"If-None-Match: " + etag,
        std::string("If-Modified-Since: Tue, 24 Nov 2026 12:00:00 GMT")}) {
    const RawResponse unchanged = Get(port_, target, condition + "\r\n");
    EXPECT_EQ(unchanged.status, 304) << condition;
    EXPECT_EQ(unchanged.body, "");
    EXPECT_EQ(unchanged.fields.at("etag"), etag);
    EXPECT_EQ(unchanged.fields.at("expires"), second.fields.at("expires"));
    EXPECT_FALSE(unchanged.fields.contains("content-length"));
  }
  EXPECT_EQ(Get(port_, target, "If-None-Match: \"other\"\r\n").status, 200);
  EXPECT_EQ(Get(port_, target, "If-Modified-Since: Tue, 24 Nov 2026 11:59:59 GMT\r\n").status, 200);
}

TEST_F(StatusSiteTest, GivesARevocationToWhoStillHoldsTheAnswerBefore) {
  const ca::SerialNumber serial = Issue();
  const ca::Bytes request = About(serial).Der();
  const std::string target = OcspPathOf(*issuer_) + "/" + Base64(request);
  const std::string etag = Get(port_, target).fields.at("etag");
  Revoke(serial);
  const RawResponse after = Get(port_, target, "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(StatusIn({.der = after.body}, request), "revoked");
}

TEST_F(StatusSiteTest, LetsNobodyCacheAnAnswerWithANonce) {
  const ca::Bytes request = About(Issue()).Nonce("0123456789abcdef").Der();
  const RawResponse response = Post(port_, OcspPathOf(*issuer_), kOcspRequest, request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(StatusIn({.der = response.body}, request), "good");
  EXPECT_EQ(response.fields.at("cache-control"), "no-store");
  EXPECT_FALSE(response.fields.contains("etag"));
}

TEST_F(StatusSiteTest, AnswersWhatIsNoOcspRequestWithMalformedRequest) {
  const std::string path = OcspPathOf(*issuer_);
  for (const RawResponse& response :
       {Post(port_, path, kOcspRequest, "no DER"), Post(port_, path, kOcspRequest, ""),
        Get(port_, path + "/MAP!"), Get(port_, path + "/MAP7%zz"), Get(port_, path + "/M"),
        Get(port_, path + "/MAMCAQE=")}) {
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.fields.at("content-type"), "application/ocsp-response");
    EXPECT_EQ(response.fields.at("cache-control"), "no-store");
    EXPECT_EQ(ca::Hex(response.body), kMalformed);
  }
}

TEST_F(StatusSiteTest, RefusesWhatDoesNotEvenAskForOcspAndNamesTheFix) {
  const std::string path = OcspPathOf(*issuer_);
  EXPECT_EQ(Get(port_, path).status, 400);
  const RawResponse form = Post(port_, path, "application/x-www-form-urlencoded", "a=b");
  EXPECT_EQ(form.status, 415);
  EXPECT_EQ(form.body, "an OCSP request has the Content-Type application/ocsp-request\n");
  const RawResponse posted = Post(port_, path + "/MAP7", kOcspRequest, "");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.fields.at("allow"), "GET, HEAD");
}

TEST_F(StatusSiteTest, ServesTheNewestCrlWithWhatCachesNeed) {
  const RawResponse response = Get(port_, CrlPathOf("0.crl"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, std::string(200'000, '2'));
  EXPECT_EQ(response.fields.at("content-type"), "application/pkix-crl");
  EXPECT_EQ(response.fields.at("cache-control"),
            "public, max-age=5, no-transform, must-revalidate");
  EXPECT_EQ(response.fields.at("last-modified"), "Tue, 24 Nov 2026 12:00:00 GMT");
  EXPECT_EQ(response.fields.at("expires"), "Tue, 24 Nov 2026 13:00:00 GMT");
  const RawResponse unchanged =
      Get(port_, CrlPathOf("0.crl"), "If-None-Match: " + response.fields.at("etag") + "\r\n");
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(Get(port_, CrlPathOf("0-delta.crl")).body, std::string(200'000, '3'));
}

TEST_F(StatusSiteTest, SaysHowLongACrlIsToHead) {
  const RawResponse response =
      Exchange(port_, "HEAD " + CrlPathOf("0.crl") + " HTTP/1.1\r\nHost: a\r\n\r\n", true);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.fields.at("content-length"), "200000");
}

TEST_F(StatusSiteTest, GivesTheNextCrlToWhoHoldsTheOneBefore) {
  const std::string etag = Get(port_, CrlPathOf("0.crl")).fields.at("etag");
  Must(ports_.crls.Publish(deployment_.acme.id, {.authority = issuer_->id(),
                                                 .number = 4,
                                                 .this_update = clock_.Now(),
                                                 .next_update = clock_.Now(),
                                                 .der = "next"}));
  Must(crl_cache_.Refresh(ports_.crls));
  const RawResponse next = Get(port_, CrlPathOf("0.crl"), "If-None-Match: " + etag + "\r\n");
  EXPECT_EQ(next.status, 200);
  EXPECT_EQ(next.body, "next");
}

TEST_F(StatusSiteTest, ServesCertificatesOfAuthorities) {
  for (const auto& authority : {issuer_, root_}) {
    const RawResponse response = Get(port_, CaPathOf(*authority));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, authority->certificate());
    EXPECT_EQ(response.fields.at("content-type"), "application/pkix-cert");
    EXPECT_EQ(
        Get(port_, CaPathOf(*authority), "If-None-Match: " + response.fields.at("etag") + "\r\n")
            .status,
        304);
  }
}

TEST_F(StatusSiteTest, KnowsNothingElse) {
  for (const std::string& target :
       {std::string("/"), CrlPathOf("1.crl"), std::string("/crl/999/0.crl"),
        std::string("/ca/999.cer"), std::string("/metrics"), std::string("/ocsp/x")}) {
    const RawResponse response = Get(port_, target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(response.fields.at("content-type"), "text/plain; charset=utf-8");
  }
  for (const std::string& target : {CrlPathOf("0.crl"), CaPathOf(*issuer_)}) {
    const RawResponse response = Post(port_, target, "", "");
    EXPECT_EQ(response.status, 405) << target;
    EXPECT_EQ(response.fields.at("allow"), "GET, HEAD");
  }
}

TEST_F(StatusSiteTest, ServesBelowThePathOfItsUrl) {
  const auto urls = Must(ca::StatusUrls::At("http://status.test:8080/pki"));
  StatusSite site(urls, responder_, crl_cache_, *deployment_.catalogs, clock_);
  const auto listener = Must(HttpListener::Start("127.0.0.1:0", {}, site, clock_));
  EXPECT_EQ(Get(listener->port(), "/pki" + CaPathOf(*issuer_)).status, 200);
  EXPECT_EQ(Get(listener->port(), CaPathOf(*issuer_)).status, 404);
}

}  // namespace
}  // namespace server
