#include "ca/ceremony/audit.h"

#include <algorithm>

#include "ca/issuance/lint.h"
#include "ca/x509/public_key.h"

namespace ca {
namespace {

class Audit {
 public:
  Audit(const CeremonyRecord& record, const CarriedFiles& files)
      : record_(record), script_(record.script()), files_(files) {}

  std::vector<std::string> Differences() {
    Note("", record_.Check());
    if (!differences_.empty()) return differences_;  // the steps cannot be read
    Note("key", CheckKey());
    if (!key_) return differences_;
    Note("root", CheckRoot());
    for (const IssuingOrder& order : script_.issuing) Note(StepOf(order), CheckIssuing(order));
    for (size_t i = 1; i <= script_.crls.size(); ++i) Note(StepOfCrl(i), CheckCrl(i));
    return differences_;
  }

 private:
  void Note(std::string_view step, const Status& status) {
    if (status.ok()) return;
    differences_.push_back(
        fmt::format("{}{}{}", step, step.empty() ? "" : ": ", MessageOf(status)));
  }

  static Status Differs(std::string_view what) {
    return Error(StatusCode::kFailedPrecondition, "{}", what);
  }

  const TranscriptEntry* Find(std::string_view step, std::string_view event) const {
    return record_.transcript().Find(step, event);
  }

  Status CheckKey() {
    const TranscriptEntry* const made = Find(kKeyStep, kMade);
    if (!made) {
      const auto& entries = record_.transcript().entries();
      const bool is_used =
          std::any_of(entries.begin(), entries.end(),
                      [](const TranscriptEntry& entry) { return entry.event == kRecorded; });
      return is_used ? Differs("the transcript does not say which it is") : Ok();
    }
    key_ = TRY(PublicKey::FromSpki(made->der));
    return Ok();
  }

  Status CheckRoot() {
    if (!record_.IsRecorded(kRootStep)) return Ok();
    const LintTerms terms{script_.hierarchy,
                          AuthorityTerms{AuthorityKind::kRoot, script_.root.generation},
                          nullptr,
                          {}};
    TRY(CheckCertificate(std::string(kRootStep), terms, key_->fingerprint()));
    if (!record_.IsSigned(kRootStep)) return Ok();
    root_ = TRY(record_.Root(nullptr));
    const CeremonyProduct product = TRY(record_.RootProduct());
    return CheckProduct(product);
  }

  Status CheckIssuing(const IssuingOrder& order) {
    const std::string step = StepOf(order);
    if (!record_.IsRecorded(step)) return Ok();
    if (!root_) return Differs("it was recorded before the root was signed");
    const Hierarchy hierarchy = record_.HierarchyFor(order);
    const IssuerTerms issuer{root_->name(), root_->key_identifier(), root_->validity()};
    const LintTerms terms{hierarchy, AuthorityTerms{AuthorityKind::kIssuing, order.generation},
                          &issuer, order.status};
    const TranscriptEntry& recorded = *Find(step, kRecorded);
    const IssuanceRecord issuance = TRY(IssuanceOf(recorded.der, hierarchy));
    if (!record_.IsRecordedFor(order, issuance.key_fingerprint)) {
      return Differs("its key is not the one that was confirmed");
    }
    TRY(CheckCertificate(step, terms, issuance.key_fingerprint));
    TRY(CheckInput(recorded, order.csr));
    if (!record_.IsSigned(step)) return Ok();
    const CeremonyProduct product = TRY(record_.ProductOf(order));
    return CheckProduct(product);
  }

  Status CheckCrl(size_t number) {
    const std::string step = StepOfCrl(number);
    if (!record_.IsRecorded(step)) return Ok();
    if (!root_) return Differs("it was recorded before the root was signed");
    const TranscriptEntry& recorded = *Find(step, kRecorded);
    const Bytes wanted = TRY(record_.TbsOfCrl(number, recorded.at));
    if (recorded.der != wanted) return Differs("what was recorded is not what the file says");
    if (!record_.IsSigned(step)) return Ok();
    TRY(CheckSignature(step));
    const CeremonyProduct product = TRY(record_.ProductOfCrl(number));
    return CheckProduct(product);
  }

  Status CheckCertificate(const std::string& step, const LintTerms& terms,
                          const Bytes& key_fingerprint) {
    const TranscriptEntry& recorded = *Find(step, kRecorded);
    const IssuanceRecord issuance = TRY(IssuanceOf(recorded.der, terms.hierarchy));
    for (const LintFinding& finding : FindingsOf(issuance, terms)) {
      Note(step, Differs(fmt::format("{}: {}", finding.rule, finding.text)));
    }
    if (issuance.key_fingerprint != key_fingerprint) return Differs("it is for another key");
    return record_.IsSigned(step) ? CheckSignature(step) : Ok();
  }

  Status CheckSignature(const std::string& step) const {
    const bool is_good =
        key_->Verifies(Find(step, kRecorded)->der, Find(step, kSigned)->der, EVP_sha256());
    return is_good ? Ok() : Differs("its signature is not the root's");
  }

  Status CheckProduct(const CeremonyProduct& product) const {
    const TranscriptEntry& signed_entry = *Find(product.step, kSigned);
    const std::string line = fmt::format("{}  {}", Hex(Sha256(product.content)), product.file);
    if (signed_entry.outputs != std::vector{line}) {
      return Differs(fmt::format("the transcript has another digest of {}", product.file));
    }
    const auto content = TRY(files_.Read(product.file));
    if (!content) return Differs(product.file + " is not there");
    if (*content != product.content) {
      return Differs(product.file + " is not what was signed");
    }
    return Ok();
  }

  // A CSR need not be kept. If the file exists, it must be the one that the ceremony read.
  Status CheckInput(const TranscriptEntry& recorded, const std::string& file) const {
    const auto content = TRY(files_.Read(file));
    if (!content) return Ok();
    const std::string line = fmt::format("{}  {}", Hex(Sha256(*content)), file);
    if (recorded.inputs == std::vector{line}) return Ok();
    return Differs(file + " is not the one that was read");
  }

  const CeremonyRecord& record_;
  const CeremonyScript& script_;
  const CarriedFiles& files_;
  std::optional<PublicKey> key_;
  std::shared_ptr<const Authority> root_;
  std::vector<std::string> differences_;
};

}  // namespace

std::vector<std::string> DifferencesOf(const CeremonyRecord& record, const CarriedFiles& files) {
  return Audit(record, files).Differences();
}

}  // namespace ca
