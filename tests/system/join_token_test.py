"""Join tokens: they work once, until they expire, at the right server only, and they do not leak."""

import base64
import secrets
import unittest
from pathlib import Path

import openssl
from clients import RawClient
from deployment import DeploymentTest, spiffe_id
from fake_server import FakeServer
from programs import PATIENCE_S, wait_until
from tokens import JoinToken


class JoinTokenTest(DeploymentTest):
    options = {"shift_s": 0}

    def enroll(self, token, *words):
        folder = self.deployment.new_folder()
        return folder, self.deployment.cli("cert", "enroll", "--token-file", "-", "--out", folder,
                                           *words, input=token + "\n")

    def state_of(self, token):
        states = {listed["id"]: listed["state"] for listed in self.deployment.json("token", "list")}
        return states[JoinToken.parse(token).id]

    def assert_not_echoed(self, token, said):
        for part in range(len("apki1_"), len(token) - 12, 4):
            self.assertNotIn(token[part:part + 12], said)

    # ---- single use -----------------------------------------------------------------------------

    def test_exactly_one_of_many_concurrent_enrollments_wins(self):
        self.deployment.register("race/bot")
        token_file = self.deployment.token_file("race/bot")
        folders = [self.deployment.new_folder() for _ in range(12)]
        racers = [self.deployment.spawn_cli("cert", "enroll", "--token-file", token_file,
                                            "--out", folder) for folder in folders]
        ends = [(*racer.communicate(timeout=PATIENCE_S), racer.returncode) for racer in racers]
        winners = [folder for folder, (_, _, code) in zip(folders, ends) if code == 0]
        self.assertEqual(len(winners), 1, ends)
        self.assertEqual(openssl.verify(winners[0]).returncode, 0)
        for _, said, code in ends:
            if code != 0:
                self.assertEqual(code, 1)
                self.assertIn("[join-token.used]", said)
        self.assertEqual([folder for folder in folders if folder.exists()], winners)
        self.assertEqual(
            len(self.deployment.json("cert", "list", "--agent", spiffe_id("race/bot"))), 1)

    # ---- lifetime -------------------------------------------------------------------------------

    def test_expires_after_its_lifetime(self):
        self.deployment.register("late/bot")
        token = self.deployment.new_token("late/bot", "--lifetime", "1m")
        self.deployment.set_clock(61)
        self.addCleanup(self.deployment.set_clock, 0)
        _, done = self.enroll(token)
        self.assert_refused(done, "join-token.expired", "ask for a new one")
        self.assertEqual(self.state_of(token), "EXPIRED")

    def test_is_refused_after_its_revocation(self):
        self.deployment.register("revoked/bot")
        token = self.deployment.new_token("revoked/bot")
        id = JoinToken.parse(token).id
        for _ in range(2):  # a repeat is not an error
            self.deployment.cli("token", "revoke", id, check=True)
        _, done = self.enroll(token)
        self.assert_refused(done, "join-token.revoked", "ask for a new one")
        self.assertEqual(self.state_of(token), "REVOKED")

    def test_cannot_be_revoked_after_its_use(self):
        self.deployment.register("used/bot")
        token = self.deployment.new_token("used/bot")
        self.assertEqual(self.enroll(token)[1].returncode, 0)
        done = self.deployment.cli("token", "revoke", JoinToken.parse(token).id)
        self.assert_refused(done, "join-token.used")

    def test_has_a_lifetime_from_one_minute_to_one_week(self):
        self.deployment.register("lifetime/bot")
        for lifetime in ["59s", "169h", "-1h", "soon"]:
            with self.subTest(lifetime):
                done = self.deployment.cli("token", "create", "--agent",
                                           spiffe_id("lifetime/bot"), f"--lifetime={lifetime}")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("lifetime", done.stderr)

    def test_needs_a_registered_agent(self):
        done = self.deployment.cli("token", "create", "--agent", spiffe_id("nobody/here"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("not registered", done.stderr)

    # ---- faults ---------------------------------------------------------------------------------

    def test_a_damaged_token_is_explained_and_not_echoed(self):
        self.deployment.register("clumsy/bot")
        token = self.deployment.new_token("clumsy/bot")
        middle = len(token) // 2
        swapped = "B" if token[middle] == "A" else "A"
        for what, damaged in {"truncated": token[:-7],
                              "mistyped": token[:middle] + swapped + token[middle + 1:],
                              "without its beginning": token[6:],
                              "twice": token + token,
                              "nothing": "",
                              "something else": "hunter2" * 40}.items():
            with self.subTest(what):
                _, done = self.enroll(damaged)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("the join token is not whole", done.stderr)
                self.assert_not_echoed(token, done.stderr)
                self.assertNotIn("hunter2", done.stderr)
        self.assertEqual(self.state_of(token), "READY")

    def test_an_invented_token_is_refused(self):
        self.deployment.register("guess/bot")
        token = JoinToken.parse(self.deployment.new_token("guess/bot"))
        _, done = self.enroll(token._replace(secret=secrets.token_bytes(32)).text())
        self.assert_refused(done, "join-token.unknown")

    # ---- wrong servers --------------------------------------------------------------------------

    def test_is_not_sent_to_a_server_of_another_deployment(self):
        self.deployment.register("misled/bot")
        token = JoinToken.parse(self.deployment.new_token("misled/bot"))
        with FakeServer(self.deployment.folder / "other") as other:
            _, done = self.enroll(token._replace(address=other.address).text())
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not the server that the join token is for", done.stderr)
        self.assertGreater(other.knocks, 0)
        self.assertEqual(other.heard, b"")

    def test_is_not_sent_to_an_impostor_that_presents_our_root(self):
        self.deployment.register("deceived/bot")
        token = JoinToken.parse(self.deployment.new_token("deceived/bot"))
        our_root = (self.deployment.operator / "server-ca.pem").read_text()
        with FakeServer(self.deployment.folder / "impostor", our_root) as impostor:
            _, done = self.enroll(token._replace(address=impostor.address).text(),
                                  "--timeout", "5")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertGreater(impostor.knocks, 1, "the first contact succeeded")
        self.assertNotIn(token.secret, impostor.heard)
        self.assertNotIn(b"Enroll", impostor.heard)

    def test_an_unavailable_server_is_reported_as_temporary(self):
        self.deployment.register("patient/bot")
        token = JoinToken.parse(self.deployment.new_token("patient/bot"))
        _, done = self.enroll(token._replace(address="127.0.0.1:1").text())
        self.assertEqual(done.returncode, 75)
        self.assertIn("127.0.0.1:1 does not answer", done.stderr)

    # ---- leaks ----------------------------------------------------------------------------------

    def test_is_not_in_the_arguments_of_the_running_command(self):
        self.deployment.register("watched/bot")
        token = self.deployment.new_token("watched/bot")
        for words in [["--token", token], [f"--token={token}"]]:
            with self.subTest(words[0][:7]), \
                    self.deployment.database.locked("agentpki.join_tokens") as await_waiter:
                command = self.deployment.spawn_cli("cert", "enroll", *words, "--out",
                                                    self.deployment.new_folder())
                await_waiter()  # the command has made its call, which now blocks
                arguments = Path(f"/proc/{command.pid}/cmdline").read_bytes()
                self.assertIn(b"enroll", arguments)
                self.assertNotIn(token[6:].encode(), arguments)
                self.assert_not_echoed(token, arguments.decode())
                command.kill()
                command.communicate()

    def test_is_neither_in_the_log_nor_in_the_database(self):
        self.deployment.register("secretive/bot")
        used, refused = (self.deployment.new_token("secretive/bot") for _ in range(2))
        self.enroll(used)
        self.deployment.cli("token", "revoke", JoinToken.parse(refused).id, check=True)
        self.enroll(refused)
        with RawClient(self.deployment) as client:
            client.enroll(JoinToken.parse(refused), b"not a csr")
        wait_until(lambda: JoinToken.parse(refused).id in self.deployment.server.log(),
                   "the refusal is in the log")
        kept = self.deployment.server.log() + self.deployment.database.dump()
        self.assertIn(JoinToken.parse(used).id, kept)
        for token in [used, refused]:
            secret = JoinToken.parse(token).secret
            self.assert_not_echoed(token, kept)
            self.assertNotIn(secret.hex(), kept.lower())
            self.assertNotIn(base64.b64encode(secret).decode()[:40], kept)


if __name__ == "__main__":
    unittest.main()
