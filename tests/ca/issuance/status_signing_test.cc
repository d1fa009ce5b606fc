// A key signs only a TBSCertList or a ResponseData as a statement, and never a certificate.

#include "ca/issuance/status_signing.h"

#include "tests/fixtures/csr_builder.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::Must;

class StatusSigningTest : public testing::StoryTest {
 protected:
  Bytes TbsCertificateOctets() {
    const Agent agent = deployment_.Register(deployment_.acme, "bot");
    return deployment_.Prepare(agent, testing::PublicHalf(testing::NewSubjectKey())).record().tbs;
  }
};

TEST_F(StatusSigningTest, ATbsCertificateIsNeitherACertListNorResponseData) {
  const Bytes tbs = TbsCertificateOctets();
  EXPECT_EQ(TbsCertList::Parse(tbs).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ResponseData::Parse(tbs).status().code(), StatusCode::kInvalidArgument);
}

// The same without its version, which is version 1 of RFC 5280. It begins as a TBSCertList does.
TEST_F(StatusSigningTest, AnOldTbsCertificateIsNoneEither) {
  Bytes tbs = TbsCertificateOctets();
  const size_t version = tbs.find(std::string("\xa0\x03\x02\x01\x02", 5));
  ASSERT_LT(version, 8u);
  const Bytes rest = tbs.substr(version + 5);
  // SEQUENCE, long form with two octets of length.
  Bytes old = std::string("\x30\x82", 2);
  old += static_cast<char>(rest.size() >> 8);
  old += static_cast<char>(rest.size() & 0xff);
  old += rest;
  EXPECT_EQ(TbsCertList::Parse(old).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ResponseData::Parse(old).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(StatusSigningTest, NothingIsNeither) {
  for (const Bytes& der : {Bytes(), Bytes("\x30\x00", 2), Bytes("text")}) {
    EXPECT_FALSE(TbsCertList::Parse(der).ok());
    EXPECT_FALSE(ResponseData::Parse(der).ok());
  }
}

}  // namespace
}  // namespace ca
