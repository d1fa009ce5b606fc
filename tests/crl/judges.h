#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ca/base/bytes.h"

// Other programs verify a CRL, at the machine's time.
namespace crl::testing {

// openssl crl -verify with the issuer's certificate.
::testing::AssertionResult OpenSslVerifies(const ca::Bytes& crl, const ca::Bytes& issuer);

// certtool --verify-crl with the issuer's certificate.
::testing::AssertionResult CerttoolVerifies(const ca::Bytes& crl, const ca::Bytes& issuer);

struct Chain {
  ca::Bytes leaf;
  ca::Bytes intermediate;
  ca::Bytes root;
};

// openssl verify with these CRLs and options, such as -crl_check. Its output is in the message.
::testing::AssertionResult OpenSslAccepts(const Chain& chain, const std::vector<ca::Bytes>& crls,
                                          const std::string& options = "-crl_check");

}  // namespace crl::testing
