#include <gtest/gtest.h>

#include <memory>

#include "ca/base/refusal.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using testing::IsRefusal;
using testing::Says;

constexpr Rule kNoEntry{"a.rule", StatusCode::kPermissionDenied, "no {}"};
constexpr Rule kOdd{"odd", StatusCode::kInvalidArgument, "{} is odd"};

Status Refused() { return Refusal<kNoEntry>("entry"); }

// ---- errors and rules ---------------------------------------------------------------------------

TEST(ResultTest, AnErrorHasItsMessageAndNoRule) {
  const Status status = Error(StatusCode::kNotFound, "no {} of {}", "agent", 7);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(MessageOf(status), "no agent of 7");
  EXPECT_EQ(RuleOf(status), "");
  EXPECT_EQ(RuleOf(Ok()), "");
}

TEST(ResultTest, ARefusalNamesItsRule) {
  EXPECT_TRUE(IsRefusal(Refused(), StatusCode::kPermissionDenied, "a.rule"));
  EXPECT_EQ(MessageOf(Refused()), "no entry");
}

TEST(ResultTest, ARefusalIsByOneRule) {
  EXPECT_TRUE(Is(Refused(), kNoEntry));
  EXPECT_FALSE(Is(Refused(), kOdd));
  EXPECT_FALSE(Is(Error(StatusCode::kPermissionDenied, "no entry"), kNoEntry));
  EXPECT_FALSE(Is(Ok(), kNoEntry));
}

TEST(ResultTest, ARefusalWithAnotherCodeIsTheSameRefusal) {
  const Status status = WithCode(StatusCode::kFailedPrecondition, Refused());
  EXPECT_TRUE(IsRefusal(status, StatusCode::kFailedPrecondition, "a.rule"));
  EXPECT_EQ(MessageOf(status), "no entry");
}

TEST(ResultTest, AFamilyOfRulesSharesItsMessage) {
  static constexpr RuleFamily kDoors{"door.", StatusCode::kPermissionDenied, "door {} is shut"};
  const Status status = Refusal<kDoors>(kDoors.NameOf("front"), 1);
  EXPECT_TRUE(IsRefusal(status, StatusCode::kPermissionDenied, "door.front"));
  EXPECT_EQ(MessageOf(status), "door 1 is shut");
  EXPECT_TRUE(kDoors.Has(RuleOf(status)));
  EXPECT_FALSE(kDoors.Has("doors"));
}

TEST(ResultTest, AnnotatingKeepsCodeAndRule) {
  const Status status = Annotate(Refused(), "csr: ");
  EXPECT_TRUE(IsRefusal(status, StatusCode::kPermissionDenied, "a.rule"));
  EXPECT_EQ(MessageOf(status), "csr: no entry");
  EXPECT_EQ(RuleOf(Annotate(Error(StatusCode::kAborted, "x"), "y")), "");
  EXPECT_TRUE(Annotate(Ok(), "csr: ").ok());
}

// ---- text from outside --------------------------------------------------------------------------

TEST(PrintableTest, LeavesPlainTextAlone) {
  EXPECT_EQ(Printable("spiffe://a.example/b ~!"), "spiffe://a.example/b ~!");
}

TEST(PrintableTest, WritesControlCharactersAndOctetsBeyondAsciiInHex) {
  EXPECT_EQ(Printable(std::string_view("a\0\n\x1b[2J\x7f\xc3\xbc", 10)),
            R"(a\x00\x0a\x1b[2J\x7f\xc3\xbc)");
}

TEST(PrintableTest, IsWhatHasNoOtherOctets) {
  EXPECT_TRUE(IsPrintable(""));
  EXPECT_TRUE(IsPrintable(std::string(1000, '~')));
  for (const char octet : {'\0', '\n', '\x1b', '\x7f', '\xc3'}) {
    EXPECT_FALSE(IsPrintable(std::string("a") + octet)) << static_cast<int>(octet);
  }
}

TEST(PrintableTest, EndsAfter128Octets) {
  EXPECT_EQ(Printable(std::string(128, 'x')), std::string(128, 'x'));
  EXPECT_EQ(Printable(std::string(129, 'x')), std::string(128, 'x') + "...");
}

// ---- TRY ----------------------------------------------------------------------------------------

Result<int> Half(int number) {
  if (number % 2 != 0) return Refusal<kOdd>(number);
  return number / 2;
}

Result<int> Quarter(int number) {
  const int half = TRY(Half(number));
  return Half(half);
}

TEST(TryTest, IsTheValueOfAResult) {
  const auto quarter = Quarter(12);
  ASSERT_TRUE(quarter.ok());
  EXPECT_EQ(*quarter, 3);
}

TEST(TryTest, ReturnsTheErrorWithItsRule) {
  EXPECT_TRUE(IsRefusal(Quarter(3).status(), StatusCode::kInvalidArgument, "odd"));
  EXPECT_TRUE(IsRefusal(Quarter(6).status(), StatusCode::kInvalidArgument, "odd"));
}

TEST(TryTest, GoesOnAfterAnOkStatusAndStopsAtAnError) {
  int steps = 0;
  const auto run = [&](const Status& second) -> Status {
    TRY(Ok());
    ++steps;
    TRY(Status(second));
    ++steps;
    return Ok();
  };
  EXPECT_TRUE(run(Ok()).ok());
  EXPECT_EQ(steps, 2);
  EXPECT_TRUE(Says(run(Error(StatusCode::kAborted, "second")), StatusCode::kAborted, "second"));
  EXPECT_EQ(steps, 3);
}

TEST(TryTest, MovesWhatCannotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const auto use = [&]() -> Result<int> {
    const std::unique_ptr<int> made = TRY(make());
    return *made;
  };
  EXPECT_EQ(*use(), 7);
}

TEST(TryTest, EvaluatesItsExpressionOnce) {
  int evaluations = 0;
  const auto count = [&]() -> Result<int> { return ++evaluations; };
  const auto use = [&]() -> Result<int> {
    const int value = TRY(count());
    return value;
  };
  EXPECT_EQ(*use(), 1);
  EXPECT_EQ(evaluations, 1);
}

}  // namespace
}  // namespace ca
