#include "ca/base/revocation_reason.h"

#include <array>

namespace ca {
namespace {

struct Named {
  RevocationReason reason;
  std::string_view name;
};

constexpr std::array<Named, 8> kReasons = {{
    {RevocationReason::kUnspecified, "unspecified"},
    {RevocationReason::kKeyCompromise, "keyCompromise"},
    {RevocationReason::kCaCompromise, "cACompromise"},
    {RevocationReason::kAffiliationChanged, "affiliationChanged"},
    {RevocationReason::kSuperseded, "superseded"},
    {RevocationReason::kCessationOfOperation, "cessationOfOperation"},
    {RevocationReason::kPrivilegeWithdrawn, "privilegeWithdrawn"},
    {RevocationReason::kAaCompromise, "aACompromise"},
}};

std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c == '-' || c == '_') continue;
    folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

}  // namespace

std::string_view NameOf(RevocationReason reason) {
  for (const Named& named : kReasons) {
    if (named.reason == reason) return named.name;
  }
  return "unspecified";
}

Result<RevocationReason> RevocationReasonFrom(std::string_view name) {
  const std::string folded = Folded(name);
  for (const Named& named : kReasons) {
    if (Folded(named.name) == folded) return named.reason;
  }
  if (folded == "certificatehold" || folded == "removefromcrl") {
    return Error(StatusCode::kInvalidArgument,
                 "reason: {} would allow to un-revoke, which agentpki does not; disable the agent, "
                 "or revoke for another reason",
                 Printable(name));
  }
  std::string known;
  for (const Named& named : kReasons)
    known += fmt::format("{}{}", known.empty() ? "" : ", ", named.name);
  return Error(StatusCode::kInvalidArgument, "reason: there is no '{}', but {}", Printable(name),
               known);
}

std::optional<RevocationReason> RevocationReasonFrom(int number) {
  for (const Named& named : kReasons) {
    if (static_cast<int>(named.reason) == number) return named.reason;
  }
  return std::nullopt;
}

}  // namespace ca
