#include "tests/fakes/memory_crl_store.h"

#include <algorithm>
#include <tuple>

namespace ca::testing {

Status MemoryCrlStore::CheckThere() const {
  if (!is_away_) return Ok();
  return Error(StatusCode::kUnavailable, "the database is away; retry");
}

void MemoryCrlStore::TellNews() {
  ++ledger_.news_;
  ledger_.news_came_.notify_all();
}

CrlShard MemoryCrlStore::NewestOf(AuthorityId authority) const {
  CrlShard newest = 0;
  for (const auto& [shard, opened_at] : opened_) {
    if (shard.first == authority) newest = std::max(newest, shard.second);
  }
  return newest;
}

std::map<MemoryCrlStore::Shard, CrlShardRecord> MemoryCrlStore::CountShards(TimePoint now) {
  std::map<Shard, CrlShardRecord> shards;
  const auto count = [&](const IssuanceRecord& issued) {
    CrlShardRecord& record = shards[{issued.authority, issued.shard}];
    record.last_not_after = std::max(record.last_not_after, issued.validity.not_after);
    if (issued.validity.not_after >= now) ++record.certificate_count;
  };
  for (const auto& [serial, issuance] : ledger_.issuances_) count(issuance.record);
  for (const auto& issuance : tables_.Issuances()) {
    if (issuance.of.kind != AuthorityKind::kRoot && issuance.of.kind != AuthorityKind::kResponder) {
      count(issuance.record);
    }
  }
  return shards;
}

Result<std::vector<CrlShardRecord>> MemoryCrlStore::LoadShards(TimePoint now) {
  TRY(CheckThere());
  const std::vector<AuthorityRecord> authorities = tables_.Authorities();
  const std::lock_guard lock(ledger_.mutex_);
  std::map<Shard, CrlShardRecord> counted = CountShards(now);
  std::vector<CrlShardRecord> shards;
  for (const AuthorityRecord& authority : authorities) {
    const bool is_ca =
        authority.kind == AuthorityKind::kRoot || authority.kind == AuthorityKind::kIssuing;
    if (!is_ca || authority.IsExternalRoot()) continue;
    const CrlShard newest = NewestOf(authority.id);
    for (CrlShard shard = 0; shard <= newest; ++shard) {
      CrlShardRecord record = counted[{authority.id, shard}];
      if (shard != newest && record.last_not_after < now - CrlShardRecord::kKeptAfterExpiry) {
        continue;
      }
      record.authority = authority.id;
      record.shard = shard;
      if (shard > 0) record.opened_at = opened_.at({authority.id, shard});
      shards.push_back(record);
    }
  }
  return shards;
}

Status MemoryCrlStore::OpenShard(AuthorityId authority, CrlShard newest, TimePoint now) {
  TRY(CheckThere());
  const std::lock_guard lock(ledger_.mutex_);
  if (NewestOf(authority) != newest) {
    return Error(StatusCode::kAborted, "somebody else has opened the next shard");
  }
  opened_[{authority, newest + 1}] = now;
  TellNews();
  return Ok();
}

std::int64_t MemoryCrlStore::LastNumberLocked(Shard shard) const {
  std::int64_t last = 0;
  for (const PublishedCrl& crl : crls_) {
    if (Shard(crl.authority, crl.shard) == shard) last = std::max(last, crl.number);
  }
  return last;
}

Result<std::int64_t> MemoryCrlStore::LastNumber(AuthorityId authority, CrlShard shard) {
  TRY(CheckThere());
  const std::lock_guard lock(ledger_.mutex_);
  return LastNumberLocked({authority, shard});
}

Status MemoryCrlStore::Publish(HierarchyId hierarchy, const PublishedCrl& crl) {
  TRY(CheckThere());
  const std::vector<AuthorityRecord> authorities = tables_.Authorities();
  const auto is_its = [&](const AuthorityRecord& authority) {
    return authority.id == crl.authority && authority.hierarchy == hierarchy;
  };
  if (std::none_of(authorities.begin(), authorities.end(), is_its)) {
    return Error(StatusCode::kInternal, "a CRL of another hierarchy's authority");
  }
  const std::lock_guard lock(ledger_.mutex_);
  if (LastNumberLocked({crl.authority, crl.shard}) >= crl.number) {
    return Error(StatusCode::kAlreadyExists, "somebody else has published CRL {}", crl.number);
  }
  crls_.push_back(crl);
  TellNews();
  return Ok();
}

Result<std::vector<PublishedCrl>> MemoryCrlStore::LoadNewerThan(
    const std::vector<PublishedCrl>& known) {
  TRY(CheckThere());
  using Series = std::tuple<AuthorityId, CrlShard, bool>;
  const auto series_of = [](const PublishedCrl& crl) {
    return Series(crl.authority, crl.shard, crl.base_number != 0);
  };
  const std::lock_guard lock(ledger_.mutex_);
  std::map<Series, const PublishedCrl*> newest;  // in order of publication, which is by number
  for (const PublishedCrl& crl : crls_) newest[series_of(crl)] = &crl;
  for (const PublishedCrl& crl : known) {
    const auto found = newest.find(series_of(crl));
    if (found != newest.end() && found->second->number <= crl.number) newest.erase(found);
  }
  std::vector<PublishedCrl> newer;
  for (const auto& [series, crl] : newest) newer.push_back(*crl);
  return newer;
}

}  // namespace ca::testing
