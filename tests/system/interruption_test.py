"""An enrollment that is interrupted, on either side, and started again."""

import unittest

import openssl
from deployment import DeploymentTest, spiffe_id
from programs import kill, wait_until

# The tables that an enrollment uses, in order: it looks up the token, records the intent, records the
# signature.
PLACES = ["agentpki.join_tokens", "agentpki.requests", "agentpki.signatures"]


class InterruptedEnrollmentTest(DeploymentTest):

    def prepare(self, path):
        self.deployment.register(path)
        self.words = ["cert", "enroll", "--token-file", self.deployment.token_file(path),
                      "--out", self.deployment.new_folder()]
        self.folder, self.path = self.words[-1], path
        self.pending = self.folder.with_name(self.folder.name + ".pending")

    def begin(self):
        return self.deployment.spawn_cli(*self.words)

    def listed(self):
        return self.deployment.json("cert", "list", "--agent", spiffe_id(self.path))

    def assert_second_attempt_brings_the_certificate_of_the_first(self):
        self.assertTrue(self.pending.exists())
        done = self.deployment.cli(*self.words)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(entry["serial"], entry["signed"]) for entry in self.listed()],
                         [(openssl.serial(self.folder / "cert.pem"), True)])
        self.assertEqual(openssl.verify(self.folder).returncode, 0)
        self.assertEqual(openssl.public_key(self.folder / "cert.pem"),
                         openssl.public_key(self.folder / "key.pem"))
        self.assertFalse(self.pending.exists())

    def test_completes_after_the_command_is_killed(self):
        for place in PLACES:
            with self.subTest(place):
                self.prepare(f"killed/{place}")
                with self.deployment.database.locked(place) as await_waiter:
                    command = self.begin()
                    await_waiter()
                    kill(command)
                wait_until(lambda: any(entry["signed"] for entry in self.listed()),
                           "the server has completed the enrollment")
                self.assert_second_attempt_brings_the_certificate_of_the_first()

    def test_completes_after_the_server_is_killed(self):
        for place in PLACES:
            with self.subTest(place):
                self.prepare(f"server-killed/{place}")
                with self.deployment.database.locked(place) as await_waiter:
                    command = self.begin()
                    await_waiter()
                    self.deployment.server.kill()
                    kill(command)
                self.deployment.server.start()
                if place == "agentpki.signatures":
                    self.assertEqual([entry["signed"] for entry in self.listed()], [False],
                                     "the intent is recorded without a signature")
                self.assert_second_attempt_brings_the_certificate_of_the_first()

    def test_the_command_waits_for_a_server_that_restarts(self):
        self.prepare("waiting/bot")
        with self.deployment.database.locked("agentpki.signatures") as await_waiter:
            command = self.begin()
            await_waiter()
            self.deployment.server.kill()
        self.deployment.server.start()
        _, said = command.communicate(timeout=30)
        if command.returncode != 0:  # on a slow machine the command times out and says so
            self.assertEqual(command.returncode, 75, said)
            self.assert_second_attempt_brings_the_certificate_of_the_first()
        self.assertEqual(len(self.listed()), 1)

    def test_a_request_for_another_key_type_is_a_new_one(self):
        self.prepare("changed/bot")
        with self.deployment.database.locked("agentpki.join_tokens") as await_waiter:
            command = self.begin()
            await_waiter()
            kill(command)
        wait_until(self.listed, "the server has completed the enrollment")
        done = self.deployment.cli(*self.words, "--key-type", "p384")
        self.assert_refused(done, "join-token.used")

    def test_completes_an_interrupted_renewal(self):
        folder = self.deployment.enroll("renewal/bot")
        first = openssl.serial(folder / "cert.pem")
        with self.deployment.database.locked("agentpki.signatures") as await_waiter:
            command = self.deployment.spawn_cli("cert", "renew", folder)
            await_waiter()
            kill(command)
        self.deployment.cli("cert", "renew", folder, check=True)
        serials = {entry["serial"] for entry in self.deployment.json(
            "cert", "list", "--agent", spiffe_id("renewal/bot"))}
        self.assertEqual(serials, {first, openssl.serial(folder / "cert.pem")})
        self.assertNotEqual(first, openssl.serial(folder / "cert.pem"))
        self.assertEqual(openssl.verify(folder).returncode, 0)


if __name__ == "__main__":
    unittest.main()
