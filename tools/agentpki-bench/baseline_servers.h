#pragma once

#include <string>

#include "tools/agentpki-bench/child_process.h"
#include "tools/agentpki-bench/http_load.h"

// Servers of other people, to measure beside ours. Each runs on loopback as long as its object
// lives, with all its files in `folder`; kFailedPrecondition, with the Debian package to install,
// when it cannot be had.
namespace bench {

struct BaselineServer {
  ChildProcess process;
  HttpQuestion question;
};

// nginx that serves `body` as a static file: what a web server can do at most.
ca::Result<BaselineServer> StartNginx(ca::BytesView body, int workers,
                                      const TemporaryFolder& folder);

// cfssl ocspserve, which has all its answers signed beforehand: here our own `ocsp_response`.
ca::Result<BaselineServer> StartCfssl(ca::BytesView ocsp_request, ca::BytesView ocsp_response,
                                      const TemporaryFolder& folder);

// openssl ocsp with two processes, which sign each answer, by an authority (P-256) of its own; the
// question has a nonce. It closes the connection after each answer.
ca::Result<BaselineServer> StartOpenSslOcsp(ca::BytesView nonce, const TemporaryFolder& folder);

}  // namespace bench
