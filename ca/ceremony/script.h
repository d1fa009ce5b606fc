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
  int generation = 1;       // in its name, so that no two roots of a hierarchy share one
  std::string certificate;  // file to write
};

// An issuing authority that the root certifies. Its key is on another machine.
struct IssuingOrder {
  int generation = 0;       // in its name; no two in a script have the same
  std::string csr;          // file to read
  std::string certificate;  // file to write
  std::chrono::seconds lifetime = std::chrono::hours(24 * 365);
  StatusPointers status;
  Bytes key_fingerprint;  // the one key that it may be for; "" when people are asked
};

// One more of its certificates that the root takes back.
struct RevocationLine {
  std::string certificate;  // an IssuingOrder's
  RevocationReason reason = RevocationReason::kUnspecified;
  TimePoint at;
};

// A complete CRL of the root: what it revokes, and all that those before it have.
struct CrlOrder {
  std::string file;  // to write
  std::chrono::seconds lifetime = std::chrono::hours(24 * 180);
  std::vector<RevocationLine> revocations;
};

// What a ceremony is to do: the one file that people review, and that they append to as years go
// by. What is done by it stays in it as it was.
struct CeremonyScript {
  static constexpr size_t kNameMax = 64;
  static constexpr size_t kOrdersMax = 256;  // of each kind; and of revocations in a CRL
  static constexpr size_t kWitnessesMax = 32;
  static constexpr size_t kTextMax = 256;  // octets of a path, a URL, a witness's name
  // Octets of a file's own name: with kUnfinished it is one that a file system takes.
  static constexpr size_t kFileNameMax = 200;
  // What is written has this behind its name until it is whole.
  static constexpr std::string_view kUnfinished = ".unfinished";
  // "at least once every twelve months" a CRL of a CA that certifies CAs is issued anew (CA/Browser
  // Forum, Baseline Requirements, section 4.9.7).
  static constexpr std::chrono::seconds kCrlLifetimeMin = std::chrono::hours(24);
  static constexpr std::chrono::seconds kCrlLifetimeMax = std::chrono::hours(24 * 365);

  std::string file;  // its own name and SHA-256
  Bytes digest;
  std::string name;     // acme-prod-root-2026
  Hierarchy hierarchy;  // root_lifetime is the root's
  std::string token_label;
  std::string pin_file;  // how it is called here, so that nothing else is
  RootOrder root;
  std::vector<IssuingOrder> issuing;
  std::vector<CrlOrder> crls;  // their numbers are their places, from 1 on
  std::string transcript;      // file
  std::vector<std::string> witnesses;

  // kInvalidArgument with the field that breaks a rule of the above, and the fix.
  Status Validate() const;

  // "FIELD: VALUE" of all that may not change once a step is begun.
  std::vector<std::string> KeyFacts() const;
  std::vector<std::string> RootFacts() const;
  std::vector<std::string> FactsOf(const IssuingOrder& order) const;
  std::vector<std::string> FactsOfCrl(size_t number) const;
};

// How transcripts call the steps.
inline constexpr std::string_view kFileStep = "file";
inline constexpr std::string_view kKeyStep = "key";
inline constexpr std::string_view kRootStep = "root";
std::string StepOf(const IssuingOrder& order);  // issuing/1
std::string StepOfCrl(size_t number);           // crl/1

// The fact that says whose key it is; without a pin it is known once the CSR is read.
std::string KeyFact(const IssuingOrder& order, BytesView key_fingerprint);

}  // namespace ca
