#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ca/base/bytes.h"
#include "ca/base/result.h"

namespace bench {

// http://HOST:PORT/PATH. kInvalidArgument for any other form.
struct Url {
  std::string host;
  std::string port;
  std::string path;

  static ca::Result<Url> Parse(const std::string& text);
  // The same host and port with another path.
  std::string At(const std::string& other_path) const;
};

struct HttpAnswer {
  int status = 0;
  std::string etag;
  ca::Bytes body;
};

// One persistent connection to an HTTP server. Not thread-safe.
class HttpClient {
 public:
  explicit HttpClient(Url url);
  ~HttpClient();

  // Connects if it is not connected. kUnavailable if the answer is not complete.
  ca::Result<HttpAnswer> Get(const std::string& path, const std::string& known_etag = "");
  ca::Result<HttpAnswer> PostOcsp(const std::string& path, ca::BytesView request);

 private:
  struct Connection;
  template <typename Request>
  ca::Result<HttpAnswer> Exchange(const Request& request);

  const Url url_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace bench
