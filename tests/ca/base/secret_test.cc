#include "ca/base/secret.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace ca {
namespace {

// It cannot be printed or copied.
static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string> &&
              !std::is_convertible_v<std::string, Secret>);

TEST(SecretTest, IsRevealedToTheOneCallThatNeedsIt) {
  EXPECT_EQ(Secret("swordfish").Reveal(), "swordfish");
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretTest, EqualsItsOwnTextAndNoOther) {
  const Secret secret("swordfish");
  EXPECT_TRUE(secret.Equals("swordfish"));
  for (const char* other : {"", "swordfis", "swordfish!", "Swordfish", "swordfisi"}) {
    EXPECT_FALSE(secret.Equals(other)) << other;
  }
  EXPECT_TRUE(Secret().Equals(""));
}

TEST(SecretTest, LeavesNothingBehindWhereItWasMovedFrom) {
  for (const std::string& text : {std::string("short"), std::string(100, 'x')}) {
    Secret first(text);
    Secret second(std::move(first));
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the test is about this
    EXPECT_EQ(second.Reveal(), text);
    Secret third("what was there before");
    third = std::move(second);
    EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(third.Reveal(), text);
  }
}

TEST(SecretTest, SurvivesBeingMovedToItself) {
  Secret secret("swordfish");
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.Reveal(), "swordfish");
}

// A short string keeps its characters in the object itself, where the test can read them.
TEST(SecretTest, IsWipedWhenItGoes) {
  alignas(Secret) unsigned char memory[sizeof(Secret)];
  auto* const secret = new (memory) Secret("swordfish");
  secret->~Secret();
  const volatile unsigned char* octets = memory;
  std::string left;
  for (size_t i = 0; i < sizeof memory; ++i) left.push_back(static_cast<char>(octets[i]));
  EXPECT_EQ(left.find("wordfish"), std::string::npos);
}

}  // namespace
}  // namespace ca
