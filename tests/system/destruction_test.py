"""The destruction of a hierarchy, as CI does it, on two servers of which one is killed meanwhile."""

import json
import unittest

import openssl
from deployment import ALONE, DeploymentTest
from programs import run, wait_until

NAME = "acme/pr-1234"
FILE = {"tenant": "acme", "environment": "pr-1234", "trust_domain": "pr-1234.acme.example",
        "profiles": [{"name": "agent", "lifetime": "1h"}], "approvals": ALONE}
IDENTITY = "spiffe://pr-1234.acme.example/ci/bot"


class DestructionTest(DeploymentTest):
    options = {"status": {}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = cls.deployment.folder / "pr.yaml"
        cls.file.write_text(json.dumps(FILE))
        cls.other = cls.deployment.enroll("destruction/other")

    def make(self):
        """Makes the hierarchy and an agent in it; returns the folder with the agent's credentials."""
        self.deployment.cli("hierarchy", "apply", "-f", self.file, "--wait", check=True)
        self.deployment.cli("agent", "register", IDENTITY, "--owner", "ci", check=True)
        return self.deployment.join(IDENTITY)

    def token(self):
        file = self.deployment.folder / "a.token"
        file.touch(mode=0o600)
        file.write_text(self.deployment.cli("token", "create", "--agent", IDENTITY,
                                            check=True).stdout)
        return file

    def destroy(self, *words):
        return self.deployment.cli("hierarchy", "destroy", "-f", self.file, "--reason", "merged",
                                   *words)

    def labels(self):
        """Returns the labels of the hierarchy's keys on the token, as pkcs11-tool lists them."""
        return [label for label in self.deployment.key_labels() if NAME in label]

    def crl(self, certificate):
        """Returns the text of the CRL that a certificate points to."""
        text = openssl.certificate_text(certificate)
        (url,) = {line.split("URI:")[1].strip() for line in text.splitlines()
                  if "URI:" in line and "/crl" in line}
        der = self.deployment.folder / "a.crl"
        run("curl", "-sf", "-o", der, url, check=True)
        return openssl.openssl("crl", "-inform", "DER", "-in", der, "-noout", "-text")

    def test_1_needs_a_reason_and_yes(self):
        self.make()
        done = self.destroy()
        self.assertEqual(done.returncode, 1)
        self.assertIn("--yes", done.stderr)
        done = self.deployment.cli("hierarchy", "destroy", NAME, "--yes")
        self.assertEqual(done.returncode, 64, "--reason is missing")
        self.assert_refused(self.deployment.cli("hierarchy", "destroy", "agentpki/system",
                                                "--reason", "x", "--yes"), "hierarchy.system")
        self.assertEqual(self.deployment.cli("hierarchy", "record", NAME).returncode, 1)

    def test_2_revokes_destroys_and_records(self):
        folder = self.deployment.new_folder()
        self.deployment.cli("cert", "enroll", "--token-file", self.token(), "--out", folder,
                            check=True)
        spare = self.token().read_text()
        self.assertGreater(len(self.labels()), 0)

        done = self.destroy("--yes", "--wait", "--timeout", "90")

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 certificates", done.stdout)
        self.assertEqual(self.labels(), [], "no key is left on the token")
        self.assert_last_crl_lists(folder)
        token = self.deployment.folder / "spare.token"
        token.touch(mode=0o600)
        token.write_text(spare)
        for refused in [
                self.deployment.cli("cert", "renew", folder),
                self.deployment.cli("cert", "enroll", "--token-file", token, "--out",
                                    self.deployment.new_folder())]:
            self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertEqual(self.deployment.cli("hierarchy", "show", NAME).returncode, 1)
        self.assertEqual(self.deployment.cli("doctor").returncode, 0)
        self.deployment.cli("cert", "renew", self.other, check=True)

    def assert_last_crl_lists(self, folder):
        leaf = folder / "cert.pem"
        serial = openssl.serial(leaf).upper()
        text = self.crl(leaf)
        self.assertIn(serial, text)
        self.assertIn("Cessation Of Operation", text)
        chain = openssl.certificates(leaf.read_text())
        issuing = self.deployment.folder / "issuing.pem"
        issuing.write_text(chain[1])
        self.assertIn(openssl.serial(issuing).upper(), self.crl(issuing))
        # The last CRL has no successor, so it is valid as long as its authority.
        end = openssl.openssl("x509", "-in", issuing, "-noout", "-enddate").split("=")[1].strip()
        self.assertIn(f"Next Update: {end}", text)

    def test_3_the_record_is_verified_by_openssl_and_the_systems_root(self):
        record = self.deployment.folder / "record.pem"
        record.write_text(self.deployment.cli("hierarchy", "record", NAME, check=True).stdout)
        roots = self.deployment.folder / "roots.pem"
        roots.write_text(self.deployment.cli("bundle", "show", "--hierarchy", "agentpki/system",
                                             "--pem", check=True).stdout)
        said = openssl.openssl("cms", "-verify", "-inform", "PEM", "-in", record, "-CAfile", roots,
                               "-purpose", "any")
        self.assertIn(f"hierarchy: {NAME}", said)
        self.assertIn("reason: merged", said)
        self.assertIn("decided_by: spiffe://system.agentpki.internal/operator/admin", said)
        self.assertIn("revoked_certificates: 2", said)
        for kind in ["root/1", "issuing/1", "responder/1", "responder/2"]:
            self.assertIn(f"{NAME}/{kind}", said)

        other = self.deployment.folder / "other.pem"
        other.write_text((self.other / "bundle.pem").read_text())
        done = run("openssl", "cms", "-verify", "-inform", "PEM", "-in", record, "-CAfile", other,
                   "-purpose", "any")
        self.assertNotEqual(done.returncode, 0, "another root does not verify it")

    def test_4_a_repeat_changes_nothing(self):
        before = self.deployment.json("hierarchy", "destroyed", NAME)
        done = self.destroy("--yes", "--wait")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.deployment.json("hierarchy", "destroyed", NAME), before)
        self.assertEqual(len(before), 1)
        self.assertIn(NAME, self.deployment.cli("hierarchy", "destroyed", check=True).stdout)

    def test_5_the_name_is_free_and_a_killed_conductor_is_replaced(self):
        second = self.deployment.add_server()
        second.start()
        self.make()
        first = self.deployment.servers[0]
        self.assertEqual(self.destroy("--yes").returncode, 0)
        first.kill()
        wait_until(lambda: not self.labels(), "the other server destroys the keys", 60)
        first.start()
        done = self.destroy("--yes", "--wait", "--timeout", "60")
        self.assertEqual(done.returncode, 0, done.stderr)
        listed = self.deployment.json("hierarchy", "destroyed", NAME)
        self.assertEqual([one["state"] for one in listed], ["destroyed", "destroyed"])
        self.assertEqual(self.deployment.cli("doctor").returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
