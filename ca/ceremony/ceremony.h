#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ca/ceremony/plan.h"
#include "ca/x509/csr.h"

namespace ca {

// The people who are there.
class Attendants {
 public:
  virtual ~Attendants() = default;
  // kCancelled when they do not want it done.
  virtual Status Confirm(const CeremonyStep& step) = 0;
  // Whether the key that a certificate is for is the one they mean, by its fingerprint. kCancelled
  // when it is not.
  virtual Status ConfirmKey(const CeremonyStep& step, BytesView key_fingerprint) = 0;
};

// Opens the token. Not called when nothing is to be signed.
using OpenKeys = std::function<Result<std::shared_ptr<KeyStore>>()>;

// The offline root: a key on the token of a machine without a network, and what it signs. No server
// and no database; what stands is in the transcript. For one thread; what it is given has to
// outlive it.
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

  // Does what is due, step by step; what waits is left out. Record, then sign, then release: each
  // may be interrupted at any instant and run again, and signs the same octets then.
  //
  // The errors of CeremonyRecord::Check() and of the ports; kCancelled when the attendants do not
  // want a step; kInvalidArgument for a CSR or its key; kFailedPrecondition also when the token has
  // the root's key and the transcript does not know of it, when a file that is to be written is
  // there before it is signed, and when the clock is behind the transcript, also in the middle of a
  // run.
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

// The CSR of a file, PEM or DER. kInvalidArgument naming the file.
Result<Csr> ReadCsr(const std::string& file, const std::string& content);

}  // namespace ca
