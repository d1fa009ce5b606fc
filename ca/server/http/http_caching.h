#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ca/base/clock.h"
#include "ca/server/http/http.h"

namespace server {

// IMF-fixdate (RFC 9110 section 5.6.7), cut to the whole second: Sun, 06 Nov 1994 08:49:37 GMT.
std::string HttpDate(ca::TimePoint time);
// Reads IMF-fixdate only; nullopt for anything else. A peer that sends one of the two obsolete
// forms gets a 200 instead of a 304.
std::optional<ca::TimePoint> ParseHttpDate(std::string_view text);

// Whether the peer already has the current content, so that 304 is the answer (RFC 9110 section
// 13.2.2). If the request has If-None-Match, that alone decides. `etag` includes its quotes.
bool IsNotModified(const HttpRequest& request, std::string_view etag, ca::TimePoint last_modified);

}  // namespace server
