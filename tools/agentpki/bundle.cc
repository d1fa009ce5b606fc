// agentpki bundle show|watch: the trust bundle that relying parties of a hierarchy need.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <thread>

#include "agentpki/v1/trust_bundle.grpc.pb.h"
#include "ca/base/openssl.h"
#include "ca/x509/credentials.h"
#include "tools/agentpki/certificate_text.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::TrustBundle;
using agentpki::v1::TrustBundleService;
using ca::Error;
using ca::Status;
using ca::StatusCode;

// A stream is reopened after at most 10 minutes: a client cannot notice a server that vanished
// without closing the connection.
constexpr std::chrono::minutes kStreamMax(10);
constexpr std::chrono::seconds kStreamMin(10);
constexpr std::chrono::seconds kPauseMin(1);
constexpr std::chrono::seconds kPauseMax(30);

std::string RootsPem(const TrustBundle& bundle) {
  return ca::PemOf({bundle.roots().begin(), bundle.roots().end()});
}

// ---- show ---------------------------------------------------------------------------------------

struct ShowOptions {
  std::string hierarchy;
  bool as_pem = false;
};

ca::Status AddRows(Table& table, const std::string& kind,
                   const google::protobuf::RepeatedPtrField<std::string>& certificates) {
  for (const ca::Bytes& der : certificates) {
    const ca::X509Ptr x509 = TRY(ca::ParseX509(der));
    const ca::TimePoint until = TRY(ca::TimeOf(X509_get0_notAfter(x509.get())));
    table.Add({kind, NameText(X509_get_subject_name(x509.get())), ca::Rfc3339(until),
               ca::Hex(ca::Sha256(der))});
  }
  return ca::Ok();
}

ca::Status Show(const Session& session, const ShowOptions& options) {
  TrustBundleService::Stub stub(TRY(session.Open()));
  agentpki::v1::GetTrustBundleRequest request;
  request.set_hierarchy(options.hierarchy);
  const auto response = TRY(session.Call(&TrustBundleService::Stub::GetTrustBundle, stub, request));
  const TrustBundle& bundle = response.bundle();
  if (options.as_pem) {
    fmt::print("{}", RootsPem(bundle));
    return ca::Ok();
  }
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(bundle));
    return ca::Ok();
  }
  Facts facts;
  facts.Add("hierarchy", bundle.hierarchy());
  facts.Add("trust domain", bundle.trust_domain());
  facts.Add("version", std::to_string(bundle.version()));
  facts.Add("published", TimeText(bundle.published_at()));
  facts.Print();
  Table table({"KIND", "SUBJECT", "EXPIRES", "SHA-256"});
  TRY(AddRows(table, "root", bundle.roots()));
  TRY(AddRows(table, "issuing", bundle.issuing()));
  fmt::print("\n");
  table.Print();
  return ca::Ok();
}

// ---- watch --------------------------------------------------------------------------------------

struct WatchOptions {
  std::string hierarchy;
  std::string out;
};

Status FileError(std::string_view action, const std::string& path) {
  return Error(StatusCode::kFailedPrecondition, "--out: cannot {} {}: {}", action, path,
               std::generic_category().message(errno));
}

// Replaces the file atomically: a reader sees the old or the new one, never a part.
Status WriteWhole(const std::string& path, std::string_view text) {
  std::string made = path + ".new-XXXXXX";
  const int file = mkostemp(made.data(), O_CLOEXEC);
  if (file < 0) return FileError("create a file beside", path);
  const bool is_written =
      write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      fchmod(file, 0644) == 0 && fsync(file) == 0;
  if (close(file) == 0 && is_written && rename(made.c_str(), path.c_str()) == 0) return ca::Ok();
  const Status failure = FileError("write", path);
  unlink(made.c_str());
  return failure;
}

// Keeps a file up to date for the life of the process.
class Watcher {
 public:
  Watcher(const Session& session, const WatchOptions& options)
      : session_(session), options_(options) {}

  // Returns only with an error that a retry does not mend: the server refuses, or the file cannot
  // be written.
  Status WatchForEver() {
    for (;;) {
      const Status ended = WatchOnce();
      if (ended.code() == StatusCode::kDeadlineExceeded) continue;  // WatchOnce's own deadline
      if (!IsTemporary(ended)) return ended;
      fmt::print(stderr, "agentpki: {}; next try in {}\n", ca::MessageOf(ended),
                 ca::HumanDuration(pause_));
      std::this_thread::sleep_for(pause_);
      pause_ = std::min(2 * pause_, kPauseMax);
    }
  }

 private:
  static bool IsTemporary(const Status& status) {
    return status.ok() || status.code() == StatusCode::kUnavailable ||
           status.code() == StatusCode::kResourceExhausted ||
           status.code() == StatusCode::kCancelled;
  }

  // Watches until our own credentials are due for renewal; the next Open() renews them.
  Status WatchOnce() {
    TrustBundleService::Stub stub(TRY(session_.Open()));
    const ca::TimePoint due = TRY(session_.RenewalDue());
    const auto left =
        std::clamp<std::chrono::microseconds>(due - session_.clock().Now(), kStreamMin, kStreamMax);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + left);
    agentpki::v1::WatchTrustBundleRequest request;
    request.set_hierarchy(options_.hierarchy);
    const auto stream = stub.WatchTrustBundle(&context, request);
    agentpki::v1::WatchTrustBundleResponse response;
    Status taken;
    while (taken.ok() && stream->Read(&response)) {
      pause_ = kPauseMin;
      if (response.bundle().version() != held_version_) taken = Take(stub, response.bundle());
    }
    if (!taken.ok()) context.TryCancel();
    const grpc::Status ended = stream->Finish();
    return taken.ok() ? client::StatusOf(context, ended) : taken;
  }

  // Writes the file before the acknowledgement, so an acknowledged version is always on the disk.
  Status Take(TrustBundleService::Stub& stub, const TrustBundle& bundle) {
    if (!options_.out.empty()) TRY(WriteWhole(options_.out, RootsPem(bundle)));
    if (!options_.out.empty() && options_.hierarchy.empty()) {
      agentpki::v1::AcknowledgeTrustBundleRequest request;
      request.set_version(bundle.version());
      TRY(session_.Call(&TrustBundleService::Stub::AcknowledgeTrustBundle, stub, request).status());
    }
    held_version_ = bundle.version();
    if (session_.format() == Format::kJson) {
      fmt::print("{}\n", ToJson(bundle));
    } else {
      fmt::print("{} trust bundle {}: {} roots, {} issuing authorities{}\n", bundle.hierarchy(),
                 bundle.version(), bundle.roots_size(), bundle.issuing_size(),
                 options_.out.empty() ? "" : ", written to " + options_.out);
    }
    std::fflush(stdout);
    return ca::Ok();
  }

  const Session& session_;
  const WatchOptions& options_;
  std::chrono::seconds pause_ = kPauseMin;
  int held_version_ = 0;
};

}  // namespace

void AddBundleCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "bundle",
      "Trust bundles: the roots and issuing authorities of a hierarchy, for its relying "
      "parties");
  noun->require_subcommand(1);

  CLI::App* const show = noun->add_subcommand("show", "Show the current trust bundle");
  auto shown = std::make_shared<ShowOptions>();
  show->add_option("--hierarchy", shown->hierarchy,
                   "Name of the hierarchy, for example acme/prod; default: your own")
      ->type_name("NAME");
  show->add_flag("--pem", shown->as_pem, "Print only the roots, as PEM");
  show->callback(
      [&session, &run, shown] { run = [&session, shown] { return Show(session, *shown); }; });

  CLI::App* const watch = noun->add_subcommand(
      "watch",
      "Run until stopped, and keep a file with the roots up to date. Acknowledges each version of "
      "your own hierarchy's trust bundle after it is written. Renews the credentials of "
      "--identity.\n\n"
      "  agentpki bundle watch --identity DIR --out FILE");
  auto watched = std::make_shared<WatchOptions>();
  watch
      ->add_option("--hierarchy", watched->hierarchy,
                   "Watch this hierarchy, without acknowledging it; default: your own")
      ->type_name("NAME");
  watch->add_option("--out", watched->out, "PEM file to write; it is replaced atomically")
      ->type_name("FILE");
  watch->callback([&session, &run, watched] {
    run = [&session, watched] { return Watcher(session, *watched).WatchForEver(); };
  });
}

}  // namespace cli
