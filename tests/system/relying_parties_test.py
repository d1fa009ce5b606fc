"""One good and one revoked certificate, judged by common TLS programs and libraries."""

import base64
import subprocess
import unittest
from pathlib import Path
from urllib.parse import quote

import openssl
from deployment import DeploymentTest
from programs import accepts, free_port, kill, run, spawn, wait_until
from relying_party import Credentials

PROGRAMS = Path(__file__).parent / "relying_parties"


class RelyingPartiesTest(DeploymentTest):
    options = {"status": {}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.good, cls.revoked = (
            Credentials(cls.deployment.enroll(f"party/{name}", "--profile", "service",
                                              "--dns", f"{name}.svc.acme.example"))
            for name in ["good", "revoked"])
        cls.good.name, cls.revoked.name = "good", "revoked"
        cls.deployment.cli("cert", "revoke", cls.revoked.serial, "--reason", "superseded",
                           check=True)
        wait_until(cls.revoked.is_listed, "the CRL lists it", 10)
        for party in [cls.good, cls.revoked]:
            party.new_crl_file()
            party.new_crl_file(party.issuer)
        cls.crls = cls.deployment.folder / "crls.pem"
        cls.crls.write_text((cls.good.folder / "leaf.crl").read_text()
                            + (cls.good.folder / "root.crl").read_text())

    def new_folder(self):
        folder = self.deployment.new_folder()
        folder.mkdir(mode=0o755)
        return folder

    # ---- OpenSSL --------------------------------------------------------------------------------

    def test_openssl_verifies_with_crls(self):
        done = self.good.verify()
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.revoked.verify()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("certificate revoked", done.stderr)

    def test_openssl_asks_ocsp_with_and_without_a_nonce(self):
        for party, status in [(self.good, "good"), (self.revoked, "revoked")]:
            for words in [["-nonce"], ["-no_nonce"], ["-nonce", "-sha256"]]:
                which = ["-sha256", "-cert", party.leaf] if "-sha256" in words else None
                said = party.ask(words[0], "-resp_text", which=which)
                self.assertIn("Response verify OK", said)
                self.assertIn(f"leaf.pem: {status}", said)
                self.assertNotIn("WARNING", said)
                self.assertEqual(said.count("OCSP Nonce"), int(words[0] == "-nonce"))

    def test_curl_asks_ocsp_by_get_and_by_post(self):
        for party, status in [(self.good, "good"), (self.revoked, "revoked")]:
            folder = self.new_folder()
            request, answer = folder / "request", folder / "answer"
            openssl.openssl("ocsp", "-issuer", party.issuer, "-cert", party.leaf, "-no_nonce",
                            "-reqout", request)
            encoded = quote(base64.b64encode(request.read_bytes()).decode(), safe="")
            for words in [[f"{party.ocsp_url()}/{encoded}"],
                          ["-H", "Content-Type: application/ocsp-request",
                           "--data-binary", f"@{request}", party.ocsp_url()]]:
                said = run("curl", "-sS", "--fail", "-D", "-", "-o", answer, *words, check=True)
                self.assertIn("application/ocsp-response", said.stdout)
                judged = run("openssl", "ocsp", "-respin", answer, "-issuer", party.issuer,
                             "-cert", party.leaf, "-CAfile", party.root, "-no_nonce")
                self.assertIn("Response verify OK", judged.stderr)
                self.assertIn(f"leaf.pem: {status}", judged.stdout)

    # ---- GnuTLS ---------------------------------------------------------------------------------

    def test_gnutls_asks_ocsp(self):
        for party, status in [(self.good, "good"), (self.revoked, "revoked")]:
            for words in [["--nonce"], []]:
                done = run("ocsptool", f"--ask={party.ocsp_url()}", "--load-issuer", party.issuer,
                           "--load-cert", party.leaf, "--load-trust", party.issuer,
                           "--outfile", self.deployment.folder / "gnutls.ocsp", *words)
                said = done.stdout + done.stderr
                self.assertIn("Verifying OCSP Response: Success", said)
                self.assertRegex(said, f"Certificate Status: {status}")

    def test_gnutls_verifies_the_crls(self):
        for crl, issuer in [("leaf.crl", self.good.issuer), ("root.crl", self.good.root)]:
            done = run("certtool", "--verify-crl", "--load-ca-certificate", issuer,
                       "--infile", self.good.folder / crl)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("Verified", done.stdout + done.stderr)

    def test_gnutls_verifies_a_chain_with_crls(self):
        for party, verdict in [(self.good, "Chain verification output: Verified"),
                               (self.revoked, "The certificate chain is revoked")]:
            done = run("certtool", "--verify", "--load-ca-certificate", party.root,
                       "--load-crl", self.crls, "--infile", party.chain)
            self.assertEqual(done.returncode, int(party is self.revoked), done.stderr)
            self.assertIn(verdict, done.stdout + done.stderr)

    # ---- NSS ------------------------------------------------------------------------------------

    def nss(self):
        """Makes a database of NSS that trusts the root; returns its folder."""
        folder = self.new_folder()
        run("certutil", "-N", "-d", folder, "--empty-password", check=True)
        for name, trust, file in [("root", "CT,C,C", self.good.root),
                                  ("issuer", ",,", self.good.issuer)]:
            run("certutil", "-A", "-d", folder, "-n", name, "-t", trust, "-a", "-i", file,
                check=True)
        return folder

    def judge_by_nss(self, method, folder):
        verdicts = {}
        for party in [self.good, self.revoked]:
            done = run("vfychain", "-d", folder, "-pp", "-u", "0", "-g", "leaf", "-m", method,
                       "-s", "failIfNoInfo", "-a", party.leaf, "-a", party.issuer)
            verdicts[party] = done.stdout + done.stderr
        self.assertIn("Chain is good", verdicts[self.good])
        self.assertIn("revoked", verdicts[self.revoked].lower())

    def test_nss_asks_ocsp(self):
        folder = self.nss()
        self.judge_by_nss("ocsp", folder)
        for party, verdict in [(self.good, "succeeded"),
                               (self.revoked, "Peer's Certificate has been revoked.")]:
            run("certutil", "-A", "-d", folder, "-n", party.name, "-t", ",,", "-a",
                "-i", party.leaf, check=True)
            for words in [["-S", party.name], ["-V", party.name, "-u", "c"]]:
                self.assertIn(verdict, run("ocspclnt", *words, "-d", folder).stdout)

    def test_nss_imports_our_crls(self):
        folder = self.nss()
        for name in ["leaf.crl", "root.crl"]:
            der = folder / name
            openssl.openssl("crl", "-in", self.good.folder / name, "-outform", "DER", "-out", der)
            run("crlutil", "-I", "-t", "1", "-d", folder, "-i", der, check=True)
        self.judge_by_nss("crl", folder)

    # ---- Java, Go, Node -------------------------------------------------------------------------

    def judge_by_java(self, method):
        return [run("java", PROGRAMS / "Judge.java", method, party.leaf, party.issuer, party.root,
                    check=True).stdout.strip() for party in [self.good, self.revoked]]

    def test_java_asks_ocsp(self):
        good, revoked = self.judge_by_java("ocsp")
        self.assertEqual(good, "good")
        self.assertRegex(revoked, "^REVOKED: .*SUPERSEDED")

    def test_java_fetches_crls(self):
        good, revoked = self.judge_by_java("crl")
        self.assertEqual(good, "good")
        self.assertRegex(revoked, "^REVOKED: .*SUPERSEDED")

    def test_go_reads_crls(self):
        folder = self.new_folder()
        environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "GOTOOLCHAIN": "local",
                       "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
        judge = folder / "judge"
        run("go", "build", "-o", judge, PROGRAMS / "judge.go", env=environment, timeout=240,
            check=True)
        for party, verdict in [(self.good, "good"), (self.revoked, "revoked")]:
            done = run(judge, party.leaf, party.issuer, party.folder / "leaf.crl")
            self.assertEqual((done.stdout.strip(), done.returncode), (verdict, 0))

    def test_node_refuses_a_revoked_server(self):
        for party, verdict in [(self.good, "good"), (self.revoked, "CERT_REVOKED")]:
            done = run("node", PROGRAMS / "judge.js", party.chain, party.key, party.root, self.crls)
            self.assertEqual(done.stdout.strip(), verdict, done.stderr)

    # ---- servers --------------------------------------------------------------------------------

    def serve(self, port, *words):
        process = spawn(*words, stderr=subprocess.STDOUT)
        self.addCleanup(kill, process)
        wait_until(lambda: accepts(port) or process.poll() is not None, f"{words[0]} listens")
        if process.poll() is not None:
            raise AssertionError(process.communicate())

    def serve_nginx(self, party, *directives):
        """Starts nginx with the certificate of `party`; returns its port."""
        folder, port = self.new_folder(), free_port()
        lines = "\n".join(f"    {line};" for line in directives)
        paths = "\n".join(f"  {name}_temp_path {folder}/{name};" for name in
                          ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        (folder / "nginx.conf").write_text(f"""
daemon off;
master_process off;
user root;
pid {folder}/pid;
error_log {folder}/log info;
events {{}}
http {{
  access_log off;
{paths}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {party.chain};
    ssl_certificate_key {party.key};
{lines}
    location / {{ return 200 "served\\n"; }}
  }}
}}
""")
        self.nginx_log = folder / "log"
        self.serve(port, "nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf")
        return port

    def get(self, port, *words, client=None):
        """Returns curl's output for a GET, with the certificate of `client` if one is given."""
        identity = ["--cert", client.chain, "--key", client.key] if client else []
        done = run("curl", "-sS", "--insecure", *identity, *words, f"https://127.0.0.1:{port}/")
        return done.stdout + done.stderr

    def test_nginx_staples_and_curl_checks_the_staple(self):
        for party in [self.good, self.revoked]:
            port = self.serve_nginx(party, "ssl_stapling on", "ssl_stapling_verify on",
                                    f"ssl_trusted_certificate {party.root}")
            # nginx asks OCSP after its first client, and does not staple the status "revoked".
            run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-status")
            if party is self.good:
                wait_until(
                    lambda: self.get_verified(self.good, port, "--cert-status") == "served\n",
                    "curl accepts the staple")
        wait_until(lambda: 'certificate status "revoked"' in self.nginx_log.read_text(),
                   "nginx learns that its certificate is revoked")
        self.assertIn("curl: (91)", self.get_verified(self.revoked, port, "--cert-status"))
        self.assertEqual(self.get_verified(self.revoked, port), "served\n", "only --cert-status refuses")

    def get_verified(self, party, port, *words):
        """Returns curl's output for a GET from `party` by its DNS name."""
        name = f"{party.name}.svc.acme.example"
        done = run("curl", "-sS", "--cacert", party.root, "--resolve", f"{name}:{port}:127.0.0.1",
                   *words, f"https://{name}:{port}/")
        return done.stdout + done.stderr

    def assert_only_good_clients_are_served(self, port):
        self.assertEqual(self.get(port, client=self.good), "served\n")
        said = self.get(port, client=self.revoked)
        self.assertNotIn("served", said)
        self.assertNotIn("served", self.get(port))
        return said

    def test_nginx_checks_a_client_by_ocsp(self):
        port = self.serve_nginx(self.good, "ssl_verify_client on", "ssl_verify_depth 2",
                                f"ssl_client_certificate {self.good.root}", "ssl_ocsp leaf")
        self.assert_only_good_clients_are_served(port)
        self.assertIn("certificate revoked", self.nginx_log.read_text())

    def test_nginx_checks_a_client_by_the_crls(self):
        port = self.serve_nginx(self.good, "ssl_verify_client on", "ssl_verify_depth 2",
                                f"ssl_client_certificate {self.good.root}",
                                f"ssl_crl {self.crls}")
        self.assert_only_good_clients_are_served(port)
        self.assertIn("certificate revoked", self.nginx_log.read_text())

    def test_haproxy_checks_a_client_by_the_crls(self):
        folder, port = self.new_folder(), free_port()
        pem = folder / "server.pem"
        pem.write_text(self.good.chain.read_text() + self.good.key.read_text())
        (folder / "haproxy.cfg").write_text(f"""
global
  stats timeout 5s
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend f
  bind 127.0.0.1:{port} ssl crt {pem} ca-file {self.good.root} verify required crl-file {self.crls}
  http-request return status 200 content-type text/plain string "served\\n"
""")
        self.serve(port, "haproxy", "-db", "-f", folder / "haproxy.cfg")
        said = self.assert_only_good_clients_are_served(port)
        self.assertIn("certificate revoked", said.lower())


if __name__ == "__main__":
    unittest.main()
