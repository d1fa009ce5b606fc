// agentpki cert enroll|renew|list|show: certificates of agents. `cert revoke` is in revoke.cc.

#include <openssl/crypto.h>

#include <map>

#include "agentpki/v1/certificate.grpc.pb.h"
#include "ca/base/serial_number.h"
#include "ca/x509/csr.h"
#include "tools/agentpki/certificate_text.h"
#include "tools/agentpki/commands.h"
#include "tools/agentpki/input.h"
#include "tools/client/enrollment.h"

namespace cli {
namespace {

using agentpki::v1::CertificateService;
using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

// ---- enroll, renew ------------------------------------------------------------------------------

struct EnrollOptions {
  std::string token;
  std::string token_file;
  std::string csr_file;
  std::string key_type = "p256";
  std::string out;
};

Result<client::EnrollmentOptions> EnrollmentOptionsOf(const EnrollOptions& options,
                                                      const Session& session) {
  client::EnrollmentOptions enrollment{.out = options.out, .timeout = session.timeout()};
  const auto key_type = ca::KeyTypeFrom(options.key_type);
  if (!key_type.ok()) return ca::Annotate(key_type.status(), "--key-type: ");
  enrollment.key = *key_type;
  if (options.csr_file.empty()) return enrollment;

  const std::string text = TRY(ReadInput(options.csr_file, kFileSizeMax));
  ca::Bytes der = text;
  if (text.find("-----BEGIN") != std::string::npos) {
    auto blocks = ca::FromPem("CERTIFICATE REQUEST", text);
    if (!blocks.ok()) blocks = ca::FromPem("NEW CERTIFICATE REQUEST", text);
    if (!blocks.ok()) return ca::Annotate(blocks.status(), "--csr: ");
    der = blocks->front();
  }
  // The server checks it too, but this refusal needs no server and costs no join token.
  const auto csr = ca::Csr::Parse(der);
  if (!csr.ok()) return ca::Annotate(csr.status(), "--csr: ");
  enrollment.key = std::move(der);
  return enrollment;
}

Result<ca::JoinToken> TokenOf(const EnrollOptions& options) {
  ca::Secret text(options.token);
  if (!options.token_file.empty()) {
    text = ca::Secret(TRY(ReadInput(options.token_file, ca::JoinToken::kTextSizeMax + 2)));
  }
  const std::string_view line = text.Reveal();
  return ca::JoinToken::Parse(line.substr(0, line.find_first_of("\r\n")));
}

Status PrintEnrolled(const ca::Credentials& credentials, const EnrollOptions& options,
                     const Session& session) {
  if (session.format() == Format::kTable) {
    fmt::print("{}: {}cert.pem, bundle.pem\n\n", options.out,
               options.csr_file.empty() ? "key.pem, " : "");
  }
  const auto chain = TRY(ca::FromPem("CERTIFICATE", credentials.cert_pem));
  return PrintCertificates({chain.front()}, session.format(), session.clock().Now());
}

Status Enroll(const Session& session, const EnrollOptions& options) {
  const auto enrollment = TRY(EnrollmentOptionsOf(options, session));
  const ca::JoinToken token = TRY(TokenOf(options));
  const auto credentials = TRY(client::Enroll(token, enrollment, session.clock()));
  return PrintEnrolled(credentials, options, session);
}

Status Renew(const Session& session, const EnrollOptions& options) {
  const auto enrollment = TRY(EnrollmentOptionsOf(options, session));
  const auto credentials = TRY(client::Renew(enrollment, session.clock()));
  return PrintEnrolled(credentials, options, session);
}

// ---- list, show ---------------------------------------------------------------------------------

struct ListOptions {
  std::string hierarchy;
  std::string agent;
  bool live_only = false;
  int limit = 1000;
};

Status List(const Session& session, const ListOptions& options) {
  const auto channel = TRY(session.Open());
  CertificateService::Stub stub(channel);
  const auto hierarchies = TRY(session.Hierarchies(channel, options.hierarchy));
  google::protobuf::RepeatedPtrField<agentpki::v1::CertificateEntry> entries;
  for (const std::string& hierarchy : hierarchies) {
    std::string page_token;
    do {
      const int wanted = options.limit - entries.size();
      if (wanted <= 0) break;
      agentpki::v1::ListCertificatesRequest request;
      request.set_hierarchy(hierarchy);
      request.set_spiffe_id(options.agent);
      request.set_live_only(options.live_only);
      request.set_page_size(std::min(wanted, 1000));
      request.set_page_token(page_token);
      const auto page =
          TRY(session.Call(&CertificateService::Stub::ListCertificates, stub, request));
      entries.MergeFrom(page.certificates());
      page_token = page.next_page_token();
    } while (!page_token.empty());
  }
  if (session.format() == Format::kJson) {
    PrintJsonArray(entries);
    return ca::Ok();
  }
  const ca::TimePoint now = session.clock().Now();
  Table table({"SERIAL", "AGENT", "PROFILE", "EXPIRES", "STATE"});
  for (const auto& entry : entries) {
    const ca::TimePoint end = FromProto(entry.not_after());
    table.Add({entry.serial(), entry.spiffe_id(), entry.profile(), RelativeText(end, now),
               entry.has_revoked_at() ? "revoked: " + entry.revocation_reason()
               : !entry.signed_()     ? "never signed"
               : end < now            ? "expired"
                                      : "live"});
  }
  table.Print();
  if (entries.size() >= options.limit) {
    fmt::print(stderr, "The list stops at --limit {}; there may be more.\n", options.limit);
  }
  return ca::Ok();
}

Result<std::vector<ca::Bytes>> Fetch(const Session& session, const ca::SerialNumber& serial) {
  CertificateService::Stub stub(TRY(session.Open()));
  agentpki::v1::GetCertificateRequest request;
  request.set_serial(serial.ToString());
  const auto response = TRY(session.Call(&CertificateService::Stub::GetCertificate, stub, request));
  std::vector<ca::Bytes> certificates = {response.certificate()};
  certificates.insert(certificates.end(), response.intermediates().begin(),
                      response.intermediates().end());
  return certificates;
}

struct ShowOptions {
  std::string source;  // a serial, a file, or "-"
  bool pem = false;
};

// Looks a serial up in the ledger; takes anything else for a file.
Status Show(const Session& session, const ShowOptions& options) {
  std::vector<ca::Bytes> certificates;
  if (const auto serial = ca::SerialNumber::FromHexText(options.source); serial.ok()) {
    certificates = TRY(Fetch(session, *serial));
  } else {
    const std::string text = TRY(ReadInput(options.source, kFileSizeMax));
    certificates = TRY(CertificatesOf(text));
  }
  if (options.pem) {
    fmt::print("{}", ca::PemOf(certificates));
    return ca::Ok();
  }
  return PrintCertificates(certificates, session.format(), session.clock().Now());
}

void AddEnroll(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const enroll = noun.add_subcommand(
      "enroll",
      "Get the first certificate of an agent, with a join token.\n\n"
      "  agentpki cert enroll --token-file FILE --out DIR\n\n"
      "The command writes three files to DIR, atomically: key.pem (generated here, readable only "
      "by you), cert.pem (the certificate, then the intermediates) and bundle.pem (the roots to "
      "trust in peers). After an interruption, run it again with the same token and DIR.");
  auto options = std::make_shared<EnrollOptions>();
  auto* const token = enroll->add_option_group("token", "The join token");
  token
      ->add_option("--token-file", options->token_file,
                   "File with the join token, or - for standard input")
      ->type_name("FILE");
  token
      ->add_option("--token", options->token,
                   "The join token itself; other users of this machine can read it")
      ->type_name("TOKEN");
  token->require_option(1);
  enroll->add_option("--out", options->out, "Folder to create or replace")
      ->required()
      ->type_name("DIR");
  auto* const csr =
      enroll->add_option("--csr", options->csr_file,
                         "Use this PKCS #10 request (PEM or DER, - for standard input) instead of "
                         "a new key; you keep its key");
  csr->type_name("FILE");
  enroll->add_option("--key-type", options->key_type, "Type of the new key: p256, p384 or ed25519")
      ->excludes(csr)
      ->type_name("TYPE")
      ->capture_default_str();
  enroll->callback([&session, &run, options] {
    run = [&session, options] { return Enroll(session, *options); };
  });
}

void AddRenew(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const renew = noun.add_subcommand(
      "renew",
      "Renew the certificate in DIR, with a new key. The old certificate must still be valid. The "
      "new key and certificate replace the old ones atomically.\n\n"
      "  agentpki cert renew DIR");
  auto options = std::make_shared<EnrollOptions>();
  renew->add_option("dir", options->out, "Folder that 'cert enroll' wrote")
      ->required()
      ->type_name("DIR");
  renew->add_option("--key-type", options->key_type, "Type of the new key: p256, p384 or ed25519")
      ->type_name("TYPE")
      ->capture_default_str();
  renew->callback([&session, &run, options] {
    run = [&session, options] { return Renew(session, *options); };
  });
}

void AddList(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const list =
      noun.add_subcommand("list", "List the certificates in the ledger, last day of expiry first");
  auto options = std::make_shared<ListOptions>();
  list->add_option("--hierarchy", options->hierarchy, kOneHierarchy)->type_name("NAME");
  list->add_option("--agent", options->agent, "Only certificates of this agent")
      ->type_name("SPIFFE-ID");
  list->add_flag("--live", options->live_only, "Only certificates that are valid now");
  list->add_option("--limit", options->limit, "Stop after this number of certificates")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N")
      ->capture_default_str();
  list->callback(
      [&session, &run, options] { run = [&session, options] { return List(session, *options); }; });
}

void AddShow(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const show = noun.add_subcommand(
      "show",
      "Show the certificates of a file, or one certificate of the ledger and its chain, in "
      "words.\n\n"
      "  agentpki cert show DIR/cert.pem");
  auto options = std::make_shared<ShowOptions>();
  show->add_option("source", options->source,
                   "File (PEM or DER, - for standard input), or serial of 40 hex digits")
      ->required()
      ->type_name("FILE|SERIAL");
  show->add_flag("--pem", options->pem, "Print the certificates as PEM");
  show->callback(
      [&session, &run, options] { run = [&session, options] { return Show(session, *options); }; });
}

}  // namespace

void AddCertCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun =
      app.add_subcommand("cert", "Certificates of agents: enroll, renew, list, show, revoke");
  noun->require_subcommand(1);
  AddEnroll(*noun, session, run);
  AddRenew(*noun, session, run);
  AddList(*noun, session, run);
  AddShow(*noun, session, run);
  AddRevokeCommand(*noun, session, run);
}

}  // namespace cli
