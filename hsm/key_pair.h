#pragma once

#include <string>

#include "ca/base/bytes.h"
#include "ca/x509/public_key.h"
#include "hsm/session.h"

namespace hsm {

// A CA's key pair on the token: P-256, generated there, sensitive, never extractable, sign-only. A
// signature has proved that the public key belongs to the private key.
struct KeyPair {
  ca::Bytes id;  // CKA_ID, which both halves have
  ca::PublicKey public_key;
  CK_OBJECT_HANDLE private_key;  // valid until the login ends
};

// The pair whose private key has that label. Errors as ca::KeyStore::Find promises; the message
// names every wrong attribute.
ca::Result<KeyPair> FindKeyPair(Session& session, const std::string& label);

// ECDSA-with-SHA256 over `message`, as a DER Ecdsa-Sig-Value. kUnavailable if the token does not
// sign.
ca::Result<ca::Bytes> Sign(Session& session, CK_OBJECT_HANDLE private_key, ca::BytesView message);

// The message that tests whether a key signs. It cannot be a TBSCertificate, TBSCertList or
// ResponseData, because it does not begin with 0x30, a SEQUENCE.
inline constexpr ca::BytesView kProbe = "agentpki looks whether this key signs. No certificate.";

// kInternal unless `signature` is by that key over kProbe.
ca::Status CheckProbe(const ca::PublicKey& public_key, ca::BytesView signature);

// id-ecPublicKey's namedCurve parameter: 1.2.840.10045.3.1.7, DER (RFC 5480 section 2.1.1.1).
inline constexpr ca::BytesView kP256Parameters = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

}  // namespace hsm
