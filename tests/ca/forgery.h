#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ca/base/openssl.h"
#include "ca/hierarchy.h"

namespace ca::testing {

// A certificate as OpenSSL makes it with an issuer's key, for what no authority of ours would sign.
struct Forgery {
  X509* issuer = nullptr;  // itself when null
  EVP_PKEY* issuer_key = nullptr;
  EVP_PKEY* key = nullptr;  // the subject's; a new one when null
  std::string common_name;
  Bytes subject;  // DER Name, instead of the above; "" for none
  Validity validity;
  Bytes serial;  // of the form of ours when empty
  // As in openssl.cnf. Key identifiers come by themselves, unless they are here.
  std::vector<std::pair<std::string, std::string>> extensions;

  Bytes Der() const;
};

// The extensions of an agent's certificate, with these names: "URI:spiffe://...,DNS:...".
std::vector<std::pair<std::string, std::string>> LeafExtensionsWith(std::string alternative_names);

}  // namespace ca::testing
