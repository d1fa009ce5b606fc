#pragma once

#include <string>

#include "ca/base/clock.h"
#include "ca/server/http/http.h"

namespace server {

// What the connection has to say beside what the handler says.
struct ResponseForm {
  ca::TimePoint now;  // Date
  bool is_head = false;
  bool keeps_alive = true;
  bool is_http_1_0 = false;
};

// Appends the status line and the fields of `response` (RFC 9112 sections 4 and 5), and its body
// where it is small enough to be copied and is asked for. Returns what of the body is left to be
// sent after `to`.
std::string_view WriteResponse(const HttpResponse& response, const ResponseForm& form,
                               std::string& to);

}  // namespace server
