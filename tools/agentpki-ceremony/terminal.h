#pragma once

#include "ca/ceremony/ceremony.h"

namespace ceremony {

// Asks the people at this machine on standard error, and reads their answers from standard input.
class Terminal final : public ca::Attendants {
 public:
  // How many hex digits of a key's SHA-256 people type. Forging a key with the same 16 digits takes
  // 2^64 attempts.
  static constexpr size_t kDigitsTyped = 16;

  // `is_agreed`: they have confirmed all steps beforehand. Confirm() then does not ask, but
  // ConfirmKey() does.
  explicit Terminal(bool is_agreed) : is_agreed_(is_agreed) {}

  ca::Status Confirm(const ca::CeremonyStep& step) override;
  ca::Status ConfirmKey(const ca::CeremonyStep& step, ca::BytesView key_fingerprint) override;

 private:
  const bool is_agreed_;
};

}  // namespace ceremony
