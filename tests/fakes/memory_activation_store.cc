#include "tests/fakes/memory_activation_store.h"

#include <algorithm>

namespace ca::testing {

Result<std::vector<Activation>> MemoryActivationStore::LoadActivations() {
  const std::lock_guard lock(tables_.mutex);
  std::vector<Activation> activations;
  for (const Hierarchy& hierarchy : tables_.hierarchies) {
    for (const Activation& activation : tables_.ActivationsOf(hierarchy.id)) {
      activations.push_back(activation);
    }
  }
  return activations;
}

Result<RecordedDecision> MemoryActivationStore::Activate(const Activation& activation,
                                                         const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  const int last = static_cast<int>(tables_.ActivationsOf(activation.hierarchy).size());
  if (activation.sequence != last + 1 || !tables_.HasCertificate(activation.authority) ||
      tables_.Find(activation.authority).key_destruction ||
      tables_.Find(activation.authority).taint || tables_.IsDestroyed(activation.hierarchy)) {
    return Error(StatusCode::kAborted, "activated by somebody else");
  }
  tables_.activations.push_back(activation);
  events_.AddIn(activation.hierarchy, event);
  return OnRecord(Ok());
}

Result<std::vector<TrustBundleRecord>> MemoryActivationStore::LoadTrustBundles() {
  const std::lock_guard lock(tables_.mutex);
  std::vector<TrustBundleRecord> bundles = tables_.bundles;
  std::stable_sort(bundles.begin(), bundles.end(),
                   [](const TrustBundleRecord& a, const TrustBundleRecord& b) {
                     return a.hierarchy < b.hierarchy;
                   });
  return bundles;
}

Status MemoryActivationStore::PublishTrustBundle(const TrustBundleRecord& bundle,
                                                 const AuditEvent& event) {
  const std::lock_guard lock(tables_.mutex);
  const auto last = std::count_if(
      tables_.bundles.begin(), tables_.bundles.end(),
      [&](const TrustBundleRecord& other) { return other.hierarchy == bundle.hierarchy; });
  if (bundle.version != last + 1) return Error(StatusCode::kAborted, "published by somebody else");
  tables_.bundles.push_back(bundle);
  events_.AddIn(bundle.hierarchy, event);
  return Ok();
}

}  // namespace ca::testing
