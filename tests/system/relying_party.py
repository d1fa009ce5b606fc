"""A relying party that checks the status of a certificate: it follows the pointers to OCSP and CRLs, and
lets openssl judge the answers."""

import re
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import openssl
from programs import PATIENCE_S, run


def fetch(url):
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        return answer.read()


class Credentials:
    """A folder that `agentpki cert enroll` wrote, as a relying party sees it."""

    def __init__(self, folder):
        self.folder = folder
        self.key = folder / "key.pem"
        self.root = folder / "bundle.pem"
        self.chain = folder / "cert.pem"  # the leaf, then its issuer
        self.leaf, self.issuer = folder / "leaf.pem", folder / "issuer.pem"
        pems = openssl.certificates(self.chain.read_text())
        for file, pem in zip([self.leaf, self.issuer], pems):
            file.write_text(pem)

    @property
    def serial(self):
        return openssl.serial(self.leaf)

    def crl_url(self, certificate=None, server=None):
        """Returns the URL of the CRL for `certificate` (default: the leaf), at `server` if given."""
        return self._pointer("crlDistributionPoints", r"URI:(\S+)", certificate, server)

    def ocsp_url(self, certificate=None, server=None):
        return self._pointer("authorityInfoAccess", r"OCSP - URI:(\S+)", certificate, server)

    def _pointer(self, extension, pattern, certificate, server):
        found = re.search(pattern, openssl.extension(certificate or self.leaf, extension))[1]
        return found.replace(urlsplit(found).netloc, server.http_address) if server else found

    def ask(self, *words, server=None, which=None):
        """Returns all output of `openssl ocsp` for the leaf, or for the options in `which`."""
        done = run("openssl", "ocsp", "-issuer", self.issuer,
                   *(which or ["-cert", self.leaf]), "-CAfile", self.root,
                   "-url", self.ocsp_url(server=server), *words)
        return done.stdout + done.stderr

    def status(self, server=None):
        """Returns the status in an OCSP response with a verified signature: good, revoked and so on."""
        said = self.ask(server=server)
        if "Response verify OK" not in said:
            raise AssertionError(said)
        return re.search(r"leaf\.pem: (\w+)", said)[1]

    def new_crl_file(self, certificate=None, server=None):
        """Fetches the current CRL for `certificate` (default: the leaf); returns its PEM file."""
        file = self.folder / f"{'root' if certificate else 'leaf'}.crl"
        der = fetch(self.crl_url(certificate, server))
        file.write_text(openssl.openssl("crl", "-inform", "DER", input=der, text=False).decode())
        return file

    def is_listed(self, server=None):
        """Returns whether its CRL lists it, after a check of the CRL's signature."""
        try:
            file = self.new_crl_file(server=server)
        except urllib.error.HTTPError as error:
            if error.code == 404:  # the first CRL is not published yet
                return False
            raise
        done = run("openssl", "crl", "-in", file, "-noout", "-text", "-CAfile", self.issuer)
        if "verify OK" not in done.stderr:
            raise AssertionError(done.stderr)
        return f"Serial Number: {self.serial.upper()}" in done.stdout

    def verify(self, *words):
        """Runs `openssl verify` with both CRLs and strict checks."""
        crls = self.folder / "crls.pem"
        crls.write_text(self.new_crl_file().read_text()
                        + self.new_crl_file(self.issuer).read_text())
        return run("openssl", "verify", "-x509_strict", "-crl_check_all", "-extended_crl",
                   "-CAfile", self.root, "-untrusted", self.issuer, "-CRLfile", crls, *words,
                   self.leaf)
