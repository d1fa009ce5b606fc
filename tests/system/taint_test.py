"""An issuing authority that is tainted or revoked: its successor takes over at once. Two servers."""

import unittest

import openssl
from deployment import DeploymentTest
from programs import run, wait_until

HIERARCHY = "acme/test"
SUCCESSION_S = 45
TRY_AGAIN = 75


class TaintTest(DeploymentTest):
    options = {"status": {}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deployment.add_server().start()

    def authorities(self):
        """Returns for each issuing authority, by generation: state, tainted, revoked."""
        return {authority["generation"]: (authority["state"], authority["taint"] != "",
                                          authority["revoked"])
                for authority in self.deployment.json("authority", "list", "--hierarchy", HIERARCHY)
                if authority["kind"] == "issuing"}

    def issuer_of(self, folder):
        return openssl.openssl("x509", "-noout", "-issuer", "-in", folder / "cert.pem")

    def test_1_the_successor_of_a_tainted_authority_takes_over_without_failures(self):
        before = self.deployment.enroll("taint/before")
        done = self.deployment.cli("authority", "taint", f"{HIERARCHY}/issuing/1", "--reason",
                                   "an advisory", check=True)
        self.assertIn("takes over within 30 seconds", done.stdout)
        self.assertEqual(self.authorities()[1], ("active", True, False))
        self.assertEqual(self.authorities()[2], ("published", False, False))
        wait_until(lambda: self.authorities()[2][0] == "active", "its successor takes over",
                   SUCCESSION_S)
        self.assertEqual(self.authorities()[1], ("retiring", True, False))
        self.assertIn("issuing authority 1", self.issuer_of(before))
        self.assertEqual(openssl.verify(before).returncode, 0, "it is still valid")
        self.deployment.cli("cert", "renew", before, check=True)
        self.assertIn("issuing authority 2", self.issuer_of(before))
        self.assert_refused(self.deployment.cli("authority", "rollback", HIERARCHY),
                            "authority.tainted", "an advisory")
        self.assertIn("retiring, tainted", self.deployment.cli("authority", "list",
                                                               check=True).stdout)

    def test_2_cert_revoke_refuses_the_certificate_of_an_authority(self):
        folder = self.deployment.enroll("taint/chain")
        issuing = self.deployment.folder / "issuing.pem"
        issuing.write_text(openssl.certificates((folder / "cert.pem").read_text())[1])
        self.assert_refused(self.deployment.cli("cert", "revoke", openssl.serial(issuing)),
                            "certificate.authority", "agentpki authority revoke")

    def test_3_a_revoked_authority_stops_issuing_and_all_its_certificates_are_revoked(self):
        victim = self.deployment.enroll("taint/victim")
        certificates = openssl.certificates((victim / "cert.pem").read_text())
        self.deployment.register("taint/next")
        token = self.deployment.token_file("taint/next")
        name = f"{HIERARCHY}/issuing/2"
        done = self.deployment.cli("authority", "revoke", name, "--note", "stolen")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--yes", done.stderr)
        done = self.deployment.cli("authority", "revoke", name, "--note", "stolen", "--yes",
                                   check=True)
        self.assertRegex(done.stdout, r"\d+ certificates of agents revoked")

        refused = self.deployment.cli("cert", "renew", victim)
        self.assertEqual(refused.returncode, 1, "it is revoked")
        folder = self.deployment.new_folder()

        def enroll():
            done = self.deployment.cli("cert", "enroll", "--token-file", token, "--out",
                                       folder)
            self.assertIn(done.returncode, [0, TRY_AGAIN], done.stderr)
            return done.returncode == 0

        wait_until(enroll, "the successor takes over", SUCCESSION_S)
        self.assertIn("issuing authority 3", self.issuer_of(folder))
        self.assertEqual(self.authorities()[2][1:], (True, True))
        for certificate, issuer in [(certificates[0], certificates[1]),
                                    (certificates[1], (victim / "bundle.pem").read_text())]:
            wait_until(lambda c=certificate, i=issuer: ": revoked" in self.ocsp(c, i),
                       "OCSP says revoked")
        for report in self.deployment.json("status", "check"):
            self.assertEqual(report["discrepancies"], [])

    def ocsp(self, certificate, issuer):
        files = []
        for name, text in [("leaf", certificate), ("issuer", issuer)]:
            files.append(self.deployment.folder / f"{name}.pem")
            files[-1].write_text(text)
        url = openssl.openssl("x509", "-noout", "-ocsp_uri", "-in", files[0]).strip()
        return run("openssl", "ocsp", "-issuer", files[1], "-cert", files[0], "-noverify", "-url",
                   url, check=True).stdout


if __name__ == "__main__":
    unittest.main(verbosity=2)
