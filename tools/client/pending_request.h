#pragma once

#include <filesystem>
#include <optional>

#include "ca/base/clock.h"
#include "ca/base/request_id.h"
#include "ca/x509/subject_key.h"
#include "tools/client/enrolling.h"

namespace client {

// A request that is on disk before it is sent: its id, and the key that was made for it. Asking the
// same again, after an interruption, finds the same id and key, and so gets the same certificate.
class PendingRequest {
 public:
  // Finds the one of an earlier attempt, or makes one. `purpose` is what it must agree on with the
  // earlier attempt: the join token's public id, or the serial that is renewed.
  static ca::Result<PendingRequest> Begin(const EnrollingOptions& options,
                                          const std::string& purpose, const ca::Clock& clock);

  const ca::RequestId& id() const { return id_; }
  const ca::Bytes& csr() const { return csr_; }
  // Empty when somebody else made the CSR.
  ca::Secret KeyPem() const { return key_ ? key_->ToPem() : ca::Secret(); }

  // Forgets it, once its answer is safe or a refusal is final.
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
