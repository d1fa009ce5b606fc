"""HAProxy in front of several replicas, as in production: one address for all of them."""

from programs import accepts, free_port, kill, spawn, wait_until

# If a replica is killed, its gRPC connections break, and the clients repeat each call without an answer.
# HAProxy itself repeats a request for OCSP or a CRL at another replica; for that it buffers the request.
CONFIG = """
defaults
  timeout connect 2s
  timeout client 10m
  timeout server 10m
  retries 3
  option redispatch 1
  default-server check inter 200ms fall 1 rise 1

listen grpc
  mode tcp
  bind {grpc}
  balance roundrobin
  default-server on-marked-down shutdown-sessions
{grpc_servers}

listen http
  mode http
  bind {http}
  balance roundrobin
  retry-on all-retryable-errors
  option http-buffer-request
{http_servers}
"""


class Balancer:
    """A balancer. Its addresses are known before it starts, because configurations and certificates
    carry them."""

    def __init__(self, folder):
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self.http_address = f"127.0.0.1:{free_port()}"
        self._config_file = folder / "haproxy.cfg"
        self._log_file = folder / "haproxy.log"
        self._process = None

    def start(self, servers):
        def lines(addresses):
            return "\n".join(f"  server {name} {address}" for name, address in addresses)

        self._config_file.write_text(CONFIG.format(
            grpc=self.address, http=self.http_address,
            grpc_servers=lines((server.folder.name, server.address) for server in servers),
            http_servers=lines((server.folder.name, server.http_address) for server in servers)))
        with self._log_file.open("w") as log:
            self._process = spawn("haproxy", "-db", "-f", self._config_file, stdout=log, stderr=log)
        wait_until(lambda: accepts(self._port), "HAProxy listens")

    def close(self):
        if self._process:
            kill(self._process)
