#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "ca/base/clock.h"
#include "ca/base/result.h"
#include "ca/server/http/http.h"
#include "ca/server/http/http_limits.h"

namespace server {

struct HttpOptions {
  HttpLimits limits;
  int io_threads = 2;
  int workers = 8;          // threads for HttpHandler::Handle()
  int waiting_calls = 512;  // calls that wait for a worker; the next request is answered 503
  // Stop() waits this long for requests that are being answered.
  std::chrono::milliseconds grace_time = std::chrono::seconds(10);
};

// An HTTP/1.1 server (RFC 9112). Strangers' use of memory, threads and time is bounded. Knows
// nothing of the content that it serves. Thread-safe.
class HttpListener {
 public:
  // Serves on `address`, HOST:PORT or [HOST]:PORT, until Stop() or the destructor. Port 0 lets the
  // system choose. `clock` gives the Date of the responses. `handler` and `clock` outlive the
  // listener. kInvalidArgument if the address is invalid, kFailedPrecondition if the listener
  // cannot listen on it.
  static ca::Result<std::unique_ptr<HttpListener>> Start(const std::string& address,
                                                         const HttpOptions& options,
                                                         HttpHandler& handler,
                                                         const ca::Clock& clock);
  // Calls Stop().
  ~HttpListener();

  std::uint16_t port() const;
  int connection_count() const;  // open connections

  // Stops listening, closes idle connections, and waits at most `grace_time` for the requests that
  // are being answered. Then closes the other connections, and waits for running calls of Handle(),
  // however long they take. A second call does nothing.
  void Stop();

 private:
  class Server;

  explicit HttpListener(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server_;
};

}  // namespace server
