"""Trust bundles: streamed, acknowledged, awaited by an activation; and the rollover of a root."""

import time
import unittest

import openssl
from clients import Load, RawClient, Sidecar
from deployment import HIERARCHY, spiffe_id
from programs import run, wait_until
from relying_party import fetch
from rotation import PUBLISH_AHEAD_S, SOON_S, RotationCase
from tls import talk


class BundleCase(RotationCase):

    def version(self, hierarchy="acme/test"):
        return self.deployment.json("bundle", "show", "--hierarchy", hierarchy)["version"]

    def wait_for_version(self, version, hierarchy="acme/test"):
        wait_until(lambda: self.version(hierarchy) >= version, f"version {version}", SOON_S)

    def stragglers(self):
        found = self.deployment.json("authority", "stragglers", "acme/test")
        return found, [straggler["spiffe_id"] for straggler in found["stragglers"]]

    def sidecar(self, identity):
        sidecar = Sidecar(self.deployment, identity)
        self.addCleanup(sidecar.close)
        return sidecar


class GateTest(BundleCase):
    options = {"durable": True,
               "hierarchy": HIERARCHY | {"issuing": {"acknowledged_share": 100,
                                                     "acknowledge_within": "24h"}}}

    def test_activation_waits_for_acknowledgements(self):
        alpha, beta = self.deployment.enroll("gate/alpha"), self.deployment.enroll("gate/beta")
        wait_until(lambda: self.deployment.cli("bundle", "show", identity=alpha).returncode == 0,
                   "the first trust bundle is published", SOON_S)
        self.assertEqual(self.version(), 1)
        sidecar = self.sidecar(alpha)
        wait_until(lambda: len(sidecar.roots()) == 1, "the sidecar holds the first version")
        self.assertEqual(sidecar.roots(),
                         openssl.certificates((alpha / "bundle.pem").read_text()))
        wait_until(lambda: self.stragglers()[1] == [spiffe_id("gate/beta")], "alpha acknowledges")

        prepared = self.deployment.json("authority", "prepare", "acme/test")
        self.assertEqual(self.version(), 2)
        shown = self.deployment.json("bundle", "show", identity=beta)
        self.assertEqual((shown["version"], len(shown["roots"]), len(shown["issuing"])), (2, 1, 2))
        wait_until(lambda: self.stragglers()[1] == [spiffe_id("gate/beta")],
                   "alpha acknowledges the second version")
        time.sleep(PUBLISH_AHEAD_S)
        said = self.assert_refused(self.deployment.cli("authority", "activate", prepared["name"]),
                                   "authority.not-acknowledged", "50% of 2 live agents",
                                   spiffe_id("gate/beta"))
        self.assertNotIn("gate/alpha", said)
        table = self.deployment.cli("authority", "stragglers", "acme/test", check=True).stdout
        self.assertRegex(table, r"gate/beta +test-team")

        with RawClient(self.deployment, identity=beta) as client:
            method = "agentpki.v1.TrustBundleService/AcknowledgeTrustBundle"
            self.assertEqual(client.call(method, {"version": 9}).code, "NOT_FOUND")
            self.assertEqual(client.call(method, {"version": 2}).code, "OK")
        self.assertEqual(self.stragglers()[1], [])
        self.assertEqual(
            self.deployment.json("authority", "activate", prepared["name"])["state"], "active")
        events = self.deployment.database.rows("""
            SELECT rule, reason FROM agentpki.audit_events
             WHERE action = 'ActivateAuthority' AND decision = 'allowed'
             ORDER BY sequence DESC LIMIT 1""")
        self.assertEqual(events[0]["rule"], "authority.acknowledged")
        self.assertIn("100% of 2 live agents", events[0]["reason"])

        # No agent acknowledges the next version. The operator activates the authority all the same.
        said = sidecar.close()
        self.assertIn("acme/test trust bundle 2: 1 roots, 2 issuing authorities", said)
        third = self.deployment.json("authority", "prepare", "acme/test")["name"]
        time.sleep(PUBLISH_AHEAD_S)
        self.assert_refused(self.deployment.cli("authority", "activate", third),
                            "authority.not-acknowledged", "0% of 2")
        self.deployment.cli("authority", "activate", third, "--despite-stragglers", check=True)
        events = self.deployment.database.rows("""
            SELECT rule, reason FROM agentpki.audit_events
             WHERE action = 'ActivateAuthority' AND decision = 'allowed'
             ORDER BY sequence DESC LIMIT 1""")
        self.assertEqual(events[0]["rule"], "authority.despite-stragglers")
        self.assertIn("2 have not", events[0]["reason"])


class StreamTest(BundleCase):
    options = {"shift_s": 0}

    def test_a_stream_ends_at_once_when_the_server_stops_and_resumes_afterwards(self):
        agent = self.deployment.enroll("stream/stopping")
        sidecar = self.sidecar(agent)
        wait_until(lambda: sidecar.roots(), "the sidecar holds the first version", SOON_S)
        begin = time.monotonic()
        self.assertEqual(self.deployment.server.stop(), 0)
        self.assertLess(time.monotonic() - begin, 5)
        self.deployment.server.start()
        sidecar.file.unlink()
        self.deployment.json("authority", "prepare", "acme/test")
        wait_until(lambda: sidecar.roots(), "the sidecar holds the second version", SOON_S)
        self.assertIn("the server stops", sidecar.close())

    def test_a_stream_ends_when_the_certificate_is_revoked(self):
        agent = self.deployment.enroll("stream/revoked")
        sidecar = self.sidecar(agent)
        wait_until(lambda: sidecar.roots(), "the sidecar holds the first version", SOON_S)
        self.deployment.cli("cert", "revoke", "--agent", spiffe_id("stream/revoked"), "--yes",
                            check=True)
        wait_until(lambda: sidecar.code() is not None, "the stream has ended")
        self.assertEqual(sidecar.code(), 1)
        self.assertIn("[caller.revoked]", sidecar.close())
        events = self.deployment.database.rows(f"""
            SELECT decision, rule FROM agentpki.audit_events
             WHERE action = 'WatchTrustBundle' AND actor = '{spiffe_id("stream/revoked")}'
             ORDER BY sequence""")
        self.assertEqual([(event["decision"], event["rule"]) for event in events],
                         [("allowed", ""), ("denied", "caller.revoked")])


class RolloverTest(BundleCase):
    options = {"durable": True,
               "hierarchy": HIERARCHY | {"profiles": [{"name": "agent", "lifetime": "5m"}]}}

    def verify(self, credentials, root):
        """Verifies the chain with this root alone, by openssl with strict checks and by GnuTLS."""
        done = run("openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", root,
                   "-untrusted", credentials.chain, credentials.leaf)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = openssl.certtool_verify_by(credentials.chain, root)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def root_files(self, hierarchy="acme/test"):
        done = self.deployment.cli("bundle", "show", "--hierarchy", hierarchy, "--pem", check=True)
        files = []
        for pem in openssl.certificates(done.stdout):
            files.append(self.deployment.new_folder().with_suffix(".pem"))
            files[-1].write_text(pem)
        return files

    def test_agents_do_not_notice_a_root_rollover(self):
        before = self.enroll("rollover/before")
        with Load(self.deployment, "rollover/load", threads=2) as load:
            load.wait_for_certificates()
            self.roll_over("acme/test")
            load.wait_for_certificates(20)
            after = self.enroll("rollover/after")
            old_root, new_root = self.root_files()
            self.assertEqual(openssl.certificates(after.root.read_text()),
                             [old_root.read_text(), new_root.read_text()])
            self.assertEqual(len(openssl.certificates(after.chain.read_text())), 3)
            self.verify(before, old_root)
            self.verify(after, old_root)
            self.verify(after, new_root)
            # An agent with only the old root talks with an agent below the new root.
            holder = self.enroll("rollover/old-holder")
            holder.root = old_root
            for server, client in [(after, before), (before, after), (holder, after)]:
                talk(server, client)
            load.stop()
            load.check(self)
            self.assertEqual({attempt.code for attempt in load.attempts()}, {"OK"})
        self.assert_cross_certificate_has_a_status(after, old_root)
        for report in self.deployment.json("status", "check"):
            self.assertEqual(report["discrepancies"], [])

    def assert_cross_certificate_has_a_status(self, credentials, old_root):
        """Checks the OCSP response and the CRL of the old root about its cross-certificate."""
        certificate = self.deployment.new_folder().with_suffix(".pem")
        certificate.write_text(openssl.certificates(credentials.chain.read_text())[2])
        url = credentials.ocsp_url(certificate=certificate)

        def ask():
            said = run("openssl", "ocsp", "-issuer", old_root, "-cert", certificate, "-CAfile", old_root,
                       "-url", url)
            self.assertIn("Response verify OK", said.stdout + said.stderr)
            return said.stdout

        self.assertIn(": good", ask())
        serial = openssl.serial(certificate)
        self.deployment.cli("cert", "revoke", serial, "--reason", "superseded", check=True)
        wait_until(lambda: ": revoked" in ask(), "OCSP says revoked")
        wait_until(lambda: serial.upper() in self.crl_text(credentials.crl_url(certificate=certificate)),
                   "the old root's CRL lists it", SOON_S)

    def crl_text(self, url):
        text = openssl.openssl("crl", "-inform", "DER", "-noout", "-text", input=fetch(url),
                               text=False).decode()
        self.assertIn("root authority 1", text)
        return text

    def test_join_tokens_survive_a_rollover_of_the_system_root(self):
        self.deployment.register("rollover/invited")
        token = self.deployment.token_file("rollover/invited")
        identity = self.deployment.enroll("rollover/known")
        self.roll_over("agentpki/system")
        for server in self.deployment.servers:  # each gets a certificate from the new issuing authority
            server.restart()
        self.assertEqual(len(self.root_files("agentpki/system")), 2)
        shown = self.deployment.s_client("-showcerts", check=True).stdout
        self.assertIn("root authority 2", shown)
        # By a token from before, by a new one, and by clients that hold only the old root.
        self.deployment.cli("cert", "enroll", "--token-file", token,
                            "--out", self.deployment.new_folder(), check=True)
        self.deployment.enroll("rollover/later")
        self.deployment.cli("cert", "renew", identity, check=True)
        self.deployment.cli("agent", "list", check=True)


if __name__ == "__main__":
    unittest.main()
