#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "ca/base/result.h"

namespace ca::testing {

// Whether `status` is a refusal by `rule`.
inline ::testing::AssertionResult IsRefusal(const Status& status, StatusCode code,
                                            std::string_view rule) {
  if (status.code() == code && RuleOf(status) == rule) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "not refused by '" << rule << "' but: " << status
                                       << ", rule '" << RuleOf(status) << "'";
}

template <typename T>
::testing::AssertionResult IsRefusal(const Result<T>& result, StatusCode code,
                                     std::string_view rule) {
  return IsRefusal(result.status(), code, rule);
}

// Whether `status` has that code and its message these words.
inline ::testing::AssertionResult Says(const Status& status, StatusCode code,
                                       std::string_view words) {
  if (status.code() == code && MessageOf(status).find(words) != std::string::npos) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "no '" << words << "' in: " << status;
}

}  // namespace ca::testing
