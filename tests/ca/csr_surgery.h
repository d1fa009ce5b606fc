#pragma once

#include <functional>

#include "tests/ca/csr_builder.h"
#include "tests/ca/der_tree.h"

// Requests that no tool would make: good ones, opened, changed and closed again.
namespace ca::testing {

// The parts of a CertificationRequest, and of its CertificationRequestInfo.
inline constexpr size_t kInfo = 0, kAlgorithm = 1, kSignature = 2;
inline constexpr size_t kVersion = 0, kSubject = 1, kSpki = 2, kAttributes = 3;

// A request that holds `info`, whatever octets those are, where its CertificationRequestInfo
// belongs, and the signature of `key` over them. `digest` is null for Ed25519.
Bytes SignInfo(BytesView info, EVP_PKEY* key, const EVP_MD* digest);

// What `builder` builds, its info changed and then signed again.
Bytes ChangeInfo(const CsrBuilder& builder, const std::function<void(DerNode& info)>& change);

// What `builder` builds, changed without a new signature.
Bytes ChangeRequest(const CsrBuilder& builder, const std::function<void(DerNode& request)>& change);

// Within an info: type and value of the subject's first attribute; the Extensions asked for by the
// first PKCS #9 attribute; the GeneralNames in the first of those.
DerNode& FirstOfSubject(DerNode& info);
DerNode& Extensions(DerNode& info);
DerNode& AlternativeNames(DerNode& info);

}  // namespace ca::testing
