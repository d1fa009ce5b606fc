#include "tools/client/first_contact.h"

#include <openssl/ssl.h>

#include <chrono>

#include "ca/base/openssl.h"

namespace client {
namespace {

using ca::Error;
using ca::StatusCode;

constexpr std::chrono::seconds kTimeout(10);

using SslCtxPtr = ca::Owned<SSL_CTX, SSL_CTX_free>;

ca::Status Unreachable(const std::string& address) {
  return Error(StatusCode::kUnavailable, "{} does not answer as agentpki-server: {}", address,
               ca::DrainOpenSslErrors());
}

// Non-blocking, so that a server that accepts and then is silent cannot delay this longer than
// kTimeout.
ca::Status Handshake(BIO* connection, const std::string& address) {
  const time_t deadline = time(nullptr) + kTimeout.count();
  while (BIO_do_handshake(connection) != 1) {
    if (!BIO_should_retry(connection) || BIO_wait(connection, deadline, 50) <= 0) {
      return Unreachable(address);
    }
  }
  return ca::Ok();
}

}  // namespace

ca::Result<ca::Bytes> FetchRoot(const std::string& address, const ca::Bytes& root_fingerprint) {
  const SslCtxPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) ca::AbortOnOpenSslFailure("SSL_CTX_new");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // Nothing is verified here. The loop below accepts one certificate of the chain only.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof kHttp2);

  const ca::BioPtr connection(BIO_new_ssl_connect(context.get()));
  if (!connection) ca::AbortOnOpenSslFailure("BIO_new_ssl_connect");
  BIO_set_conn_hostname(connection.get(), address.c_str());
  BIO_set_nbio(connection.get(), 1);
  TRY(Handshake(connection.get(), address));

  SSL* ssl = nullptr;
  BIO_get_ssl(connection.get(), &ssl);
  const STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    ca::Bytes der = ca::DerOf<X509, i2d_X509>(sk_X509_value(chain, i));
    if (ca::Sha256(der) == root_fingerprint) return der;
  }
  return Error(StatusCode::kUnauthenticated,
               "{} is not the server that the join token is for: none of its certificates has the "
               "token's fingerprint {}",
               address, ca::Hex(root_fingerprint));
}

}  // namespace client
