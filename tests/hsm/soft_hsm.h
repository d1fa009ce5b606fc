#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "hsm/token_options.h"

namespace hsm::testing {

inline constexpr char kTokenLabel[] = "agentpki";
inline constexpr char kUserPin[] = "correct horse";
inline constexpr char kSoPin[] = "battery staple";

// A SoftHSM2 of one's own: a configuration and a token folder in a temporary folder that goes with
// it. One at a time in a process, because SOFTHSM2_CONF names it, and made before the module is
// loaded. Aborts when the machine does not let it (softhsm2 is not installed, /tmp is full).
class SoftHsm {
 public:
  SoftHsm();
  ~SoftHsm();
  SoftHsm(const SoftHsm&) = delete;
  SoftHsm& operator=(const SoftHsm&) = delete;

  // Makes a token, in a child process: no PKCS#11 state is left in this one.
  void InitToken(const std::string& label = kTokenLabel, const std::string& pin = kUserPin);

  // What opens that token.
  static TokenOptions Options(const std::string& label = kTokenLabel,
                              const std::string& pin = kUserPin);

  // As when the disk with the tokens is pulled out, and put back.
  void TakeTokensAway();
  void PutTokensBack();
  // The same of one token.
  void TakeAway(const std::string& label);
  void PutBack(const std::string& label);

  static std::string ModulePath();
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path config_file() const { return folder_ / "softhsm2.conf"; }
  std::filesystem::path token_folder() const { return folder_ / "tokens"; }

 private:
  const std::filesystem::path folder_;
  std::map<std::string, std::string> names_;  // of the tokens' folders, by label
};

}  // namespace hsm::testing
