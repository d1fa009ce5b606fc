#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ca/base/bytes.h"

// Programs that are not ours say what they make of a CRL, now.
namespace crl::testing {

// openssl crl -verify, with the certificate of its issuer.
::testing::AssertionResult OpenSslVerifies(const ca::Bytes& crl, const ca::Bytes& issuer);

// certtool --verify-crl, with the same.
::testing::AssertionResult CerttoolVerifies(const ca::Bytes& crl, const ca::Bytes& issuer);

struct Chain {
  ca::Bytes leaf;
  ca::Bytes intermediate;
  ca::Bytes root;
};

// openssl verify with these CRLs and options, such as -crl_check. What it says is in the message.
::testing::AssertionResult OpenSslAccepts(const Chain& chain, const std::vector<ca::Bytes>& crls,
                                          const std::string& options = "-crl_check");

}  // namespace crl::testing
