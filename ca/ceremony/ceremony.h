#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ca/ceremony/plan.h"
#include "ca/x509/csr.h"

namespace ca {

// The people at the machine.
class Attendants {
 public:
  virtual ~Attendants() = default;
  // kCancelled if they do not want this step.
  virtual Status Confirm(const CeremonyStep& step) = 0;
  // Asks whether the certificate is for the right key, by its fingerprint. kCancelled if it is not.
  virtual Status ConfirmKey(const CeremonyStep& step, BytesView key_fingerprint) = 0;
};

// Opens the token. It is called only if a step needs a key.
using OpenKeys = std::function<Result<std::shared_ptr<KeyStore>>()>;

// The offline root: its key is on the token of a machine without a network, and signs certificates
// and CRLs there. There is no server and no database; the transcript has the state. For one thread;
// the arguments must outlive it.
class Ceremony {
 public:
  struct Ports {
    Transcript& transcript;
    CarriedFiles& files;
    const CrlEncoding& crls;
    OpenKeys open_keys;
    Attendants& attendants;
    const Clock& clock;
  };

  Ceremony(const CeremonyScript& script, Ports ports)
      : script_(script),
        ports_(std::move(ports)),
        record_(script, ports_.transcript, ports_.crls),
        plan_(record_, ports_.files) {}

  // Does all steps that are due, in order, and leaves out steps that wait. Record, then sign, then
  // release: a run may be interrupted at any instant, and the next run signs the same octets.
  //
  // Returns the errors of CeremonyRecord::Check() and of the ports; kCancelled if the attendants do
  // not want a step; kInvalidArgument for a CSR or its key. kFailedPrecondition also if the token
  // has the root's key but the transcript does not, if an output file exists before it is signed,
  // and if the clock is behind the transcript, which is checked before each line.
  Status Run();

 private:
  using Act = std::function<Status(const CeremonyStep& step)>;

  Status CheckClock(TimePoint now) const;
  Status AcceptScript();
  Status MakeKey(const CeremonyStep& step);
  Status SignRoot(const CeremonyStep& step);
  Status SignIssuing(const CeremonyStep& step, const IssuingOrder& order);
  Status SignCrl(const CeremonyStep& step, size_t number);

  Result<RecordedIssuance> RecordIssuing(const CeremonyStep& step, const IssuingOrder& order,
                                         const Authority& root);
  Status CheckNameOfCsr(const IssuingOrder& order, const Csr& csr) const;
  Status CheckRecorded(const IssuingOrder& order, BytesView key_fingerprint) const;
  Status ConfirmKey(const CeremonyStep& step, const IssuingOrder& order,
                    BytesView key_fingerprint) const;
  Status Attend(const CeremonyStep& step, const Act& act);
  Status AppendSigned(const Bytes& signature, const CeremonyProduct& product);
  Status CheckAbsent(const std::string& file) const;
  Result<KeyStore*> Keys();
  Result<std::shared_ptr<const SigningKey>> RootKey();
  Result<TranscriptEntry> EntryOf(std::string_view step, std::string_view event) const;

  const CeremonyScript& script_;
  const Ports ports_;
  const CeremonyRecord record_;
  const CeremonyPlan plan_;
  std::shared_ptr<KeyStore> keys_;
};

// Reads a CSR in PEM or DER. kInvalidArgument; the message names the file.
Result<Csr> ReadCsr(const std::string& file, const std::string& content);

}  // namespace ca
