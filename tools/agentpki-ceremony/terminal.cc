#include "tools/agentpki-ceremony/terminal.h"

#include <iostream>

namespace ceremony {
namespace {

using ca::Error;
using ca::StatusCode;

// "" at the end of the input.
std::string Ask(std::string_view question) {
  fmt::print(stderr, "{}", question);
  std::string answer;
  std::getline(std::cin, answer);
  if (std::cin.eof() && answer.empty()) fmt::print(stderr, "\n");
  return answer;
}

}  // namespace

ca::Status Terminal::Confirm(const ca::CeremonyStep& step) {
  fmt::print(stderr, "\n{}: {}\n", step.name, step.text);
  if (!step.note.empty()) fmt::print(stderr, "    {}\n", step.note);
  for (const std::string& fact : step.facts) fmt::print(stderr, "    {}\n", fact);
  if (is_agreed_) return ca::Ok();
  if (Ask("Do this step? Type yes: ") == "yes") return ca::Ok();
  return Error(StatusCode::kCancelled, "{}: not confirmed, so not done; run again to go on",
               step.name);
}

ca::Status Terminal::ConfirmKey(const ca::CeremonyStep& step, ca::BytesView key_fingerprint) {
  const std::string digest = ca::Hex(key_fingerprint);
  fmt::print(stderr,
             "    the certificate is for the key whose SHA-256 is\n    {}\n"
             "Compare it with the SHA-256 that was read out on the online machine.\n",
             digest);
  const std::string answer =
      Ask(fmt::format("If they are the same, type the first {} digits: ", kDigitsTyped));
  if (answer == digest.substr(0, kDigitsTyped)) return ca::Ok();
  return Error(
      StatusCode::kCancelled,
      "{}: the key was not confirmed, so nothing was signed for it; run again, or pin the key "
      "in the file by key_sha256",
      step.name);
}

}  // namespace ceremony
