#include "ca/base/result.h"

#include <algorithm>

#include "absl/strings/cord.h"

namespace ca {
namespace {

// absl asks for a name that looks like a URL.
constexpr char kRulePayload[] = "agentpki/rule";

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Status WithRule(Status status, std::string_view rule) {
  status.SetPayload(kRulePayload, absl::Cord(ToAbsl(rule)));
  return status;
}

std::string RuleOf(const Status& status) {
  const auto payload = status.GetPayload(kRulePayload);
  return payload ? std::string(*payload) : std::string();
}

Status Annotate(Status status, std::string_view prefix) {
  if (status.ok()) return status;
  Status annotated = Error(status.code(), "{}{}", prefix, MessageOf(status));
  const std::string rule = RuleOf(status);
  return rule.empty() ? annotated : WithRule(std::move(annotated), rule);
}

std::string MessageOf(const Status& status) {
  return std::string(status.message().data(), status.message().size());
}

std::string Printable(std::string_view text) {
  constexpr size_t kSizeMax = 128;
  std::string printable;
  for (const unsigned char c : text.substr(0, kSizeMax)) {
    if (c >= 0x20 && c < 0x7f) {
      printable.push_back(static_cast<char>(c));
    } else {
      printable += fmt::format("\\x{:02x}", c);
    }
  }
  if (text.size() > kSizeMax) printable += "...";
  return printable;
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace ca
