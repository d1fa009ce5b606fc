#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ca/base/result.h"

// Octet strings, and their three written forms: hex, base64url and PEM.
namespace ca {

// std::string, because protobuf and libpqxx use it: a certificate crosses the edge without a copy.
using Bytes = std::string;
using BytesView = std::string_view;

// Lower-case hex, two digits an octet: the one written form of serials and digests.
std::string Hex(BytesView bytes);
// kInvalidArgument when `text` has an odd length or a character outside [0-9a-fA-F].
Result<Bytes> FromHex(std::string_view text);

// RFC 4648 section 5, without padding.
std::string Base64Url(BytesView bytes);
// kInvalidArgument for padding and for characters outside of the alphabet.
Result<Bytes> FromBase64Url(std::string_view text);

// SHA-256, 32 octets.
Bytes Sha256(BytesView bytes);

// PEM (RFC 7468) with the given label, 64 columns, one trailing newline.
std::string Pem(std::string_view label, BytesView der);

// Each PEM block of `text` that carries `label`, as DER, in order. kInvalidArgument when a block is
// damaged or none has that label. Text around the blocks is allowed (RFC 7468 section 2).
Result<std::vector<Bytes>> FromPem(std::string_view label, std::string_view text);

}  // namespace ca
