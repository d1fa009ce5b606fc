#pragma once

#include "ca/server/run/config.h"

namespace server {

// Serves until SIGTERM or SIGINT. Then gRPC health says NOT_SERVING, calls in progress have 10
// seconds to finish, and the token is closed after everything that can sign has ended. If that
// takes longer than StopDeadline allows, the process ends itself.
//
// Blocks those two signals in the calling thread, so call it before the process has other threads.
ca::Status RunServer(const Config& config);

}  // namespace server
