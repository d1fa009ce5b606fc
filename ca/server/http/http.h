#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// The requests and responses that HttpListener exchanges with its HttpHandler. No sockets here.
namespace server {

enum class HttpMethod { kGet, kPost };  // a HEAD arrives as kGet; the listener leaves out the body

// One whole request. The views are valid until the handler's call returns.
struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string_view target;  // path and query as sent, from '/' on; not empty
  std::string_view content_type;
  std::string_view if_none_match;  // repeated fields are joined by ", "
  std::string_view if_modified_since;
  std::string_view body;
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type;  // a string literal; "" for none
  std::string headers;            // whole lines; see Add()
  // `owner` keeps `body` alive until it is sent. A large body is not copied.
  std::shared_ptr<const void> owner;
  std::string_view body;

  // Neither may contain a line break, so neither may come from a peer.
  void Add(std::string_view name, std::string_view value) {
    headers.append(name).append(": ").append(value).append("\r\n");
  }

  void Carry(std::string text) {
    auto owned = std::make_shared<const std::string>(std::move(text));
    body = *owned;
    owner = std::move(owned);
  }

  // One line of text/plain, for people: what is wrong, and the fix.
  static HttpResponse Line(int status, std::string line) {
    HttpResponse response{.status = status, .content_type = "text/plain; charset=utf-8"};
    line += '\n';
    response.Carry(std::move(line));
    return response;
  }
};

// Answers requests. Thread-safe: many threads call it at once.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // Runs on a thread that reads the network, so it must not block. nullopt if only Handle() can
  // answer.
  virtual std::optional<HttpResponse> HandleAtOnce(const HttpRequest& request) = 0;
  // Runs on a thread of a bounded pool, so it may block.
  virtual HttpResponse Handle(const HttpRequest& request) = 0;
};

}  // namespace server
