#include "crl/consistency.h"

#include <map>
#include <set>

namespace crl {
namespace {

using Shard = std::pair<ca::AuthorityId, ca::CrlShard>;

std::string NameOf(const Shard& shard) {
  return fmt::format("CRL {} of authority {}", shard.second,
                     static_cast<std::int64_t>(shard.first));
}

// The complete CRL of a shard and its delta.
struct Series {
  const ReadCrl* complete = nullptr;
  const ReadCrl* delta = nullptr;

  // RFC 5280 section 5.2.4: the delta's base is this complete CRL or an earlier one, and the delta
  // is newer than this complete CRL.
  bool HasUsableDelta() const {
    return complete && delta && complete->number >= delta->base_number &&
           complete->number < delta->number;
  }
};

class Comparison {
 public:
  Comparison(const std::vector<ca::Revocation>& ledger, const std::vector<ServedCrl>& served,
             ca::TimePoint now)
      : now_(now), today_(std::chrono::floor<std::chrono::days>(now)) {
    for (const ca::Revocation& revocation : ledger) ledger_.emplace(revocation.serial, &revocation);
    for (const ServedCrl& one : served) {
      Series& series = served_[{one.authority, one.shard}];
      (one.crl.base_number == 0 ? series.complete : series.delta) = &one.crl;
    }
  }

  std::vector<std::string> Discrepancies() {
    for (const auto& [shard, series] : served_) CheckSeries(shard, series);
    for (const auto& [serial, revocation] : ledger_) CheckIsListed(*revocation);
    return std::move(discrepancies_);
  }

 private:
  template <typename... Args>
  void Report(const Shard& shard, fmt::format_string<Args...> format, Args&&... args) {
    discrepancies_.push_back(NameOf(shard) + " " +
                             fmt::format(format, std::forward<Args>(args)...));
  }

  void CheckSeries(const Shard& shard, const Series& series) {
    if (!series.complete) {
      Report(shard, "is a delta to a CRL that is not served");
      return;
    }
    if (series.complete->next_update < now_) {
      Report(shard, "is past its nextUpdate, {}", ca::Rfc3339(series.complete->next_update));
    }
    CheckEntries(shard, *series.complete);
    if (!series.HasUsableDelta()) return;
    if (series.delta->next_update < now_ && !series.delta->revoked.empty()) {
      Report(shard, "has a delta past its nextUpdate, {}", ca::Rfc3339(series.delta->next_update));
    }
    CheckEntries(shard, *series.delta);
  }

  void CheckEntries(const Shard& shard, const ReadCrl& crl) {
    for (const auto& [serial, reason] : crl.revoked) {
      listed_.emplace(shard, serial);
      const auto found = ledger_.find(serial);
      if (found == ledger_.end()) {
        if (serial.ExpiryDay() < today_) continue;
        Report(shard, "lists {}, which the ledger does not", serial.ToString());
        continue;
      }
      const ca::Revocation& revocation = *found->second;
      const Shard its(revocation.authority, revocation.shard);
      if (its != shard) {
        Report(shard, "lists {}, which belongs to {}", serial.ToString(), NameOf(its));
      } else if (revocation.reason != reason) {
        Report(shard, "lists {} for {}; the ledger has {}", serial.ToString(), ca::NameOf(reason),
               ca::NameOf(revocation.reason));
      }
    }
  }

  void CheckIsListed(const ca::Revocation& revocation) {
    const Shard shard(revocation.authority, revocation.shard);
    const bool is_due = now_ > revocation.revoked_at + kListedWithin;
    if (!is_due || revocation.not_after < now_) return;
    if (listed_.contains({shard, revocation.serial})) return;
    const auto found = served_.find(shard);
    if (found == served_.end() || !found->second.complete) {
      Report(shard, "is not served, and {} is revoked", revocation.serial.ToString());
      return;
    }
    const Series& series = found->second;
    const ReadCrl& newest = series.HasUsableDelta() ? *series.delta : *series.complete;
    Report(shard, "number {} of {} does not list {}, revoked at {}", newest.number,
           ca::Rfc3339(newest.this_update), revocation.serial.ToString(),
           ca::Rfc3339(revocation.revoked_at));
  }

  const ca::TimePoint now_;
  const std::chrono::sys_days today_;
  std::map<ca::SerialNumber, const ca::Revocation*> ledger_;
  std::map<Shard, Series> served_;
  std::set<std::pair<Shard, ca::SerialNumber>> listed_;
  std::vector<std::string> discrepancies_;
};

}  // namespace

std::vector<std::string> Compare(const std::vector<ca::Revocation>& ledger,
                                 const std::vector<ServedCrl>& served, ca::TimePoint now) {
  return Comparison(ledger, served, now).Discrepancies();
}

}  // namespace crl
