// The names and numbers of RFC 5280, section 5.3.1.

#include "ca/base/revocation_reason.h"

#include <gtest/gtest.h>

namespace ca {
namespace {

TEST(RevocationReasonTest, IsReadBackByNameAndByNumber) {
  for (const int number : {0, 1, 2, 3, 4, 5, 9, 10}) {
    const auto reason = RevocationReasonFrom(number);
    ASSERT_TRUE(reason) << number;
    EXPECT_EQ(static_cast<int>(*reason), number);
    EXPECT_EQ(*RevocationReasonFrom(NameOf(*reason)), *reason);
  }
}

TEST(RevocationReasonTest, MayBeWrittenInAnyCaseAndWithDashes) {
  for (const char* const name : {"keyCompromise", "key-compromise", "KEY_COMPROMISE"}) {
    EXPECT_EQ(*RevocationReasonFrom(name), RevocationReason::kKeyCompromise);
  }
}

TEST(RevocationReasonTest, HasNoneThatCouldBeTakenBack) {
  for (const int number : {6, 7, 8, 11, -1}) EXPECT_FALSE(RevocationReasonFrom(number)) << number;
  const auto hold = RevocationReasonFrom("certificateHold");
  EXPECT_NE(MessageOf(hold.status()).find("un-revoke"), std::string::npos);
}

TEST(RevocationReasonTest, NamesTheReasonsThereAre) {
  const auto unknown = RevocationReasonFrom("lost\n");
  EXPECT_EQ(unknown.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(unknown.status()).find("lost\\x0a"), std::string::npos);
  EXPECT_NE(MessageOf(unknown.status()).find("superseded"), std::string::npos);
}

}  // namespace
}  // namespace ca
