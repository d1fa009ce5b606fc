#include "tests/ca/server/http/raw_http_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace server::testing {
namespace {

constexpr std::chrono::seconds kPatience(10);
constexpr int kSmallBuffer = 4096;

bool IsReadable(int socket, std::chrono::milliseconds time) {
  pollfd waits{.fd = socket, .events = POLLIN};
  return poll(&waits, 1, static_cast<int>(time.count())) == 1;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

RawHttpClient::RawHttpClient(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fmt::print(stderr, "no connection to port {}\n", port);
    std::abort();
  }
}

RawHttpClient::~RawHttpClient() { close(socket_); }

bool RawHttpClient::Send(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t size = send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    octets.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

void RawHttpClient::EndSending() { shutdown(socket_, SHUT_WR); }

void RawHttpClient::ReceiveSlowly() {
  setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &kSmallBuffer, sizeof kSmallBuffer);
}

bool RawHttpClient::Fill() {
  char octets[16 * 1024];
  if (!IsReadable(socket_, kPatience)) return false;
  const ssize_t size = recv(socket_, octets, sizeof octets, 0);
  if (size <= 0) return false;
  buffered_.append(octets, static_cast<size_t>(size));
  return true;
}

std::string RawHttpClient::ReceiveOctets(size_t octets) {
  while (buffered_.size() < octets && Fill()) {
  }
  std::string received = buffered_.substr(0, octets);
  buffered_.erase(0, received.size());
  return received;
}

RawResponse RawHttpClient::Receive(bool is_head) {
  size_t end = 0;
  while ((end = buffered_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return {};
  }
  const std::string head = ReceiveOctets(end + 4);
  RawResponse response;
  response.status = std::atoi(head.c_str() + std::string_view("HTTP/1.1 ").size());
  for (size_t at = head.find("\r\n") + 2; at + 2 < head.size();) {
    const size_t line_end = head.find("\r\n", at);
    const size_t colon = head.find(": ", at);
    response.fields[Lower(head.substr(at, colon - at))] =
        head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  const auto length = response.fields.find("content-length");
  if (!is_head && length != response.fields.end()) {
    const size_t size = std::stoul(length->second);
    response.body = ReceiveOctets(size);
    if (response.body.size() != size) return {};
  }
  return response;
}

bool RawHttpClient::IsClosedWithin(std::chrono::milliseconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (!IsReadable(socket_, std::max(left, std::chrono::milliseconds(0)))) return false;
    char octets[4096];
    if (recv(socket_, octets, sizeof octets, 0) <= 0) return true;
  }
}

RawResponse Exchange(std::uint16_t port, std::string_view request, bool is_head) {
  RawHttpClient client(port);
  client.Send(request);
  return client.Receive(is_head);
}

RawResponse Get(std::uint16_t port, std::string_view target, std::string_view fields) {
  return Exchange(port, fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", target, fields));
}

RawResponse Post(std::uint16_t port, std::string_view target, std::string_view content_type,
                 std::string_view body) {
  const std::string type =
      content_type.empty() ? "" : fmt::format("Content-Type: {}\r\n", content_type);
  return Exchange(port, fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\n{}",
                                    target, type, body.size(), body));
}

}  // namespace server::testing
