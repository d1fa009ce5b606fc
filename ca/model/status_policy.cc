#include "ca/model/status_policy.h"

#include "ca/base/clock.h"

namespace ca {
namespace {

Status CheckLifetime(std::string_view field, std::chrono::seconds lifetime) {
  if (lifetime >= StatusSettings::kLifetimeMin && lifetime <= StatusSettings::kLifetimeMax) {
    return Ok();
  }
  return Error(StatusCode::kInvalidArgument, "{}: {} is out of bounds; write 1m to 24h", field,
               DurationText(lifetime));
}

}  // namespace

Status StatusSettings::Validate() const {
  TRY(CheckLifetime("crl_lifetime", crl_lifetime));
  TRY(CheckLifetime("ocsp_lifetime", ocsp_lifetime));
  if (crl_shard_size >= kShardSizeMin && crl_shard_size <= kShardSizeMax) return Ok();
  return Error(StatusCode::kInvalidArgument, "crl_shard_size: {} is out of bounds; write {} to {}",
               crl_shard_size, kShardSizeMin, kShardSizeMax);
}

StatusSettings StatusPolicy::Over(const StatusSettings& configured) const {
  return {
      .crl_lifetime = crl_lifetime.value_or(configured.crl_lifetime),
      .ocsp_lifetime = ocsp_lifetime.value_or(configured.ocsp_lifetime),
      .crl_shard_size = crl_shard_size.value_or(configured.crl_shard_size),
      .delta_crls = delta_crls.value_or(configured.delta_crls),
  };
}

}  // namespace ca
