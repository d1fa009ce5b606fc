#include "ca/base/openssl.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "ca/base/random.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using testing::Says;

TEST(OpenSslTest, DrainsTheErrorQueueIntoOneLine) {
  EXPECT_EQ(DrainOpenSslErrors(), "no detail");
  ERR_raise(ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH);
  ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
  const std::string text = DrainOpenSslErrors();
  EXPECT_LT(text.find("key type mismatch"), text.find("key values mismatch")) << text;
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(OpenSslTest, MakesAnInternalErrorOfTheQueue) {
  ERR_raise(ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH);
  const Status status = OpenSslError("X509_sign");
  EXPECT_TRUE(Says(status, StatusCode::kInternal, "X509_sign: "));
  EXPECT_TRUE(Says(status, StatusCode::kInternal, "key type mismatch"));
}

TEST(OpenSslTest, ReadsTimesOfBothForms) {
  for (const char* text : {"261124120000Z", "20261124120000Z"}) {
    const Asn1TimePtr time(ASN1_TIME_new());
    ASSERT_EQ(ASN1_TIME_set_string(time.get(), text), 1);
    EXPECT_EQ(Rfc3339(testing::Must(TimeOf(time.get()))), "2026-11-24T12:00:00Z");
  }
}

TEST(OpenSslTest, ParsesNothingButACertificate) {
  for (const Bytes& der : {Bytes(), Bytes("junk"), Bytes("\x30\x00", 2), Bytes(5000, '\x30')}) {
    EXPECT_EQ(ParseX509(der).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(ERR_peek_error(), 0u) << "the queue is left clean";
  }
}

TEST(RandomTest, IsOfTheSizeThatIsAskedForAndNeverTheSame) {
  EXPECT_EQ(RandomBytes(0).size(), 0u);
  EXPECT_EQ(RandomBytes(32).size(), 32u);
  EXPECT_NE(RandomBytes(32), RandomBytes(32));
}

}  // namespace
}  // namespace ca
