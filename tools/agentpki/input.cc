#include "tools/agentpki/input.h"

#include <iostream>

#include "ca/x509/credentials.h"

namespace cli {

ca::Result<std::string> ReadInput(const std::string& file, size_t size_max) {
  if (file != "-") return ca::ReadFile(file, size_max);
  std::string text(size_max + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::cin.gcount()));
  if (text.size() > size_max) {
    return ca::Error(ca::StatusCode::kInvalidArgument,
                     "standard input is larger than the limit of {} octets", size_max);
  }
  return text;
}

ca::Result<std::vector<ca::Bytes>> CertificatesOf(const std::string& text) {
  if (text.find("-----BEGIN") != std::string::npos) return ca::FromPem("CERTIFICATE", text);
  return std::vector<ca::Bytes>{text};
}

}  // namespace cli
