#include "ca/server/upkeep/doctor.h"

#include <algorithm>

namespace server {
namespace {

using ca::Evidence;
using ca::Finding;
using ca::HierarchyId;
using ca::Result;

std::vector<Finding> DiagnoseAll(const Evidence& evidence,
                                 const std::vector<HierarchyId>& hierarchies, ca::TimePoint now) {
  std::vector<Finding> findings;
  for (const HierarchyId id : hierarchies) {
    const auto hierarchy = evidence.catalog->Find(id);
    if (!hierarchy) continue;
    for (Finding& finding : ca::Diagnose(evidence, *hierarchy, now)) {
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

int CountKeys(const Evidence& evidence, const std::vector<HierarchyId>& hierarchies) {
  std::ptrdiff_t count = 0;
  for (const HierarchyId id : hierarchies) {
    const auto hierarchy = evidence.catalog->Find(id);
    if (!hierarchy) continue;
    const auto& records = hierarchy->records().authorities;
    count += std::count_if(records.begin(), records.end(), [&](const ca::AuthorityRecord& record) {
      return evidence.key_labels.contains(record.key_label);
    });
  }
  return static_cast<int>(count);
}

}  // namespace

// Token and ledger cannot be read at the same instant: a finding that a second look does not
// confirm was a change in progress.
Result<Doctor::Report> Doctor::Examine(const std::vector<HierarchyId>& hierarchies) const {
  Evidence evidence = TRY(Look());
  std::vector<Finding> findings = DiagnoseAll(evidence, hierarchies, clock_.Now());
  if (!findings.empty()) {
    evidence = TRY(Look());
    const auto again = DiagnoseAll(evidence, hierarchies, clock_.Now());
    std::erase_if(findings, [&](const Finding& finding) {
      return std::find(again.begin(), again.end(), finding) == again.end();
    });
  }
  return Report{
      .findings = std::move(findings),
      .key_count = CountKeys(evidence, hierarchies),
      .foreign_keys = ca::ForeignKeys(evidence),
  };
}

Result<Evidence> Doctor::Look() const {
  const std::vector<ca::TokenContent> contents = keys_.Contents();
  ca::CatalogRecords records = TRY(ca::CatalogRecords::Load(stores_));
  auto catalog = TRY(ca::Catalog::OpenWithoutKeys(std::move(records)));
  auto shards = TRY(crls_.LoadShards(clock_.Now()));
  Evidence evidence;
  evidence.catalog = std::move(catalog);
  for (const ca::HierarchySnapshotPtr& hierarchy : evidence.catalog->hierarchies()) {
    evidence.tokens[hierarchy->id()] = keys_.TokenOf(hierarchy->name() + "/");
  }
  TRY(Sort(contents, evidence));
  evidence.shards = std::move(shards);
  for (const auto& entry : crl_cache_.All()) {
    const ca::PublishedCrl& crl = entry->crl;
    if (crl.base_number == 0) evidence.crls[{crl.authority, crl.shard}] = crl.next_update;
  }
  return evidence;
}

// Sorts the keys by whether they are on the right token, and notes the hierarchies whose token is
// unavailable. kUnavailable when that is the common token.
ca::Status Doctor::Sort(const std::vector<ca::TokenContent>& contents, Evidence& evidence) const {
  for (const ca::TokenContent& content : contents) {
    for (const std::string& label : content.labels) {
      const std::string right = keys_.TokenOf(label);
      if (right == content.token) {
        evidence.key_labels.insert(label);
      } else {
        evidence.misplaced_keys.push_back({label, content.token, right});
      }
    }
    if (content.status.ok()) continue;
    for (const ca::HierarchySnapshotPtr& hierarchy : evidence.catalog->all_hierarchies()) {
      const std::string prefix = hierarchy->name() + "/";
      if (keys_.TokenOf(prefix) != content.token) continue;
      if (!keys_.IsApart(prefix)) return content.status;
      evidence.unavailable_tokens[hierarchy->id()] = {content.token, ca::MessageOf(content.status)};
    }
  }
  return ca::Ok();
}

}  // namespace server
