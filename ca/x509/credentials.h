#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/secret.h"

namespace ca {

// What an enrolled agent or operator holds, in a folder of its own:
//
//   key.pem          its private key, mode 0600; absent when it brought a CSR
//   cert.pem         its certificate, then the intermediates: what a TLS server or client sends
//   bundle.pem       the roots of its hierarchy: what it trusts in its peers
//   server           host:port of agentpki-server, for the renewal
//   server-ca.pem    the roots that authenticate agentpki-server
struct Credentials {
  Secret key_pem;
  std::string cert_pem;
  std::string bundle_pem;
  std::string server;
  std::string server_ca_pem;

  // Takes the place of `folder` in one step: a reader sees the old five files or the new ones, and
  // an interruption leaves the old. A folder with other files in it is refused, so that nothing is
  // lost: kFailedPrecondition. kUnavailable, kPermissionDenied and the like as the file system
  // says.
  Status Write(const std::filesystem::path& folder) const;

  // kNotFound when there is no such folder or file, naming it; kFailedPrecondition when key.pem can
  // be read by others than its owner.
  static Result<Credentials> Read(const std::filesystem::path& folder);
};

// One PEM block a certificate.
std::string PemOf(const std::vector<Bytes>& certificates);

// The whole of a regular file of at most `size_max` octets. kNotFound, kPermissionDenied,
// kInvalidArgument (too large, not a file), each naming it.
Result<std::string> ReadFile(const std::filesystem::path& path, size_t size_max);

}  // namespace ca
