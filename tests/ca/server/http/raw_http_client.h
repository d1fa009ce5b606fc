#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace server::testing {

struct RawResponse {
  int status = 0;                             // 0: the connection ended before a whole response
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};

// A TCP connection to 127.0.0.1 that sends exactly the given octets. An operation fails after ten
// seconds. Not thread-safe.
class RawHttpClient {
 public:
  explicit RawHttpClient(std::uint16_t port);
  ~RawHttpClient();
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  // False if the peer has closed.
  bool Send(std::string_view octets);
  // Closes the sending side only.
  void EndSending();
  // Makes the system buffer little of the peer's data. Call it before Send().
  void ReceiveSlowly();

  RawResponse Receive(bool is_head = false);
  // Returns `octets` octets, or fewer if the connection ends.
  std::string ReceiveOctets(size_t octets);
  // Whether the peer closes within `time`. Discards received octets.
  bool IsClosedWithin(std::chrono::milliseconds time);

 private:
  bool Fill();

  int socket_;
  std::string buffered_;
};

// Sends one request on a new connection.
RawResponse Exchange(std::uint16_t port, std::string_view request, bool is_head = false);
RawResponse Get(std::uint16_t port, std::string_view target, std::string_view fields = "");
RawResponse Post(std::uint16_t port, std::string_view target, std::string_view content_type,
                 std::string_view body);

}  // namespace server::testing
