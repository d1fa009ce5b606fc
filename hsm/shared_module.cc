#include "hsm/shared_module.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <thread>

namespace hsm {
namespace {

// The opening of one token may lose the login to another: SoftHSM may show no token for a moment
// while another process logs in to it, or while its folders change. Then all logins are made again.
constexpr int kRoundsMax = 3;
constexpr std::chrono::milliseconds kRoundPause(50);

// A copy of all that opening a token needs, because the thread that opens it may hang and outlive
// every other object.
struct Opening {
  TokenOptions options;
  std::vector<std::string> labels;  // of the keys that are held
  bool was_available = false;
};

std::vector<Opening> OpeningsOf(const std::vector<TokenState*>& tokens) {
  std::vector<Opening> openings;
  for (TokenState* const token : tokens) {
    openings.push_back({token->options(), token->HeldLabels(), !token->is_unavailable()});
  }
  return openings;
}

std::map<std::string, KeyPair> FindKeys(Login& login, const std::vector<std::string>& labels) {
  std::map<std::string, KeyPair> found;
  for (const std::string& label : labels) {
    auto session = login.Lease();
    if (!session.ok()) break;  // the health check reports it
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
                                              const std::vector<Opening>& openings,
                                              Progress& progress) {
  const auto module = TRY(InitializedModule::Open(path, progress));
  std::vector<OpenedToken> opened;
  for (const Opening& token : openings) {
    auto login = OpenLogin(module, token.options, progress);
    progress.Enter("finding the keys");
    auto keys = login.ok() ? FindKeys(**login, token.labels) : std::map<std::string, KeyPair>();
    opened.push_back({std::move(login), std::move(keys)});
  }
  return opened;
}

bool HasLostOne(const std::vector<Opening>& openings,
                const ca::Result<std::vector<OpenedToken>>& opened) {
  for (size_t i = 0; i < openings.size(); ++i) {
    if (!openings[i].was_available) continue;
    if (!opened.ok()) return true;
    const OpenedToken& token = (*opened)[i];
    if (token.login.status().code() == ca::StatusCode::kUnavailable) return true;
    if (token.login.ok() && token.keys.size() < openings[i].labels.size()) return true;
  }
  return false;
}

// Reads the PINs of the available tokens before their logins end: a login that could not be made
// again must not end.
ca::Status CheckPins(const std::vector<Opening>& openings, Progress& progress) {
  for (const Opening& token : openings) {
    if (!token.was_available) continue;
    progress.Enter("reading the PIN");
    const ca::Status status = token.options.read_pin().status();
    if (!status.ok()) {
      return ca::Annotate(status, fmt::format("it is not opened again, because token '{}', of the "
                                              "same module, could then not be opened: ",
                                              ca::Printable(token.options.token_label)));
    }
  }
  return ca::Ok();
}

// Ends the old logins, and makes new ones. The last login that ends calls C_Finalize.
ca::Result<std::vector<OpenedToken>> OpenLogins(const std::string& path,
                                                const std::vector<Opening>& openings,
                                                std::vector<std::unique_ptr<Login>> old,
                                                Progress& progress) {
  progress.Enter("C_Finalize");
  old.clear();
  for (int round = 1;; ++round) {
    auto opened = OpenOnce(path, openings, progress);
    if (round == kRoundsMax || !HasLostOne(openings, opened)) return opened;
    progress.Enter("C_Finalize");
    if (opened.ok()) opened->clear();
    std::this_thread::sleep_for(kRoundPause);
  }
}

std::string Describe(const std::vector<Opening>& openings) {
  std::vector<std::string> labels;
  for (const Opening& token : openings) {
    labels.push_back(fmt::format("'{}'", ca::Printable(token.options.token_label)));
  }
  return fmt::format("opening token{} {}", labels.size() == 1 ? "" : "s", fmt::join(labels, ", "));
}

}  // namespace

void SharedModule::Join(TokenState& token) {
  const std::lock_guard opening(opening_mutex_);
  const std::lock_guard lock(mutex_);
  tokens_.push_back(&token);
}

void SharedModule::Leave(TokenState& token) {
  const std::lock_guard opening(opening_mutex_);
  const std::lock_guard lock(mutex_);
  std::erase(tokens_, &token);
  token.TakeLogin().reset();
}

void SharedModule::OpenAll() {
  const std::lock_guard opening(opening_mutex_);
  Open(tokens_);
}

void SharedModule::OpenAnew(TokenState& wanting, int seen_count) {
  const std::lock_guard opening(opening_mutex_);
  if (opened_count_ != seen_count) return;
  wanting.SetUnavailable();
  std::vector<TokenState*> tokens;
  for (TokenState* const token : tokens_) {
    if (token == &wanting || !token->is_unavailable()) tokens.push_back(token);
  }
  const auto all = OpeningsOf(tokens);
  const ca::Status can_open = RunWithin(
      open_timeout_, Describe(all), [all](Progress& progress) { return CheckPins(all, progress); });
  if (can_open.ok()) return Open(tokens);
  const std::lock_guard lock(mutex_);
  wanting.GiveLogin({can_open, {}});
}

void SharedModule::Open(const std::vector<TokenState*>& tokens) {
  const std::vector<Opening> openings = OpeningsOf(tokens);
  std::vector<std::unique_ptr<Login>> old;
  is_opening_ = true;
  {
    const std::lock_guard lock(mutex_);
    for (TokenState* const token : tokens_) old.push_back(token->TakeLogin());
  }
  auto opened =
      RunWithin(open_timeout_, Describe(openings),
                [path = path_, openings, old = std::move(old)](Progress& progress) mutable {
                  return OpenLogins(path, openings, std::move(old), progress);
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

bool SharedModule::OthersAreAvailable(const TokenState& token) const {
  const std::shared_lock lock(mutex_);
  return std::any_of(tokens_.begin(), tokens_.end(), [&](const TokenState* other) {
    return other != &token && !other->is_unavailable();
  });
}

bool SharedModule::AwaitOpening() const {
  if (!is_opening_) return true;
  std::unique_lock lock(wait_mutex_);
  return is_opened_.wait_for(lock, kOpeningWait, [&] { return !is_opening_; });
}

}  // namespace hsm
