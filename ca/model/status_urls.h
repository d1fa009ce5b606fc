#pragma once

#include <string>

#include "ca/base/result.h"
#include "ca/model/ids.h"

namespace ca {

// The addresses of the status service that certificates carry all their life. Paths have the
// authority's number: http://pki.acme.example/ocsp/7, /crl/7/0.crl, /ca/7.cer. Plain HTTP, as RFC
// 5280 section 8 advises: the answers are signed, and checking a TLS certificate would need them
// first.
class StatusUrls {
 public:
  static constexpr size_t kBaseMax = 200;

  // Without a base, certificates carry no pointers.
  StatusUrls() = default;
  // `base` is scheme and authority, such as http://pki.acme.example:8080, and perhaps a path.
  // kInvalidArgument otherwise.
  static Result<StatusUrls> At(std::string base);

  bool empty() const { return base_.empty(); }
  const std::string& base() const { return base_; }
  std::string Ocsp(AuthorityId authority) const;
  std::string Crl(AuthorityId authority, CrlShard shard) const;
  std::string DeltaCrl(AuthorityId authority, CrlShard shard) const;
  std::string CaIssuers(AuthorityId authority) const;

 private:
  std::string base_;
};

}  // namespace ca
