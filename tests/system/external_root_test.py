"""A hierarchy below an external root, from its file to mTLS and to the next issuing authority. A CA by
openssl plays the owner of the root."""

import json
import unittest

import openssl
from clients import RawClient
from corporate_ca import CorporateCa, request_text
from deployment import ALONE, DeploymentTest
from programs import free_port, run, spawn, wait_until
from relying_party import Credentials

NAME = "acme/corp"
TRUST_DOMAIN = "corp.acme.example"
REFUSED, TRY_AGAIN = 1, 75


def spiffe_id(path):
    return f"spiffe://{TRUST_DOMAIN}/{path}"


class ExternalRootTest(DeploymentTest):
    options = {"status": {}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.add_server().start()
        cls.corporate = CorporateCa(cls.deployment.folder / "corporate")
        cls.file = cls.deployment.folder / "corp.yaml"
        cls.write_file([cls.corporate.root])

    @classmethod
    def write_file(cls, roots, **changes):
        cls.file.write_text(json.dumps({
            "tenant": "acme", "environment": "corp", "trust_domain": TRUST_DOMAIN,
            "root": {"external_certificates": "".join(root.read_text() for root in roots)},
            "dns_subtrees": ["svc.acme.example"],
            "profiles": [{"name": "agent", "lifetime": "1h"},
                         {"name": "service", "host_names": True}],
            "approvals": ALONE, **changes}))

    def apply(self, *words):
        return self.deployment.cli("hierarchy", "apply", "-f", self.file, *words)

    def csr(self, generation):
        """Writes a certification request to a file; returns the file and the CLI's hints."""
        done = self.deployment.cli("authority", "csr", f"{NAME}/issuing/{generation}", check=True)
        file = self.deployment.folder / f"issuing-{generation}.csr"
        file.write_text(done.stdout)
        return file, done.stderr

    def import_(self, generation, file):
        return self.deployment.cli("authority", "import", f"{NAME}/issuing/{generation}",
                                   "--certificate", file)

    def states(self):
        listed = self.deployment.json("authority", "list", "--hierarchy", NAME)
        return {authority["name"]: authority["state"] for authority in listed}

    def enroll(self, path):
        self.deployment.cli("agent", "register", spiffe_id(path), "--owner", "team", check=True)
        return self.deployment.join(spiffe_id(path))

    # ---- from the file to the first certificate -------------------------------------------------

    def test_01_names_the_fault_of_a_root_in_a_file(self):
        junk = self.deployment.folder / "junk.pem"
        junk.write_text("no certificate\n")
        for roots, words in [([junk], "external_certificates"),
                             ([self.corporate.intermediate], "not self-signed")]:
            self.write_file(roots)
            done = self.apply()
            self.assertEqual(done.returncode, REFUSED)
            self.assertIn(words, done.stderr)
        self.write_file([self.corporate.root], root={
            "external_certificates": self.corporate.root.read_text(), "lifetime": "365d"})
        self.assertIn("lifetime", self.apply().stderr)
        self.write_file([self.corporate.root])

    def test_02_reports_that_it_awaits_its_certificate(self):
        done = self.apply("--wait")
        self.assertEqual(done.returncode, TRY_AGAIN, done.stderr)
        self.assertIn(f"agentpki authority csr {NAME}/issuing/1", done.stderr)
        self.assertIn("SHA-256", self.apply().stdout, "it is safe to repeat")
        shown = self.deployment.json("hierarchy", "show", NAME)
        self.assertEqual(shown["state"], "awaiting-certificate")
        self.assertEqual(shown["pending_authority"], f"{NAME}/issuing/1")
        self.assertEqual(self.states(), {f"{NAME}/root/1": "published",
                                         f"{NAME}/issuing/1": "pending"})
        done = self.deployment.cli("doctor")
        self.assertIn("authority.awaits-certificate", done.stdout)
        self.assertIn("agentpki authority import", done.stdout)
        self.deployment.cli("agent", "register", spiffe_id("early"), "--owner", "x", check=True)

    def test_03_openssl_verifies_its_request(self):
        file, said = self.csr(1)
        self.assertIn("key SHA-256", said)
        done = request_text(file)
        self.assertIn("verify OK", done.stdout + done.stderr)
        for words in ["CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign",
                      f"URI:spiffe://{TRUST_DOMAIN}", f"URI:{TRUST_DOMAIN}",
                      "DNS:svc.acme.example", "issuing authority 1"]:
            self.assertIn(words, done.stdout)

    def test_04_refuses_a_certificate_without_the_requested_extensions(self):
        file, _ = self.csr(1)
        bare = self.corporate.sign(file, "bare", "basicConstraints=critical,CA:TRUE,pathlen:0\n"
                                                 "keyUsage=critical,keyCertSign,cRLSign\n")
        self.assert_refused(self.import_(1, self.corporate.chain(bare)),
                            "import.name-constraints", "copy_extensions")
        good = self.corporate.sign(file, "good", copy=True)
        self.assert_refused(self.import_(1, good), "import.chain", "unable to get")
        self.assert_refused(self.import_(1, self.corporate.root), "import.key")
        empty = self.deployment.folder / "empty.pem"
        empty.write_text("-----BEGIN CERTIFICATE-----\n")
        self.assertEqual(self.import_(1, empty).returncode, REFUSED)
        self.assertEqual(self.states()[f"{NAME}/issuing/1"], "pending")

    def test_05_issues_after_its_certificate_is_imported(self):
        file, _ = self.csr(1)
        chain = self.corporate.chain(self.corporate.sign(file, "issuing-1", copy=True))
        done = self.import_(1, chain)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("active", done.stdout)
        self.assertEqual(self.import_(1, chain).returncode, 0, "it is safe to repeat")
        done = self.apply("--wait")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.deployment.json("hierarchy", "show", NAME)["state"], "ready")
        self.assertEqual(self.deployment.cli("doctor").returncode, 0)

    def test_06_relying_parties_of_the_company_root_trust_its_agents(self):
        folder = self.enroll("billing/bot")
        self.assertEqual((folder / "bundle.pem").read_text(),
                         "".join(openssl.certificates(self.corporate.root.read_text())))
        self.assertEqual(len(openssl.certificates((folder / "cert.pem").read_text())), 3)
        for purpose in ["sslclient", "sslserver"]:
            done = openssl.verify(folder, purpose)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(openssl.certtool_verify(folder).returncode, 0)
        self.deployment.cli("cert", "renew", folder, check=True)

        credentials = Credentials(folder)
        wait_until(lambda: credentials.is_listed() is False, "its CRL is there")
        said = run("openssl", "ocsp", "-issuer", credentials.issuer, "-cert", credentials.leaf,
                   "-CAfile", credentials.root, "-verify_other", credentials.issuer,
                   "-url", credentials.ocsp_url(), "-partial_chain")
        self.assertIn("leaf.pem: good", said.stdout + said.stderr)
        self.deployment.cli("cert", "revoke", credentials.serial, check=True)
        wait_until(credentials.is_listed, "the CRL lists it")

    def test_07_two_agents_talk_over_mtls(self):
        server, client = self.enroll("mesh/server"), self.enroll("mesh/client")
        port = free_port()
        listening = spawn("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
                          server / "cert.pem", "-cert_chain", server / "cert.pem", "-key",
                          server / "key.pem", "-CAfile", server / "bundle.pem", "-Verify", "5",
                          "-verify_return_error", "-x509_strict", "-www")
        try:
            def shake_hands():
                return run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-cert",
                           client / "cert.pem", "-cert_chain", client / "cert.pem", "-key",
                           client / "key.pem", "-CAfile", client / "bundle.pem",
                           "-verify_return_error", "-x509_strict", "-brief")

            done = wait_until(lambda: (d := shake_hands()).returncode == 0 and d, "a handshake")
            self.assertIn("Verification: OK", done.stdout + done.stderr)
        finally:
            listening.terminate()
            listening.communicate()

    def test_08_other_certificates_of_the_company_are_no_agents(self):
        impostor = self.corporate.impostor(spiffe_id("billing/bot"))
        self.assertEqual(openssl.verify(impostor).returncode, 0, "the company trusts it")
        with RawClient(self.deployment, identity=impostor) as client:
            answer = client.call("agentpki.v1.TrustBundleService/GetTrustBundle", {})
        self.assertEqual((answer.code, answer.rule), ("UNAUTHENTICATED", "caller.identity"))

    # ---- rotation -------------------------------------------------------------------------------

    def test_09_its_successor_awaits_a_certificate_too_and_is_activated_by_hand(self):
        before = self.enroll("rotation/before")
        done = self.deployment.cli("authority", "prepare", NAME, check=True)
        self.assertIn(f"agentpki authority csr {NAME}/issuing/2", done.stdout)
        done = self.deployment.cli("authority", "activate", f"{NAME}/issuing/2")
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("no certificate yet", done.stderr)
        self.assert_refused(self.deployment.cli("authority", "prepare", NAME, "--root"),
                            "authority.root-external", "external_certificates")
        file, _ = self.csr(2)
        chain = self.corporate.chain(self.corporate.sign(file, "issuing-2", copy=True))
        self.assertIn("published", self.import_(2, chain).stdout)

        def activate():
            done = self.deployment.cli("authority", "activate", f"{NAME}/issuing/2")
            return done.returncode == 0 or "just-published" not in done.stderr and done.stderr

        self.assertIs(wait_until(activate, "it is activated"), True)
        self.assertEqual(self.states(), {f"{NAME}/root/1": "active",
                                         f"{NAME}/issuing/1": "retiring",
                                         f"{NAME}/issuing/2": "active"})
        after = self.enroll("rotation/after")
        for folder in [before, after]:
            self.assertEqual(openssl.verify(folder).returncode, 0)
        self.deployment.cli("cert", "renew", before, check=True)

    def test_10_moves_to_another_root_while_the_old_one_is_valid(self):
        next_ca = CorporateCa(self.deployment.folder / "next", "Merged")
        self.write_file([self.corporate.root, next_ca.root])
        planned = self.deployment.json("hierarchy", "plan", "-f", self.file)
        (change,) = planned["changes"]
        self.assertEqual((change["field"], change["widens"]), ("root.external_certificates", True))
        self.assertEqual(self.apply("--wait").returncode, 0)
        self.deployment.cli("authority", "prepare", NAME, check=True)
        file, _ = self.csr(3)
        self.assertEqual(
            self.import_(3, next_ca.chain(next_ca.sign(file, "issuing-3", copy=True))).returncode, 0)
        wait_until(lambda: self.deployment.cli("authority", "activate",
                                               f"{NAME}/issuing/3").returncode == 0,
                   "it is activated")
        folder = self.enroll("rotation/merged")
        self.assertEqual(len(openssl.certificates((folder / "bundle.pem").read_text())), 2)
        self.assertEqual(openssl.verify(folder).returncode, 0)
        self.write_file([next_ca.root])
        self.assert_refused(self.apply(), "root.in-use", f"{NAME}/issuing/1")
        self.write_file([self.corporate.root])
        self.assert_refused(self.apply(), "root.in-use", f"{NAME}/issuing/3")

    def test_11_its_export_can_be_applied(self):
        exported = self.deployment.folder / "exported.yaml"
        exported.write_text(self.deployment.cli("hierarchy", "export", NAME, check=True).stdout)
        self.assertIn("-----BEGIN CERTIFICATE-----", exported.read_text())
        self.deployment.cli("hierarchy", "plan", "-f", exported, "--check", check=True)

    # ---- revocation and destruction -------------------------------------------------------------

    def test_12_revoking_it_revokes_all_its_certificates(self):
        victim = self.enroll("revoked/bot")
        self.deployment.cli("authority", "revoke", f"{NAME}/issuing/3", "--note", "stolen", "--yes",
                            check=True)
        self.assertEqual(self.deployment.cli("cert", "renew", victim).returncode, REFUSED)
        self.assertEqual(self.states()[f"{NAME}/issuing/4"], "pending")
        for report in self.deployment.json("status", "check"):
            self.assertEqual(report["discrepancies"], [])

    def test_13_its_destruction_leaves_no_key(self):
        done = self.deployment.cli("hierarchy", "destroy", NAME, "--reason", "sold", "--yes",
                                   "--wait", "--timeout", "90")
        self.assertEqual(done.returncode, 0, done.stderr)
        (destroyed,) = self.deployment.json("hierarchy", "destroyed", NAME)
        self.assertGreater(int(destroyed["revoked_certificates"]), 0, "of issuing/1 and issuing/2")
        self.assertEqual([label for label in self.deployment.key_labels() if NAME in label], [])
        record = self.deployment.cli("hierarchy", "record", NAME, check=True).stdout
        said = openssl.openssl("cms", "-verify", "-inform", "PEM", "-noverify", input=record)
        self.assertIn(f"{NAME}/issuing/1", said)
        self.assertNotIn(f"{NAME}/root", said)
        self.assertEqual(self.deployment.cli("doctor").returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
