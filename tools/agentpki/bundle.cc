// agentpki bundle show|watch: what relying parties of a hierarchy should hold.

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

// A stream is opened anew so often, because a server that is gone without a word is not missed.
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

ca::Status AddRows(Table& table, const std::string& use,
                   const google::protobuf::RepeatedPtrField<std::string>& certificates) {
  for (const ca::Bytes& der : certificates) {
    const ca::X509Ptr x509 = TRY(ca::ParseX509(der));
    const ca::TimePoint until = TRY(ca::TimeOf(X509_get0_notAfter(x509.get())));
    table.Add({use, NameText(X509_get_subject_name(x509.get())), ca::Rfc3339(until),
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
  Table table({"USE", "SUBJECT", "ENDS", "SHA-256"});
  TRY(AddRows(table, "trusted", bundle.roots()));
  TRY(AddRows(table, "known", bundle.issuing()));
  fmt::print("\n");
  table.Print();
  return ca::Ok();
}

// ---- watch --------------------------------------------------------------------------------------

struct WatchOptions {
  std::string hierarchy;
  std::string out;
};

Status FileError(std::string_view what, const std::string& path) {
  return Error(StatusCode::kFailedPrecondition, "--out: cannot {} {}: {}", what, path,
               std::generic_category().message(errno));
}

// Takes the place of the file in one step: a reader sees the old or the new one.
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

// One process that keeps a file up to date.
class Watcher {
 public:
  Watcher(const Session& session, const WatchOptions& options)
      : session_(session), options_(options) {}

  // Returns when nothing more can be had: refused, or the file cannot be written.
  Status WatchForEver() {
    for (;;) {
      const Status ended = WatchOnce();
      if (ended.code() == StatusCode::kDeadlineExceeded) continue;  // it was ours
      if (!IsTemporary(ended)) return ended;
      fmt::print(stderr, "agentpki: {}; again in {}\n", ca::MessageOf(ended),
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

  // Until our own credentials are to be renewed, which the next time does.
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

  // Held first, then acknowledged: what is acknowledged is held.
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
                 options_.out.empty() ? "" : "; written to " + options_.out);
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
      "bundle", "Trust bundles: what relying parties of a hierarchy should hold, in versions");
  noun->require_subcommand(1);

  CLI::App* const show = noun->add_subcommand("show", "Show the trust bundle of now");
  auto shown = std::make_shared<ShowOptions>();
  show->add_option("--hierarchy", shown->hierarchy,
                   "Of this one, such as acme/prod; default: yours")
      ->type_name("NAME");
  show->add_flag("--pem", shown->as_pem, "Print only the roots, in PEM");
  show->callback(
      [&session, &run, shown] { run = [&session, shown] { return Show(session, *shown); }; });

  CLI::App* const watch = noun->add_subcommand(
      "watch",
      "Keep a file with the roots up to date, for as long as this runs; each version of your own "
      "hierarchy's is acknowledged when it is written. Renews the credentials of --identity.\n\n"
      "  agentpki bundle watch --identity DIR --out FILE");
  auto watched = std::make_shared<WatchOptions>();
  watch
      ->add_option("--hierarchy", watched->hierarchy,
                   "Of this one, such as acme/prod, which is not acknowledged; default: yours")
      ->type_name("NAME");
  watch->add_option("--out", watched->out, "The file, in PEM; it changes in one step")
      ->type_name("FILE");
  watch->callback([&session, &run, watched] {
    run = [&session, watched] { return Watcher(session, *watched).WatchForEver(); };
  });
}

}  // namespace cli
