#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/base/revocation_reason.h"
#include "ca/issuance/tbs_certificate.h"
#include "ca/model/hierarchy.h"

namespace ca {

// The root's certificate of an offline hierarchy, and its key.
struct RootOrder {
  std::string key_label;    // on the token
  int generation = 1;       // is in its name, so that no two roots of a hierarchy share a name
  std::string certificate;  // file to write
};

// An issuing authority that the root certifies. Its key is on another machine.
struct IssuingOrder {
  int generation = 0;       // is in its name; no two in a script have the same
  std::string csr;          // file to read
  std::string certificate;  // file to write
  std::chrono::seconds lifetime = std::chrono::hours(24 * 365);
  StatusPointers status;
  Bytes key_fingerprint;  // the one key that it may be for; "" if the attendants are asked
};

// A certificate that the root revokes.
struct RevocationLine {
  std::string certificate;  // an IssuingOrder's
  RevocationReason reason = RevocationReason::kUnspecified;
  TimePoint at;
};

// A complete CRL of the root. It lists these revocations and those of all CRLs before it.
struct CrlOrder {
  std::string file;  // to write
  std::chrono::seconds lifetime = std::chrono::hours(24 * 180);
  std::vector<RevocationLine> revocations;
};

// The script of a ceremony: the one file that people review, and append to over the years. The
// parts that are done must not change.
struct CeremonyScript {
  static constexpr size_t kNameMax = 64;
  static constexpr size_t kOrdersMax = 256;  // of each kind; and of revocations in a CRL
  static constexpr size_t kWitnessesMax = 32;
  static constexpr size_t kTextMax = 256;  // octets of a path, a URL, a witness's name
  // Octets of the last part of a path. With kUnfinished behind it, it is short enough for a file
  // system.
  static constexpr size_t kFileNameMax = 200;
  // A file that is being written has this behind its name until it is complete.
  static constexpr std::string_view kUnfinished = ".unfinished";
  // A CA that certifies CAs issues a new CRL "at least once every twelve months" (CA/Browser Forum,
  // Baseline Requirements, section 4.9.7).
  static constexpr std::chrono::seconds kCrlLifetimeMin = std::chrono::hours(24);
  static constexpr std::chrono::seconds kCrlLifetimeMax = std::chrono::hours(24 * 365);

  std::string file;  // its own name and SHA-256
  Bytes digest;
  std::string name;     // acme-prod-root-2026
  Hierarchy hierarchy;  // root_lifetime is the root's
  std::string token_label;
  std::string pin_file;  // its path, so that no other field names it
  RootOrder root;
  std::vector<IssuingOrder> issuing;
  std::vector<CrlOrder> crls;  // the first is CRL number 1
  std::string transcript;      // file
  std::vector<std::string> witnesses;

  // kInvalidArgument; the message names the field and the fix.
  Status Validate() const;

  // "FIELD: VALUE" of all fields that may not change once the step is begun.
  std::vector<std::string> KeyFacts() const;
  std::vector<std::string> RootFacts() const;
  std::vector<std::string> FactsOf(const IssuingOrder& order) const;
  std::vector<std::string> FactsOfCrl(size_t number) const;
};

// The names of steps in transcripts.
inline constexpr std::string_view kFileStep = "file";
inline constexpr std::string_view kKeyStep = "key";
inline constexpr std::string_view kRootStep = "root";
std::string StepOf(const IssuingOrder& order);  // issuing/1
std::string StepOfCrl(size_t number);           // crl/1

// The fact that names the key of an issuing authority. If the script does not name it, the ceremony
// knows it once it has read the CSR.
std::string KeyFact(const IssuingOrder& order, BytesView key_fingerprint);

}  // namespace ca
