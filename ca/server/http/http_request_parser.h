#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ca/server/http/http.h"

namespace server {

// Reads one HTTP/1.0 or 1.1 request after the other from octets as they arrive (RFC 9112). Any
// octets are safe input. Not thread-safe.
class HttpRequestParser {
 public:
  struct Limits {
    size_t header = 8 * 1024;  // request line and fields together
    size_t body = 16 * 1024;   // without the framing of chunks
  };
  // The caller's input buffer needs room for this many octets: a header, or the trailer after the
  // last chunk of a body, is consumed only as a whole.
  static size_t InputMax(const Limits& limits) { return limits.header + 1; }

  enum class Progress {
    kNeedsMore,    // everything that can be consumed is; more octets must arrive
    kHeaderEnded,  // the body follows: send 100 Continue if it is expected, then call Consume()
    kDone,         // request() is complete
    kRefused,      // refusal() says why; nothing more can be read from this connection
  };

  explicit HttpRequestParser(const Limits& limits);
  ~HttpRequestParser();

  // Reads from the front of `input`; sets `consumed` to the number of octets read.
  Progress Consume(std::string_view input, size_t& consumed);
  // After kDone: begins the next request.
  void Reset();

  // Whether a request has begun. Empty lines before it (RFC 9112 section 2.2) do not count.
  bool has_begun() const;
  // From kHeaderEnded on: whether the peer waits for 100 Continue (RFC 9110 section 10.1.1).
  bool expects_continue() const;

  // After kDone. Valid until Reset().
  const HttpRequest& request() const;
  bool keeps_alive() const;  // whether the peer wants to keep the connection open

  // After kDone or kRefused. False if the request was refused before this was read.
  bool is_head() const;
  bool is_http_1_0() const;

  // After kRefused: the answer to send before the connection is closed.
  const HttpResponse& refusal() const;

 private:
  class Request;  // of Beast

  const Limits limits_;
  std::unique_ptr<Request> request_;
};

}  // namespace server
