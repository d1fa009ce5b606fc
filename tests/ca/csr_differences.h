#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ca/base/bytes.h"

namespace ca::testing {

// One thing that OpenSSL's d2i_X509_REQ and X509_REQ_verify accept and Csr::Parse refuses.
struct Difference {
  std::string_view rule;     // of the refusal
  std::string_view message;  // a part of its message
  std::string_view reason;
};

// All of them.
std::span<const Difference> Differences();

// Csr::Parse and OpenSSL on one request.
struct CsrComparison {
  bool accepted_by_us = false;
  bool accepted_by_openssl = false;
  // Why they may differ, when OpenSSL alone accepts and that is on the list; otherwise null.
  const Difference* difference = nullptr;
  // What is wrong: that they differ without being on the list, that they see another key, subject,
  // alternative name, extension or attribute, or that the refusal has no rule. Empty when all is
  // well.
  std::string disagreement;
};
CsrComparison CompareCsr(BytesView der);

}  // namespace ca::testing
