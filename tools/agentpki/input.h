#pragma once

#include <string>
#include <vector>

#include "ca/base/bytes.h"

// What people give as files.
namespace cli {

inline constexpr size_t kFileSizeMax = 1024 * 1024;

// A file, or standard input for "-".
ca::Result<std::string> ReadInput(const std::string& file, size_t size_max);

// DER, of a text that is PEM or DER. Whether it is a certificate is not looked at.
ca::Result<std::vector<ca::Bytes>> CertificatesOf(const std::string& text);

}  // namespace cli
