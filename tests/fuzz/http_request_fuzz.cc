// HttpRequestParser must read any octets without a fault, read the same for any split into pieces,
// keep its limits, and always make progress.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "ca/base/bytes.h"
#include "ca/server/http/http_request_parser.h"

namespace {

using server::HttpRequestParser;
using Progress = HttpRequestParser::Progress;

constexpr HttpRequestParser::Limits kLimits = {.header = 256, .body = 64};
constexpr size_t kRequestsMax = 64;

[[noreturn]] void Disagree(std::string_view what, std::string_view input) {
  fmt::print(stderr, "{}: {}\n", what, ca::Hex(input));
  std::abort();
}

std::string Told(const HttpRequestParser& parser) {
  const server::HttpRequest& request = parser.request();
  return fmt::format("{} {} '{}' '{}' '{}' [{}] {} {} {}\n", static_cast<int>(request.method),
                     request.target, request.content_type, request.if_none_match,
                     request.if_modified_since, request.body, parser.is_head(),
                     parser.keeps_alive(), parser.is_http_1_0());
}

// The requests that are read until one is refused or the input ends. The input comes in pieces of
// the sizes in `sizes`, repeated; in one piece if `sizes` is empty.
struct Reading {
  std::string requests;
  int refused = 0;
};

Reading Read(std::string_view input, std::string_view sizes) {
  HttpRequestParser parser(kLimits);
  Reading reading;
  std::string waiting;
  size_t count = 0;
  for (size_t i = 0; !input.empty(); ++i) {
    const size_t size =
        sizes.empty() ? input.size()
                      : std::min<size_t>(input.size(),
                                         1 + static_cast<unsigned char>(sizes[i % sizes.size()]));
    waiting += input.substr(0, size);
    input.remove_prefix(size);
    for (;;) {
      size_t consumed = 0;
      const Progress progress = parser.Consume(waiting, consumed);
      if (consumed > waiting.size()) Disagree("consumes what is not there", waiting);
      waiting.erase(0, consumed);
      if (progress == Progress::kNeedsMore) break;
      if (progress == Progress::kRefused) {
        reading.refused = parser.refusal().status;
        return reading;
      }
      if (progress == Progress::kHeaderEnded) continue;
      const server::HttpRequest& request = parser.request();
      if (request.body.size() > kLimits.body || request.target.size() > kLimits.header ||
          request.target.empty() || request.target.front() != '/') {
        Disagree("beyond its limits", input);
      }
      reading.requests += Told(parser);
      if (++count == kRequestsMax) return reading;
      parser.Reset();
    }
  }
  return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view sizes = input.substr(0, 4);
  const std::string_view octets = input.substr(sizes.size());
  const Reading whole = Read(octets, "");
  const Reading pieces = Read(octets, sizes.empty() ? std::string_view("\0", 1) : sizes);
  // The place of the refusal may depend on the pieces; the requests before it may not.
  const std::string& shorter =
      whole.requests.size() < pieces.requests.size() ? whole.requests : pieces.requests;
  const std::string& longer = &shorter == &whole.requests ? pieces.requests : whole.requests;
  if (!longer.starts_with(shorter)) Disagree("read otherwise in pieces", input);
  const bool is_same = whole.requests == pieces.requests;
  if (!is_same && whole.refused == 0 && pieces.refused == 0) Disagree("requests are lost", input);
  return 0;
}
