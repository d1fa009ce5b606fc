"""The database or the token is unavailable for a while, under load: the server recovers by itself."""

import re
import time
import unittest

from clients import Load, RawClient
from deployment import DeploymentTest
from programs import wait_until

HEALTH = "grpc.health.v1.Health/Check"
SERVING, NOT_SERVING = "0801", "0802"  # HealthCheckResponse


class OutageTest(DeploymentTest):
    options = {"durable": True}

    def setUp(self):
        self.load = self.enterContext(Load(self.deployment, f"outage/{time.time_ns()}"))
        self.load.wait_for_certificates()
        self.health = self.enterContext(RawClient(self.deployment))
        self.pid = self.deployment.server.process.pid

    def is_serving(self):
        return self.health.call(HEALTH, "").response == SERVING

    def assert_recovers(self):
        """Checks that the same process serves again and has lost no certificate."""
        self.load.wait_for_certificates()
        wait_until(lambda: self.deployment.cli("status").returncode == 0, "status says ok")
        wait_until(self.is_serving, "health says SERVING")
        self.load.stop()
        self.load.check(self)
        self.assertEqual(self.deployment.server.process.pid, self.pid, "the server did not restart")

    def test_recovers_after_the_database_restarts(self):
        for _ in range(2):
            self.deployment.database.restart()
            self.load.wait_for_certificates()
        self.assert_recovers()

    def test_recovers_after_the_database_crashes(self):
        for _ in range(2):
            self.deployment.database.kill()
            self.load.check_answers(self)
            self.deployment.database.start()
            self.load.wait_for_certificates()
        self.assert_recovers()

    def test_recovers_after_the_database_was_down(self):
        self.deployment.database.kill()
        try:
            wait_until(lambda: not self.is_serving(), "health says NOT_SERVING")
            done = self.deployment.cli("--timeout", "5", "status")
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertIn("the database is away", done.stderr)
        finally:
            self.deployment.database.start()
        self.assert_recovers()

    def test_recovers_after_the_database_hung(self):
        with self.deployment.database.frozen():
            wait_until(lambda: not self.is_serving(), "health says NOT_SERVING")
            done = self.deployment.cli("--timeout", "3", "status")
            self.assertEqual(done.returncode, 75, done.stderr)
        self.assert_recovers()

    def test_stops_while_the_database_hangs(self):
        with self.deployment.database.frozen():
            self.assertEqual(self.deployment.server.stop(), 75)
        self.assertIn("calls in progress are abandoned", self.deployment.server.log())
        self.deployment.server.start()
        self.load.wait_for_certificates()
        self.load.stop()
        self.load.check(self)

    def status_of_a_failed_token(self):
        done = self.deployment.cli("status")
        return done if re.search(r"token +FAILED", done.stdout) else None

    def test_recovers_after_the_token_was_unavailable(self):
        tokens = self.deployment.token_folder
        elsewhere = tokens.with_name("elsewhere")
        tokens.rename(elsewhere)
        try:
            wait_until(lambda: not self.is_serving(), "health says NOT_SERVING")
            # The conductor may be the first component to fail, so wait for the token.
            done = wait_until(self.status_of_a_failed_token, "status names the token")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stdout, r"database +ok")
            self.assertIn("token is unhealthy", done.stderr)
            refused = {attempt.message for attempt in self.load.attempts()
                       if attempt.code == "UNAVAILABLE"}
            self.assertTrue(any("token 'agentpki'" in message for message in refused), refused)
        finally:
            elsewhere.rename(tokens)
        self.assert_recovers()


if __name__ == "__main__":
    unittest.main()
