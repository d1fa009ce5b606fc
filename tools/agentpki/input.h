#pragma once

#include <string>
#include <vector>

#include "ca/base/bytes.h"

// Files that people name on the command line.
namespace cli {

inline constexpr size_t kFileSizeMax = 1024 * 1024;

// Reads a file, or standard input for "-". kInvalidArgument above `size_max` octets.
ca::Result<std::string> ReadInput(const std::string& file, size_t size_max);

// Returns the DER of each PEM block CERTIFICATE, or `text` itself if it holds no PEM. Does not
// parse the DER.
ca::Result<std::vector<ca::Bytes>> CertificatesOf(const std::string& text);

}  // namespace cli
