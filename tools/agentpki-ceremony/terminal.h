#pragma once

#include "ca/ceremony/ceremony.h"

namespace ceremony {

// The people at this machine, who are asked on standard error and answer on standard input.
class Terminal final : public ca::Attendants {
 public:
  // How many hex digits of a key's SHA-256 people type: who forges a key for as many has 2^64 to
  // try.
  static constexpr size_t kDigitsTyped = 16;

  // `is_agreed`: they have said yes to every step, though not to keys that they have not seen.
  explicit Terminal(bool is_agreed) : is_agreed_(is_agreed) {}

  ca::Status Confirm(const ca::CeremonyStep& step) override;
  ca::Status ConfirmKey(const ca::CeremonyStep& step, ca::BytesView key_fingerprint) override;

 private:
  const bool is_agreed_;
};

}  // namespace ceremony
