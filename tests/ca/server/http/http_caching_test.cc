#include "ca/server/http/http_caching.h"

#include <gtest/gtest.h>

namespace server {
namespace {

using std::chrono::seconds;

ca::TimePoint At(std::int64_t second) { return ca::TimePoint(seconds(second)); }

TEST(HttpCachingTest, WritesDatesAsRfc9110Does) {
  EXPECT_EQ(HttpDate(At(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(At(784111777) + std::chrono::microseconds(999'999)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(At(1'709'164'799)), "Wed, 28 Feb 2024 23:59:59 GMT");
  EXPECT_EQ(HttpDate(At(1'709'164'800)), "Thu, 29 Feb 2024 00:00:00 GMT");
}

TEST(HttpCachingTest, ReadsEveryDateThatItWrites) {
  for (std::int64_t second = 0; second < 4'000'000'000; second += 9'999'937) {
    EXPECT_EQ(ParseHttpDate(HttpDate(At(second))), At(second));
  }
}

TEST(HttpCachingTest, RefusesOtherTexts) {
  for (const std::string_view text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sat, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:3x GMT"}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

TEST(HttpCachingTest, ComparesTheTagAndWithoutOneTheDate) {
  const std::string date = HttpDate(At(1000));
  const std::string before = HttpDate(At(999));
  const auto is_not_modified = [](std::string_view tags, std::string_view since,
                                  HttpMethod method = HttpMethod::kGet) {
    return IsNotModified({.method = method, .if_none_match = tags, .if_modified_since = since},
                         "\"a\"", At(1000) + std::chrono::microseconds(5));
  };
  EXPECT_TRUE(is_not_modified("\"a\"", ""));
  EXPECT_TRUE(is_not_modified("\"b\" , W/\"a\"", ""));
  EXPECT_TRUE(is_not_modified("*", ""));
  EXPECT_FALSE(is_not_modified("\"b\"", ""));
  EXPECT_FALSE(is_not_modified("a", ""));
  EXPECT_FALSE(is_not_modified("\"b\"", date));
  EXPECT_TRUE(is_not_modified("\"a\"", before));
  EXPECT_TRUE(is_not_modified("", date));
  EXPECT_FALSE(is_not_modified("", before));
  EXPECT_FALSE(is_not_modified("", "yesterday"));
  EXPECT_FALSE(is_not_modified("", ""));
  EXPECT_FALSE(is_not_modified("\"a\"", date, HttpMethod::kPost));
}

}  // namespace
}  // namespace server
