#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ca/ceremony/script.h"
#include "ca/ceremony/transcript.h"
#include "ca/issuance/authority.h"
#include "ca/issuance/key_store.h"
#include "ca/ports/revocation.h"

namespace ca {

// How a complete CRL is written: ca may not include the library that knows.
class CrlEncoding {
 public:
  virtual ~CrlEncoding() = default;
  virtual Bytes EncodeTbs(const Authority& root, std::int64_t number, const Validity& validity,
                          const std::vector<Revocation>& revoked) const = 0;
  virtual Bytes Encode(BytesView tbs, BytesView signature) const = 0;
};

// A certificate or a CRL that was made.
struct CeremonyProduct {
  std::string step;
  std::string file;
  Bytes der;
  // Of the file: a certificate's PEM, and a CRL's DER, as whoever fetches it by HTTP wants it
  // (RFC 5280 section 4.2.1.13: "the URI MUST point to a single DER encoded CRL").
  std::string content;

  static CeremonyProduct Certificate(std::string step, std::string file, Bytes der);
  static CeremonyProduct Crl(std::string step, std::string file, Bytes der);
};

// What a transcript says was done by a script. Both have to outlive it.
class CeremonyRecord {
 public:
  CeremonyRecord(const CeremonyScript& script, const Transcript& transcript,
                 const CrlEncoding& crls)
      : script_(script), transcript_(transcript), crls_(crls) {}

  const CeremonyScript& script() const { return script_; }
  const Transcript& transcript() const { return transcript_; }

  // kFailedPrecondition when the transcript is none that a ceremony leaves, or the script is not
  // any more what was done by it: naming the field, and what it was.
  Status Check() const;

  bool IsRecorded(std::string_view step) const { return transcript_.Find(step, kRecorded); }
  bool IsSigned(std::string_view step) const { return transcript_.Find(step, kSigned); }
  // Whether that is the key that the entry says was confirmed, and once.
  bool IsRecordedFor(const IssuingOrder& order, BytesView key_fingerprint) const;

  // kFailedPrecondition when it is not signed.
  Result<CeremonyProduct> RootProduct() const;
  Result<CeremonyProduct> ProductOf(const IssuingOrder& order) const;
  Result<CeremonyProduct> ProductOfCrl(size_t number) const;
  // All that are signed.
  Result<std::vector<CeremonyProduct>> Products() const;

  // The root that was signed; without a key, which is nullptr, it can be looked at.
  Result<std::shared_ptr<const Authority>> Root(std::shared_ptr<const SigningKey> key) const;
  AuthorityRecord RootRecord() const;
  AuthorityRecord RecordOf(const IssuingOrder& order) const;
  // With the lifetime of that authority.
  Hierarchy HierarchyFor(const IssuingOrder& order) const;

  // What that CRL says as of `at`. kFailedPrecondition when what it revokes is not signed, or is
  // revoked before it begins or after `at`.
  Result<Bytes> TbsOfCrl(size_t number, TimePoint at) const;

 private:
  Status CheckFacts(const std::string& step, const std::vector<std::string>& facts) const;
  Status CheckNoneIsGone() const;
  Result<std::pair<Bytes, Bytes>> TbsAndSignature(const std::string& step) const;
  Result<CeremonyProduct> CertificateOf(const std::string& step, const std::string& file) const;
  Result<std::vector<Revocation>> RevokedBy(size_t number, TimePoint at) const;

  const CeremonyScript& script_;
  const Transcript& transcript_;
  const CrlEncoding& crls_;
};

}  // namespace ca
