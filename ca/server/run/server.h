#pragma once

#include "ca/server/run/config.h"

namespace server {

// Serves until SIGTERM or SIGINT: then health says NOT_SERVING, calls in progress finish (for 10
// seconds at most), and the token is torn down when nobody can sign any more. Should that hang, the
// process ends itself. Blocks those signals in the calling thread, so it is to be called before
// there are others.
ca::Status RunServer(const Config& config);

}  // namespace server
