// agentpki cert revoke: revoke certificates.

#include <filesystem>

#include "agentpki/v1/revocation.grpc.pb.h"
#include "ca/base/revocation_reason.h"
#include "ca/base/serial_number.h"
#include "tools/agentpki/commands.h"
#include "tools/agentpki/input.h"

namespace cli {
namespace {

using agentpki::v1::RevocationService;
using agentpki::v1::RevokeRequest;
using agentpki::v1::RevokeResponse;
using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

constexpr int kListedMax = 20;  // in the table; --output json has all that the server sent

struct RevokeOptions {
  std::string certificate;  // a serial, a file, a folder of credentials, or "-"
  std::string agent;
  std::string authority;
  std::string reason;
  std::string invalidity_date;
  bool dry_run = false;
  bool yes = false;

  bool IsMass() const { return !agent.empty() || !authority.empty(); }
  bool IsFolder() const {
    return !certificate.empty() && std::filesystem::is_directory(certificate);
  }
};

Status FillTarget(const RevokeOptions& options, RevokeRequest& request) {
  if (!options.agent.empty()) {
    request.set_spiffe_id(options.agent);
    return ca::Ok();
  }
  if (!options.authority.empty()) {
    request.set_authority(options.authority);
    return ca::Ok();
  }
  if (const auto serial = ca::SerialNumber::FromHexText(options.certificate); serial.ok()) {
    request.set_serial(serial->ToString());
    return ca::Ok();
  }
  const std::string file = options.IsFolder()
                               ? (std::filesystem::path(options.certificate) / "cert.pem").string()
                               : options.certificate;
  if (file != "-" && !std::filesystem::exists(file)) {
    return Error(StatusCode::kInvalidArgument,
                 "'{}' is neither a serial of 40 hex digits nor a file", ca::Printable(file));
  }
  const std::string text = TRY(ReadInput(file, kFileSizeMax));
  const auto certificates = TRY(CertificatesOf(text));
  request.set_certificate(certificates.front());  // the leaf; its chain follows
  return ca::Ok();
}

Result<RevokeRequest> RequestOf(const RevokeOptions& options) {
  RevokeRequest request;
  TRY(FillTarget(options, request));
  if (!options.reason.empty()) {
    const auto reason = ca::RevocationReasonFrom(options.reason);
    if (!reason.ok()) return ca::Annotate(reason.status(), "--");
    request.set_reason(std::string(ca::NameOf(*reason)));
  }
  if (!options.invalidity_date.empty()) {
    const auto date = ca::ParseRfc3339(options.invalidity_date);
    if (!date.ok()) return ca::Annotate(date.status(), "--invalidity-date: ");
    request.mutable_invalidity_date()->set_seconds(
        std::chrono::floor<std::chrono::seconds>(*date).time_since_epoch().count());
  }
  request.set_dry_run(options.dry_run);
  return request;
}

void PrintRevoked(const RevokeResponse& response, const RevokeOptions& options,
                  const Session& session) {
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(response));
    return;
  }
  const ca::TimePoint now = session.clock().Now();
  Table table({"SERIAL", "AGENT", "EXPIRES"});
  for (int i = 0; i < std::min(response.revoked_size(), kListedMax); ++i) {
    const auto& revoked = response.revoked(i);
    table.Add(
        {revoked.serial(), revoked.spiffe_id(), RelativeText(FromProto(revoked.not_after()), now)});
  }
  if (!table.empty()) {
    table.Print();
    if (response.revoked_count() > kListedMax) {
      fmt::print("... and {} more\n", response.revoked_count() - kListedMax);
    }
    fmt::print("\n");
  }
  fmt::print("{} {}{}; {} already revoked\n", response.revoked_count(),
             response.revoked_count() == 1 ? "certificate" : "certificates",
             options.dry_run ? " would be revoked; nothing was changed" : " revoked",
             response.already_revoked_count());
  if (response.revoked_count() == 0 && response.has_revoked_at() && !options.dry_run) {
    fmt::print("It was already revoked at {} ({}).\n", TimeText(response.revoked_at()),
               response.reason());
  }
}

Status Revoke(const Session& session, const RevokeOptions& options) {
  const RevokeRequest request = TRY(RequestOf(options));
  if (options.IsMass() && !options.dry_run && !options.yes) {
    return Error(StatusCode::kFailedPrecondition,
                 "--yes: missing; this revokes every live certificate of {}, for good (to list "
                 "them: --dry-run)",
                 options.agent.empty() ? options.authority : options.agent);
  }
  // With a folder of credentials the agent itself is the caller, so it needs no role.
  const auto channel =
      options.IsFolder() ? TRY(session.OpenAs(options.certificate)) : TRY(session.Open());
  RevocationService::Stub stub(channel);
  const auto response = TRY(session.Call(&RevocationService::Stub::Revoke, stub, request));
  PrintRevoked(response, options, session);
  return ca::Ok();
}

}  // namespace

void AddRevokeCommand(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const revoke = noun.add_subcommand(
      "revoke",
      "Revoke certificates, for good. OCSP says so on every replica within 1 second, the CRL "
      "within "
      "10 seconds.\n\n"
      "  agentpki cert revoke SERIAL --reason keyCompromise\n"
      "  agentpki cert revoke --agent SPIFFE-ID --dry-run\n"
      "  agentpki cert revoke DIR       an agent revokes its own certificate, without an operator");
  auto options = std::make_shared<RevokeOptions>();
  auto* const target = revoke->add_option_group("target", "The certificates to revoke");
  target
      ->add_option("certificate", options->certificate,
                   "Serial of 40 hex digits, file of a certificate (PEM or DER, - for standard "
                   "input), or folder that 'cert enroll' wrote")
      ->type_name("SERIAL|FILE|DIR");
  target->add_option("--agent", options->agent, "Every live certificate of this agent")
      ->type_name("SPIFFE-ID");
  target
      ->add_option("--authority", options->authority,
                   "Every live certificate that this issuing authority issued, for example "
                   "acme/prod/issuing/1")
      ->type_name("NAME");
  target->require_option(1);
  revoke
      ->add_option("--reason", options->reason,
                   "Reason of RFC 5280: keyCompromise (also refuses the key for ever), superseded, "
                   "cessationOfOperation, privilegeWithdrawn, affiliationChanged, cACompromise, "
                   "aACompromise or unspecified")
      ->type_name("REASON");
  revoke
      ->add_option("--invalidity-date", options->invalidity_date,
                   "Time from which the key may be compromised: 2026-11-24T04:53:00Z")
      ->type_name("TIME");
  revoke->add_flag("--dry-run", options->dry_run,
                   "Show the certificates that would be revoked; change nothing");
  revoke->add_flag("--yes", options->yes, "Required with --agent and --authority");
  revoke->callback([&session, &run, options] {
    run = [&session, options] { return Revoke(session, *options); };
  });
}

}  // namespace cli
