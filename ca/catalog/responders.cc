#include "ca/catalog/responders.h"

namespace ca {

Result<std::map<AuthorityId, std::shared_ptr<const Authority>>> LoadResponders(
    AuthorityStore& store, KeyStore& keys, TimePoint now) {
  std::map<AuthorityId, std::shared_ptr<const Authority>> responders;
  const std::vector<AuthorityRecord> records = TRY(store.LoadAuthorities());  // oldest first
  for (const AuthorityRecord& record : records) {
    if (record.kind != AuthorityKind::kResponder || record.certificate.empty()) continue;
    if (record.key_destruction) continue;
    auto key = keys.Find(record.key_label);
    if (!key.ok()) continue;
    auto responder = Authority::Open(record, *std::move(key));
    if (!responder.ok() || (*responder)->validity().not_after <= now) continue;
    responders[record.issuer] = *std::move(responder);
  }
  return responders;
}

}  // namespace ca
