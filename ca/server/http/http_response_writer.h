#pragma once

#include <string>

#include "ca/base/clock.h"
#include "ca/server/http/http.h"

namespace server {

// The connection's part of a response.
struct ResponseForm {
  ca::TimePoint now;  // Date
  bool is_head = false;
  bool keeps_alive = true;
  bool is_http_1_0 = false;
};

// Appends the status line and the fields of `response` (RFC 9112 sections 4 and 5) to `to`, and its
// body if that is small and not left out for a HEAD. Returns the rest of the body, which the caller
// sends after `to`.
std::string_view WriteResponse(const HttpResponse& response, const ResponseForm& form,
                               std::string& to);

}  // namespace server
