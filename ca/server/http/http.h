#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// HTTP as HttpListener speaks it with those who answer: words only, no sockets.
namespace server {

enum class HttpMethod { kGet, kPost };  // HEAD is a GET whose answer's body is not sent

// One whole request. What it points to stands as long as the call that it is given to.
struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string_view target;  // path and query as sent, from '/' on; not empty
  std::string_view content_type;
  std::string_view if_none_match;  // several such fields are joined by ", "
  std::string_view if_modified_since;
  std::string_view body;
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type;  // a literal; "" for none
  std::string headers;            // whole lines: see Add()
  // Sent as it lies there, uncopied when it is large; `owner` keeps it as long as that takes.
  std::shared_ptr<const void> owner;
  std::string_view body;

  // Neither may hold a line break: they are ours, never a peer's.
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

// Who answers. Thread-safe: called on many threads at once.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // On a thread that reads the network: must not block. nullopt when the answer needs Handle().
  virtual std::optional<HttpResponse> HandleAtOnce(const HttpRequest& request) = 0;
  // May block: runs on a thread of a bounded pool.
  virtual HttpResponse Handle(const HttpRequest& request) = 0;
};

}  // namespace server
