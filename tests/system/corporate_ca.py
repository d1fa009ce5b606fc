"""A company's CA, made by openssl alone: a root and an intermediate."""

import openssl
from programs import run

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
LEAF = ("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName={names}\n")


class CorporateCa:
    def __init__(self, folder, name="Corporate"):
        self._folder = folder
        folder.mkdir()
        self.root = self._new_root(name)
        self.intermediate = self.sign(self._new_csr("intermediate", f"{name} Intermediate"),
                                      "intermediate", CA, by="root", days=1000)

    def _new_root(self, name):
        key = openssl.new_key(self._folder / "root.key", "p384")
        root = self._folder / "root.pem"
        openssl.openssl("req", "-new", "-x509", "-key", key, "-subj", f"/O={name}/CN={name} Root",
                        "-days", "3650", "-out", root, "-addext", CA.split("\n")[1])
        return root

    def _new_csr(self, name, subject):
        key = openssl.new_key(self._folder / f"{name}.key")
        return openssl.new_csr(self._folder / f"{name}.csr", key, subject=f"/CN={subject}")

    def sign(self, csr, name, extensions="", by="intermediate", days=365, copy=False):
        """Signs a request by "root" or "intermediate", with `extensions` and, if `copy`, those of the
        request. Returns the file of the certificate."""
        certificate = self._folder / f"{name}.pem"
        file = self._folder / f"{name}.ext"
        file.write_text(extensions or "\n")
        openssl.openssl("x509", "-req", "-in", csr, "-CA", self._folder / f"{by}.pem", "-CAkey",
                        self._folder / f"{by}.key", "-days", str(days), "-out", certificate,
                        "-extfile", file, *(["-copy_extensions", "copyall"] if copy else []))
        return certificate

    def chain(self, certificate):
        """Returns a file with the certificate and the intermediate, as such CAs deliver it."""
        file = certificate.with_suffix(".chain.pem")
        file.write_text(certificate.read_text() + self.intermediate.read_text())
        return file

    def impostor(self, identity):
        """Makes credentials with an agent's SPIFFE ID, signed by the company. Returns their folder."""
        folder = self._folder / "impostor"
        folder.mkdir()
        csr = self._new_csr("impostor", "impostor")
        certificate = self.sign(csr, "impostor", LEAF.format(names=f"URI:{identity}"))
        (folder / "key.pem").write_text((self._folder / "impostor.key").read_text())
        (folder / "key.pem").chmod(0o600)
        (folder / "cert.pem").write_text(self.chain(certificate).read_text())
        (folder / "bundle.pem").write_text(self.root.read_text())
        return folder


def request_text(csr):
    """Verifies the signature of a certification request by openssl, and prints the request."""
    return run("openssl", "req", "-in", csr, "-noout", "-verify", "-text", check=True)
