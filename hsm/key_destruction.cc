#include "hsm/key_destruction.h"

#include <algorithm>

namespace hsm {
namespace {

constexpr CK_OBJECT_CLASS kPrivateKey = CKO_PRIVATE_KEY;
constexpr CK_OBJECT_CLASS kPublicKey = CKO_PUBLIC_KEY;

// Another process may destroy the same key at the same time. So a failure counts only if the key is
// still there.
ca::Status DestroyAll(Session& session, const CK_OBJECT_CLASS& type, const std::string& label) {
  const std::vector<CK_ATTRIBUTE> pattern = {Attribute(CKA_CLASS, type),
                                             Attribute(CKA_LABEL, label)};
  const auto matches = TRY(session.Find(pattern));
  for (const CK_OBJECT_HANDLE match : matches) {
    const ca::Status destroyed = session.Destroy(match);
    if (destroyed.ok()) continue;
    const auto left = TRY(session.Find(pattern));
    if (std::find(left.begin(), left.end(), match) != left.end()) return destroyed;
  }
  return ca::Ok();
}

}  // namespace

// The private key first, because it is the secret. Each half is searched on its own, so that a half
// that an interruption has left is destroyed, too.
ca::Status DestroyKeyPair(Session& session, const std::string& label) {
  TRY(DestroyAll(session, kPrivateKey, label));
  TRY(DestroyAll(session, kPublicKey, label));
  return session.CheckLogin();
}

ca::Result<std::vector<std::string>> ListKeyLabels(Session& session) {
  const auto keys = TRY(session.Find({Attribute(CKA_CLASS, kPrivateKey)}, kKeysMax + 1));
  if (keys.size() > kKeysMax) {
    return ca::Error(ca::StatusCode::kResourceExhausted,
                     "it has more than {} private keys; give agentpki a token of its own",
                     kKeysMax);
  }
  TRY(session.CheckLogin());  // an unavailable token shows no keys
  std::vector<std::string> labels;
  for (const CK_OBJECT_HANDLE key : keys) {
    ca::Bytes label = TRY(session.Read(key, CKA_LABEL));
    labels.push_back(std::move(label));
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

}  // namespace hsm
