#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "ca/base/clock.h"
#include "ca/base/result.h"

namespace ca {

// What one tenant may take of what all share; 0: as much as it likes.
struct TenantQuota {
  std::int64_t agents = 0;                   // registered, in all its hierarchies
  std::int64_t certificates_per_minute = 0;  // by this replica
};

// Keeps one tenant from taking what the others need. The operator of the server says how much, not
// the tenant. Thread-safe.
class Quotas {
 public:
  // By tenant; whom it does not name has no quota.
  explicit Quotas(std::map<std::string, TenantQuota> quotas) : quotas_(std::move(quotas)) {}
  // Of nobody.
  static const Quotas& None();

  // How many agents the tenant may have; 0 for as many as it likes.
  std::int64_t AgentsOf(const std::string& tenant) const;

  // kResourceExhausted, rule `quota.certificates`, when the tenant has had as many in the last
  // minute as it may, saying when there will be another. A minute's worth may be had at once.
  Status TakeCertificate(const std::string& tenant, TimePoint now) const;

 private:
  // What was taken and has not come back: it comes back evenly, a quota a minute (a leaky bucket).
  struct Level {
    double taken = 0;
    TimePoint at;
  };

  const std::map<std::string, TenantQuota> quotas_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Level> levels_;
};

}  // namespace ca
