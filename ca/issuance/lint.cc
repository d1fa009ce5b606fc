#include "ca/issuance/lint.h"

#include "ca/base/der.h"
#include "ca/base/rules.h"
#include "ca/issuance/lint_findings.h"
#include "ca/x509/certificate_chain.h"
#include "ca/x509/public_key.h"

namespace ca {
namespace lint {
namespace {

using namespace std::string_view_literals;

// AlgorithmIdentifier ecdsa-with-SHA256, parameters absent (RFC 5758 section 3.2).
constexpr std::string_view kEcdsaWithSha256 = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"sv;

// [0] EXPLICIT INTEGER 2, which is version 3.
constexpr std::string_view kVersion3 = "\xa0\x03\x02\x01\x02"sv;

constexpr unsigned char kExtensionsTag = DerContext(3, true);

// The first of the elements, in their order, that is missing or has another type; "" if all are
// there.
template <size_t kCount>
std::string_view FirstMissing(
    DerReader& reader,
    const std::pair<std::string_view, std::pair<unsigned char, BytesView*>> (&wanted)[kCount]) {
  for (const auto& [name, place] : wanted) {
    const auto element = reader.Next(place.first);
    if (!element) return name;
    *place.second = element->whole;
  }
  return "";
}

void CheckRecord(const IssuanceRecord& record, const LintTerms& terms, Findings& findings) {
  const AgentTerms* const agent = AgentOf(terms);
  const SpiffeId subject =
      agent ? agent->agent.id : SpiffeId::OfTrustDomain(terms.hierarchy.trust_domain);
  const std::string_view profile = agent ? std::string_view(agent->profile.name) : "";
  if (record.hierarchy == terms.hierarchy.id && record.subject == subject &&
      record.profile == profile && record.agent == (agent ? agent->agent.number : AgentNumber{}) &&
      subject.trust_domain() == terms.hierarchy.trust_domain) {
    return;
  }
  findings.Add("record", "docs/architecture.md",
               "what is to be recorded is for {} by profile '{}', and what was asked for is for {} "
               "of {} by profile '{}'",
               record.subject.ToString(), record.profile, subject.ToString(),
               terms.hierarchy.Name(), profile);
}

}  // namespace

std::optional<Parts> TakeApart(BytesView tbs, Findings& findings) {
  const auto malformed = [&](std::string_view what) {
    findings.Add("form", "RFC 5280 section 4.1", "{}", what);
    return std::nullopt;
  };
  if (!IsDer(tbs)) return malformed("the TBSCertificate is not in DER");
  const auto content = OnlyDer(kDerSequence, tbs);
  if (!content) return malformed("the TBSCertificate is no SEQUENCE");
  DerReader reader(*content);

  Parts parts{.whole = tbs};
  BytesView version;
  BytesView serial;
  const std::string_view missing =
      FirstMissing(reader, {{"version", {DerContext(0, true), &version}},
                            {"serialNumber", {kDerInteger, &serial}},
                            {"signature", {kDerSequence, &parts.signature_algorithm}},
                            {"issuer", {kDerSequence, &parts.issuer}},
                            {"validity", {kDerSequence, &parts.validity}},
                            {"subject", {kDerSequence, &parts.subject}},
                            {"subjectPublicKeyInfo", {kDerSequence, &parts.spki}}});
  if (!missing.empty()) {
    findings.Add("form", "RFC 5280 section 4.1", "there is no {} where it belongs", missing);
    return std::nullopt;
  }
  parts.serial = *OnlyDer(kDerInteger, serial);
  if (version != kVersion3) {
    findings.Add("version", "RFC 5280 section 4.1.2.1", "the version is not 3");
  }
  // "CAs conforming to this profile MUST NOT generate certificates with unique identifiers."
  if (reader.Sees(DerContext(1, false)) || reader.Sees(DerContext(2, false))) {
    findings.Add("unique-identifier", "RFC 5280 section 4.1.2.8",
                 "the certificate has a unique identifier");
    return std::nullopt;
  }
  const auto extensions = reader.Next(kExtensionsTag);
  const auto list = extensions ? OnlyDer(kDerSequence, extensions->content) : std::nullopt;
  if (!list || !reader.AtEnd())
    return malformed("after the key, there is more than the extensions");
  parts.extensions = *list;
  return parts;
}

void CheckSerial(const Parts& parts, const IssuanceRecord& record, Findings& findings) {
  constexpr std::string_view kSection = "RFC 5280 section 4.1.2.2";
  if (parts.serial.size() > SerialNumber::kSize) {
    findings.Add("serial.too-long", kSection, "the serial number takes {} octets; at most 20",
                 parts.serial.size());
  } else if (static_cast<signed char>(parts.serial.front()) < 0 || parts.serial == "\0"sv) {
    findings.Add("serial.not-positive", kSection, "the serial number is not positive");
  } else if (!SerialNumber::FromBytes(parts.serial).ok()) {
    findings.Add("serial.form", "docs/architecture.md",
                 "the serial number is not 01, a day and 128 bits");
  } else if (parts.serial != record.serial.bytes()) {
    findings.Add("serial.record", "docs/architecture.md",
                 "the serial number is not the one that is to be recorded");
  } else if (record.serial.ExpiryDay() !=
             std::chrono::floor<std::chrono::days>(record.validity.not_after)) {
    findings.Add("serial.day", "docs/architecture.md",
                 "the serial number's day is not the one on which the certificate ends");
  }
}

void CheckKey(const Parts& parts, const IssuanceRecord& record, const LintTerms& terms,
              Findings& findings) {
  constexpr std::string_view kSection = "RFC 5280 section 4.1.2.7";
  if (Sha256(parts.spki) != record.key_fingerprint) {
    findings.Add("key.record", "docs/architecture.md",
                 "the key is not the one that is to be recorded");
  }
  const auto key = PublicKey::FromSpki(parts.spki);
  if (!key.ok()) {
    findings.Add("key.malformed", kSection, "{}", MessageOf(key.status()));
    return;
  }
  const AgentTerms* const agent = AgentOf(terms);
  const bool is_allowed = agent ? agent->profile.key_types.contains(key->type())
                                : key->type() == KeyType::kP256;  // the token's
  if (!is_allowed) {
    findings.Add("key.type", kSection, "a {} key is not for {}", NameOf(key->type()),
                 agent ? "profile '" + agent->profile.name + "'" : "an authority");
  }
}

}  // namespace lint

std::vector<LintFinding> FindingsOf(const IssuanceRecord& record, const LintTerms& terms) {
  lint::Findings findings;
  const auto parts = lint::TakeApart(record.tbs, findings);
  if (!parts) return findings.Take();

  if (parts->whole.size() > kCertificateSizeMax) {
    findings.Add("size", "docs/architecture.md", "it takes {} octets; at most {}",
                 parts->whole.size(), kCertificateSizeMax);
  }
  if (parts->signature_algorithm != lint::kEcdsaWithSha256) {
    findings.Add("signature-algorithm", "RFC 5758 section 3.2",
                 "the algorithm within is not ecdsa-with-SHA256 without parameters");
  }
  lint::CheckRecord(record, terms, findings);
  lint::CheckSerial(*parts, record, findings);
  lint::CheckValidity(*parts, record, terms, findings);
  lint::CheckNames(*parts, terms, findings);
  lint::CheckKey(*parts, record, terms, findings);
  lint::CheckExtensions(*parts, terms, findings);
  lint::CheckAsRelyingParty(*parts, terms, findings);
  return findings.Take();
}

Result<LintedIssuance> Lint(IssuanceRecord record, const LintTerms& terms) {
  const std::vector<LintFinding> findings = FindingsOf(record, terms);
  if (findings.empty()) return LintedIssuance(std::move(record));
  std::string text;
  for (const LintFinding& finding : findings) {
    text += fmt::format("{}{}: {} ({})", text.empty() ? "" : "; ", finding.rule, finding.text,
                        finding.section);
  }
  return Refusal<kLintRules>(findings.front().rule, record.subject.ToString(), text);
}

}  // namespace ca
