#include "ca/ceremony/transcript.h"

#include <algorithm>

#include "ca/base/asn1.h"
#include "ca/issuance/lint.h"
#include "ca/issuance/tbs_certificate.h"
#include "ca/x509/public_key.h"

namespace ca {
namespace {

// The event that must precede this one in its step; "" if it is the first. nullopt for an unknown
// event.
std::optional<std::string_view> Before(std::string_view event) {
  if (event == kAccepted || event == kBegun || event == kRecorded) return "";
  if (event == kMade) return kBegun;
  if (event == kSigned) return kRecorded;
  return std::nullopt;
}

}  // namespace

const TranscriptEntry* Transcript::Find(std::string_view step, std::string_view event) const {
  const auto found = std::find_if(
      entries().begin(), entries().end(),
      [&](const TranscriptEntry& entry) { return entry.step == step && entry.event == event; });
  return found == entries().end() ? nullptr : &*found;
}

Status Transcript::CheckOrder() const {
  for (size_t i = 0; i < entries().size(); ++i) {
    const TranscriptEntry& entry = entries()[i];
    const auto wrong = [&](std::string_view what) {
      return Error(StatusCode::kFailedPrecondition, "transcript: entry {}, {} {}: {}", i + 1,
                   Printable(entry.step), Printable(entry.event), what);
    };
    const auto before = Before(entry.event);
    if (!before) return wrong("nothing in a ceremony is called so");
    if (i > 0 && entry.at < entries()[i - 1].at) return wrong("it is earlier than the one before");
    const TranscriptEntry* const first = Find(entry.step, entry.event);
    if (first != &entry && entry.event != kAccepted) return wrong("it is there for a second time");
    if (!before->empty()) {
      const TranscriptEntry* const condition = Find(entry.step, *before);
      if (!condition || condition > &entry) {
        return wrong(fmt::format("the step was not {} before", *before));
      }
    }
  }
  return Ok();
}

Result<RecordedIssuance> Transcript::Record(TranscriptEntry entry, PreparedCertificate prepared) {
  if (Find(entry.step, kRecorded)) {
    return Error(StatusCode::kAlreadyExists, "transcript: {} is recorded, once and for all",
                 entry.step);
  }
  entry.event = kRecorded;
  entry.der = prepared.record().tbs;
  TRY(Append(entry));
  return RecordedIssuance(std::move(prepared.record_));
}

// Other people may have changed the file, so an issuance that is read from it is linted as a new
// one is.
Result<std::optional<RecordedIssuance>> Transcript::FindRecorded(std::string_view step,
                                                                 const LintTerms& terms) const {
  const TranscriptEntry* const earlier = Find(step, kRecorded);
  if (!earlier) return std::optional<RecordedIssuance>();
  IssuanceRecord record = TRY(IssuanceOf(earlier->der, terms.hierarchy));
  PreparedCertificate prepared(TRY(Lint(std::move(record), terms)));
  return std::optional(RecordedIssuance(std::move(prepared.record_)));
}

Result<IssuanceRecord> IssuanceOf(BytesView tbs, const Hierarchy& hierarchy) {
  // The parser requires a signature, but does not verify it.
  const X509Ptr parsed = TRY(ParseX509(EncodeCertificate(tbs, "none")));
  const X509* const x509 = parsed.get();
  SerialNumber serial = TRY(SerialNumber::FromBytes(OctetsOf(X509_get0_serialNumber(x509))));
  const TimePoint not_before = TRY(TimeOf(X509_get0_notBefore(x509)));
  const TimePoint not_after = TRY(TimeOf(X509_get0_notAfter(x509)));
  const Bytes spki = DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(x509));
  return IssuanceRecord{
      .serial = std::move(serial),
      .hierarchy = hierarchy.id,
      .subject = SpiffeId::OfTrustDomain(hierarchy.trust_domain),
      .key_fingerprint = Sha256(spki),
      .validity = {not_before, not_after},
      .tbs = Bytes(tbs),
  };
}

}  // namespace ca
