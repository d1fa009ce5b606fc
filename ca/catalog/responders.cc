#include "ca/catalog/responders.h"

namespace ca {
namespace {

// nullptr when it is not valid, or its key cannot be had.
std::shared_ptr<const Authority> OpenResponder(const AuthorityRecord& record, KeyStore& keys,
                                               TimePoint now) {
  if (record.kind != AuthorityKind::kResponder || record.certificate.empty()) return nullptr;
  if (record.key_destruction) return nullptr;
  auto key = keys.Find(record.key_label);
  if (!key.ok()) return nullptr;
  auto responder = Authority::Open(record, *std::move(key));
  if (!responder.ok() || (*responder)->validity().not_after <= now) return nullptr;
  return *std::move(responder);
}

}  // namespace

std::map<AuthorityId, std::shared_ptr<const Authority>> RespondersAt(const Catalog& catalog,
                                                                     KeyStore& keys,
                                                                     TimePoint now) {
  std::map<AuthorityId, std::shared_ptr<const Authority>> responders;
  for (const HierarchySnapshotPtr& hierarchy : catalog.all_hierarchies()) {
    for (const AuthorityRecord& record : hierarchy->records().authorities) {  // oldest first
      if (auto responder = OpenResponder(record, keys, now)) {
        responders[record.issuer] = std::move(responder);
      }
    }
  }
  return responders;
}

}  // namespace ca
