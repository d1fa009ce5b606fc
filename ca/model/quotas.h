#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "ca/base/clock.h"
#include "ca/base/result.h"

namespace ca {

// One tenant's bounds on shared resources; 0 is no bound.
struct TenantQuota {
  std::int64_t agents = 0;                   // registered agents in all its hierarchies
  std::int64_t certificates_per_minute = 0;  // from each replica
};

// Keeps one tenant from using up what all share. The server's configuration sets the bounds, not
// the tenant. Thread-safe.
class Quotas {
 public:
  // `quotas` is by tenant; a tenant that is not listed has no quota.
  explicit Quotas(std::map<std::string, TenantQuota> quotas) : quotas_(std::move(quotas)) {}
  // No tenant has a quota.
  static const Quotas& None();

  // The most agents that the tenant may have; 0 is no bound.
  std::int64_t AgentsOf(const std::string& tenant) const;

  // Counts one certificate. kResourceExhausted, rule `quota.certificates`, if the tenant has used
  // its quota; the message says when to retry. A tenant may use a whole minute's quota at once.
  Status TakeCertificate(const std::string& tenant, TimePoint now) const;

 private:
  // A leaky bucket: `taken` shrinks evenly, by one quota a minute.
  struct Level {
    double taken = 0;
    TimePoint at;
  };

  const std::map<std::string, TenantQuota> quotas_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Level> levels_;
};

}  // namespace ca
