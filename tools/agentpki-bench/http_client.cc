#include "tools/agentpki-bench/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace bench {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;
using ca::Error;
using ca::Result;
using ca::StatusCode;

Result<Url> Url::Parse(const std::string& text) {
  constexpr std::string_view kScheme = "http://";
  const auto slash = text.find('/', kScheme.size());
  const auto colon = text.find(':', kScheme.size());
  if (!text.starts_with(kScheme) || slash == std::string::npos) {
    return Error(StatusCode::kInvalidArgument, "'{}' is not http://HOST:PORT/PATH", text);
  }
  if (colon > slash) {
    return Url{text.substr(kScheme.size(), slash - kScheme.size()), "80", text.substr(slash)};
  }
  return Url{text.substr(kScheme.size(), colon - kScheme.size()),
             text.substr(colon + 1, slash - colon - 1), text.substr(slash)};
}

std::string Url::At(const std::string& other_path) const {
  return "http://" + host + ":" + port + other_path;
}

struct HttpClient::Connection {
  boost::asio::io_context context;
  tcp::socket socket{context};
  boost::beast::flat_buffer buffer;
};

HttpClient::HttpClient(Url url) : url_(std::move(url)) {}
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::Get(const std::string& path, const std::string& known_etag) {
  http::request<http::empty_body> request(http::verb::get, path, 11);
  if (!known_etag.empty()) request.set(http::field::if_none_match, known_etag);
  return Exchange(std::move(request));
}

Result<HttpAnswer> HttpClient::PostOcsp(const std::string& path, ca::BytesView body) {
  http::request<http::string_body> request(http::verb::post, path, 11);
  request.set(http::field::content_type, "application/ocsp-request");
  request.body() = body;
  request.prepare_payload();
  return Exchange(std::move(request));
}

template <typename Request>
Result<HttpAnswer> HttpClient::Exchange(const Request& message) {
  Request request = message;
  request.set(http::field::host, url_.host + ":" + url_.port);
  error_code error;
  if (!connection_) {
    connection_ = std::make_unique<Connection>();
    tcp::resolver resolver(connection_->context);
    const auto endpoints = resolver.resolve(url_.host, url_.port, error);
    if (!error) boost::asio::connect(connection_->socket, endpoints, error);
    if (!error) connection_->socket.set_option(tcp::no_delay(true), error);
  }
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  if (!error) http::write(connection_->socket, request, error);
  if (!error) http::read(connection_->socket, connection_->buffer, parser, error);
  if (error) {
    connection_.reset();
    return Error(StatusCode::kUnavailable, "{}: {}", url_.At(std::string(request.target())),
                 error.message());
  }
  if (!parser.keep_alive()) connection_.reset();
  auto response = parser.release();
  return HttpAnswer{static_cast<int>(response.result_int()),
                    std::string(response[http::field::etag]), std::move(response.body())};
}

}  // namespace bench
