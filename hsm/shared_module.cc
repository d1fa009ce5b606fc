#include "hsm/shared_module.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <thread>

#include "hsm/token.h"

namespace hsm {
namespace {

// A login that is lost to the opening of another token is made again, before anybody notices:
// SoftHSM may show no token for a moment while another process logs in to it, or while folders come
// and go.
constexpr int kRoundsMax = 3;
constexpr std::chrono::milliseconds kRoundPause(50);

// All that it takes to open a token. The thread that does it may hang, and outlive everything else.
struct Wanted {
  TokenOptions options;
  std::vector<std::string> labels;  // of the keys that somebody holds
  bool was_well = false;
};

std::vector<Wanted> WantedOf(const std::vector<Token*>& tokens) {
  std::vector<Wanted> wanted;
  for (Token* const token : tokens) {
    wanted.push_back({token->options(), token->HeldLabels(), !token->is_away()});
  }
  return wanted;
}

std::map<std::string, KeyPair> FindKeys(Login& login, const std::vector<std::string>& labels) {
  std::map<std::string, KeyPair> found;
  for (const std::string& label : labels) {
    auto session = login.Lease();
    if (!session.ok()) break;  // the health check finds out
    auto pair = FindKeyPair(*session, label);
    if (pair.ok()) found.emplace(label, *std::move(pair));
  }
  return found;
}

ca::Result<std::unique_ptr<Login>> OpenLogin(std::shared_ptr<const InitializedModule> module,
                                             const TokenOptions& options, Progress& progress) {
  progress.Enter("reading the PIN");
  const ca::Secret pin = TRY(options.read_pin());
  return Login::Open(std::move(module), options.token_label, pin, progress);
}

ca::Result<std::vector<OpenedToken>> OpenOnce(const std::string& path,
                                              const std::vector<Wanted>& wanted,
                                              Progress& progress) {
  const auto module = TRY(InitializedModule::Open(path, progress));
  std::vector<OpenedToken> opened;
  for (const Wanted& token : wanted) {
    auto login = OpenLogin(module, token.options, progress);
    progress.Enter("finding the keys");
    auto keys = login.ok() ? FindKeys(**login, token.labels) : std::map<std::string, KeyPair>();
    opened.push_back({std::move(login), std::move(keys)});
  }
  return opened;
}

bool HasLostOne(const std::vector<Wanted>& wanted,
                const ca::Result<std::vector<OpenedToken>>& opened) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].was_well) continue;
    if (!opened.ok()) return true;
    const OpenedToken& token = (*opened)[i];
    if (token.login.status().code() == ca::StatusCode::kUnavailable) return true;
    if (token.login.ok() && token.keys.size() < wanted[i].labels.size()) return true;
  }
  return false;
}

// Who is well is not logged out before it is seen that he can be logged in again.
ca::Status CheckPins(const std::vector<Wanted>& wanted, Progress& progress) {
  for (const Wanted& token : wanted) {
    if (!token.was_well) continue;
    progress.Enter("reading the PIN");
    const ca::Status status = token.options.read_pin().status();
    if (!status.ok()) {
      return ca::Annotate(status,
                          fmt::format("it is not looked for as long as token '{}' could not "
                                      "be opened again: ",
                                      ca::Printable(token.options.token_label)));
    }
  }
  return ca::Ok();
}

// Ends the old logins, the last of which takes C_Finalize along, and makes new ones.
ca::Result<std::vector<OpenedToken>> OpenLogins(const std::string& path,
                                                const std::vector<Wanted>& wanted,
                                                std::vector<std::unique_ptr<Login>> old,
                                                Progress& progress) {
  progress.Enter("C_Finalize");
  old.clear();
  for (int round = 1;; ++round) {
    auto opened = OpenOnce(path, wanted, progress);
    if (round == kRoundsMax || !HasLostOne(wanted, opened)) return opened;
    progress.Enter("C_Finalize");
    if (opened.ok()) opened->clear();
    std::this_thread::sleep_for(kRoundPause);
  }
}

std::string Opening(const std::vector<Wanted>& wanted) {
  std::vector<std::string> labels;
  for (const Wanted& token : wanted) {
    labels.push_back(fmt::format("'{}'", ca::Printable(token.options.token_label)));
  }
  return fmt::format("opening token{} {}", labels.size() == 1 ? "" : "s", fmt::join(labels, ", "));
}

}  // namespace

void SharedModule::Join(Token& token) {
  const std::lock_guard opening(opening_mutex_);
  const std::lock_guard lock(mutex_);
  tokens_.push_back(&token);
}

void SharedModule::Leave(Token& token) {
  const std::lock_guard opening(opening_mutex_);
  const std::lock_guard lock(mutex_);
  std::erase(tokens_, &token);
  token.TakeLogin().reset();
}

void SharedModule::OpenAll() {
  const std::lock_guard opening(opening_mutex_);
  Open(tokens_);
}

void SharedModule::OpenAnew(Token& wanting, int seen_count) {
  const std::lock_guard opening(opening_mutex_);
  if (opened_count_ != seen_count) return;
  wanting.SetAway();
  std::vector<Token*> tokens;
  for (Token* const token : tokens_) {
    if (token == &wanting || !token->is_away()) tokens.push_back(token);
  }
  const auto all = WantedOf(tokens);
  const ca::Status can_open = RunWithin(
      open_timeout_, Opening(all), [all](Progress& progress) { return CheckPins(all, progress); });
  if (can_open.ok()) return Open(tokens);
  const std::lock_guard lock(mutex_);
  wanting.GiveLogin({can_open, {}});
}

void SharedModule::Open(const std::vector<Token*>& tokens) {
  const std::vector<Wanted> wanted = WantedOf(tokens);
  std::vector<std::unique_ptr<Login>> old;
  is_opening_ = true;
  {
    const std::lock_guard lock(mutex_);
    for (Token* const token : tokens_) old.push_back(token->TakeLogin());
  }
  auto opened = RunWithin(open_timeout_, Opening(wanted),
                          [path = path_, wanted, old = std::move(old)](Progress& progress) mutable {
                            return OpenLogins(path, wanted, std::move(old), progress);
                          });
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < tokens.size(); ++i) {
      tokens[i]->GiveLogin(opened.ok() ? std::move((*opened)[i])
                                       : OpenedToken{opened.status(), {}});
    }
    ++opened_count_;
  }
  {
    const std::lock_guard lock(wait_mutex_);
    is_opening_ = false;
  }
  is_opened_.notify_all();
}

bool SharedModule::OthersAreWell(const Token& token) const {
  const std::shared_lock lock(mutex_);
  return std::any_of(tokens_.begin(), tokens_.end(),
                     [&](const Token* other) { return other != &token && !other->is_away(); });
}

bool SharedModule::AwaitOpening() const {
  if (!is_opening_) return true;
  std::unique_lock lock(wait_mutex_);
  return is_opened_.wait_for(lock, kOpeningWait, [&] { return !is_opening_; });
}

}  // namespace hsm
