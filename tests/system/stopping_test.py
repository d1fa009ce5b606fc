"""A server that stops: it loses no call in progress."""

import signal
import time
import unittest

import openssl
from clients import Load, RawClient, new_request_id
from deployment import DeploymentTest
from programs import PATIENCE_S, wait_until
from tokens import JoinToken


class StoppingTest(DeploymentTest):

    def tearDown(self):
        if self.deployment.server.process.poll() is not None:
            self.deployment.server.start()

    def test_stops_at_once_when_idle(self):
        for number in [signal.SIGTERM, signal.SIGINT]:
            with self.subTest(number.name):
                begin = time.monotonic()
                self.deployment.server.process.send_signal(number)
                self.assertEqual(self.deployment.server.process.wait(30), 0)
                self.assertLess(time.monotonic() - begin, 5)
                self.assertTrue(self.deployment.server.log().strip().endswith("stopped"))
                self.deployment.server.start()

    def test_finishes_calls_in_progress(self):
        self.deployment.register("stopping/bot")
        token = JoinToken.parse(self.deployment.new_token("stopping/bot"))
        csr = openssl.new_csr(self.deployment.folder / "stopping.csr",
                              openssl.new_key(self.deployment.folder / "stopping.key"))
        request_id = new_request_id()
        with RawClient(self.deployment) as client:
            with self.deployment.database.locked("agentpki.signatures") as await_waiter:
                client.begin_enroll(token, openssl.der_of_csr(csr), request_id)
                await_waiter()
                self.deployment.server.begin_to_stop()
                wait_until(lambda: "stopping on" in self.deployment.server.log().splitlines()[-1],
                           "the server has received the signal")
                self.assertIsNone(self.deployment.server.process.poll())
            answer = client.answer()
        self.assertEqual(answer.code, "OK", answer)
        self.assertEqual(self.deployment.server.process.wait(30), 0)
        self.deployment.server.start()
        listed = self.deployment.json("cert", "show", answer.issued["serial"])
        self.assertEqual(listed[0]["serial"], answer.issued["serial"])

    def test_loses_no_acknowledged_certificate_under_load(self):
        with Load(self.deployment, "stopping/load", threads=8) as load:
            for _ in range(3):
                load.wait_for_certificates()
                command = self.deployment.spawn_cli("agent", "list")
                self.assertEqual(self.deployment.server.stop(), 0)
                self.deployment.server.start()
                _, said = command.communicate(timeout=PATIENCE_S)
                self.assertIn(command.returncode, [0, 75], said)  # done, or a temporary failure
            load.wait_for_certificates()
            load.stop()
            # gRPC answers CANCELLED to a call that arrives at the moment of the signal.
            self.assertLessEqual({attempt.code for attempt in load.attempts()},
                                 {"OK", "UNAVAILABLE", "CANCELLED"})
            load.check(self)

    def test_a_second_server_cannot_take_its_port(self):
        second = self.deployment.add_server()
        config = self.deployment.config(second)
        config["listen"]["grpc"] = self.deployment.server.address
        second.write_config(config)
        done = self.deployment.run_server("run", config_file=second.config_file)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"cannot listen on {self.deployment.server.address}", done.stderr)
        self.assertIn("another program", done.stderr)
        self.assertEqual(self.deployment.cli("status").returncode, 0)


if __name__ == "__main__":
    unittest.main()
