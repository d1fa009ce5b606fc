"""An agent's first certificate and its renewal, by the CLI."""

import stat
import threading
import unittest

import openssl
from clients import RawClient
from deployment import TRUST_DOMAIN, DeploymentTest, spiffe_id
from programs import run


class Reader(threading.Thread):
    """Reads an agent's credentials in a loop, as a TLS server that reloads them. Keeps each pair of key
    and certificate, if the certificate was the same before and after it read the key."""

    def __init__(self, folder):
        super().__init__()
        self._folder = folder
        self._is_stopping = threading.Event()
        self.pairs = set()
        self.read_count = 0
        self.failures = []

    def run(self):
        while not self._is_stopping.is_set():
            try:
                before = (self._folder / "cert.pem").read_text()
                key = (self._folder / "key.pem").read_text()
                after = (self._folder / "cert.pem").read_text()
            except OSError as error:
                self.failures.append(error)
                continue
            self.read_count += 1
            if before == after:
                self.pairs.add((key, before))

    def stop(self):
        self._is_stopping.set()
        self.join()


class EnrollmentTest(DeploymentTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.deployment.enroll("billing/invoice-bot")

    def enroll(self, *words, **options):
        folder = self.deployment.new_folder()
        return folder, self.deployment.cli("cert", "enroll", "--out", folder, *words, **options)

    def csr(self, key_type, *words, **options):
        folder = self.deployment.new_folder()
        folder.mkdir()
        key = openssl.new_key(folder / "key.pem", key_type)
        return openssl.new_csr(folder / "csr.pem", key, *words, **options)

    # ---- enrolled agents ------------------------------------------------------------------------

    def test_only_the_owner_can_read_the_key(self):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in self.folder.iterdir()}
        self.assertEqual(modes, {"key.pem": 0o600, "cert.pem": 0o644, "bundle.pem": 0o644,
                                 "server": 0o644, "server-ca.pem": 0o644})
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)
        leftovers = [file for file in self.folder.parent.iterdir()
                     if file.name.startswith(self.folder.name + ".")]
        self.assertEqual(leftovers, [])

    def test_openssl_accepts_the_certificate_with_strict_checks(self):
        for purpose in ["sslclient", "sslserver"]:
            done = openssl.verify(self.folder, purpose)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_gnutls_accepts_the_certificate(self):
        done = openssl.certtool_verify(self.folder)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("Chain verification output: Verified.", done.stdout)

    def test_the_certificate_matches_the_key(self):
        self.assertEqual(openssl.public_key(self.folder / "cert.pem"),
                         openssl.public_key(self.folder / "key.pem"))

    def test_the_certificate_carries_only_the_identity(self):
        cert = self.folder / "cert.pem"
        self.assertEqual(openssl.extension(cert, "subjectAltName"),
                         f"URI:{spiffe_id('billing/invoice-bot')}")
        self.assertEqual(openssl.extension(cert, "keyUsage"), "Digital Signature")
        self.assertEqual(openssl.extension(cert, "basicConstraints"), "CA:FALSE")
        self.assertEqual(
            openssl.extension(cert, "extendedKeyUsage"),
            "TLS Web Client Authentication, TLS Web Server Authentication")

    def test_the_certificate_is_valid_for_one_hour(self):
        cert = self.folder / "cert.pem"
        within = run("openssl", "x509", "-in", cert, "-noout", "-checkend", "3400")
        beyond = run("openssl", "x509", "-in", cert, "-noout", "-checkend", "3600")
        self.assertEqual((within.returncode, beyond.returncode), (0, 1))

    def test_the_ledger_holds_the_certificate_by_the_serial_that_openssl_reads(self):
        serial = openssl.serial(self.folder / "cert.pem")
        self.assertRegex(serial, "^01[0-9a-f]{38}$")
        listed = self.deployment.json("cert", "list", "--agent", spiffe_id("billing/invoice-bot"))
        self.assertEqual([(entry["serial"], entry["signed"]) for entry in listed],
                         [(serial, True)])
        shown = self.deployment.cli("cert", "show", serial, "--pem", check=True).stdout
        self.assertEqual(shown, (self.folder / "cert.pem").read_text())

    # ---- enrolling ------------------------------------------------------------------------------

    def test_enroll_takes_the_token_from_a_file_from_an_argument_and_from_standard_input(self):
        self.deployment.register("tokens/three-ways")
        file = self.deployment.token_file("tokens/three-ways")
        argument, read = (self.deployment.new_token("tokens/three-ways") for _ in range(2))
        for words, options in [(["--token-file", file], {}),
                               (["--token", argument], {}),
                               (["--token-file", "-"], {"input": read + "\n"})]:
            with self.subTest(words[0]):
                folder, done = self.enroll(*words, **options)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(openssl.verify(folder).returncode, 0)

    def test_enroll_makes_a_key_of_the_requested_type(self):
        self.deployment.register("keys/p384")
        self.deployment.register("keys/ed25519", "--profile", "edge")
        for key_type, told in [("p384", "secp384r1"), ("ed25519", "ED25519")]:
            with self.subTest(key_type):
                folder, done = self.enroll(
                    "--key-type", key_type,
                    "--token-file", self.deployment.token_file(f"keys/{key_type}"))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(told, openssl.certificate_text(folder / "cert.pem"))
                self.assertEqual(openssl.verify(folder).returncode, 0)

    def test_enroll_accepts_a_request_from_openssl(self):
        for key_type, profile in [("p256", "agent"), ("p384", "agent"), ("ed25519", "edge"),
                                  ("rsa2048", "legacy")]:
            with self.subTest(key_type):
                path = f"csrs/{key_type}"
                self.deployment.register(path, "--profile", profile)
                csr = self.csr(key_type, "-addext", f"subjectAltName=URI:{spiffe_id(path)}")
                folder, done = self.enroll("--csr", csr,
                                           "--token-file", self.deployment.token_file(path))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertFalse((folder / "key.pem").exists(), "whose key is it?")
                self.assertEqual(openssl.public_key(folder / "cert.pem"),
                                 openssl.public_key(csr.parent / "key.pem"))
                self.assertEqual(openssl.verify(folder).returncode, 0)

    def test_enroll_issues_host_names_if_the_profile_allows_them(self):
        self.deployment.register("hosts/web", "--profile", "service",
                                 "--dns", "web.svc.acme.example", "--ip", "192.0.2.7")
        csr = self.csr("p256", "-addext", "subjectAltName=DNS:web.svc.acme.example,IP:192.0.2.7")
        folder, done = self.enroll("--csr", csr,
                                   "--token-file", self.deployment.token_file("hosts/web"))
        self.assertEqual(done.returncode, 0, done.stderr)
        names = openssl.extension(folder / "cert.pem", "subjectAltName")
        for name in [f"URI:{spiffe_id('hosts/web')}", "DNS:web.svc.acme.example",
                     "IP Address:192.0.2.7"]:
            self.assertIn(name, names)
        self.assertEqual(openssl.verify(folder).returncode, 0)
        self.assertEqual(openssl.certtool_verify(folder).returncode, 0)

    def test_enroll_names_each_excess_request_and_keeps_the_token_unused(self):
        self.deployment.register("greedy/bot")
        token_file = self.deployment.token_file("greedy/bot")
        san, extension, subject = "csr.alternative-name", "csr.extension", "csr.subject"
        challenge = self.deployment.folder / "challenge.cnf"
        challenge.write_text("[req]\nprompt = no\ndistinguished_name = name\nattributes = extra\n"
                             "[name]\nCN = bot\n[extra]\nchallengePassword = hunter2hunter2\n")

        def asking(*extensions, **options):
            words = [word for text in extensions for word in ("-addext", text)]
            return self.csr("p256", *words, **options)

        for rule, csr, text in [
                (san, asking("subjectAltName=URI:" + spiffe_id("greedy/other")), "greedy/other"),
                (san, asking("subjectAltName=URI:spiffe://evil.example/greedy/bot"), "evil"),
                (san, asking(f"subjectAltName=URI:{spiffe_id('greedy/bot')},DNS:a.{TRUST_DOMAIN}"),
                 f"DNS:a.{TRUST_DOMAIN}"),
                (san, asking("subjectAltName=email:root@acme.example"), "root@acme.example"),
                (san, asking("subjectAltName=IP:192.0.2.1"), "192.0.2.1"),
                (extension, asking("basicConstraints=critical,CA:TRUE"), "basicConstraints"),
                (extension, asking("keyUsage=digitalSignature,keyCertSign"), "keyCertSign"),
                (extension, asking("extendedKeyUsage=codeSigning"), "Code Signing"),
                (extension, asking("nameConstraints=permitted;DNS:example"), "nameConstraints"),
                (subject, asking(subject="/O=Evil"), "O=Evil"),
                (subject, asking(subject="/CN=other"), "CN=other"),
                ("csr.attribute", self.csr("p256", "-config", challenge, subject=None),
                 "challengePassword"),
                ("profile.key-type", self.csr("rsa2048"), "rsa2048"),
                ("profile.key-type", self.csr("ed25519"), "ed25519"),
                ("csr.key", self.csr("p224"), "csr"),
                ("csr.signature-algorithm", self.csr("p256", "-sha1"), "SHA-256"),
        ]:
            with self.subTest(rule, text=text):
                folder, done = self.enroll("--token-file", token_file, "--csr", csr)
                said = self.assert_refused(done, rule, text)
                self.assertNotIn("hunter2", said)
                self.assertFalse(folder.exists())
                self.assertFalse(folder.with_name(folder.name + ".pending").exists())

        (token,) = self.deployment.json("token", "list", "--agent", spiffe_id("greedy/bot"))
        self.assertEqual(token["state"], "READY")
        _, done = self.enroll("--token-file", token_file)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_enroll_refuses_the_key_of_another_agent(self):
        first = self.deployment.enroll("twins/first")
        self.deployment.register("twins/second")
        csr = openssl.new_csr(self.deployment.folder / "twin.csr", first / "key.pem")
        _, done = self.enroll("--csr", csr, "--token-file",
                              self.deployment.token_file("twins/second"))
        self.assert_refused(done, "key.in-use", "another agent")

    def test_enroll_does_not_replace_a_folder_with_other_files(self):
        self.deployment.register("careful/bot")
        folder = self.deployment.new_folder()
        folder.mkdir()
        (folder / "thesis.tex").write_text("three years of work")
        done = self.deployment.cli("cert", "enroll", "--out", folder,
                                   "--token-file", self.deployment.token_file("careful/bot"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("thesis.tex", done.stderr)
        self.assertEqual([file.name for file in folder.iterdir()], ["thesis.tex"])

    # ---- renewing -------------------------------------------------------------------------------

    def test_renew_replaces_key_and_certificate_atomically(self):
        folder = self.deployment.enroll("renewing/bot")
        reader = Reader(folder)
        reader.start()
        serials = [openssl.serial(folder / "cert.pem")]
        try:
            for _ in range(12):
                done = self.deployment.cli("cert", "renew", folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                serials.append(openssl.serial(folder / "cert.pem"))
        finally:
            reader.stop()
        self.assertEqual(len(set(serials)), 13)
        self.assertEqual(reader.failures, [])
        self.assertGreater(reader.read_count, 12)
        self.assertGreater(len(reader.pairs), 1)
        scratch = self.deployment.folder / "pair"
        for key, cert in reader.pairs:
            scratch.write_text(key)
            of_key = openssl.public_key(scratch)
            scratch.write_text(cert)
            self.assertEqual(openssl.public_key(scratch), of_key)

    def test_renew_keeps_the_mode_of_the_folder(self):
        folder = self.deployment.enroll("renewing/shared")
        folder.chmod(0o750)
        self.deployment.cli("cert", "renew", folder, check=True)
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o750)
        self.assertEqual(stat.S_IMODE((folder / "key.pem").stat().st_mode), 0o600)
        self.assertEqual(openssl.verify(folder).returncode, 0)

    def test_renew_refuses_the_current_key(self):
        folder = self.deployment.enroll("renewing/lazy")
        csr = openssl.new_csr(self.deployment.folder / "lazy.csr", folder / "key.pem")
        with RawClient(self.deployment, identity=folder) as client:
            answer = client.renew(openssl.der_of_csr(csr))
        self.assertEqual((answer.code, answer.rule), ("ALREADY_EXISTS", "key.not-new"))

    def test_renew_refuses_a_key_that_others_can_read(self):
        folder = self.deployment.enroll("renewing/open")
        (folder / "key.pem").chmod(0o644)
        done = self.deployment.cli("cert", "renew", folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod 600", done.stderr)


if __name__ == "__main__":
    unittest.main()
