#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ca/base/openssl.h"
#include "tests/ca/forgery.h"

namespace ca::testing {

using OpenSslExtensions = std::vector<std::pair<std::string, std::string>>;

// Somebody else's root, and what that company signs: all of it made by OpenSSL.
class CorporateCa {
 public:
  explicit CorporateCa(TimePoint now, const std::string& name = "Corporate Root");

  const Bytes& root() const { return root_; }
  // The root's name and key once more, for so long.
  Bytes RootAnew(std::chrono::seconds lifetime) const;

  // An intermediate CA of its own, which signs from then on. Returns its certificate.
  Bytes AddIntermediate(const std::string& name, OpenSslExtensions extensions = CaExtensions(""));

  // Of the key of `csr` (DER) with these extensions, by the root or the newest intermediate.
  Bytes Sign(const Bytes& csr, OpenSslExtensions extensions) const;
  Bytes Sign(const Bytes& csr, OpenSslExtensions extensions, std::chrono::seconds lifetime) const;
  // Whatever it is: DER Certificate with these octets for its TBSCertificate.
  Bytes SignTbs(BytesView tbs) const;
  // For anybody: whom we would not want to have a name of ours.
  Bytes SignLeaf(const std::string& alternative_names) const;

  // Of a CA; `path_length` such as ",pathlen:0".
  static OpenSslExtensions CaExtensions(const std::string& path_length);
  // What an issuing authority of `hierarchy` has to have, as it would be written in openssl.cnf.
  static OpenSslExtensions IssuingExtensions(const Hierarchy& hierarchy);

  std::string common_name = "Agents of Acme 1";  // of what it signs
  Bytes serial = "\x17";                         // of nobody's form but its own

 private:
  Bytes Forge(Forgery forgery) const;

  const TimePoint now_;
  const std::string name_;
  EVP_PKEY* key() const {
    return intermediate_.empty() ? root_key_.get() : intermediate_key_.get();
  }

  const EvpPkeyPtr root_key_;
  Bytes root_;
  EvpPkeyPtr intermediate_key_;
  Bytes intermediate_;
};

// The signed octets of a DER certificate.
Bytes TbsOf(BytesView certificate);

}  // namespace ca::testing
