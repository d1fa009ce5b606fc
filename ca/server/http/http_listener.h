#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "ca/base/clock.h"
#include "ca/server/http/http.h"

namespace server {

// What one peer, and all together, may take. The defaults are for OCSP and CRLs.
struct HttpLimits {
  size_t header = 8 * 1024;  // octets of request line and fields: 431
  size_t body = 16 * 1024;   // octets: 413
  // For one whole request, from its first octet (of a connection's first request: from the
  // connection) to its last, however it trickles in: 408.
  std::chrono::milliseconds request_time = std::chrono::seconds(10);
  std::chrono::milliseconds idle_time = std::chrono::seconds(60);  // between two requests
  // For a whole response to be taken off us: this long, and what it takes at that rate.
  std::chrono::milliseconds write_time = std::chrono::seconds(30);
  size_t write_rate = 32 * 1024;  // octets a second
  // Of one address, or of one /64 of IPv6, which is what a single host is given.
  int connections_per_address = 64;
  int connections = 4096;
};

struct HttpOptions {
  HttpLimits limits;
  int io_threads = 2;
  int workers = 8;          // threads for HttpHandler::Handle()
  int waiting_calls = 512;  // for a worker; the next is told 503
  // On Stop(), for requests that have begun to be answered.
  std::chrono::milliseconds grace_time = std::chrono::seconds(10);
};

// An HTTP/1.1 server (RFC 9112) whose every use of memory, threads and time by strangers has a
// bound. Knows nothing of what is served. Thread-safe.
class HttpListener {
 public:
  // Serves on `address`, HOST:PORT or [HOST]:PORT, until it goes. Port 0 lets the system choose.
  // `handler` and `clock`, by which responses are dated, have to outlive it. kInvalidArgument when
  // the address is none, kFailedPrecondition when it cannot be listened on.
  static ca::Result<std::unique_ptr<HttpListener>> Start(const std::string& address,
                                                         const HttpOptions& options,
                                                         HttpHandler& handler,
                                                         const ca::Clock& clock);
  // Stops.
  ~HttpListener();

  std::uint16_t port() const;
  // Open ones, now.
  int connection_count() const;

  // Listens no more, closes idle connections, and waits at most `grace_time` for the requests that
  // have begun to be answered; what is left is cut. Then waits for calls of Handle(), however long
  // they take. Once; a second call does nothing.
  void Stop();

 private:
  class Server;

  explicit HttpListener(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server_;
};

}  // namespace server
