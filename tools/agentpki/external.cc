// agentpki authority csr|import: an issuing authority below an external root.

#include "agentpki/v1/authority.grpc.pb.h"
#include "tools/agentpki/authority_text.h"
#include "tools/agentpki/commands.h"
#include "tools/agentpki/input.h"

namespace cli {
namespace {

using agentpki::v1::AuthorityService;

ca::Status CreateRequest(const Session& session, const std::string& authority) {
  AuthorityService::Stub stub(TRY(session.Open()));
  agentpki::v1::CreateCertificationRequestRequest request;
  request.set_authority(authority);
  const auto response =
      TRY(session.Call(&AuthorityService::Stub::CreateCertificationRequest, stub, request));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(response));
    return ca::Ok();
  }
  // Only the PEM goes to standard output, so that it can be redirected to a file.
  fmt::print("{}", ca::Pem("CERTIFICATE REQUEST", response.certification_request()));
  fmt::print(stderr,
             "key SHA-256: {}\n\nThe owner of the root must sign it with all requested extensions. "
             "Then run:\n"
             "  agentpki authority import {} --certificate FILE\n",
             response.key_fingerprint(), authority);
  return ca::Ok();
}

struct ImportOptions {
  std::string authority;
  std::string file;
};

ca::Status Import(const Session& session, const ImportOptions& options) {
  agentpki::v1::ImportAuthorityRequest request;
  request.set_authority(options.authority);
  const std::string text = TRY(ReadInput(options.file, kFileSizeMax));
  auto certificates = CertificatesOf(text);
  if (!certificates.ok()) return ca::Annotate(certificates.status(), "--certificate: ");
  for (ca::Bytes& der : *certificates) request.add_certificates(std::move(der));

  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&AuthorityService::Stub::ImportAuthority, stub, request));
  PrintAuthority(response.authority(), session);
  return ca::Ok();
}

}  // namespace

void AddExternalCommands(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const csr = noun.add_subcommand(
      "csr",
      "Print the certification request of a pending issuing authority, PKCS #10 in PEM, for the "
      "owner of an external root to sign.\n\n"
      "  agentpki authority csr acme/prod/issuing/1 > issuing-1.csr");
  auto authority = std::make_shared<std::string>();
  csr->add_option("authority", *authority, "Name of the pending issuing authority")
      ->required()
      ->type_name("NAME");
  csr->callback([&session, &run, authority] {
    run = [&session, authority] { return CreateRequest(session, *authority); };
  });

  CLI::App* const import = noun.add_subcommand(
      "import",
      "Import the certificate that the owner of an external root signed. The server refuses a "
      "certificate that differs from its certification request. The first issuing authority of a "
      "hierarchy then becomes active at once.\n\n"
      "  agentpki authority import acme/prod/issuing/1 --certificate issuing-1.pem");
  auto options = std::make_shared<ImportOptions>();
  import->add_option("authority", options->authority, "Name of the pending issuing authority")
      ->required()
      ->type_name("NAME");
  import
      ->add_option("--certificate", options->file,
                   "PEM file with the certificate and the intermediates up to the root, or - for "
                   "standard input")
      ->required()
      ->type_name("FILE");
  import->callback([&session, &run, options] {
    run = [&session, options] { return Import(session, *options);
};
}  // namespace cli
);
}

}  // namespace cli
