#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ca/base/clock.h"
#include "ca/issuance/issuance.h"

// The ledger of a ceremony: no server and no database, but a file that people read.
namespace ca {

struct LintTerms;

// One line of it: what happened, and who was there.
struct TranscriptEntry {
  TimePoint at;                        // whole seconds are kept
  std::string step;                    // file, key, root, issuing/1, crl/1
  std::string event;                   // one of the below
  std::vector<std::string> witnesses;  // names of people
  std::vector<std::string> facts;      // "FIELD: VALUE": what the file says of this step
  std::vector<std::string> inputs;     // "SHA-256  FILE", as sha256sum prints: what was read,
  std::vector<std::string> outputs;    // and what is written
  // What was made of a key: its SubjectPublicKeyInfo; recorded: what is to be signed, a
  // TBSCertificate or a TBSCertList; signed: the DER Ecdsa-Sig-Value over that.
  Bytes der;

  friend bool operator==(const TranscriptEntry&, const TranscriptEntry&) = default;
};

// What happens in a step, in this order: a file is accepted; a key is begun, then made; a
// certificate or a CRL is recorded, then signed.
inline constexpr std::string_view kAccepted = "accepted";
inline constexpr std::string_view kBegun = "begun";
inline constexpr std::string_view kMade = "made";
inline constexpr std::string_view kRecorded = "recorded";
inline constexpr std::string_view kSigned = "signed";

// Append-only. For one thread of one process: whoever has it to append to has it alone.
class Transcript {
 public:
  virtual ~Transcript() = default;

  // All there are, oldest first.
  virtual const std::vector<TranscriptEntry>& entries() const = 0;

  // When it returns, the entry is durable and among entries(). kUnavailable when it may not be: do
  // nothing that relies on it, and open the transcript anew.
  virtual Status Append(const TranscriptEntry& entry) = 0;

  // The first of that step and event, or nullptr. Good until the next Append().
  const TranscriptEntry* Find(std::string_view step, std::string_view event) const;

  // kFailedPrecondition naming the entry, by its number from 1 on, that no ceremony leaves there:
  // of an unknown event, out of order, or for the second time.
  Status CheckOrder() const;

  // Record: what a key is about to sign for entry.step; fills in the entry's event and octets.
  // kAlreadyExists when that is recorded: no second serial number ever stands for a step.
  Result<RecordedIssuance> Record(TranscriptEntry entry, PreparedCertificate prepared);

  // What an earlier attempt recorded for that step, linted anew; nullopt for nothing.
  Result<std::optional<RecordedIssuance>> FindRecorded(std::string_view step,
                                                       const LintTerms& terms) const;
};

// What the octets of a TBSCertificate say of an authority's issuance. kInvalidArgument when they
// are of none.
Result<IssuanceRecord> IssuanceOf(BytesView tbs, const Hierarchy& hierarchy);

}  // namespace ca
