#include "ca/server/http/http_request_parser.h"

#include <fmt/format.h>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>

namespace server {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Code = beast::error_code;

// The shortest end of a chunked body: "0" CRLF CRLF. Beast 1.74 asserts that it gets at least this
// much when it resumes an incomplete last chunk.
constexpr size_t kChunkedRestMin = 5;
constexpr size_t kMethodShown = 16;  // characters of a refused method

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

void Join(std::string& list, beast::string_view value) {
  if (!list.empty()) list += ", ";
  list.append(value.data(), value.size());
}

// A proxy sends "http://host/path", which means the same as "/path" (RFC 9112 section 3.2.2).
std::string_view OriginForm(std::string_view target) {
  if (target.starts_with('/')) return target;
  const size_t scheme = target.find("://");
  if (scheme == target.npos) return target;
  const size_t path = target.find('/', scheme + 3);
  return path == target.npos ? "/" : target.substr(path);
}

// The parts of a request that we use. The strings keep their memory from one request to the next.
struct Fields {
  bool has_begun = false;
  bool is_http_1_0 = false;
  bool is_head = false;
  bool expects_continue = false;
  bool keeps_alive = false;
  int host_count = 0;
  HttpMethod method = HttpMethod::kGet;
  std::string target;
  std::string content_type;
  std::string if_none_match;
  std::string if_modified_since;
  std::string body;
  std::optional<HttpResponse> refusal;

  void Clear() {
    has_begun = is_http_1_0 = is_head = expects_continue = keeps_alive = false;
    host_count = 0;
    method = HttpMethod::kGet;
    for (std::string* text : {&target, &content_type, &if_none_match, &if_modified_since, &body}) {
      text->clear();
    }
    refusal.reset();
  }

  // Only the first refusal counts.
  void Refuse(int status, std::string line) {
    if (!refusal) refusal = HttpResponse::Line(status, std::move(line));
  }
};

// Beast's parser, for one request.
class RequestReader final : public http::basic_parser<true> {
 public:
  explicit RequestReader(Fields& fields) : fields_(fields) {}

 private:
  void on_request_impl(http::verb verb, beast::string_view method, beast::string_view target,
                       int version, Code&) override {
    fields_.is_http_1_0 = version == 10;
    fields_.target = OriginForm(View(target));
    fields_.is_head = verb == http::verb::head;
    fields_.method = verb == http::verb::post ? HttpMethod::kPost : HttpMethod::kGet;
    if (verb != http::verb::get && verb != http::verb::head && verb != http::verb::post) {
      fields_.Refuse(405, fmt::format("the method {} is not served; use GET, HEAD or POST",
                                      View(method).substr(0, kMethodShown)));
      fields_.refusal->Add("Allow", "GET, HEAD, POST");
    } else if (!fields_.target.starts_with('/')) {
      fields_.Refuse(400, "the request's target is not a path; begin it with /");
    }
  }

  void on_response_impl(int, beast::string_view, int, Code&) override {}

  void on_field_impl(http::field field, beast::string_view, beast::string_view value,
                     Code&) override {
    if (is_header_done()) return;  // ignore the trailer
    switch (field) {
      case http::field::host:
        ++fields_.host_count;
        break;
      case http::field::content_type:
        fields_.content_type.assign(value.data(), value.size());
        break;
      case http::field::if_none_match:
        Join(fields_.if_none_match, value);
        break;
      case http::field::if_modified_since:
        fields_.if_modified_since.assign(value.data(), value.size());
        break;
      case http::field::expect:
        OnExpect(value);
        break;
      case http::field::transfer_encoding:
        OnTransferEncoding(value);
        break;
      default:
        break;
    }
  }

  void OnExpect(beast::string_view value) {
    if (beast::iequals(value, "100-continue")) {
      fields_.expects_continue = true;
    } else {
      fields_.Refuse(417, "the only Expect that is served is 100-continue; leave it out");
    }
  }

  // If the last coding is not `chunked`, Beast assumes that there is no body, and would read the
  // body as the next request.
  void OnTransferEncoding(beast::string_view value) {
    if (!beast::iequals(value, "chunked")) {
      fields_.Refuse(501, "the only Transfer-Encoding that is served is chunked; leave it out");
    } else if (fields_.is_http_1_0) {
      fields_.Refuse(400, "HTTP/1.0 has no Transfer-Encoding; send a Content-Length");
    }
  }

  void on_header_impl(Code&) override {
    fields_.keeps_alive = keep_alive();
    // RFC 9112 section 3.2: answer 400 to an HTTP/1.1 request without Host or with several.
    if (fields_.host_count != 1 && !(fields_.is_http_1_0 && fields_.host_count == 0)) {
      fields_.Refuse(400, "a request names its host once; send one Host field");
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(beast::string_view part, Code&) override {
    fields_.body.append(part.data(), part.size());
    return part.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, Code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, Code&) override {
    fields_.body.append(part.data(), part.size());
    return part.size();
  }
  void on_finish_impl(Code&) override {}

  Fields& fields_;
};

void RefuseFor(Code why, const HttpRequestParser::Limits& limits, Fields& fields) {
  if (why == http::error::header_limit) {
    fields.Refuse(431,
                  fmt::format("the request line and fields are too long; send at most {} octets",
                              limits.header));
  } else if (why == http::error::body_limit) {
    fields.Refuse(413, fmt::format("the body is too long; send at most {} octets", limits.body));
  } else if (why == http::error::bad_version) {
    fields.Refuse(505, "this version of HTTP is not served; use HTTP/1.1");
  } else {
    fields.Refuse(400, fmt::format("this is no HTTP/1.1 request: {}", why.message()));
  }
}

}  // namespace

class HttpRequestParser::Request {
 public:
  void Begin(const Limits& limits) {
    fields.Clear();
    header_size = 0;
    reader.emplace(fields);
    reader->header_limit(static_cast<std::uint32_t>(limits.header));
    reader->body_limit(limits.body);
  }

  // The request line and the fields share one limit. Beast gets the rest of it.
  void SpendHeader(size_t size, const Limits& limits, Code& why) {
    header_size += size;
    if (header_size < limits.header) {
      reader->header_limit(static_cast<std::uint32_t>(limits.header - header_size));
    } else if (!reader->is_header_done() || header_size > limits.header) {
      why = http::error::header_limit;
    }
  }

  void Finish() {
    whole = {.method = fields.method,
             .target = fields.target,
             .content_type = fields.content_type,
             .if_none_match = fields.if_none_match,
             .if_modified_since = fields.if_modified_since,
             .body = fields.body};
  }

  Fields fields;
  size_t header_size = 0;
  std::optional<RequestReader> reader;
  HttpRequest whole;
};

HttpRequestParser::HttpRequestParser(const Limits& limits)
    : limits_(limits), request_(std::make_unique<Request>()) {
  Reset();
}
HttpRequestParser::~HttpRequestParser() = default;

HttpRequestParser::Progress HttpRequestParser::Consume(std::string_view input, size_t& consumed) {
  consumed = 0;
  Request& request = *request_;
  RequestReader& reader = *request.reader;
  if (!request.fields.has_begun) {
    consumed = std::min(input.find_first_not_of("\r\n"), input.size());
    if (consumed == input.size()) return Progress::kNeedsMore;
    request.fields.has_begun = true;
  }
  for (;;) {
    const std::string_view rest = input.substr(consumed);
    const bool was_in_header = !reader.is_header_done();
    if (!was_in_header && reader.chunked() && rest.size() < kChunkedRestMin) {
      return Progress::kNeedsMore;
    }
    Code why;
    const size_t size = reader.put({rest.data(), rest.size()}, why);
    consumed += size;
    if (was_in_header) request.SpendHeader(size, limits_, why);
    if (why && why != http::error::need_more) RefuseFor(why, limits_, request.fields);
    if (request.fields.refusal) return Progress::kRefused;
    if (why) return Progress::kNeedsMore;
    if (reader.is_done()) {
      request.Finish();
      return Progress::kDone;
    }
    if (was_in_header) return Progress::kHeaderEnded;
    if (consumed == input.size()) return Progress::kNeedsMore;
  }
}

void HttpRequestParser::Reset() { request_->Begin(limits_); }

bool HttpRequestParser::has_begun() const { return request_->fields.has_begun; }
bool HttpRequestParser::expects_continue() const { return request_->fields.expects_continue; }
const HttpRequest& HttpRequestParser::request() const { return request_->whole; }
bool HttpRequestParser::keeps_alive() const { return request_->fields.keeps_alive; }
bool HttpRequestParser::is_head() const { return request_->fields.is_head; }
bool HttpRequestParser::is_http_1_0() const { return request_->fields.is_http_1_0; }
const HttpResponse& HttpRequestParser::refusal() const { return *request_->fields.refusal; }

}  // namespace server
