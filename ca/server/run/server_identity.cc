#include "ca/server/run/server_identity.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "ca/x509/credentials.h"
#include "ca/x509/subject_key.h"

namespace server {
namespace {

namespace fs = std::filesystem;
using ca::Error;
using ca::Status;
using ca::StatusCode;

constexpr std::chrono::seconds kRetry(30);
constexpr std::string_view kProfile = "server";

Status FileError(std::string_view what, const fs::path& path) {
  return Error(StatusCode::kFailedPrecondition, "runtime_directory: cannot {} {}: {}", what,
               path.string(), std::generic_category().message(errno));
}

// The host's name as one segment of a SPIFFE ID, so that replicas on different hosts differ.
std::string HostSegment() {
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) != 0) return "server";
  std::string segment(name);
  std::replace_if(
      segment.begin(), segment.end(),
      [](unsigned char c) { return !std::isalnum(c) && c != '-' && c != '.'; }, '-');
  return segment.empty() || segment == "." || segment == ".." ? "server" : segment;
}

ca::Result<ca::Agent> EnsureServerAgent(const Config& config, const ca::Hierarchy& system,
                                        const ca::OwnAgents& own_agents) {
  ca::SpiffeId id = TRY(ca::SpiffeId::Parse(
      fmt::format("spiffe://{}/server/{}", system.trust_domain.name(), HostSegment())));
  ca::Agent wanted{
      .hierarchy = system.id,
      .id = std::move(id),
      .owner = "agentpki",
      .role = "server",
      .version = AGENTPKI_VERSION,
      .profile = std::string(kProfile),
      .dns_names = config.dns_names,
      .ip_addresses = config.ip_addresses,
  };
  const Status valid = wanted.Validate(system);
  if (!valid.ok()) return ca::Annotate(valid, "server_names: ");
  ca::Agent registered = TRY(own_agents.EnsureAgent(wanted));
  // The names in the configuration count, not those of the first registration.
  registered.dns_names = wanted.dns_names;
  registered.ip_addresses = wanted.ip_addresses;
  return registered;
}

Status WritePrivateFile(const fs::path& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return FileError("create", path);
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (close(file) != 0 || !written) return FileError("write", path);
  return ca::Ok();
}

Status CheckPrivate(const fs::path& directory) {
  struct stat status {};
  if (stat(directory.c_str(), &status) != 0) return FileError("find", directory);
  if (S_ISDIR(status.st_mode) && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return ca::Ok();
  return Error(
      StatusCode::kFailedPrecondition,
      "runtime_directory: {} must be a folder that only its owner may enter; run: chmod 700 {}",
      directory.string(), directory.string());
}

}  // namespace

ca::Result<std::unique_ptr<ServerIdentity>> ServerIdentity::Create(const Config& config,
                                                                   const ca::LiveCatalog& catalogs,
                                                                   const ca::OwnAgents& own_agents,
                                                                   const ca::Enrollment& enrollment,
                                                                   const ca::Clock& clock) {
  TRY(CheckPrivate(config.runtime_directory));
  const auto catalog = catalogs.Snapshot();
  const auto system = TRY(catalog->System());
  ca::Agent agent = TRY(EnsureServerAgent(config, system->hierarchy(), own_agents));
  std::unique_ptr<ServerIdentity> identity(
      new ServerIdentity(config.runtime_directory, std::move(agent), catalogs, enrollment, clock));
  // Always issue a new one. Whether an older one on disk is still valid depends on more than its
  // dates.
  TRY(identity->Renew());
  identity->thread_ = std::thread([&identity = *identity] { identity.RenewForEver(); });
  return identity;
}

ServerIdentity::ServerIdentity(fs::path directory, ca::Agent agent, const ca::LiveCatalog& catalogs,
                               const ca::Enrollment& enrollment, const ca::Clock& clock)
    : directory_(std::move(directory)),
      link_(directory_ / "tls"),
      agent_(std::move(agent)),
      catalogs_(catalogs),
      enrollment_(enrollment),
      clock_(clock) {}

ServerIdentity::~ServerIdentity() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Status ServerIdentity::CheckHealth() const {
  const std::lock_guard lock(mutex_);
  const auto lifetime = validity_.not_after - validity_.not_before;
  if (clock_.Now() < validity_.not_after - lifetime / 10) return ca::Ok();
  return Error(StatusCode::kFailedPrecondition,
               "the server's own certificate ends at {} and was not renewed",
               ca::Rfc3339(validity_.not_after));
}

Status ServerIdentity::Renew() {
  const ca::SubjectKey key = TRY(ca::SubjectKey::Generate(ca::KeyType::kP256));
  const ca::RequestId request = ca::RequestId::New(clock_.Now());
  ca::Call call = ca::Call::Local("server", ca::Action::kEnroll, clock_.Now());
  call.Concerns(agent_.hierarchy, agent_.id.ToString());
  call.event().request_id = request.ToString();
  auto recorded =
      TRY(enrollment_.Issue(call, agent_, key.Csr(agent_.id), ca::SystemGrounds{}, request));
  const ca::IssuedCertificate issued = recorded.TakeValue();
  // The chain includes the roots, because a first contact knows only a root's fingerprint
  // (JoinToken).
  const auto issuers =
      issued.hierarchy->FirstContactChain(issued.certificate.record.authority, clock_.Now());
  std::vector<ca::Bytes> chain = {issued.certificate.Der()};
  chain.insert(chain.end(), issuers.begin(), issuers.end());

  const std::string serial = issued.certificate.record.serial.ToString();
  const fs::path folder = directory_ / ("tls-" + serial);
  if (mkdir(folder.c_str(), 0700) != 0) return FileError("create", folder);
  TRY(WritePrivateFile(folder / "key.pem", key.ToPem().Reveal()));
  TRY(WritePrivateFile(folder / "chain.pem", ca::PemOf(chain)));

  std::error_code error;
  const fs::path old = fs::read_symlink(link_, error);
  const fs::path new_link = directory_ / "tls.new";
  fs::remove(new_link, error);
  fs::create_directory_symlink(folder.filename(), new_link, error);
  if (error || rename(new_link.c_str(), link_.c_str()) != 0) return FileError("replace", link_);
  if (!old.empty() && old != folder.filename()) fs::remove_all(directory_ / old, error);

  const std::lock_guard lock(mutex_);
  validity_ = issued.certificate.record.validity;
  spdlog::info("the server's own certificate {} is valid until {}", serial,
               ca::Rfc3339(validity_.not_after));
  return ca::Ok();
}

void ServerIdentity::RenewForEver() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const auto lifetime = validity_.not_after - validity_.not_before;
    const auto due = validity_.not_after - lifetime / 3;
    // Sleep only for short times, because the wall clock may be set meanwhile.
    if (clock_.Now() < due) {
      stop_.wait_for(lock, std::min<std::chrono::microseconds>(due - clock_.Now(), kRetry));
      continue;
    }
    lock.unlock();
    const Status renewed = Renew();
    lock.lock();
    if (renewed.ok()) continue;
    spdlog::warn("the server could not renew its own certificate; it tries again in {} s: {}",
                 kRetry.count(), renewed.ToString());
    stop_.wait_for(lock, kRetry, [this] { return is_stopping_; });
  }
}

}  // namespace server
