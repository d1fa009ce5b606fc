#include "ca/ceremony/record.h"

#include <algorithm>
#include <set>

#include "ca/base/openssl.h"

namespace ca {
namespace {

std::string_view FieldOf(std::string_view fact) { return fact.substr(0, fact.find(": ")); }

// "" if the fact has no value: a transcript is a file, and may contain anything.
std::string ValueOf(const std::string& fact) {
  const size_t at = fact.find(": ");
  return at == fact.npos ? "" : fact.substr(at + 2);
}

std::vector<std::string> ValuesOf(const std::vector<std::string>& facts, std::string_view field) {
  std::vector<std::string> values;
  for (const std::string& fact : facts) {
    if (FieldOf(fact) == field) values.push_back(ValueOf(fact));
  }
  return values;
}

std::string Said(const std::vector<std::string>& values) {
  if (values.empty()) return "nothing";
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return Printable(text);
}

}  // namespace

CeremonyProduct CeremonyProduct::Certificate(std::string step, std::string file, Bytes der) {
  std::string pem = Pem("CERTIFICATE", der);
  return {std::move(step), std::move(file), std::move(der), std::move(pem)};
}

CeremonyProduct CeremonyProduct::Crl(std::string step, std::string file, Bytes der) {
  return {std::move(step), std::move(file), der, der};
}

Status CeremonyRecord::Check() const {
  TRY(transcript_.CheckOrder());
  TRY(CheckFacts(std::string(kKeyStep), script_.KeyFacts()));
  TRY(CheckFacts(std::string(kRootStep), script_.RootFacts()));
  for (const IssuingOrder& order : script_.issuing) {
    TRY(CheckFacts(StepOf(order), script_.FactsOf(order)));
  }
  for (size_t number = 1; number <= script_.crls.size(); ++number) {
    TRY(CheckFacts(StepOfCrl(number), script_.FactsOfCrl(number)));
  }
  return CheckNoneIsGone();
}

// Once a step is begun, the script must say the same about it for ever.
Status CeremonyRecord::CheckFacts(const std::string& step,
                                  const std::vector<std::string>& facts) const {
  const TranscriptEntry* begun = transcript_.Find(step, kRecorded);
  if (!begun) begun = transcript_.Find(step, kBegun);
  if (!begun) return Ok();
  std::set<std::string_view> fields;
  for (const std::string& fact : facts) fields.insert(FieldOf(fact));
  for (const std::string& fact : begun->facts) fields.insert(FieldOf(fact));
  for (const std::string_view field : fields) {
    const auto was = ValuesOf(begun->facts, field);
    const auto is = ValuesOf(facts, field);
    // The transcript may know a key fingerprint that the script leaves open.
    const bool is_unpinned = is.empty() && field.ends_with(".key_sha256");
    if (was == is || is_unpinned) continue;
    return Error(StatusCode::kFailedPrecondition,
                 "{}: {}: it was '{}' when {} was begun, and is '{}' now; what is done stays as it "
                 "was: change it back, and append instead",
                 script_.file, field, Said(was), step, Said(is));
  }
  return Ok();
}

Status CeremonyRecord::CheckNoneIsGone() const {
  std::set<std::string> steps = {std::string(kFileStep), std::string(kKeyStep),
                                 std::string(kRootStep)};
  for (const IssuingOrder& order : script_.issuing) steps.insert(StepOf(order));
  for (size_t i = 1; i <= script_.crls.size(); ++i) steps.insert(StepOfCrl(i));
  for (const TranscriptEntry& entry : transcript_.entries()) {
    if (steps.contains(entry.step)) continue;
    return Error(StatusCode::kFailedPrecondition,
                 "{}: the transcript has {}, of which the file says nothing any more; what is done "
                 "stays in it: put it back",
                 script_.file, Printable(entry.step));
  }
  return Ok();
}

bool CeremonyRecord::IsRecordedFor(const IssuingOrder& order, BytesView key_fingerprint) const {
  const TranscriptEntry* const recorded = transcript_.Find(StepOf(order), kRecorded);
  return recorded && std::count(recorded->facts.begin(), recorded->facts.end(),
                                KeyFact(order, key_fingerprint)) == 1;
}

// ---- what was made ------------------------------------------------------------------------------

Result<std::pair<Bytes, Bytes>> CeremonyRecord::TbsAndSignature(const std::string& step) const {
  const TranscriptEntry* const recorded = transcript_.Find(step, kRecorded);
  const TranscriptEntry* const signed_entry = transcript_.Find(step, kSigned);
  if (recorded && signed_entry) return std::pair(recorded->der, signed_entry->der);
  return Error(StatusCode::kFailedPrecondition, "{} is not signed yet", step);
}

Result<CeremonyProduct> CeremonyRecord::CertificateOf(const std::string& step,
                                                      const std::string& file) const {
  const auto [tbs, signature] = TRY(TbsAndSignature(step));
  return CeremonyProduct::Certificate(step, file, EncodeCertificate(tbs, signature));
}

Result<CeremonyProduct> CeremonyRecord::RootProduct() const {
  return CertificateOf(std::string(kRootStep), script_.root.certificate);
}

Result<CeremonyProduct> CeremonyRecord::ProductOf(const IssuingOrder& order) const {
  return CertificateOf(StepOf(order), order.certificate);
}

Result<CeremonyProduct> CeremonyRecord::ProductOfCrl(size_t number) const {
  const std::string step = StepOfCrl(number);
  const auto [tbs, signature] = TRY(TbsAndSignature(step));
  return CeremonyProduct::Crl(step, script_.crls[number - 1].file, crls_.Encode(tbs, signature));
}

Result<std::vector<CeremonyProduct>> CeremonyRecord::Products() const {
  std::vector<CeremonyProduct> products;
  if (IsSigned(kRootStep)) products.push_back(TRY(RootProduct()));
  for (const IssuingOrder& order : script_.issuing) {
    if (IsSigned(StepOf(order))) products.push_back(TRY(ProductOf(order)));
  }
  for (size_t number = 1; number <= script_.crls.size(); ++number) {
    if (IsSigned(StepOfCrl(number))) products.push_back(TRY(ProductOfCrl(number)));
  }
  return products;
}

// ---- authorities --------------------------------------------------------------------------------

AuthorityRecord CeremonyRecord::RootRecord() const {
  return {.kind = AuthorityKind::kRoot,
          .generation = script_.root.generation,
          .key_label = script_.root.key_label};
}

AuthorityRecord CeremonyRecord::RecordOf(const IssuingOrder& order) const {
  return {.kind = AuthorityKind::kIssuing, .generation = order.generation};
}

Result<std::shared_ptr<const Authority>> CeremonyRecord::Root(
    std::shared_ptr<const SigningKey> key) const {
  AuthorityRecord record = RootRecord();
  CeremonyProduct product = TRY(RootProduct());
  record.certificate = std::move(product.der);
  return Authority::Open(record, std::move(key));
}

Hierarchy CeremonyRecord::HierarchyFor(const IssuingOrder& order) const {
  Hierarchy hierarchy = script_.hierarchy;
  hierarchy.issuing_lifetime = order.lifetime;
  return hierarchy;
}

// ---- CRLs ---------------------------------------------------------------------------------------

Result<Bytes> CeremonyRecord::TbsOfCrl(size_t number, TimePoint at) const {
  const auto root = TRY(Root(nullptr));
  const std::vector<Revocation> revoked = TRY(RevokedBy(number, at));
  const Validity validity{at, at + script_.crls[number - 1].lifetime};
  return crls_.EncodeTbs(*root, static_cast<std::int64_t>(number), validity, revoked);
}

// The revocations of that CRL and of all before it, because a revocation is never taken back.
Result<std::vector<Revocation>> CeremonyRecord::RevokedBy(size_t number, TimePoint at) const {
  std::vector<Revocation> revoked;
  for (size_t i = 0; i < number; ++i) {
    for (const RevocationLine& line : script_.crls[i].revocations) {
      const auto order = std::find_if(
          script_.issuing.begin(), script_.issuing.end(),
          [&](const IssuingOrder& issuing) { return issuing.certificate == line.certificate; });
      if (order == script_.issuing.end() || !IsSigned(StepOf(*order))) {
        return Error(StatusCode::kFailedPrecondition, "{}: it is revoked, and is not signed yet",
                     line.certificate);
      }
      IssuanceRecord record =
          TRY(IssuanceOf(transcript_.Find(StepOf(*order), kRecorded)->der, script_.hierarchy));
      if (line.at < record.validity.not_before || line.at > at) {
        return Error(
            StatusCode::kFailedPrecondition,
            "crls.{}.revocations: {} is revoked at {}, which is not between its beginning, "
            "{}, and now, {}",
            i + 1, line.certificate, Rfc3339(line.at), Rfc3339(record.validity.not_before),
            Rfc3339(at));
      }
      revoked.push_back({.serial = std::move(record.serial),
                         .not_after = record.validity.not_after,
                         .revoked_at = line.at,
                         .reason = line.reason});
    }
  }
  return revoked;
}

}  // namespace ca
