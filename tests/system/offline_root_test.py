"""A hierarchy below an offline root: the ceremony on one machine, the servers on another, and only files
between them. The tests follow docs/ceremony.md in its order."""

import functools
import http.server
import json
import secrets
import shutil
import threading
import unittest

import openssl
from deployment import ALONE, HSM_MODULE, DeploymentTest
from programs import BIN, environment, run, wait_until
from relying_party import Credentials

CEREMONY = BIN / "agentpki-ceremony"
NAME = "acme/vault"
TRUST_DOMAIN = "vault.acme.example"
WAITS = 75


class FileServer:
    """A web server on loopback with the CRL and certificate of the root."""

    def __init__(self, folder):
        handler = functools.partial(QuietHandler, directory=folder)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class OfflineMachine:
    """A token, a folder, and agentpki-ceremony."""

    def __init__(self, folder, web):
        self.folder = folder
        (folder / "tokens").mkdir(parents=True)
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
        self._environment = environment(SOFTHSM2_CONF=str(folder / "softhsm2.conf"))
        pin = secrets.token_hex(16)
        (folder / "pin").touch(mode=0o600)
        (folder / "pin").write_text(pin)
        run("softhsm2-util", "--init-token", "--free", "--label", "vault", "--so-pin",
            secrets.token_hex(16), "--pin", pin, env=self._environment, check=True)
        self.spec = {
            "name": "acme-vault-root",
            "hierarchy": {"tenant": "acme", "environment": "vault", "trust_domain": TRUST_DOMAIN},
            "token": {"module": HSM_MODULE, "token_label": "vault", "pin_file": "pin"},
            "root": {"key_label": "acme-vault-root-1", "certificate": "root.pem"},
            "issuing": [self.issuing(1, web)],
            "crls": [{"file": "root-1.crl"}],
            "transcript": "transcript.jsonl",
            "witnesses": ["Ada Lovelace"],
        }

    @staticmethod
    def issuing(generation, web):
        return {"generation": generation, "csr": f"issuing-{generation}.csr",
                "certificate": f"issuing-{generation}.pem", "crl": web.url("root.crl"),
                "ca_issuers": web.url("root.cer")}

    def run(self, verb, *words):
        file = self.folder / "vault.yaml"
        file.write_text(json.dumps(self.spec))
        return run(CEREMONY, verb, "-f", file, *words, env=self._environment)


class OfflineRootTest(DeploymentTest):
    options = {"status": {}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.www = cls.deployment.folder / "www"
        cls.www.mkdir()
        cls.web = FileServer(cls.www)
        cls.addClassCleanup(cls.web.close)
        cls.offline = OfflineMachine(cls.deployment.folder / "offline", cls.web)
        cls.file = cls.deployment.folder / "vault.yaml"

    def apply(self):
        self.file.write_text(json.dumps({
            "tenant": "acme", "environment": "vault", "trust_domain": TRUST_DOMAIN,
            "root": {"external_certificates": (self.offline.folder / "root.pem").read_text()},
            "profiles": [{"name": "agent"}], "approvals": ALONE}))
        return self.deployment.cli("hierarchy", "apply", "-f", self.file, "--wait")

    def carry_csr(self, generation):
        """Copies a certification request to the offline machine, and pins the digest of its key there."""
        name = f"{NAME}/issuing/{generation}"
        made = self.deployment.json("authority", "csr", name)
        csr = self.offline.folder / f"issuing-{generation}.csr"
        csr.write_text(self.deployment.cli("authority", "csr", name, check=True).stdout)
        self.offline.spec["issuing"][generation - 1]["key_sha256"] = made["key_fingerprint"]

    def import_(self, generation):
        return self.deployment.cli("authority", "import", f"{NAME}/issuing/{generation}",
                                   "--certificate",
                                   self.offline.folder / f"issuing-{generation}.pem")

    def serve_crl(self, number):
        shutil.copy(self.offline.folder / f"root-{number}.crl", self.www / "root.crl")
        der = openssl.openssl("x509", "-in", self.offline.folder / "root.pem", "-outform", "DER",
                              text=False)
        (self.www / "root.cer").write_bytes(der)

    def enroll(self, path):
        identity = f"spiffe://{TRUST_DOMAIN}/{path}"
        self.deployment.cli("agent", "register", identity, "--owner", "team", check=True)
        return self.deployment.join(identity)

    def test_1_the_root_exists_before_the_first_request(self):
        done = self.offline.run("run", "--yes")
        self.assertEqual(done.returncode, WAITS, done.stderr)
        self.assertEqual(self.apply().returncode, WAITS)
        self.serve_crl(1)

    def test_2_the_servers_accept_the_certificate_that_it_signs(self):
        self.carry_csr(1)
        done = self.offline.run("run", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.offline.run("verify").returncode, 0)
        done = self.import_(1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.apply().returncode, 0)

    def test_3_relying_parties_check_status_up_to_the_root(self):
        credentials = Credentials(self.enroll("billing/bot"))
        wait_until(lambda: credentials.is_listed() is False, "its CRL is there")
        self.assertEqual(credentials.crl_url(credentials.issuer), self.web.url("root.crl"))
        self.assertEqual(credentials.status(), "good")
        for purpose in ["sslclient", "sslserver"]:
            done = credentials.verify("-purpose", purpose)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_4_the_next_authority_takes_over_and_a_crl_revokes_the_previous_one(self):
        before = Credentials(self.enroll("rotation/before"))
        self.deployment.cli("authority", "prepare", NAME, check=True)
        self.offline.spec["issuing"].append(self.offline.issuing(2, self.web))
        self.carry_csr(2)
        done = self.offline.run("run", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.import_(2).returncode, 0)
        wait_until(lambda: self.deployment.cli("authority", "activate",
                                               f"{NAME}/issuing/2").returncode == 0,
                   "it is activated")
        after = Credentials(self.enroll("rotation/after"))

        end = openssl.openssl("x509", "-noout", "-startdate", "-dateopt", "iso_8601", "-in",
                              self.offline.folder / "issuing-1.pem")
        at = end.strip().split("=")[1].replace(" ", "T")
        self.offline.spec["crls"].append({
            "file": "root-2.crl",
            "revocations": [{"certificate": "issuing-1.pem", "reason": "cACompromise", "at": at}]})
        done = self.offline.run("run", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.serve_crl(2)
        self.deployment.cli("authority", "revoke", f"{NAME}/issuing/1", "--note", "stolen", "--yes",
                            check=True)
        done = before.verify()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("revoked", done.stderr)
        wait_until(lambda: after.is_listed() is False, "its CRL is there")
        done = after.verify()
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
