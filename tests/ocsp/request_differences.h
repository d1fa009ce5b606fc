#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ca/base/bytes.h"

namespace ocsp::testing {

// One kind of request that OpenSSL's d2i_OCSP_REQUEST accepts and ocsp::Request::Parse refuses.
struct Difference {
  std::string_view message;  // a part of the refusal's message
  std::string_view reason;
};

// All differences.
std::span<const Difference> Differences();

// The outcomes of ocsp::Request::Parse and OpenSSL for one request.
struct Comparison {
  bool accepted_by_us = false;
  bool accepted_by_openssl = false;
  const Difference* difference = nullptr;  // if only OpenSSL accepts
  // The defect: the outcomes differ in a way that is not on the list, or OpenSSL does not find the
  // refused content; the CertIDs or nonces differ; the plain request asks something else. Empty if
  // there is no defect.
  //
  // There is one kind of request that only we accept, because we ignore the certificates of an
  // optional signature. Without these certificates, OpenSSL must accept it, too.
  std::string disagreement;
};
Comparison Compare(ca::BytesView der);

}  // namespace ocsp::testing
