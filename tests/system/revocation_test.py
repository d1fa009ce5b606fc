"""Revocation: who may revoke, for which reasons, and how soon OCSP and CRLs say so. Two servers."""

import time
import unittest

import openssl
from clients import RawClient
from deployment import DeploymentTest, spiffe_id
from programs import SANITIZE, wait_until
from relying_party import Credentials

# The promised limits in seconds; sanitizers get more time.
OCSP_S = 10 if SANITIZE else 1
CRL_S = 30 if SANITIZE else 10
TAKEOVER_S = 60 if SANITIZE else 15


class RevocationCase(DeploymentTest):
    """The common part of the tests on two deployments."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.add_server().start()

    def enroll(self, path):
        return Credentials(self.deployment.enroll(path))

    def enroll_again(self, path):
        return Credentials(self.deployment.join(spiffe_id(path)))

    def revoke(self, *words, **options):
        return self.deployment.json("cert", "revoke", *words, **options)

    def assert_ocsp_says(self, credentials, status):
        """Checks that every replica answers with this status."""
        for server in self.deployment.servers:
            self.assertEqual(credentials.status(server), status)

    def assert_becomes_known(self, credentials):
        """Checks that every replica reports a revocation within the limits from now."""
        acknowledged = time.monotonic()
        for server in self.deployment.servers:
            wait_until(lambda: credentials.status(server) == "revoked",
                       f"{server.folder.name} says revoked", OCSP_S)
        for server in self.deployment.servers:
            wait_until(lambda: credentials.is_listed(server), f"{server.folder.name} lists it",
                       acknowledged + CRL_S - time.monotonic())


class RevocationTest(RevocationCase):
    options = {"durable": True, "status": {}}

    # ---- status ---------------------------------------------------------------------------------

    def test_every_replica_reports_a_revocation_by_ocsp_and_crl_in_time(self):
        bot = self.enroll("revocation/known")
        self.assert_ocsp_says(bot, "good")  # this response is cached, and must not be served again
        done = self.revoke(bot.serial, "--reason", "superseded")
        self.assertEqual((done["revoked_count"], done["already_revoked_count"]), ("1", "0"))
        self.assert_becomes_known(bot)
        self.assertIn("Reason: superseded", bot.ask())

        counts = {entry["crl_entry_count"] for entry in self.deployment.json("status", "check")}
        (revoked,) = self.deployment.database.rows(
            "SELECT count(*)::text AS count FROM agentpki.revocations")
        self.assertIn(revoked["count"], counts)

    def test_a_second_revocation_keeps_the_first_reason(self):
        bot = self.enroll("revocation/twice")
        self.revoke(bot.leaf, "--reason", "cessationOfOperation")
        done = self.revoke(bot.serial, "--reason", "keyCompromise")
        self.assertEqual((done["revoked_count"], done["already_revoked_count"]), ("0", "1"))
        self.assertEqual(done["reason"], "cessationOfOperation")
        self.assert_becomes_known(bot)
        self.assertIn("Reason: cessationOfOperation", bot.ask())

    def test_a_serial_that_was_never_issued_is_unknown(self):
        bot = self.enroll("revocation/neighbour")
        never = bot.serial[:-8] + "5eadbeef"
        for server in self.deployment.servers:
            said = bot.ask(server=server, which=["-serial", f"0x{never}"])
            self.assertIn("Response verify OK", said)
            self.assertIn(f"0x{never}: unknown", said)

    def test_a_responder_answers_only_for_its_own_issuer(self):
        bot = self.enroll("revocation/stranger")
        for server in self.deployment.servers:
            said = bot.ask(server=server, which=["-issuer", bot.root, "-cert", bot.issuer])
            self.assertIn("unauthorized (6)", said)

    # ---- agents ---------------------------------------------------------------------------------

    def test_an_agent_revokes_its_own_certificate_and_is_then_refused(self):
        bot = self.enroll("revocation/own")
        self.revoke(bot.folder, "--reason", "superseded", identity="/nonexistent")
        self.assert_becomes_known(bot)
        for server in self.deployment.servers:
            with RawClient(self.deployment, server, identity=bot.folder) as client:
                csr = openssl.new_csr(bot.folder / "new.csr",
                                      openssl.new_key(bot.folder / "new.key"))
                answer = client.renew(openssl.der_of_csr(csr))
                self.assertIn(answer.rule, ["caller.revoked", "renewal.revoked"], answer)
                answer = client.call("agentpki.v1.RegistryService/GetAgent",
                                     {"spiffe_id": spiffe_id("revocation/own")})
                self.assertEqual(answer.rule, "caller.revoked", answer)
        self.assert_refused(self.deployment.cli("cert", "renew", bot.folder), "caller.revoked",
                            "superseded", "enroll anew")
        again = self.enroll_again("revocation/own")
        self.assert_ocsp_says(again, "good")

    def test_an_agent_cannot_revoke_another_agents_certificate(self):
        bot, other = self.enroll("revocation/mean"), self.enroll("revocation/victim")
        with RawClient(self.deployment, identity=bot.folder) as client:
            answer = client.call("agentpki.v1.RevocationService/Revoke", {"serial": other.serial})
            self.assertNotEqual(answer.code, "OK", answer)
        self.assert_ocsp_says(other, "good")

    # ---- mass revocation ------------------------------------------------------------------------

    def test_yes_revokes_all_certificates_of_an_agent(self):
        path = "revocation/fleet"
        fleet = [self.enroll(path), self.enroll_again(path), self.enroll_again(path)]
        other = self.enroll("revocation/bystander")
        words = ["--agent", spiffe_id(path)]
        done = self.deployment.cli("cert", "revoke", *words)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--yes", done.stderr)
        previewed = self.revoke(*words, "--dry-run")
        self.assertEqual({row["serial"] for row in previewed["revoked"]},
                         {bot.serial for bot in fleet})
        for bot in fleet:
            self.assert_ocsp_says(bot, "good")

        self.assertEqual(self.revoke(*words, "--yes")["revoked_count"], "3")
        for bot in fleet:
            self.assert_becomes_known(bot)
        self.assert_ocsp_says(other, "good")

    def test_a_compromised_key_is_refused_for_ever(self):
        path = "revocation/compromised"
        bot = self.enroll(path)
        self.revoke(bot.serial, "--reason", "keyCompromise")
        csr = openssl.new_csr(bot.folder / "again.csr", bot.key)
        self.deployment.register("revocation/heir")
        for owner in [path, "revocation/heir"]:
            done = self.deployment.cli(
                "cert", "enroll", "--token-file", self.deployment.token_file(owner),
                "--csr", csr, "--out", self.deployment.new_folder())
            self.assert_refused(done, "key.compromised", "make a new key")
        self.enroll_again(path)

    # ---- refusals -------------------------------------------------------------------------------

    def assert_fails(self, words, *texts):
        done = self.deployment.cli("cert", "revoke", *words)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_each_refusal_names_the_fault(self):
        bot = self.enroll("revocation/plain")
        never = bot.serial[:-8] + "5eadbeef"
        self.assert_fails([never], "has a certificate", never, "agentpki cert list")
        self.assert_fails(["/nonexistent.pem"], "/nonexistent.pem")
        self.assert_fails([bot.key], "no PEM block 'CERTIFICATE'")
        self.assert_fails(["--authority", "acme/test/issuing/9", "--yes"], "acme/test/issuing/9")
        self.assert_fails([bot.serial, "--reason", "boredom"], "boredom", "keyCompromise")
        self.assert_fails([bot.serial, "--invalidity-date", "yesterday"], "--invalidity-date")
        self.assert_ocsp_says(bot, "good")

    # ---- outages --------------------------------------------------------------------------------

    def test_signed_ocsp_responses_are_served_without_the_database(self):
        asked, other, taken = (self.enroll(f"revocation/{name}")
                               for name in ["asked", "unasked", "taken"])
        self.revoke(taken.serial)
        self.assert_becomes_known(taken)
        for server in self.deployment.servers:
            self.assertIn("leaf.pem: good", asked.ask("-no_nonce", server=server))
        self.deployment.database.kill()
        try:
            for server in self.deployment.servers:
                said = asked.ask("-no_nonce", server=server)
                self.assertIn("Response verify OK", said)
                self.assertIn("leaf.pem: good", said)
                self.assertIn("trylater (3)", other.ask("-no_nonce", server=server))
                # A server may still sign for one second, by the revocations that it knows. After that
                # it cannot answer a nonce, which needs a new signature.
                wait_until(lambda: "trylater (3)" in asked.ask(server=server),
                           "the server signs no new response")
                self.assertEqual(taken.status(server), "revoked")
                self.assertTrue(taken.is_listed(server))
            done = self.deployment.cli("--timeout", "3", "cert", "revoke", other.serial)
            self.assertEqual(done.returncode, 75, done.stderr)
        finally:
            self.deployment.database.start()
        for server in self.deployment.servers:
            wait_until(lambda: "leaf.pem: good" in other.ask(server=server), "OCSP is back")
        wait_until(lambda: self.deployment.cli("status").returncode == 0, "status says ok")
        self.revoke(other.serial)
        self.assert_becomes_known(other)

    def test_another_replica_publishes_after_the_conductor_is_killed(self):
        conductor = self.deployment.conductor()
        (heir,) = [server for server in self.deployment.servers if server is not conductor]
        bot = self.enroll("revocation/orphan")
        conductor.kill()
        try:
            with RawClient(self.deployment, heir, identity=self.deployment.operator) as client:
                answer = client.call("agentpki.v1.RevocationService/Revoke",
                                     {"serial": bot.serial, "reason": "superseded"})
            self.assertEqual(answer.code, "OK", answer)
            wait_until(lambda: bot.status(heir) == "revoked", "OCSP says revoked", OCSP_S)
            wait_until(lambda: bot.is_listed(heir), "the heir publishes", TAKEOVER_S)
        finally:
            conductor.start()
        wait_until(lambda: bot.is_listed(conductor), "the killed server reads the new CRL")


class ShardingTest(RevocationCase):
    options = {"status": {"crl_shard_size": 10}}

    def test_certificates_after_a_full_shard_point_to_the_next_shard(self):
        path = "sharding/bot"
        first = self.enroll(path)
        self.assertTrue(first.crl_url().endswith("/0.crl"), first.crl_url())
        for _ in range(10):
            self.enroll_again(path)
        later = wait_until(lambda: self.in_second_shard(path), "certificates point to shard 1")
        self.assertEqual(later.crl_url(), first.crl_url().replace("/0.crl", "/1.crl"))

        self.revoke(later.serial)
        self.assert_becomes_known(later)
        # RFC 5280 section 5.2.5: a CRL that covers only some certificates names its scope, by its URL.
        crl = openssl.openssl("crl", "-in", later.new_crl_file(), "-noout", "-text")
        self.assertRegex(crl, "Issuing Distribution Point: critical")
        self.assertIn(later.crl_url(), crl)
        done = later.verify()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("certificate revoked", done.stderr)

        # The other shard does not list it, and openssl does not accept that CRL for it.
        elsewhere = openssl.openssl("crl", "-in", first.new_crl_file(), "-noout", "-text")
        self.assertNotIn(later.serial.upper(), elsewhere)
        self.assertEqual(first.verify().returncode, 0, first.verify().stderr)

        # An authority's certificates are in both shards.
        with self.subTest("the authority"):
            authority = ["--authority", "acme/test/issuing/1"]
            done = self.deployment.cli("cert", "revoke", *authority)
            self.assertEqual(done.returncode, 1)
            self.assertIn("--yes", done.stderr)
            previewed = self.revoke(*authority, "--dry-run")
            self.assertGreater(int(previewed["revoked_count"]), 10)
            self.assert_ocsp_says(first, "good")
            done = self.revoke(*authority, "--yes", "--reason", "superseded")
            self.assertEqual(done["revoked_count"], previewed["revoked_count"])
            self.assert_becomes_known(first)
            self.assertEqual(self.deployment.cli("status", "check").returncode, 0)

    def in_second_shard(self, path):
        bot = self.enroll_again(path)
        return bot if bot.crl_url().endswith("/1.crl") else None


class ExpiryTest(DeploymentTest):
    options = {"shift_s": 0, "status": {}}

    def test_an_expired_certificate_cannot_be_revoked(self):
        bot = Credentials(self.deployment.enroll("expiry/brief", "--profile", "brief"))
        # After the first start the conductor still has to make the responders.
        wait_until(lambda: "leaf.pem: good" in bot.ask(), "OCSP answers")
        self.deployment.set_clock(301)
        done = self.deployment.cli("cert", "revoke", bot.serial, "--reason", "superseded")
        self.assert_refused(done, "certificate.expired", bot.serial)


if __name__ == "__main__":
    unittest.main()
