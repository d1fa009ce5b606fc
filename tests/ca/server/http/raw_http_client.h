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

// A TCP connection to 127.0.0.1 that sends just the octets it is told to. What takes longer than
// ten seconds has failed. Not thread-safe.
class RawHttpClient {
 public:
  explicit RawHttpClient(std::uint16_t port);
  ~RawHttpClient();
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  // False when the peer has closed.
  bool Send(std::string_view octets);
  // Says that nothing more will come, and goes on reading.
  void EndSending();
  // So that the system buffers little of what is sent to us; before Send().
  void ReceiveSlowly();

  RawResponse Receive(bool is_head = false);
  // As long as `octets`, or less when the connection ends.
  std::string ReceiveOctets(size_t octets);
  // Whether the peer closes within `time`; what it still sends is thrown away.
  bool IsClosedWithin(std::chrono::milliseconds time);

 private:
  bool Fill();

  int socket_;
  std::string buffered_;
};

// One request on a connection of its own.
RawResponse Exchange(std::uint16_t port, std::string_view request, bool is_head = false);
RawResponse Get(std::uint16_t port, std::string_view target, std::string_view fields = "");
RawResponse Post(std::uint16_t port, std::string_view target, std::string_view content_type,
                 std::string_view body);

}  // namespace server::testing
