"""The metrics of a server, as Prometheus reads them."""

import contextlib
import socket
import time
import unittest
import urllib.request

from deployment import DeploymentTest
from programs import free_port, wait_until
from relying_party import Credentials


class MetricsTest(DeploymentTest):
    connections_max = 8
    options = {"shift_s": 0, "status": {"connections_per_address": connections_max}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.deployment.server
        cls.address = f"127.0.0.1:{free_port()}"
        config = cls.deployment.config(server)
        config["listen"]["metrics"] = cls.address
        server.write_config(config)
        server.restart()

    def scrape(self):
        """Returns the values as texts, by name and labels."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
        return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    def test_calls_are_counted_by_method_and_code(self):
        self.deployment.cli("status", check=True)
        self.deployment.cli("cert", "revoke", "--authority", "acme/test/issuing/9", "--yes")
        values = self.scrape()
        self.assertGreaterEqual(
            int(values['agentpki_requests_total{code="OK",method="GetStatus"}']), 1)
        self.assertIn('agentpki_requests_total{code="NOT_FOUND",method="Revoke"}', values)

    def test_one_address_gets_the_configured_number_of_connections(self):
        host, port = self.deployment.server.http_address.rsplit(":", 1)
        with contextlib.ExitStack() as stack:
            def connect():
                return stack.enter_context(socket.create_connection((host, int(port)), timeout=10))

            for _ in range(self.connections_max):
                connect()
            wait_until(lambda: self.scrape()["agentpki_http_connections"] ==
                       str(self.connections_max), "all connections are open")
            self.assertEqual(connect().recv(1), b"", "the server closes one more")

    def test_the_server_checks_that_ledger_ocsp_and_crls_agree(self):
        self.deployment.enroll("metrics/live")
        revoked = Credentials(self.deployment.enroll("metrics/revoked"))
        self.deployment.cli("cert", "revoke", revoked.serial, check=True)
        wait_until(lambda: revoked.is_listed(self.deployment.server), "the CRL lists it")
        self.assertNotIn('agentpki_status_discrepancies{hierarchy="acme/test"}', self.scrape())
        self.deployment.set_clock(61)  # the first check is a minute after the start
        shifted_at = time.time()
        values = wait_until(self.scrape_when_checked, "the server has checked")
        self.assertEqual(values['agentpki_status_discrepancies{hierarchy="acme/test"}'], "0")
        ended = float(values['agentpki_status_checked_seconds{hierarchy="acme/test"}'])
        self.assertAlmostEqual(ended, shifted_at + 61, delta=60)

    def scrape_when_checked(self):
        values = self.scrape()
        is_there = 'agentpki_status_checked_seconds{hierarchy="acme/test"}' in values
        return values if is_there else None


if __name__ == "__main__":
    unittest.main()
