#pragma once

#include <p11-kit/pkcs11.h>

#include <memory>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "tests/hsm/soft_hsm.h"

namespace hsm::testing {

// A token as PKCS#11 shows it to anybody who knows the PIN: to look at what hsm/ made, and to plant
// what hsm/ must refuse. Aborts when the token does not do as told.
//
// May be open beside a key store, whose login it then shares.
class RawToken {
 public:
  explicit RawToken(const std::string& label = kTokenLabel);
  ~RawToken();
  RawToken(const RawToken&) = delete;
  RawToken& operator=(const RawToken&) = delete;

  // The private half of a pair, as a CA's should be; each test spoils something.
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
  // A key that was made elsewhere, marked as secret from here on.
  void ImportP256(const PrivateKey& key);
  // A public key object with a point of its own.
  void PlantPublicKey(const ca::Bytes& id);

  size_t CountPrivateKeys(const std::string& label) const;
  size_t CountPublicKeys(const ca::Bytes& id) const;
  // Of the private key with that label.
  bool Flag(const std::string& label, CK_ATTRIBUTE_TYPE type) const;
  ca::Bytes Id(const std::string& label) const;
  // What C_GetAttributeValue answers when asked for the private key itself.
  CK_RV ReadPrivateValue(const std::string& label) const;
  CK_RV SetFlag(const std::string& label, CK_ATTRIBUTE_TYPE type, bool value) const;

  void DestroyPrivateKey(const std::string& label);
  void DestroyPublicKeys(const ca::Bytes& id);

  // What a careless neighbour in the process may do to a key store.
  void CloseAllSessions();

  // Changes the user's PIN.
  void SetPin(const std::string& old_pin, const std::string& new_pin);

  // Makes a token that has no user PIN yet.
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
