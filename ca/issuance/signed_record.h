#pragma once

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/issuance/authority.h"

// Documents that a record signer has signed, as proof for later: CMS SignedData (RFC 5652) that
// contains the document. `openssl cms -verify -purpose any` reads it.
namespace ca {

// DER ContentInfo with `document`, the record signer's certificate and the signature. The signature
// is verified first: kInternal if it does not verify. kFailedPrecondition if `recorder` is of
// another kind or its key is destroyed; kUnavailable if the key or its token is unavailable.
Result<Bytes> SignRecord(const Authority& recorder, BytesView document, TimePoint now);

}  // namespace ca
