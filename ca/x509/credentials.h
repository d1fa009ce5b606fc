#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/secret.h"

namespace ca {

// The files of an enrolled agent or operator, in one folder:
//
//   key.pem          its private key, mode 0600; missing if it enrolled with a CSR of its own
//   cert.pem         its certificate, then the intermediates: the chain that it sends in TLS
//   bundle.pem       the roots of its hierarchy: it verifies its peers by them
//   server           host:port of agentpki-server, for the renewal
//   server-ca.pem    the roots that authenticate agentpki-server
struct Credentials {
  Secret key_pem;
  std::string cert_pem;
  std::string bundle_pem;
  std::string server;
  std::string server_ca_pem;

  // Replaces `folder` in one step: a reader sees the five old files or the five new ones, and an
  // interruption leaves the old ones. kFailedPrecondition if the folder has other files, which
  // would be lost; kUnavailable, kPermissionDenied and other codes for errors of the file system.
  Status Write(const std::filesystem::path& folder) const;

  // kNotFound, with the name, if the folder or a file is missing; kFailedPrecondition if a user
  // other than its owner can read key.pem.
  static Result<Credentials> Read(const std::filesystem::path& folder);
};

// One PEM block for each certificate.
std::string PemOf(const std::vector<Bytes>& certificates);

// The contents of a regular file of at most `size_max` octets. kNotFound, kPermissionDenied or
// kInvalidArgument (too large, not a regular file); the message names the file.
Result<std::string> ReadFile(const std::filesystem::path& path, size_t size_max);

}  // namespace ca
