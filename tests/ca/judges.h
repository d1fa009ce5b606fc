#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ca/base/bytes.h"

// Programs that are not ours say whether they would trust a certificate.
namespace ca::testing {

struct Chain {
  Bytes leaf;                        // DER
  std::vector<Bytes> intermediates;  // from the leaf's issuer upwards
  Bytes root;
};

// openssl verify -x509_strict -purpose PURPOSE, now.
::testing::AssertionResult OpenSslAccepts(const Chain& chain,
                                          const std::string& purpose = "sslclient");

// certtool --verify-chain, now: Debian 12's knows no other time.
::testing::AssertionResult CerttoolAccepts(const Chain& chain);

// certtool --verify: the chain as it is sent, to somebody who has that root alone.
::testing::AssertionResult CerttoolTrusts(const Chain& chain);

// openssl x509 -text: what people see of it.
std::string TextOf(const Bytes& certificate);

}  // namespace ca::testing
