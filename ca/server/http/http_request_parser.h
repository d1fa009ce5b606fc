#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ca/server/http/http.h"

namespace server {

// Reads one HTTP/1.0 or 1.1 request after the other from octets as they come (RFC 9112). Any octets
// may be given to it. Not thread-safe.
class HttpRequestParser {
 public:
  struct Limits {
    size_t header = 8 * 1024;  // request line and fields together
    size_t body = 16 * 1024;   // without the framing of chunks
  };
  // Whoever collects the input needs room for this much: a header, or what follows the last chunk
  // of a body, is consumed when it is there as a whole.
  static size_t InputMax(const Limits& limits) { return limits.header + 1; }

  enum class Progress {
    kNeedsMore,    // all that can be consumed is; the rest waits for what follows it
    kHeaderEnded,  // and a body follows: the moment for 100 Continue; go on with Consume()
    kDone,         // request() is whole
    kRefused,      // refusal() says why; nothing after it can be read
  };

  explicit HttpRequestParser(const Limits& limits);
  ~HttpRequestParser();

  // Takes from the front of `input`; `consumed` is how much.
  Progress Consume(std::string_view input, size_t& consumed);
  // Begins the next request: after kDone.
  void Reset();

  // Whether the request has begun: empty lines before it (RFC 9112 section 2.2) are not part of it.
  bool has_begun() const;
  // From kHeaderEnded on: whether the peer waits for 100 Continue (RFC 9110 section 10.1.1).
  bool expects_continue() const;

  // After kDone. It stands until Reset().
  const HttpRequest& request() const;
  bool keeps_alive() const;  // whether the peer wants the connection to stay

  // After kDone or kRefused, as far as it came.
  bool is_head() const;
  bool is_http_1_0() const;

  // After kRefused: what to answer before the connection is closed.
  const HttpResponse& refusal() const;

 private:
  class Request;  // of Beast

  const Limits limits_;
  std::unique_ptr<Request> request_;
};

}  // namespace server
