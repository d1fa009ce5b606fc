"""The server's own certificate, and its renewal while the server runs."""

import stat
import unittest

import openssl
from clients import RawClient
from deployment import DeploymentTest
from programs import run, wait_until

HOUR_S = 3600


class ServerCertificateTest(DeploymentTest):
    # The certificate is valid for 24 hours and renewed after 16. After the clock jumps to the real time,
    # the renewal is overdue by an hour.
    options = {"shift_s": -17 * HOUR_S}

    def shown_serial(self):
        return openssl.serial(self.deployment.shown_certificate())

    def peers(self):
        return self.deployment.database.rows("""
            SELECT DISTINCT from_address FROM agentpki.audit_events
             WHERE action = 'GetStatus' AND decision = 'allowed'""")

    def test_is_renewed_while_a_connection_is_open(self):
        before = self.deployment.shown_certificate()
        with RawClient(self.deployment, identity=self.deployment.operator) as client:
            self.assertEqual(client.call("agentpki.v1.StatusService/GetStatus", {}).code, "OK")

            self.deployment.set_clock(0)
            wait_until(lambda: self.shown_serial() != openssl.serial(before),
                       "new connections get another certificate", seconds=90)
            after = self.deployment.shown_certificate()

            for _ in range(3):
                self.assertEqual(client.call("agentpki.v1.StatusService/GetStatus", {}).code, "OK")
            self.assertEqual(len(self.peers()), 1, "the connection stayed open")

        self.assertNotEqual(openssl.public_key(before), openssl.public_key(after))
        done = run("openssl", "x509", "-in", after, "-noout", "-checkend", 23 * HOUR_S)
        self.assertEqual(done.returncode, 0, "the new certificate is valid for 24 hours")
        self.assertEqual(self.deployment.cli("status").returncode, 0)
        self.assertEqual(self.deployment.server.log().count("own certificate"), 2)
        self.assertEqual(self.deployment.server.log().count("serves gRPC"), 1)

        directory = self.deployment.server.folder / "run"
        self.assertEqual(sorted(file.name for file in directory.iterdir()),
                         ["tls", f"tls-{openssl.serial(after)}"])
        self.assertEqual(stat.S_IMODE((directory / "tls").stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE((directory / "tls/key.pem").stat().st_mode), 0o600)


if __name__ == "__main__":
    unittest.main()
