#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ca/base/bytes.h"

namespace ocsp::testing {

// One thing that OpenSSL's d2i_OCSP_REQUEST accepts and ocsp::Request::Parse refuses.
struct Difference {
  std::string_view message;  // of the refusal, a part
  std::string_view reason;
};

// All of them.
std::span<const Difference> Differences();

// ocsp::Request::Parse and OpenSSL on one request.
struct Comparison {
  bool accepted_by_us = false;
  bool accepted_by_openssl = false;
  const Difference* difference = nullptr;  // when OpenSSL alone accepts
  // What is wrong: that they differ without being on the list, or although OpenSSL does not see
  // what the refusal speaks of; that they see other CertIDs or another nonce; that the plain
  // request asks something else. Empty when all is well.
  //
  // One thing only we accept, because we do not look at it: what the certificates of an optional
  // signature are. Without them, OpenSSL must accept it too.
  std::string disagreement;
};
Comparison Compare(ca::BytesView der);

}  // namespace ocsp::testing
