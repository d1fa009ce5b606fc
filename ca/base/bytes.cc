#include "ca/base/bytes.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>

#include "ca/base/openssl.h"

namespace ca {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64UrlDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string Hex(BytesView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const unsigned char octet : bytes) {
    text.push_back(kHexDigits[octet >> 4]);
    text.push_back(kHexDigits[octet & 0x0f]);
  }
  return text;
}

Result<Bytes> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) return Error(StatusCode::kInvalidArgument, "odd number of hex digits");
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return Error(StatusCode::kInvalidArgument, "not a hex digit at {}", i);
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

std::string Base64Url(BytesView bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  unsigned int bits = 0;
  int bit_count = 0;
  for (const unsigned char octet : bytes) {
    bits = bits << 8 | octet;
    bit_count += 8;
    while (bit_count >= 6) {
      bit_count -= 6;
      text.push_back(kBase64UrlDigits[bits >> bit_count & 0x3f]);
    }
  }
  if (bit_count > 0) text.push_back(kBase64UrlDigits[bits << (6 - bit_count) & 0x3f]);
  return text;
}

Result<Bytes> FromBase64Url(std::string_view text) {
  Bytes bytes;
  unsigned int bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const size_t digit = kBase64UrlDigits.find(c);
    if (digit == std::string_view::npos) {
      return Error(StatusCode::kInvalidArgument, "a character outside base64url");
    }
    bits = bits << 6 | static_cast<unsigned int>(digit);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<char>(bits >> bit_count & 0xff));
  }
  // Each value has one spelling: the bits that are left over are fewer than a digit and all zero.
  if (bit_count >= 6 || (bits & ((1u << bit_count) - 1)) != 0) {
    return Error(StatusCode::kInvalidArgument, "truncated base64url");
  }
  return bytes;
}

Bytes Sha256(BytesView bytes) {
  Bytes digest(32, '\0');
  if (EVP_Digest(bytes.data(), bytes.size(), MutableOctets(digest), nullptr, EVP_sha256(),
                 nullptr) != 1) {
    AbortOnOpenSslFailure("EVP_Digest");
  }
  return digest;
}

std::string Pem(std::string_view label, BytesView der) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const std::string name(label);
  if (!bio ||
      PEM_write_bio(bio.get(), name.c_str(), "", Octets(der), static_cast<long>(der.size())) <= 0) {
    AbortOnOpenSslFailure("PEM_write_bio");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

Result<std::vector<Bytes>> FromPem(std::string_view label, std::string_view text) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) AbortOnOpenSslFailure("BIO_new_mem_buf");
  std::vector<Bytes> blocks;
  for (;;) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    const int read = PEM_read_bio(bio.get(), &name, &header, &data, &size);
    const OpenSslBuffer<char> owned_name(name);
    const OpenSslBuffer<char> owned_header(header);
    const OpenSslBuffer<unsigned char> owned_data(data);
    if (read != 1) {
      const bool at_end = PemReaderIsAtEnd();
      if (!at_end) return Error(StatusCode::kInvalidArgument, "damaged PEM block");
      break;
    }
    if (label == name)
      blocks.emplace_back(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  }
  if (blocks.empty()) return Error(StatusCode::kInvalidArgument, "no PEM block '{}'", label);
  return blocks;
}

}  // namespace ca
