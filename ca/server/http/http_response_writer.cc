#include "ca/server/http/http_response_writer.h"

#include <charconv>
#include <chrono>

#include "ca/server/http/http_caching.h"

namespace server {
namespace {

constexpr size_t kCopiedBodyMax = 16 * 1024;  // up to this size, head and body are one write

std::string_view StatusLine(int status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 304:
      return "HTTP/1.1 304 Not Modified\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 413:
      return "HTTP/1.1 413 Content Too Large\r\n";
    case 415:
      return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 417:
      return "HTTP/1.1 417 Expectation Failed\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 501:
      return "HTTP/1.1 501 Not Implemented\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 505:
      return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
    default:
      return "HTTP/1.1 500 Internal Server Error\r\n";
  }
}

// RFC 9110 section 6.6.1: a server with a clock sends Date. Formatted once a second.
std::string_view DateField(ca::TimePoint now) {
  thread_local std::chrono::sys_seconds written{};
  thread_local std::string field;
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != written || field.empty()) {
    written = second;
    field = "Date: " + HttpDate(second) + "\r\n";
  }
  return field;
}

}  // namespace

std::string_view WriteResponse(const HttpResponse& response, const ResponseForm& form,
                               std::string& to) {
  to += StatusLine(response.status);
  to += DateField(form.now);
  if (!response.content_type.empty()) {
    to.append("Content-Type: ").append(response.content_type).append("\r\n");
  }
  // RFC 9110 section 8.6: a 304 has no body, and we send no Content-Length for it.
  const bool has_body = response.status != 304;
  if (has_body) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, response.body.size()).ptr;
    to.append("Content-Length: ").append(digits, end).append("\r\n");
  }
  to += response.headers;
  if (!form.keeps_alive) {
    to += "Connection: close\r\n";
  } else if (form.is_http_1_0) {
    to += "Connection: keep-alive\r\n";
  }
  to += "\r\n";
  if (!has_body || form.is_head) return {};
  if (response.body.size() > kCopiedBodyMax) return response.body;
  to += response.body;
  return {};
}

}  // namespace server
