#pragma once

#include <utility>

#include "ca/issuance/issuance.h"
#include "ca/ports/ledger.h"

namespace hsm::testing {

// A signature by a CA key. A key signs only an issuance that a ledger has recorded.
inline ca::Result<ca::Bytes> SignAsRecorded(const ca::SigningKey& key, ca::BytesView tbs) {
  struct CarelessLedger : ca::Ledger {
    using ca::Ledger::ReadyToSign;
  };
  const ca::SpiffeId subject = TRY(ca::SpiffeId::Parse("spiffe://test.example/hsm"));
  ca::IssuanceRecord record{.serial = ca::SerialNumber::New(ca::TimePoint()),
                            .subject = subject,
                            .profile = {},
                            .key_fingerprint = {},
                            .validity = {},
                            .tbs = ca::Bytes(tbs)};
  const ca::Certificate certificate =
      TRY(ca::SignRecorded(key, CarelessLedger::ReadyToSign(std::move(record))));
  return certificate.signature;
}

}  // namespace hsm::testing
