#pragma once

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/issuance/authority.h"

// Documents that a recorder has signed, for whoever has to prove something later: CMS SignedData
// (RFC 5652) with the document within, which `openssl cms -verify -purpose any` reads.
namespace ca {

// DER ContentInfo, with `document`, the recorder's certificate, and a signature that was verified:
// kInternal when the token's does not. kFailedPrecondition unless `recorder` is one and has its
// key, kUnavailable when the token is away.
Result<Bytes> SignRecord(const Authority& recorder, BytesView document, TimePoint now);

}  // namespace ca
