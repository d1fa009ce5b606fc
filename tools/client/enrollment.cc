#include "tools/client/enrollment.h"

#include "agentpki/v1/enrollment.grpc.pb.h"
#include "ca/base/openssl.h"
#include "tools/client/channel.h"
#include "tools/client/first_contact.h"

namespace client {
namespace {

using agentpki::v1::EnrollmentService;
using agentpki::v1::IssuedCertificate;
using ca::Credentials;
using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

Status Unexpected(std::string_view what) {
  return Error(StatusCode::kInternal, "the server's answer does not match the request: {}", what);
}

// The octets of the CSR's SubjectPublicKeyInfo.
Result<ca::Bytes> SpkiOf(const ca::Bytes& csr) {
  const unsigned char* cursor = ca::Octets(csr);
  const ca::X509ReqPtr request(d2i_X509_REQ(nullptr, &cursor, static_cast<long>(csr.size())));
  if (!request) {
    ca::DrainOpenSslErrors();
    return Error(StatusCode::kInvalidArgument, "the csr is not a DER PKCS #10 request");
  }
  return ca::DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_REQ_get_X509_PUBKEY(request.get()));
}

// The certificate must be for the key of `csr`, and must chain to the roots of the answer.
Status CheckAnswer(const IssuedCertificate& issued, const ca::Bytes& csr) {
  const ca::X509Ptr leaf = TRY(ca::ParseX509(issued.certificate()));
  const ca::Bytes spki = TRY(SpkiOf(csr));
  if (ca::DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(leaf.get())) != spki) {
    return Unexpected("its certificate is for another key");
  }
  const ca::X509StorePtr roots(X509_STORE_new());
  const ca::X509StackPtr intermediates(sk_X509_new_null());
  const ca::X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (!roots || !intermediates || !context) ca::AbortOnOpenSslFailure("X509_STORE_new");
  for (const ca::Bytes& der : issued.roots()) {
    const ca::X509Ptr root = TRY(ca::ParseX509(der));
    X509_STORE_add_cert(roots.get(), root.get());
  }
  for (const ca::Bytes& der : issued.intermediates()) {
    ca::X509Ptr intermediate = TRY(ca::ParseX509(der));
    sk_X509_push(intermediates.get(), intermediate.release());
  }
  X509_STORE_CTX_init(context.get(), roots.get(), leaf.get(), intermediates.get());
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context.get()), X509_V_FLAG_X509_STRICT);
  if (X509_verify_cert(context.get()) == 1) return ca::Ok();
  ca::DrainOpenSslErrors();
  return Unexpected(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
}

Credentials CredentialsOf(const IssuedCertificate& issued, ca::Secret key_pem, std::string server,
                          std::string server_ca_pem) {
  std::vector<ca::Bytes> chain = {issued.certificate()};
  chain.insert(chain.end(), issued.intermediates().begin(), issued.intermediates().end());
  return Credentials{
      .key_pem = std::move(key_pem),
      .cert_pem = ca::PemOf(chain),
      .bundle_pem = ca::PemOf({issued.roots().begin(), issued.roots().end()}),
      .server = std::move(server),
      .server_ca_pem = std::move(server_ca_pem),
  };
}

// After any other error a retry of the same request may succeed.
bool IsFinal(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kPermissionDenied:
    case StatusCode::kAlreadyExists:
    case StatusCode::kNotFound:
      return true;
    default:
      return false;
  }
}

// Checks and writes the answer. Ends the pending request after that, or if the refusal is final.
template <typename Response>
Result<Credentials> Conclude(const Result<Response>& response, const PendingRequest& pending,
                             const EnrollmentOptions& options, const std::string& server,
                             const std::string& server_ca_pem) {
  if (!response.ok()) {
    if (IsFinal(response.status())) pending.End();
    return response.status();
  }
  const IssuedCertificate& issued = response->certificate();
  TRY(CheckAnswer(issued, pending.csr()));
  Credentials credentials = CredentialsOf(issued, pending.KeyPem(), server, server_ca_pem);
  TRY(credentials.Write(options.out));
  pending.End();
  return credentials;
}

}  // namespace

Result<Credentials> Enroll(const ca::JoinToken& token, const EnrollmentOptions& options,
                           const ca::Clock& clock) {
  const ca::Bytes root = TRY(FetchRoot(token.address, token.root_fingerprint));
  const std::string server_ca_pem = ca::PemOf({root});
  const ca::Bytes token_hash = ca::Sha256(token.secret.Reveal());
  const PendingRequest pending = TRY(PendingRequest::Begin(
      options.out, "enroll " + ca::Hex(token_hash).substr(0, ca::JoinTokenRecord::kIdSize),
      options.key, clock));

  agentpki::v1::EnrollRequest request;
  request.set_request_id(pending.id().ToString());
  request.set_csr(pending.csr());
  request.set_join_token_secret(token.secret.Reveal());
  EnrollmentService::Stub stub(Connect(token.address, server_ca_pem, "", ca::Secret()));
  const auto response = Call(&EnrollmentService::Stub::Enroll, stub, request, options.timeout);
  return Conclude(response, pending, options, token.address, server_ca_pem);
}

Result<Credentials> Renew(const EnrollmentOptions& options, const ca::Clock& clock) {
  const Credentials current = TRY(Credentials::Read(options.out));
  const std::string certificate = ca::Hex(ca::Sha256(current.cert_pem)).substr(0, 16);
  const PendingRequest pending =
      TRY(PendingRequest::Begin(options.out, "renew " + certificate, options.key, clock));

  agentpki::v1::RenewRequest request;
  request.set_request_id(pending.id().ToString());
  request.set_csr(pending.csr());
  EnrollmentService::Stub stub(Connect(current));
  const auto response = Call(&EnrollmentService::Stub::Renew, stub, request, options.timeout);
  return Conclude(response, pending, options, current.server, current.server_ca_pem);
}

}  // namespace client
