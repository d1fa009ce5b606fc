#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "ca/base/clock.h"
#include "ca/base/request_id.h"
#include "ca/x509/public_key.h"
#include "ca/x509/subject_key.h"

namespace client {

// The key that a certificate is requested for: a new one of this type, generated here, or the key
// of a CSR (DER) that another program made. That program keeps its private key.
using RequestedKey = std::variant<ca::KeyType, ca::Bytes>;

// A request that is on disk before it is sent: its id, and the key that was generated for it. The
// same request after an interruption has the same id and key, so it gets the same certificate.
class PendingRequest {
 public:
  // Finds the request of an earlier attempt, or makes a new one, in a folder beside `out` named
  // `out`.pending. An earlier attempt is the same request if it had the same `key` and `purpose`:
  // the operation, and the join token's public id or a digest of the certificate that is renewed.
  static ca::Result<PendingRequest> Begin(const std::filesystem::path& out,
                                          const std::string& purpose, const RequestedKey& key,
                                          const ca::Clock& clock);

  const ca::RequestId& id() const { return id_; }
  const ca::Bytes& csr() const { return csr_; }
  // Empty if another program made the CSR.
  ca::Secret KeyPem() const { return key_ ? key_->ToPem() : ca::Secret(); }

  // Removes it from the disk. Call it when the answer is stored, or when a refusal is final.
  void End() const;

 private:
  PendingRequest(std::filesystem::path folder, ca::RequestId id, std::optional<ca::SubjectKey> key,
                 ca::Bytes csr)
      : folder_(std::move(folder)),
        id_(std::move(id)),
        key_(std::move(key)),
        csr_(std::move(csr)) {}

  std::filesystem::path folder_;
  ca::RequestId id_;
  std::optional<ca::SubjectKey> key_;
  ca::Bytes csr_;
};

}  // namespace client
