#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "hsm/token_options.h"

namespace hsm::testing {

inline constexpr char kTokenLabel[] = "agentpki";
inline constexpr char kUserPin[] = "correct horse";
inline constexpr char kSoPin[] = "battery staple";

// A private SoftHSM2: a configuration and a token folder in a temporary folder, which the
// destructor removes. One at a time in a process, because SOFTHSM2_CONF names it. Create it before
// the module is loaded. Aborts if that fails (softhsm2 is not installed, /tmp is full).
class SoftHsm {
 public:
  SoftHsm();
  ~SoftHsm();
  SoftHsm(const SoftHsm&) = delete;
  SoftHsm& operator=(const SoftHsm&) = delete;

  // Creates a token in a child process, so that this process has no PKCS#11 state.
  void InitToken(const std::string& label = kTokenLabel, const std::string& pin = kUserPin);

  // The options that open that token.
  static TokenOptions Options(const std::string& label = kTokenLabel,
                              const std::string& pin = kUserPin);

  // As if the disk with the tokens was removed, and put back.
  void TakeTokensAway();
  void PutTokensBack();
  // The same for one token.
  void TakeAway(const std::string& label);
  void PutBack(const std::string& label);

  static std::string ModulePath();
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path config_file() const { return folder_ / "softhsm2.conf"; }
  std::filesystem::path token_folder() const { return folder_ / "tokens"; }

 private:
  const std::filesystem::path folder_;
  std::map<std::string, std::string> names_;  // the tokens' folders, by label
};

}  // namespace hsm::testing
