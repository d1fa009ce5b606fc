#include "ocsp/request.h"

#include "tests/fixtures/der_tree.h"
#include "tests/ocsp/responder_fixture.h"

namespace ocsp::testing {
namespace {

using ca::StatusCode;
using ca::testing::DerNode;
using ca::testing::Says;

constexpr std::string_view kAcceptableResponses = "1.3.6.1.5.5.7.48.1.4";
constexpr std::string_view kServiceLocator = "1.3.6.1.5.5.7.48.1.7";
constexpr std::string_view kNull("\x05\x00", 2);

class RequestTest : public ResponderFixture {
 protected:
  static ca::testing::DerNode Tree(const Question& question) {
    return ca::testing::ParseDer(question.Der());
  }
  static ca::Status Refused(const ca::Bytes& der) { return Request::Parse(der).status(); }

  const ca::SerialNumber serial_ = ca::SerialNumber::New(clock_.Now());
};

TEST_F(RequestTest, ReadsWhatOpenSslWrites) {
  const auto request = Request::Parse(
      About(serial_).About(*root_, *issuer_->serial(), EVP_sha256()).Nonce("12345678").Der());

  ASSERT_TRUE(request.ok()) << request.status();
  ASSERT_EQ(request->cert_ids.size(), 2u);
  EXPECT_EQ(request->cert_ids[0].serial, serial_);
  EXPECT_EQ(request->cert_ids[0].hash, HashAlgorithm::kSha1);
  EXPECT_EQ(request->cert_ids[0].issuer_key_hash, issuer_->key_identifier());
  EXPECT_EQ(request->cert_ids[1].serial, issuer_->serial());
  EXPECT_EQ(request->cert_ids[1].hash, HashAlgorithm::kSha256);
  EXPECT_EQ(request->cert_ids[1].issuer_name_hash, ca::Sha256(root_->name()));
  EXPECT_EQ(request->nonce, "12345678");
}

TEST_F(RequestTest, HasOnePlainFormForEveryClient) {
  const ca::Bytes plain = About(serial_).Der();
  Question adorned = About(serial_);
  adorned.SingleExtension(kServiceLocator, false, kNull)
      .Extension(kAcceptableResponses, false, kNull)
      .Nonce("n")
      .RequestorName("somebody")
      .Signed(issuer_->x509());

  const auto request = Request::Parse(adorned.Der());

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->plain_der, plain);
  EXPECT_EQ(Request::Parse(plain)->plain_der, plain);
}

TEST_F(RequestTest, TakesNoncesOf1To128Octets) {
  for (const size_t size : {1u, 16u, 32u, 128u}) {
    const ca::Bytes nonce(size, 'n');
    const auto request = Request::Parse(About(serial_).Nonce(nonce).Der());
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_EQ(request->nonce, nonce);
  }
}

TEST_F(RequestTest, RefusesOtherNonces) {
  const auto refused = [&](Question question) { return Refused(question.Der()); };
  constexpr std::string_view kNonce = "1.3.6.1.5.5.7.48.1.2";
  EXPECT_TRUE(Says(refused(std::move(About(serial_).Nonce(""))), StatusCode::kInvalidArgument,
                   "1 to 128 octets"));
  EXPECT_TRUE(Says(refused(std::move(About(serial_).Nonce(ca::Bytes(129, 'n')))),
                   StatusCode::kInvalidArgument, "1 to 128 octets"));
  // The form before RFC 6960: the octets without an OCTET STRING.
  EXPECT_TRUE(Says(refused(std::move(About(serial_).Extension(kNonce, false, "12345678"))),
                   StatusCode::kInvalidArgument, "not a DER Nonce"));
  EXPECT_TRUE(Says(refused(std::move(About(serial_)
                                         .Extension(kNonce, false, std::string_view("\4\1a", 3))
                                         .Extension(kNonce, false, std::string_view("\4\1b", 3)))),
                   StatusCode::kInvalidArgument, "two nonces"));
}

TEST_F(RequestTest, TakesACriticalNonce) {
  const auto request = Request::Parse(
      About(serial_).Extension("1.3.6.1.5.5.7.48.1.2", true, std::string_view("\4\1a", 3)).Der());
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->nonce, "a");
}

TEST_F(RequestTest, RefusesUnknownCriticalExtensions) {
  EXPECT_TRUE(Says(Refused(About(serial_).Extension("1.2.3.4", true, kNull).Der()),
                   StatusCode::kInvalidArgument, "critical"));
  EXPECT_TRUE(Says(Refused(About(serial_).SingleExtension("1.2.3.4", true, kNull).Der()),
                   StatusCode::kInvalidArgument, "critical"));
}

TEST_F(RequestTest, RefusesOctetsBehindTheRequest) {
  EXPECT_TRUE(Says(Refused(About(serial_).Der() + "x"), StatusCode::kInvalidArgument, "not a DER"));
}

TEST_F(RequestTest, RefusesWhatIsCutOff) {
  const ca::Bytes der = About(serial_).Nonce("12345678").Der();
  for (size_t size = 0; size < der.size(); ++size) {
    ASSERT_FALSE(Request::Parse(der.substr(0, size)).ok()) << size;
  }
}

TEST_F(RequestTest, RefusesBer) {
  for (const auto length : {DerNode::Length::kLong, DerNode::Length::kIndefinite}) {
    DerNode tree = Tree(About(serial_));
    tree[0][0].length = length;  // of the requestList
    const ca::Bytes outside = ca::testing::Encode(tree);
    ASSERT_NE(ParseQuestion(outside), nullptr);
    EXPECT_TRUE(Says(Refused(outside), StatusCode::kInvalidArgument, "not a DER"));
  }
  DerNode tree = Tree(About(serial_));
  tree[0][0][0][0][0].length = DerNode::Length::kLong;  // of the CertID's algorithm
  const ca::Bytes inside = ca::testing::Encode(tree);
  ASSERT_NE(ParseQuestion(inside), nullptr);
  EXPECT_TRUE(Says(Refused(inside), StatusCode::kInvalidArgument, "not a CertID"));
}

TEST_F(RequestTest, RefusesOtherVersions) {
  DerNode tree = Tree(About(serial_));
  const auto versioned = [&](char version) {
    DerNode with = tree;
    with[0].children.insert(with[0].children.begin(),
                            ca::testing::ParseDer(ca::Bytes("\xa0\x03\x02\x01", 4) + version));
    return ca::testing::Encode(with);
  };
  EXPECT_TRUE(Request::Parse(versioned(0)).ok());
  EXPECT_TRUE(Says(Refused(versioned(1)), StatusCode::kInvalidArgument, "version 1"));
}

TEST_F(RequestTest, IsBounded) {
  Question question;
  EXPECT_TRUE(Says(Refused(question.Der()), StatusCode::kInvalidArgument, "no certificate"));
  for (size_t i = 0; i < Request::kCertIdsMax; ++i) question.About(*issuer_, serial_);
  EXPECT_TRUE(Request::Parse(question.Der()).ok());
  question.About(*issuer_, serial_);
  EXPECT_TRUE(Says(Refused(question.Der()), StatusCode::kInvalidArgument, "more than 32"));
  const ca::Bytes large =
      About(serial_).Extension("1.2.3.4", false, ca::Bytes(Request::kSizeMax, 'x')).Der();
  EXPECT_TRUE(Says(Refused(large), StatusCode::kInvalidArgument, "16 KiB"));
}

TEST_F(RequestTest, HasNoSerialWhereItIsNotOfOurForm) {
  const ca::Bytes foreign(20, '\x02');
  for (const ca::Bytes& octets : {ca::Bytes(1, '\1'), foreign, serial_.bytes() + "\1"}) {
    const auto request = Request::Parse(Question().AboutOctets(*issuer_, octets).Der());
    ASSERT_TRUE(request.ok()) << request.status();
    EXPECT_FALSE(request->cert_ids.front().serial) << ca::Hex(octets);
  }
}

}  // namespace
}  // namespace ocsp::testing
