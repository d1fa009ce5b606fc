#pragma once

#include <string_view>

// Identifiers that several signed structures have, each in its DER. The linter spells its own, on
// purpose.
namespace ca {

// AlgorithmIdentifier ecdsa-with-SHA256, parameters absent (RFC 5758 section 3.2).
inline constexpr std::string_view kEcdsaWithSha256Der =
    "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

// OBJECT IDENTIFIER id-data (RFC 5652 section 4).
inline constexpr std::string_view kIdDataDer = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

}  // namespace ca
