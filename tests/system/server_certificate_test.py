"""The server's own certificate: it is renewed while the server runs."""

import stat
import unittest

import openssl
from clients import RawClient
from deployment import DeploymentTest
from programs import run, wait_until

HOUR_S = 3600


class ServerCertificateTest(DeploymentTest):
    # Its certificate is for 24 hours, and is renewed after 16: an hour ago, when the clock jumps.
    options = {"shift_s": -17 * HOUR_S}

    def shown_serial(self):
        return openssl.serial(self.deployment.shown_certificate())

    def peers(self):
        return self.deployment.database.rows("""
            SELECT DISTINCT from_address FROM agentpki.audit_events
             WHERE action = 'GetStatus' AND decision = 'allowed'""")

    def test_is_renewed_while_a_connection_stands(self):
        before = self.deployment.shown_certificate()
        with RawClient(self.deployment, identity=self.deployment.operator) as client:
            self.assertEqual(client.call("agentpki.v1.StatusService/GetStatus", {}).code, "OK")

            self.deployment.set_clock(0)
            wait_until(lambda: self.shown_serial() != openssl.serial(before),
                       "new connections are shown another certificate", seconds=90)
            after = self.deployment.shown_certificate()

            for _ in range(3):
                self.assertEqual(client.call("agentpki.v1.StatusService/GetStatus", {}).code, "OK")
            self.assertEqual(len(self.peers()), 1, "it was one connection all the time")

        self.assertNotEqual(openssl.public_key(before), openssl.public_key(after))
        done = run("openssl", "x509", "-in", after, "-noout", "-checkend", 23 * HOUR_S)
        self.assertEqual(done.returncode, 0, "it is for another 24 hours")
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
