#include "tools/agentpki/session.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "ca/base/openssl.h"
#include "tools/client/enrollment.h"

namespace cli {
namespace {

using ca::Error;
using ca::StatusCode;

constexpr int kTimeoutSecondsMax = 3600;

struct Age {
  ca::TimePoint half_life;
  bool is_past_half = false;
  bool has_ended = false;
};

ca::Result<Age> AgeOf(const ca::Credentials& credentials, ca::TimePoint now) {
  const auto blocks = TRY(ca::FromPem("CERTIFICATE", credentials.cert_pem));
  const ca::X509Ptr certificate = TRY(ca::ParseX509(blocks.front()));
  const ca::TimePoint half_life = TRY(ca::HalfLifeOf(certificate.get()));
  const ca::TimePoint until = TRY(ca::TimeOf(X509_get0_notAfter(certificate.get())));
  return Age{half_life, now > half_life, now > until};
}

}  // namespace

void Session::AddOptions(CLI::App& app) {
  app.add_option("--identity", identity_, "Folder with your operator credentials")
      ->envname("AGENTPKI_IDENTITY")
      ->type_name("DIR");
  app.add_option("--output", format_, "Output format: table for people, json for programs")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Format>{{"table", Format::kTable}, {"json", Format::kJson}}))
      ->option_text("table|json");
  app.add_option("--timeout", timeout_seconds_, "Seconds to wait for the server")
      ->check(CLI::Range(1, kTimeoutSecondsMax))
      ->type_name("SECONDS")
      ->capture_default_str();
}

ca::Result<std::shared_ptr<grpc::Channel>> Session::Open() const {
  if (identity_.empty()) {
    return Error(StatusCode::kFailedPrecondition,
                 "--identity: missing; name the folder with your credentials by --identity DIR or "
                 "AGENTPKI_IDENTITY (on the server, 'agentpki-server init --operator-out DIR' "
                 "creates the first operator's)");
  }
  RenewIfDue(identity_);
  const auto credentials = ca::Credentials::Read(identity_);
  if (!credentials.ok()) return ca::Annotate(credentials.status(), "--identity: ");
  const Age age = TRY(AgeOf(*credentials, clock_.Now()));
  if (age.has_ended) {
    return Error(
        StatusCode::kFailedPrecondition,
        "--identity: the certificate in {} has expired; enroll again with a join token, or run "
        "on the server: agentpki-server init --operator-out DIR",
        identity_);
  }
  return client::Connect(*credentials);
}

ca::Result<ca::TimePoint> Session::RenewalDue() const {
  const auto credentials = TRY(ca::Credentials::Read(identity_));
  const Age age = TRY(AgeOf(credentials, clock_.Now()));
  return age.half_life;
}

ca::Result<std::shared_ptr<grpc::Channel>> Session::OpenAs(
    const std::filesystem::path& folder) const {
  const auto credentials = ca::Credentials::Read(folder);
  if (!credentials.ok()) return credentials.status();
  return client::Connect(*credentials);
}

// One of several concurrent commands renews; the others go on with the old credentials. A failure
// is only a warning, because the old credentials are still valid.
void Session::RenewIfDue(const std::filesystem::path& folder) const {
  const auto credentials = ca::Credentials::Read(folder);
  if (!credentials.ok()) return;
  const auto age = AgeOf(*credentials, clock_.Now());
  if (!age.ok() || !age->is_past_half || age->has_ended) return;

  const int lock = open((folder.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
    const auto renewed = client::Renew({.out = folder, .timeout = timeout()}, clock_);
    if (!renewed.ok()) {
      fmt::print(stderr, "agentpki: warning: cannot renew your credentials in {}: {}\n",
                 folder.string(), ca::MessageOf(renewed.status()));
    }
  }
  close(lock);
}

ca::Result<std::vector<std::string>> Session::Hierarchies(
    const std::shared_ptr<grpc::Channel>& channel, const std::string& named) const {
  if (!named.empty()) return std::vector<std::string>{named};
  using agentpki::v1::StatusService;
  StatusService::Stub stub(channel);
  const auto status = TRY(Call(&StatusService::Stub::GetStatus, stub, {}));
  std::vector<std::string> names;
  for (const auto& hierarchy : status.hierarchies()) names.push_back(hierarchy.name());
  return names;
}

}  // namespace cli
