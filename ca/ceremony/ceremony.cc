#include "ca/ceremony/ceremony.h"

#include "ca/issuance/lint.h"
#include "ca/issuance/status_signing.h"

namespace ca {
namespace {

// A line as sha256sum prints it.
std::string DigestLine(BytesView content, const std::string& file) {
  return fmt::format("{}  {}", Hex(Sha256(content)), file);
}

std::string SubjectText(const std::vector<Csr::SubjectAttribute>& subject) {
  std::string text;
  for (const Csr::SubjectAttribute& attribute : subject) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", attribute.type, attribute.value);
  }
  return Printable(text);
}

}  // namespace

Status Ceremony::Run() {
  TRY(record_.Check());
  TRY(CheckClock(ports_.clock.Now()));
  TRY(AcceptScript());

  TRY(Attend(plan_.ForKey(), [&](const CeremonyStep& step) { return MakeKey(step); }));

  const CeremonyStep root = TRY(plan_.ForRoot());
  TRY(Attend(root, [&](const CeremonyStep& step) { return SignRoot(step); }));
  const CeremonyProduct root_product = TRY(record_.RootProduct());
  TRY(ports_.files.Write(root_product.file, root_product.content));

  for (const IssuingOrder& order : script_.issuing) {
    const CeremonyStep issuing = TRY(plan_.For(order));
    TRY(Attend(issuing, [&](const CeremonyStep& step) { return SignIssuing(step, order); }));
    if (!record_.IsSigned(issuing.name)) continue;
    const CeremonyProduct product = TRY(record_.ProductOf(order));
    TRY(ports_.files.Write(product.file, product.content));
  }
  for (size_t number = 1; number <= script_.crls.size(); ++number) {
    const CeremonyStep crl = TRY(plan_.ForCrl(number));
    TRY(Attend(crl, [&](const CeremonyStep& step) { return SignCrl(step, number); }));
    if (!record_.IsSigned(crl.name)) continue;
    const CeremonyProduct product = TRY(record_.ProductOfCrl(number));
    TRY(ports_.files.Write(product.file, product.content));
  }
  return Ok();
}

Status Ceremony::Attend(const CeremonyStep& step, const Act& act) {
  if (step.state != CeremonyStep::State::kDue) return Ok();
  TRY(ports_.attendants.Confirm(step));
  return act(step);
}

// A machine without a network may have a wrong clock, and its certificates keep that time for
// years.
Status Ceremony::CheckClock(TimePoint now) const {
  const auto& entries = ports_.transcript.entries();
  if (entries.empty() || entries.back().at <= now) return Ok();
  return Error(StatusCode::kFailedPrecondition,
               "this machine's clock says {}, and the transcript was last written at {}: set the "
               "clock",
               Rfc3339(now), Rfc3339(entries.back().at));
}

// The transcript has the digest of the script that people reviewed before any other step.
Status Ceremony::AcceptScript() {
  const std::string line = fmt::format("{}  {}", Hex(script_.digest), script_.file);
  const TranscriptEntry* last = nullptr;
  for (const TranscriptEntry& entry : ports_.transcript.entries()) {
    if (entry.event == kAccepted) last = &entry;
  }
  if (last && last->inputs == std::vector{line}) return Ok();
  const CeremonyStep step{
      .name = std::string(kFileStep),
      .text = fmt::format("go by {}, whose SHA-256 is {}", script_.file, Hex(script_.digest)),
      .facts = {"name: " + script_.name},
  };
  TRY(ports_.attendants.Confirm(step));
  TranscriptEntry entry = TRY(EntryOf(step.name, kAccepted));
  entry.facts = step.facts;
  entry.inputs = {line};
  return ports_.transcript.Append(entry);
}

// ---- the key ------------------------------------------------------------------------------------

// The transcript announces the key before it is made. So a crash leaves no unknown key, and a key
// that was on the token before is not taken for ours.
Status Ceremony::MakeKey(const CeremonyStep& step) {
  KeyStore* const keys = TRY(Keys());
  const bool is_begun = ports_.transcript.Find(step.name, kBegun) != nullptr;
  auto key = keys->Find(script_.root.key_label);
  if (!is_begun) {
    if (key.ok()) {
      return Error(StatusCode::kFailedPrecondition,
                   "root.key_label: the token has a key '{}', of which the transcript does not "
                   "know: bring the transcript that does, or write another label",
                   script_.root.key_label);
    }
    if (key.status().code() != StatusCode::kNotFound) return key.status();
    TranscriptEntry begun = TRY(EntryOf(step.name, kBegun));
    begun.facts = step.facts;
    TRY(ports_.transcript.Append(begun));
  }
  if (key.status().code() == StatusCode::kNotFound) key = keys->Generate(script_.root.key_label);
  const auto root_key = TRY(std::move(key));
  TranscriptEntry made = TRY(EntryOf(step.name, kMade));
  made.facts = {"key_sha256: " + Hex(Sha256(root_key->spki()))};
  made.der = root_key->spki();
  return ports_.transcript.Append(made);
}

Result<KeyStore*> Ceremony::Keys() {
  if (!keys_) keys_ = TRY(ports_.open_keys());
  return keys_.get();
}

Result<std::shared_ptr<const SigningKey>> Ceremony::RootKey() {
  KeyStore* const keys = TRY(Keys());
  auto key = TRY(keys->Find(script_.root.key_label));
  const TranscriptEntry* const made = ports_.transcript.Find(kKeyStep, kMade);
  if (made && made->der == key->spki()) return key;
  return Error(StatusCode::kFailedPrecondition,
               "the key '{}' on the token is not the one in the transcript: is it another token?",
               script_.root.key_label);
}

// ---- certificates -------------------------------------------------------------------------------

Status Ceremony::SignRoot(const CeremonyStep& step) {
  const auto key = TRY(RootKey());
  TRY(CheckAbsent(script_.root.certificate));
  const LintTerms terms{script_.hierarchy,
                        AuthorityTerms{AuthorityKind::kRoot, script_.root.generation},
                        nullptr,
                        {}};
  auto recorded = TRY(ports_.transcript.FindRecorded(step.name, terms));
  if (!recorded) {
    auto prepared = TRY(
        Authority::PrepareRoot(script_.hierarchy, record_.RootRecord(), *key, ports_.clock.Now()));
    TranscriptEntry entry = TRY(EntryOf(step.name, kRecorded));
    entry.facts = step.facts;
    recorded = TRY(ports_.transcript.Record(std::move(entry), std::move(prepared)));
  }
  // A root signs itself, so its key is the one that signs.
  if (recorded->record().key_fingerprint != Sha256(key->spki())) {
    return Error(StatusCode::kFailedPrecondition,
                 "the root's certificate was recorded for another key than the token's '{}'",
                 script_.root.key_label);
  }
  const Certificate certificate = TRY(SignRecorded(*key, *std::move(recorded)));
  return AppendSigned(
      certificate.signature,
      CeremonyProduct::Certificate(step.name, script_.root.certificate, certificate.Der()));
}

Status Ceremony::SignIssuing(const CeremonyStep& step, const IssuingOrder& order) {
  auto key = TRY(RootKey());
  const auto root = TRY(record_.Root(std::move(key)));
  TRY(CheckAbsent(order.certificate));
  const Hierarchy hierarchy = record_.HierarchyFor(order);
  const IssuerTerms issuer{root->name(), root->key_identifier(), root->validity()};
  const LintTerms terms{hierarchy, AuthorityTerms{AuthorityKind::kIssuing, order.generation},
                        &issuer, order.status};
  auto recorded = TRY(ports_.transcript.FindRecorded(step.name, terms));
  if (recorded) {
    const Bytes& key_fingerprint = recorded->record().key_fingerprint;
    TRY(CheckRecorded(order, key_fingerprint));
    TRY(ConfirmKey(step, order, key_fingerprint));
  } else {
    recorded = TRY(RecordIssuing(step, order, *root));
  }
  const Certificate certificate = TRY(root->Sign(*std::move(recorded)));
  return AppendSigned(certificate.signature, CeremonyProduct::Certificate(
                                                 step.name, order.certificate, certificate.Der()));
}

Result<RecordedIssuance> Ceremony::RecordIssuing(const CeremonyStep& step,
                                                 const IssuingOrder& order, const Authority& root) {
  const auto content = TRY(ports_.files.Read(order.csr));
  if (!content) return Error(StatusCode::kNotFound, "{} is not there any more", order.csr);
  const Csr csr = TRY(ReadCsr(order.csr, *content));
  TRY(CheckNameOfCsr(order, csr));
  const PublicKey& key = csr.public_key();
  if (key.type() != KeyType::kP256) {
    return Error(StatusCode::kInvalidArgument, "{}: its key is {}; an issuing authority's is p256",
                 order.csr, NameOf(key.type()));
  }
  TRY(ConfirmKey(step, order, key.fingerprint()));
  auto prepared = TRY(root.PrepareIssuing(record_.HierarchyFor(order), record_.RecordOf(order), key,
                                          order.status, ports_.clock.Now()));
  TranscriptEntry entry = TRY(EntryOf(step.name, kRecorded));
  entry.facts = script_.FactsOf(order);
  if (order.key_fingerprint.empty()) {
    entry.facts.push_back(KeyFact(order, key.fingerprint()));
  }
  entry.inputs = {DigestLine(*content, order.csr)};
  return ports_.transcript.Record(std::move(entry), std::move(prepared));
}

// The script names the authority, and the CSR may leave its subject empty. A CSR with another
// subject is for another authority.
Status Ceremony::CheckNameOfCsr(const IssuingOrder& order, const Csr& csr) const {
  const std::vector<Csr::SubjectAttribute> wanted = {
      {"O", script_.hierarchy.tenant},
      {"OU", script_.hierarchy.environment},
      {"CN", fmt::format("issuing authority {}", order.generation)}};
  if (csr.subject().empty() || csr.subject() == wanted) return Ok();
  return Error(StatusCode::kInvalidArgument,
               "{}: it calls itself {}, and the file makes it {}: is it the CSR of another "
               "authority?",
               order.csr, SubjectText(csr.subject()), SubjectText(wanted));
}

// Anyone can compute the digests that chain the lines of a transcript, so octets in it need not be
// ours.
Status Ceremony::CheckRecorded(const IssuingOrder& order, BytesView key_fingerprint) const {
  if (record_.IsRecordedFor(order, key_fingerprint)) return Ok();
  return Error(StatusCode::kFailedPrecondition,
               "transcript: what {} recorded is for the key whose SHA-256 is {}, which is not the "
               "one that was confirmed: take the copy that was carried out",
               StepOf(order), Hex(key_fingerprint));
}

// One key, one authority. If the script does not name the key, the attendants confirm it.
Status Ceremony::ConfirmKey(const CeremonyStep& step, const IssuingOrder& order,
                            BytesView key_fingerprint) const {
  const auto refuse = [&](std::string_view what) {
    return Error(StatusCode::kInvalidArgument, "{}: {}", order.csr, what);
  };
  const bool is_pinned = !order.key_fingerprint.empty();
  if (is_pinned && order.key_fingerprint != key_fingerprint) {
    return refuse(fmt::format("its key's SHA-256 is {}, and issuing.{}.key_sha256 says {}",
                              Hex(key_fingerprint), order.generation, Hex(order.key_fingerprint)));
  }
  if (Sha256(ports_.transcript.Find(kKeyStep, kMade)->der) == key_fingerprint) {
    return refuse("its key is the root's own");
  }
  for (const IssuingOrder& other : script_.issuing) {
    const TranscriptEntry* const recorded = ports_.transcript.Find(StepOf(other), kRecorded);
    if (!recorded || other.generation == order.generation) continue;
    const IssuanceRecord issuance = TRY(IssuanceOf(recorded->der, script_.hierarchy));
    if (issuance.key_fingerprint == key_fingerprint) {
      return refuse(fmt::format("its key is that of {} already; make another", StepOf(other)));
    }
  }
  return is_pinned ? Ok() : ports_.attendants.ConfirmKey(step, key_fingerprint);
}

// ---- CRLs ---------------------------------------------------------------------------------------

Status Ceremony::SignCrl(const CeremonyStep& step, size_t number) {
  auto key = TRY(RootKey());
  const PublicKey public_half = TRY(PublicKey::FromSpki(key->spki()));
  const auto root = TRY(record_.Root(std::move(key)));
  const std::string& file = script_.crls[number - 1].file;
  TRY(CheckAbsent(file));
  if (!record_.IsRecorded(step.name)) {
    TranscriptEntry entry = TRY(EntryOf(step.name, kRecorded));
    entry.facts = step.facts;
    entry.der = TRY(record_.TbsOfCrl(number, entry.at));
    TRY(ports_.transcript.Append(entry));
  }
  const TranscriptEntry recorded = *ports_.transcript.Find(step.name, kRecorded);
  const Bytes wanted = TRY(record_.TbsOfCrl(number, recorded.at));
  if (recorded.der != wanted) {
    return Error(StatusCode::kFailedPrecondition,
                 "transcript: what {} recorded is not what the file says", step.name);
  }
  const TbsCertList list = TRY(TbsCertList::Parse(recorded.der));
  const Bytes signature = TRY(root->Sign(list));
  if (!public_half.Verifies(recorded.der, signature, EVP_sha256())) {
    return Error(StatusCode::kInternal,
                 "the token's signature for {} does not verify; it is not released", step.name);
  }
  return AppendSigned(signature, CeremonyProduct::Crl(step.name, file,
                                                      ports_.crls.Encode(recorded.der, signature)));
}

// ---- the transcript and the files ---------------------------------------------------------------

// Checked before anything is signed: an output file that the transcript does not know means that
// the transcript is an old copy.
Status Ceremony::CheckAbsent(const std::string& file) const {
  const auto found = TRY(ports_.files.Read(file));
  if (!found) return Ok();
  return Error(StatusCode::kFailedPrecondition,
               "{} is there, and the transcript does not know of it: is the transcript an old "
               "copy? nothing is signed; move the file away if it is none of this ceremony's",
               file);
}

// The signature is durable before its file is written, so the file can be written again.
Status Ceremony::AppendSigned(const Bytes& signature, const CeremonyProduct& product) {
  TranscriptEntry entry = TRY(EntryOf(product.step, kSigned));
  entry.facts = {"fingerprint: " + Hex(Sha256(product.der))};
  entry.outputs = {DigestLine(product.content, product.file)};
  entry.der = signature;
  return ports_.transcript.Append(entry);
}

// A prompt may wait for hours, and people may set the clock meanwhile.
Result<TranscriptEntry> Ceremony::EntryOf(std::string_view step, std::string_view event) const {
  const TimePoint now = ports_.clock.Now();
  TRY(CheckClock(now));
  return TranscriptEntry{.at = std::chrono::floor<std::chrono::seconds>(now),
                         .step = std::string(step),
                         .event = std::string(event),
                         .witnesses = script_.witnesses};
}

Result<Csr> ReadCsr(const std::string& file, const std::string& content) {
  const bool is_pem = content.find("-----BEGIN") != std::string::npos;
  auto blocks = is_pem ? FromPem("CERTIFICATE REQUEST", content)
                       : Result<std::vector<Bytes>>(std::vector<Bytes>{content});
  if (blocks.ok() && blocks->size() != 1) {
    blocks = Error(StatusCode::kInvalidArgument, "there is more than one CSR in it");
  }
  if (!blocks.ok()) return Annotate(blocks.status(), file + ": ");
  auto csr = Csr::Parse(blocks->front());
  if (!csr.ok()) return Annotate(csr.status(), file + ": ");
  return csr;
}

}  // namespace ca
