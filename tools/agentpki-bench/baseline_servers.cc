#include "tools/agentpki-bench/baseline_servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "tools/agentpki-bench/http_client.h"
#include "tools/agentpki-bench/revocation_status.h"

namespace bench {
namespace {

using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

constexpr std::chrono::seconds kStartTimeout(5);

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string TextOf(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// A port that was free a moment ago.
int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  bind(socket, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket);
  return ntohs(address.sin_port);
}

bool Accepts(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const int failure = connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  close(socket);
  return failure == 0;
}

// The server is ready if it accepts connections or, if `ready` is not empty, if its output has that
// text: openssl ocsp hangs after a connection that is closed without a request.
Result<ChildProcess> StartServer(const std::vector<std::string>& command, int port,
                                 const std::string& package, const TemporaryFolder& folder,
                                 std::string_view ready = "") {
  const auto log = folder.path() / "server.log";
  auto started = ChildProcess::Start(command, log);
  if (!started.ok()) {
    return Error(StatusCode::kFailedPrecondition, "{}; install it: apt-get install {}",
                 ca::MessageOf(started.status()), package);
  }
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    const bool is_ready =
        ready.empty() ? Accepts(port) : TextOf(log).find(ready) != std::string::npos;
    if (is_ready) return std::move(*started);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return Error(StatusCode::kFailedPrecondition, "'{}' does not accept connections: {}", command[0],
               TextOf(log));
}

std::string NginxConfiguration(int port, int workers, const std::string& folder) {
  const std::string user = geteuid() == 0 ? "user root;\n" : "";
  return user + fmt::format(R"(daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type application/ocsp-response;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} reuseport;
    root {folder}/www;
  }}
}}
)",
                            fmt::arg("workers", workers), fmt::arg("folder", folder),
                            fmt::arg("port", port));
}

}  // namespace

Result<BaselineServer> StartNginx(ca::BytesView body, int workers, const TemporaryFolder& folder) {
  const std::string path = folder.path();
  std::error_code ignored;
  std::filesystem::create_directory(folder.path() / "www", ignored);
  TRY(folder.Write("www/answer", body));
  const int port = FreePort();
  TRY(folder.Write("nginx.conf", NginxConfiguration(port, workers, path)));
  auto process = TRY(StartServer(
      {"nginx", "-e", path + "/nginx-error.log", "-p", path, "-c", path + "/nginx.conf"}, port,
      "nginx-light", folder));
  return BaselineServer{std::move(process), {fmt::format("http://127.0.0.1:{}/answer", port)}};
}

Result<BaselineServer> StartCfssl(ca::BytesView ocsp_request, ca::BytesView ocsp_response,
                                  const TemporaryFolder& folder) {
  TRY(folder.Write("responses", Base64(ocsp_response) + "\n"));
  const int port = FreePort();
  auto process =
      TRY(StartServer({"cfssl", "ocspserve", "-address=127.0.0.1", fmt::format("-port={}", port),
                       "-responses=" + (folder.path() / "responses").string(), "-loglevel=5"},
                      port, "golang-cfssl", folder));
  const std::string url = fmt::format("http://127.0.0.1:{}/", port);
  HttpClient http(TRY(Url::Parse(url)));
  const HttpAnswer answer = TRY(http.PostOcsp("/", ocsp_request));
  if (answer.body != ocsp_response) {
    return Error(StatusCode::kFailedPrecondition,
                 "cfssl ocspserve answers {} instead of the response that it was given: {}",
                 answer.status, TextOf(folder.path() / "server.log"));
  }
  return BaselineServer{std::move(process), {url, ca::Bytes(ocsp_request)}};
}

Result<BaselineServer> StartOpenSslOcsp(ca::BytesView nonce, const TemporaryFolder& folder) {
  const auto log = folder.path() / "openssl.log";
  const std::string key = folder.path() / "openssl-key.pem";
  const std::string certificate = folder.path() / "openssl-ca.pem";
  const std::string index = folder.path() / "openssl-index.txt";
  TRY(OutputOf({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=bench", "-days", "2"},
               log));
  // The columns of openssl-ca(1)'s database: V for valid, expiry, revocation date, serial, file,
  // name.
  TRY(folder.Write("openssl-index.txt", "V\t991231235959Z\t\t1001\tunknown\t/CN=agent\n"));
  const int port = FreePort();
  auto process = TRY(StartServer(
      {"openssl", "ocsp", "-port", std::to_string(port), "-multi", "3", "-index", index, "-CA",
       certificate, "-rsigner", certificate, "-rkey", key, "-nmin", "60", "-ignore_err"},
      port, "openssl", folder, "ACCEPT"));
  const auto ders = TRY(ca::FromPem("CERTIFICATE", TextOf(certificate)));
  const auto issuer = TRY(ca::ParseX509(ders.front()));
  const ca::Asn1IntegerPtr serial(ASN1_INTEGER_new());
  ASN1_INTEGER_set(serial.get(), 0x1001);
  return BaselineServer{std::move(process),
                        {fmt::format("http://127.0.0.1:{}/", port),
                         OcspRequestFor(*issuer, *serial, nonce), ca::Bytes(nonce), false}};
}

}  // namespace bench
