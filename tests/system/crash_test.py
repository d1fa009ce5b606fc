"""A server that is killed at random moments: each certificate is recorded, one for each request."""

import random
import time
import unittest

from clients import Load
from deployment import DeploymentTest
from programs import SANITIZE

ROUNDS = 5 if SANITIZE else 20


class CrashTest(DeploymentTest):
    options = {"durable": True}

    def test_every_received_certificate_is_recorded_and_every_request_completes(self):
        moments = random.Random(20261124)
        with Load(self.deployment, "crash/load", threads=8) as load:
            for round in range(ROUNDS):
                with self.subTest(round=round):
                    load.wait_for_certificates(3)
                    time.sleep(moments.uniform(0, 0.25))
                    self.deployment.server.kill()
                    load.check(self)
                    self.deployment.server.start()
            load.wait_for_certificates()
            load.stop()
            load.check(self)
            self.assertGreater(load.repeated_count(), 0, "no request was ever interrupted")
            self.assert_all_intents_were_fulfilled()
        self.assertEqual(self.deployment.cli("status").returncode, 0)

    def assert_all_intents_were_fulfilled(self):
        """Checks that each intent has a signature, because the clients repeated their requests. Leaves
        out the server's own certificates, whose requests nobody repeats."""
        self.assertEqual(self.deployment.database.rows("""
            SELECT i.subject FROM agentpki.issuances AS i
             WHERE NOT EXISTS (SELECT FROM agentpki.signatures AS s WHERE s.serial = i.serial)
               AND i.subject NOT LIKE 'spiffe://system.%/server/%'"""), [])

    def test_leaves_no_stale_files_in_the_runtime_directory(self):
        directory = self.deployment.server.folder / "run"
        for _ in range(3):
            self.deployment.server.kill()
            self.deployment.server.start()
        self.assertEqual(len(list(directory.iterdir())), 2, list(directory.iterdir()))


if __name__ == "__main__":
    unittest.main()
