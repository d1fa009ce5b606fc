#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "ca/base/result.h"

namespace ca {

// How relying parties learn whether certificates are still valid.
struct StatusSettings {
  static constexpr std::chrono::seconds kLifetimeMin = std::chrono::minutes(1);
  static constexpr std::chrono::seconds kLifetimeMax = std::chrono::hours(24);
  static constexpr std::int64_t kShardSizeMin = 10;
  static constexpr std::int64_t kShardSizeMax = 10'000'000;

  std::chrono::seconds crl_lifetime = std::chrono::hours(1);   // nextUpdate - thisUpdate
  std::chrono::seconds ocsp_lifetime = std::chrono::hours(1);  // nextUpdate - thisUpdate
  std::int64_t crl_shard_size = 1'000'000;  // certificates in one CRL, before the next is begun
  bool delta_crls = false;

  // kInvalidArgument names the field that is out of the bounds above.
  Status Validate() const;

  friend bool operator==(const StatusSettings&, const StatusSettings&) = default;
};

// One hierarchy's own settings. The server's configuration applies where it has none.
struct StatusPolicy {
  std::optional<std::chrono::seconds> crl_lifetime;
  std::optional<std::chrono::seconds> ocsp_lifetime;
  std::optional<std::int64_t> crl_shard_size;
  std::optional<bool> delta_crls;

  // The settings that apply to the hierarchy.
  StatusSettings Over(const StatusSettings& configured) const;

  friend bool operator==(const StatusPolicy&, const StatusPolicy&) = default;
};

}  // namespace ca
