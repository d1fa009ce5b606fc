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

// Encodes complete CRLs. It is a port, because ca may not include the CRL library.
class CrlEncoding {
 public:
  virtual ~CrlEncoding() = default;
  virtual Bytes EncodeTbs(const Authority& root, std::int64_t number, const Validity& validity,
                          const std::vector<Revocation>& revoked) const = 0;
  virtual Bytes Encode(BytesView tbs, BytesView signature) const = 0;
};

// A certificate or a CRL that is signed.
struct CeremonyProduct {
  std::string step;
  std::string file;
  Bytes der;
  // The content of its file: PEM for a certificate; DER for a CRL, because it is published by HTTP
  // (RFC 5280 section 4.2.1.13: "the URI MUST point to a single DER encoded CRL").
  std::string content;

  static CeremonyProduct Certificate(std::string step, std::string file, Bytes der);
  static CeremonyProduct Crl(std::string step, std::string file, Bytes der);
};

// The steps of a script that a transcript says are done. Both must outlive it.
class CeremonyRecord {
 public:
  CeremonyRecord(const CeremonyScript& script, const Transcript& transcript,
                 const CrlEncoding& crls)
      : script_(script), transcript_(transcript), crls_(crls) {}

  const CeremonyScript& script() const { return script_; }
  const Transcript& transcript() const { return transcript_; }

  // kFailedPrecondition if no ceremony leaves such a transcript, or if the script has changed what
  // it says of a step that was begun; the message names the field and its earlier value.
  Status Check() const;

  bool IsRecorded(std::string_view step) const { return transcript_.Find(step, kRecorded); }
  bool IsSigned(std::string_view step) const { return transcript_.Find(step, kSigned); }
  // Whether the step's entry says, once, that this key was confirmed.
  bool IsRecordedFor(const IssuingOrder& order, BytesView key_fingerprint) const;

  // kFailedPrecondition if it is not signed yet.
  Result<CeremonyProduct> RootProduct() const;
  Result<CeremonyProduct> ProductOf(const IssuingOrder& order) const;
  Result<CeremonyProduct> ProductOfCrl(size_t number) const;
  // All products that are signed.
  Result<std::vector<CeremonyProduct>> Products() const;

  // The root that is signed. `key` may be null; the root then signs nothing.
  Result<std::shared_ptr<const Authority>> Root(std::shared_ptr<const SigningKey> key) const;
  AuthorityRecord RootRecord() const;
  AuthorityRecord RecordOf(const IssuingOrder& order) const;
  // The script's hierarchy, with the order's lifetime as its issuing lifetime.
  Hierarchy HierarchyFor(const IssuingOrder& order) const;

  // The TBSCertList of that CRL as of `at`. kFailedPrecondition if a certificate that it revokes is
  // not signed yet, or is revoked before its validity begins or after `at`.
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
