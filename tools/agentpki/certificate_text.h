#pragma once

#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/openssl.h"
#include "tools/client/output.h"

namespace cli {

// One line: O = acme, OU = prod, CN = root authority 1. No control characters.
std::string NameText(const X509_NAME* name);

// What `agentpki cert show` says of certificates, DER: to a person, in words; to a program, as a
// JSON array. kInvalidArgument when one of them is not a certificate.
ca::Status PrintCertificates(const std::vector<ca::Bytes>& certificates, client::Format format,
                             ca::TimePoint now);

}  // namespace cli
