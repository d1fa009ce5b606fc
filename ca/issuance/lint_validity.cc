#include <algorithm>

#include "ca/base/der.h"
#include "ca/issuance/lint_findings.h"

namespace ca::lint {
namespace {

constexpr std::string_view kSection = "RFC 5280 section 4.1.2.5";

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "UTCTime values MUST be expressed in Greenwich Mean Time (Zulu) and MUST include seconds (i.e.,
// times are YYMMDDHHMMSSZ), even where the number of seconds is zero"; "GeneralizedTime values MUST
// NOT include fractional seconds". "Where YY is greater than or equal to 50, the year SHALL be
// interpreted as 19YY".
std::optional<TimePoint> Read(const DerElement& time) {
  const size_t year_size = time.tag == kDerUtcTime ? 2 : 4;
  std::string_view text = time.content;
  if (text.size() != year_size + 11 || text.back() != 'Z') return std::nullopt;
  text.remove_suffix(1);
  if (!AllDigits(text)) return std::nullopt;
  const auto take = [&](size_t size) {
    int value = 0;
    for (const char digit : text.substr(0, size)) value = value * 10 + (digit - '0');
    text.remove_prefix(size);
    return value;
  };
  int year = take(year_size);
  if (year_size == 2) year += year < 50 ? 2000 : 1900;
  const auto month = static_cast<unsigned>(take(2));
  const auto day = static_cast<unsigned>(take(2));
  const int hour = take(2);
  const int minute = take(2);
  const int second = take(2);
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{day}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

std::optional<TimePoint> ReadTime(DerReader& reader, std::string_view field, Findings& findings) {
  constexpr TimePoint k2050 = std::chrono::sys_days(std::chrono::year(2050) / 1 / 1);
  const auto element = reader.Next();
  const bool is_time =
      element && (element->tag == kDerUtcTime || element->tag == kDerGeneralizedTime);
  const auto time = is_time ? Read(*element) : std::nullopt;
  if (!time) {
    findings.Add("validity.encoding", kSection,
                 "{} is not whole seconds of UTC in UTCTime or GeneralizedTime", field);
    return std::nullopt;
  }
  // "CAs conforming to this profile MUST always encode certificate validity dates through the year
  // 2049 as UTCTime; certificate validity dates in 2050 or later MUST be encoded as
  // GeneralizedTime."
  if ((element->tag == kDerUtcTime) != (*time < k2050)) {
    findings.Add("validity.encoding", kSection,
                 "{} is UTCTime from 2050 on, or GeneralizedTime before", field);
  }
  return time;
}

std::chrono::seconds LifetimeMax(const LintTerms& terms) {
  if (const AgentTerms* const agent = AgentOf(terms)) {
    return agent->profile.status_free
               ? std::min(agent->profile.lifetime, CertificateProfile::kStatusFreeLifetimeMax)
               : agent->profile.lifetime;
  }
  switch (std::get<AuthorityTerms>(terms.subject).kind) {
    case AuthorityKind::kRoot:
    case AuthorityKind::kLink:
      return terms.hierarchy.root_lifetime;
    case AuthorityKind::kIssuing:
      return terms.hierarchy.issuing_lifetime;
    case AuthorityKind::kResponder:
      return kResponderLifetime;
    case AuthorityKind::kRecorder:
      return kRecorderLifetime;
  }
  return {};
}

}  // namespace

void CheckValidity(const Parts& parts, const IssuanceRecord& record, const LintTerms& terms,
                   Findings& findings) {
  const auto content = OnlyDer(kDerSequence, parts.validity);
  DerReader reader(content.value_or(""));
  const auto not_before = ReadTime(reader, "notBefore", findings);
  const auto not_after = not_before ? ReadTime(reader, "notAfter", findings) : std::nullopt;
  if (!not_before || !not_after) return;
  if (!reader.AtEnd()) {
    findings.Add("validity.encoding", kSection, "there are more than two times");
  }
  if (*not_before >= *not_after) {
    findings.Add("validity.order", kSection, "it ends before it begins");
  }
  const std::chrono::microseconds lifetime = *not_after - *not_before;
  const std::chrono::seconds lifetime_max = LifetimeMax(terms) + CertificateProfile::kBackdate;
  if (lifetime > lifetime_max) {
    findings.Add("validity.too-long", "docs/architecture.md",
                 "it is valid for {}; at most {}, backdating included", HumanDuration(lifetime),
                 HumanDuration(lifetime_max));
  }
  if (terms.issuer && (*not_before < terms.issuer->validity.not_before ||
                       *not_after > terms.issuer->validity.not_after)) {
    findings.Add("validity.beyond-issuer", "docs/architecture.md",
                 "it is valid from {} to {}, but its issuer from {} to {}", Rfc3339(*not_before),
                 Rfc3339(*not_after), Rfc3339(terms.issuer->validity.not_before),
                 Rfc3339(terms.issuer->validity.not_after));
  }
  if (*not_before != record.validity.not_before || *not_after != record.validity.not_after) {
    findings.Add("validity.record", "docs/architecture.md",
                 "its validity is not the one that is to be recorded");
  }
}

}  // namespace ca::lint
