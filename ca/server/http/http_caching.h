#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ca/base/clock.h"
#include "ca/server/http/http.h"

namespace server {

// IMF-fixdate (RFC 9110 section 5.6.7), of the whole second: Sun, 06 Nov 1994 08:49:37 GMT.
std::string HttpDate(ca::TimePoint time);
// nullopt for anything else; the two obsolete forms are not read, which costs such a peer a 200.
std::optional<ca::TimePoint> ParseHttpDate(std::string_view text);

// Whether the peer has what is quoted as `etag` and was last changed at `last_modified`, so that
// 304 is the answer (RFC 9110 section 13.2.2): If-None-Match decides, where it is sent, alone.
bool IsNotModified(const HttpRequest& request, std::string_view etag, ca::TimePoint last_modified);

}  // namespace server
