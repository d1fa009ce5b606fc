#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ca/base/clock.h"
#include "ca/issuance/issuance.h"

// The ledger of a ceremony, a file that people read.
namespace ca {

struct LintTerms;

// One line of the transcript: an event, with its witnesses.
struct TranscriptEntry {
  TimePoint at;                        // in whole seconds
  std::string step;                    // file, key, root, issuing/1, crl/1
  std::string event;                   // kAccepted and so on, below
  std::vector<std::string> witnesses;  // names of people
  std::vector<std::string> facts;      // "FIELD: VALUE": what the script says about this step
  std::vector<std::string> inputs;     // files read, as "SHA-256  FILE", as sha256sum prints it
  std::vector<std::string> outputs;    // files to write, likewise
  // made: the key's SubjectPublicKeyInfo; recorded: the TBSCertificate or TBSCertList to be signed;
  // signed: the DER Ecdsa-Sig-Value over it.
  Bytes der;

  friend bool operator==(const TranscriptEntry&, const TranscriptEntry&) = default;
};

// The events of a step, in this order: a script is accepted; a key is begun, then made; a
// certificate or a CRL is recorded, then signed.
inline constexpr std::string_view kAccepted = "accepted";
inline constexpr std::string_view kBegun = "begun";
inline constexpr std::string_view kMade = "made";
inline constexpr std::string_view kRecorded = "recorded";
inline constexpr std::string_view kSigned = "signed";

// Append-only. For one thread of one process, which has the file open alone.
class Transcript {
 public:
  virtual ~Transcript() = default;

  // All entries, oldest first.
  virtual const std::vector<TranscriptEntry>& entries() const = 0;

  // When it returns Ok, the entry is durable and among entries(). After kUnavailable it may not be
  // durable: do not rely on it, and open the transcript again.
  virtual Status Append(const TranscriptEntry& entry) = 0;

  // The first entry of that step and event, or null. Valid until the next Append().
  const TranscriptEntry* Find(std::string_view step, std::string_view event) const;

  // kFailedPrecondition if an entry has an unknown event, is out of order, or repeats another. The
  // message has its number, from 1 on.
  Status CheckOrder() const;

  // Records the certificate that a key will sign for entry.step, and fills in the entry's event and
  // octets. kAlreadyExists if the step is recorded already: a step never has two serial numbers.
  Result<RecordedIssuance> Record(TranscriptEntry entry, PreparedCertificate prepared);

  // The issuance that an earlier run recorded for that step, linted again; nullopt if there is
  // none.
  Result<std::optional<RecordedIssuance>> FindRecorded(std::string_view step,
                                                       const LintTerms& terms) const;
};

// The issuance of an authority's certificate, read from its TBSCertificate. kInvalidArgument if
// `tbs` is no TBSCertificate.
Result<IssuanceRecord> IssuanceOf(BytesView tbs, const Hierarchy& hierarchy);

}  // namespace ca
