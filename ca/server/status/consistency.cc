#include "ca/server/status/consistency.h"

#include <map>

#include "crl/consistency.h"

namespace server {
namespace {

using ca::Result;
using ca::Revocation;
using ca::SerialNumber;
using ca::Status;

// The promise: OCSP says revoked within this time, and need not before.
constexpr std::chrono::seconds kOcspPromise(1);
// A revocation has the time at which it was asked for, by the clock of the replica that took it:
// one that was committed after the ledger was read may be dated so long before.
constexpr std::chrono::seconds kUnderWayMax(10);
// Of live certificates OCSP itself is asked about so many; each costs a look into the ledger.
constexpr std::int64_t kLiveAskedMax = 5'000;

}  // namespace

// One check, under way.
class Consistency::Run {
 public:
  Run(const Consistency& parts, const ca::HierarchySnapshot& hierarchy)
      : parts_(parts),
        hierarchy_(hierarchy),
        now_(parts.clock_.Now()),
        served_(parts.crl_cache_.All()) {}

  // The CRLs were taken before the ledger is read, so the ledger has all that they list; what is
  // revoked meanwhile is younger than what is promised.
  Result<ConsistencyReport> Check(const std::function<bool()>& is_given_up) {
    TRY(ReadRevocations());
    TRY(CheckRevoked());
    TRY(CheckLive(is_given_up));
    CheckCrls();
    return std::move(report_);
  }

 private:
  Status ReadRevocations() {
    ca::RevocationCursor from_the_start;
    auto revocations =
        TRY(parts_.store_.ReadSince(from_the_start, now_ - ca::RevocationIndex::kKeptAfterExpiry));
    for (Revocation& revocation : revocations) {
      if (revocation.hierarchy != hierarchy_.id()) continue;
      const SerialNumber serial = revocation.serial;
      revoked_.emplace(serial, std::move(revocation));
    }
    return ca::Ok();
  }

  Status CheckRevoked() {
    for (const auto& [serial, revocation] : revoked_) {
      if (revocation.not_after >= now_) ++report_.revoked_count;
      if (revocation.revoked_at > now_ - kOcspPromise) continue;
      ++report_.ocsp_asked_count;
      const auto status = TRY(parts_.responder_.StatusOf(revocation.authority, serial));
      const auto* said = std::get_if<Revocation>(&status);
      if (!said) {
        Tell(serial.ToString(), "ocsp", "it is not revoked; the ledger says it is");
      } else if (said->reason != revocation.reason || said->revoked_at != revocation.revoked_at) {
        Tell(serial.ToString(), "ocsp", "it was revoked at another time or for another reason");
      }
    }
    return ca::Ok();
  }

  Status CheckLive(const std::function<bool()>& is_given_up) {
    ca::CertificateQuery query{
        .hierarchy = hierarchy_.id(),
        .subject = std::nullopt,
        .live_only = true,
        .now = now_,
        .page_size = ca::CertificateQuery::kPageSizeMax,
        .page_token = std::nullopt,
    };
    do {
      if (is_given_up()) return ca::Error(ca::StatusCode::kCancelled, "nobody waits any more");
      const auto page = TRY(parts_.ledger_.ListCertificates(query));
      for (const ca::CertificateEntry& entry : page) TRY(CheckLiveOne(entry));
      query.page_token = page.size() == static_cast<size_t>(query.page_size)
                             ? std::optional(page.back().serial)
                             : std::nullopt;
    } while (query.page_token);
    return ca::Ok();
  }

  Status CheckLiveOne(const ca::CertificateEntry& entry) {
    if (!entry.is_signed) return ca::Ok();
    ++report_.live_count;
    if (revoked_.contains(entry.serial)) return ca::Ok();
    if (const auto revocation = parts_.index_.Find(entry.serial)) {
      if (revocation->revoked_at < now_ - kUnderWayMax) {
        Tell(entry.serial.ToString(), "ocsp", "it is revoked; the ledger does not say so");
      }
      return ca::Ok();
    }
    if (live_asked_ >= kLiveAskedMax) return ca::Ok();
    ++live_asked_;
    ++report_.ocsp_asked_count;
    for (const auto& issuer : hierarchy_.authorities()) {
      if (issuer->kind() != ca::AuthorityKind::kIssuing) continue;
      const auto status = TRY(parts_.responder_.StatusOf(issuer->id(), entry.serial));
      if (!std::holds_alternative<ca::UnknownCertificate>(status)) return ca::Ok();
    }
    Tell(entry.serial.ToString(), "ocsp", "it is unknown; the ledger has it, signed");
    return ca::Ok();
  }

  void CheckCrls() {
    std::vector<crl::ServedCrl> served;
    for (const auto& entry : served_) {
      const ca::PublishedCrl& crl = entry->crl;
      const auto authority = hierarchy_.FindAuthority(crl.authority);
      if (!authority) continue;
      // Its last CRL lists only certificates that have ended.
      if (authority->is_key_destroyed()) continue;
      ++report_.crl_count;
      auto read = crl::Read(crl.der, *authority);
      if (!read.ok()) {
        Tell("", "crl",
             fmt::format("{} shard {}: {}", NameOf(hierarchy_.hierarchy(), *authority), crl.shard,
                         ca::MessageOf(read.status())));
        continue;
      }
      report_.crl_entry_count += static_cast<std::int64_t>(read->revoked.size());
      served.push_back({crl.authority, crl.shard, *std::move(read)});
    }
    std::vector<Revocation> ledger;
    for (const auto& [serial, revocation] : revoked_) ledger.push_back(revocation);
    for (std::string& line : crl::Compare(ledger, served, now_)) Tell("", "crl", std::move(line));
  }

  void Tell(std::string serial, std::string where, std::string what) {
    ++report_.discrepancy_count;
    if (report_.discrepancies.size() >= ConsistencyReport::kListedMax) return;
    report_.discrepancies.push_back({std::move(serial), std::move(where), std::move(what)});
  }

  const Consistency& parts_;
  const ca::HierarchySnapshot& hierarchy_;
  const ca::TimePoint now_;
  const std::vector<std::shared_ptr<const crl::CrlCache::Entry>> served_;
  ConsistencyReport report_;
  std::int64_t live_asked_ = 0;
  std::map<SerialNumber, Revocation> revoked_;
};

Result<ConsistencyReport> Consistency::Check(const ca::HierarchySnapshot& hierarchy,
                                             const std::function<bool()>& is_given_up) const {
  return Run(*this, hierarchy).Check(is_given_up);
}

}  // namespace server
