#include "ca/model/quotas.h"

#include <algorithm>
#include <cmath>

#include "ca/base/rules.h"

namespace ca {
namespace {

constexpr double kSecondsPerMinute = 60;

double SecondsBetween(TimePoint then, TimePoint now) {
  return std::max(0.0, std::chrono::duration<double>(now - then).count());
}

}  // namespace

const Quotas& Quotas::None() {
  static const Quotas none({});
  return none;
}

std::int64_t Quotas::AgentsOf(const std::string& tenant) const {
  const auto found = quotas_.find(tenant);
  return found == quotas_.end() ? 0 : found->second.agents;
}

Status Quotas::TakeCertificate(const std::string& tenant, TimePoint now) const {
  const auto found = quotas_.find(tenant);
  if (found == quotas_.end() || found->second.certificates_per_minute == 0) return Ok();
  const auto quota = static_cast<double>(found->second.certificates_per_minute);
  const double per_second = quota / kSecondsPerMinute;

  const std::lock_guard lock(mutex_);
  Level& level = levels_[tenant];
  level.taken = std::max(0.0, level.taken - SecondsBetween(level.at, now) * per_second);
  level.at = std::max(level.at, now);
  if (level.taken + 1 <= quota) {
    level.taken += 1;
    return Ok();
  }
  const auto wait = std::chrono::seconds(
      static_cast<std::int64_t>(std::ceil((level.taken + 1 - quota) / per_second)));
  return Refusal<kQuotaCertificates>(tenant, found->second.certificates_per_minute,
                                     HumanDuration(wait));
}

}  // namespace ca
