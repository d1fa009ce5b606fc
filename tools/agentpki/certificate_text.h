#pragma once

#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/openssl.h"
#include "tools/client/output.h"

namespace cli {

// Returns one line without control characters: O = acme, OU = prod, CN = root authority 1.
std::string NameText(const X509_NAME* name);

// Prints the DER `certificates` in words, or as a JSON array. kInvalidArgument if one of them is
// not a certificate.
ca::Status PrintCertificates(const std::vector<ca::Bytes>& certificates, client::Format format,
                             ca::TimePoint now);

}  // namespace cli
