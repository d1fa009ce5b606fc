#pragma once

#include <p11-kit/pkcs11.h>

#include <memory>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "tests/hsm/soft_hsm.h"

namespace hsm::testing {

// A token through PKCS#11 alone, to inspect keys that hsm/ generated and to create keys that hsm/
// must refuse. Aborts if a call fails.
//
// It may be open beside a key store, and then shares the key store's login.
class RawToken {
 public:
  explicit RawToken(const std::string& label = kTokenLabel);
  ~RawToken();
  RawToken(const RawToken&) = delete;
  RawToken& operator=(const RawToken&) = delete;

  // The private key of a pair with the attributes of a CA key. Each test changes some.
  struct PrivateKey {
    std::string label;
    ca::Bytes id = "an id";
    bool is_sensitive = true;
    bool is_extractable = false;
    bool can_sign = true;
    bool can_decrypt = false;
    bool can_unwrap = false;
    bool can_derive = false;
  };
  void GenerateP256(const PrivateKey& key);
  void GenerateP384(const PrivateKey& key);
  void GenerateEd25519(const PrivateKey& key);
  void GenerateRsa(const PrivateKey& key);
  // A key that was generated elsewhere and is marked as sensitive after the import.
  void ImportP256(const PrivateKey& key);
  // A public key object with another point.
  void PlantPublicKey(const ca::Bytes& id);

  size_t CountPrivateKeys(const std::string& label) const;
  size_t CountPublicKeys(const ca::Bytes& id) const;
  // The attribute of the private key with that label.
  bool Flag(const std::string& label, CK_ATTRIBUTE_TYPE type) const;
  ca::Bytes Id(const std::string& label) const;
  // The answer of C_GetAttributeValue to a request for the private key itself.
  CK_RV ReadPrivateValue(const std::string& label) const;
  CK_RV SetFlag(const std::string& label, CK_ATTRIBUTE_TYPE type, bool value) const;

  void DestroyPrivateKey(const std::string& label);
  void DestroyPublicKeys(const ca::Bytes& id);

  // Closes all sessions of the process, as other code in the process might.
  void CloseAllSessions();

  // Changes the user's PIN.
  void SetPin(const std::string& old_pin, const std::string& new_pin);

  // Creates a token without a user PIN.
  static void InitTokenWithoutPin(const std::string& label);

 private:
  struct Cryptoki;

  void Generate(CK_MECHANISM_TYPE type, std::vector<CK_ATTRIBUTE> public_template,
                const PrivateKey& key);
  std::vector<CK_OBJECT_HANDLE> Find(std::vector<CK_ATTRIBUTE> pattern) const;
  CK_OBJECT_HANDLE FindPrivateKey(const std::string& label) const;

  std::unique_ptr<Cryptoki> cryptoki_;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
};

}  // namespace hsm::testing
