#include "ca/server/http/http_request_parser.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace server {
namespace {

using Progress = HttpRequestParser::Progress;

// The requests, and the end, that the parser reads if the input comes in pieces of `size` octets.
std::string Told(std::string_view input, size_t size) {
  HttpRequestParser parser({});
  std::string told;
  std::string waiting;
  while (!input.empty() || !waiting.empty()) {
    waiting += input.substr(0, size);
    input.remove_prefix(std::min(size, input.size()));
    for (bool goes_on = true; goes_on;) {
      size_t consumed = 0;
      const Progress progress = parser.Consume(waiting, consumed);
      waiting.erase(0, consumed);
      goes_on = !waiting.empty() && progress != Progress::kNeedsMore;
      if (progress == Progress::kRefused) {
        return told + fmt::format("refused: {} {}", parser.refusal().status, parser.refusal().body);
      }
      if (progress != Progress::kDone) continue;
      const HttpRequest& request = parser.request();
      told += fmt::format(
          "{} {} '{}' '{}' '{}' [{}]{}{}\n", request.method == HttpMethod::kPost ? "POST" : "GET",
          request.target, request.content_type, request.if_none_match, request.if_modified_since,
          request.body, parser.is_head() ? " head" : "", parser.keeps_alive() ? "" : " close");
      parser.Reset();
    }
    if (input.empty()) break;
  }
  return told + (parser.has_begun() ? "begun" : "");
}

TEST(HttpRequestParserTest, ReadsTheSameInPiecesOfAnySize) {
  const std::pair<std::string, std::string> cases[] = {
      {"GET /a HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\nIf-None-Match: \"y\"\r\n"
       "If-Modified-Since: then\r\n\r\nHEAD /b HTTP/1.0\r\n\r\n",
       "GET /a '' '\"x\", \"y\"' 'then' []\nGET /b '' '' '' [] head close\n"},
      {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: t\r\nContent-Length: 4\r\n\r\nab\r\n\r\n"
       "GET /b HTTP/1.1\r\nhost:a\r\nconnection: CLOSE\r\n\r\n",
       "POST /a 't' '' '' [ab\r\n]\nGET /b '' '' '' [] close\n"},
      {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n02;x=\"y\"\r\nbc"
       "\r\n0\r\nContent-Type: trailer\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
       "POST /a '' '' '' [abc]\nGET /b '' '' '' []\n"},
      {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
       "POST /a '' '' '' []\nbegun"},
      {"GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "GET /a '' '' '' []\n"},
      {"\r\n\r\n", ""},
  };
  for (const auto& [input, told] : cases) {
    for (size_t size = 1; size <= input.size(); ++size) EXPECT_EQ(Told(input, size), told) << size;
  }
}

// Beast 1.74 aborts on these if it gets them piece by piece.
TEST(HttpRequestParserTest, ReadsALastChunkInPieces) {
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view end : {"0\r\n\r\n", "0\r\nX: y\r\n\r\n", "00000\r\n\r\n"}) {
    for (size_t size = 1; size < 8; ++size) {
      EXPECT_EQ(Told(head + std::string(end), size), "POST /a '' '' '' []\n") << end << size;
    }
  }
}

TEST(HttpRequestParserTest, RefusesInOneLineThatNamesTheFix) {
  const std::pair<std::string, std::string> cases[] = {
      {"PUT /a HTTP/1.1\r\n\r\n", "405 the method PUT is not served; use GET, HEAD or POST\n"},
      {"GET * HTTP/1.1\r\n\r\n", "400 the request's target is not a path; begin it with /\n"},
      {"GET /a HTTP/1.1\r\n\r\n", "400 a request names its host once; send one Host field\n"},
      {"GET /a HTTP/3.0\r\n\r\n", "505 this version of HTTP is not served; use HTTP/1.1\n"},
      {"GET /" + std::string(9000, 'a'),
       "431 the request line and fields are too long; send at most 8192 octets\n"},
      {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n",
       "413 the body is too long; send at most 16384 octets\n"},
  };
  for (const auto& [input, refusal] : cases) {
    EXPECT_EQ(Told(input, input.size()), "refused: " + refusal);
    EXPECT_EQ(Told(input, 7), "refused: " + refusal);
  }
}

}  // namespace
}  // namespace server
