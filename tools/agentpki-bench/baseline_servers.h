#pragma once

#include <string>

#include "tools/agentpki-bench/child_process.h"
#include "tools/agentpki-bench/http_load.h"

// Servers of other projects, to measure beside ours. A server runs on loopback as long as its
// object lives, with all its files in `folder`. kFailedPrecondition, naming the Debian package, if
// the program is not installed or does not start.
namespace bench {

struct BaselineServer {
  ChildProcess process;
  HttpQuestion question;
};

// nginx with `body` as a static file: the upper limit for a web server.
ca::Result<BaselineServer> StartNginx(ca::BytesView body, int workers,
                                      const TemporaryFolder& folder);

// cfssl ocspserve, which serves answers that were signed beforehand: here our `ocsp_response`.
ca::Result<BaselineServer> StartCfssl(ca::BytesView ocsp_request, ca::BytesView ocsp_response,
                                      const TemporaryFolder& folder);

// openssl ocsp with three processes, which sign each answer with a P-256 key of their own CA. The
// question has a nonce. The server closes the connection after each answer.
ca::Result<BaselineServer> StartOpenSslOcsp(ca::BytesView nonce, const TemporaryFolder& folder);

}  // namespace bench
