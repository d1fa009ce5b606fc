#pragma once

#include <chrono>
#include <cstddef>

namespace server {

// Bounds for each connection, and for all of them together. The defaults suit OCSP and CRLs.
struct HttpLimits {
  size_t header = 8 * 1024;  // octets of request line and fields; more is answered 431
  size_t body = 16 * 1024;   // octets; more is answered 413
  // From the first octet of a request to its last, however slowly they come; longer is answered
  // 408. For the first request of a connection, the time begins with the connection.
  std::chrono::milliseconds request_time = std::chrono::seconds(10);
  std::chrono::milliseconds idle_time = std::chrono::seconds(60);  // between two requests
  // A peer has `write_time` to take a whole response, plus the time that it needs at `write_rate`.
  std::chrono::milliseconds write_time = std::chrono::seconds(30);
  size_t write_rate = 32 * 1024;  // octets a second
  // From one IPv4 address, or from one IPv6 /64, which is the range that a single host gets.
  int connections_per_address = 64;
  int connections = 4096;
};

}  // namespace server
