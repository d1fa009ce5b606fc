"""openssl and certtool: they make keys and requests without agentpki, and judge certificates."""

import datetime
import re

from programs import run

KEY_OPTIONS = {
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p224": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"],
    "rsa2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ed25519": ["-algorithm", "ED25519"],
}


def openssl(*words, **options):
    return run("openssl", *words, check=True, **options).stdout


def new_key(file, key_type="p256"):
    openssl("genpkey", *KEY_OPTIONS[key_type], "-out", file)
    file.chmod(0o600)
    return file


def new_csr(file, key_file, *words, subject="/"):
    """Makes a request in PEM by `openssl req` with more `words`; returns its file."""
    openssl("req", "-new", "-key", key_file, "-out", file, *words,
            *(["-subj", subject] if subject else []))
    return file


def der_of_csr(file):
    return openssl("req", "-in", file, "-outform", "DER", text=False)


def public_key(file):
    """Returns the public key of a file with a private key or a certificate."""
    text = file.read_text()
    if "PRIVATE KEY" in text:
        return openssl("pkey", "-pubout", input=text)
    return openssl("x509", "-noout", "-pubkey", input=text)


def serial(file):
    return openssl("x509", "-in", file, "-noout", "-serial").strip().removeprefix("serial=").lower()


def lifetime_s(file):
    """Returns the seconds from notBefore to notAfter of a certificate."""
    dates = openssl("x509", "-noout", "-dates", "-dateopt", "iso_8601", "-in", file)
    begin, end = [datetime.datetime.fromisoformat(line.split("=")[1].rstrip("Z"))
                  for line in dates.split("\n")[:2]]
    return (end - begin).total_seconds()


def crl_lifetime_s(file):
    """Returns the seconds from thisUpdate to nextUpdate of a CRL."""
    return seconds_between(openssl("crl", "-noout", "-lastupdate", "-nextupdate", "-in", file),
                           "lastUpdate=", "nextUpdate=")


def ocsp_lifetime_s(said):
    """Returns the seconds from thisUpdate to nextUpdate in the output of `openssl ocsp`."""
    return seconds_between(said, "This Update: ", "Next Update: ")


def seconds_between(text, begin, end):
    """Returns the seconds between the times after two labels. A time is: Nov 30 08:38:46 2026 GMT."""
    first, last = [datetime.datetime.strptime(re.search(label + "(.*) GMT", text)[1],
                                              "%b %d %H:%M:%S %Y") for label in (begin, end)]
    return (last - first).total_seconds()


def extension(file, name):
    """Returns one extension of a certificate in one line, as openssl prints it."""
    lines = openssl("x509", "-in", file, "-noout", "-ext", name).splitlines()
    return " ".join(line.strip() for line in lines[1:])


def subject(pem):
    """Returns the subject of a certificate, in the form that -subj takes."""
    name = openssl("x509", "-noout", "-subject", "-nameopt", "compat", input=pem)
    return name.strip().removeprefix("subject=")


def certificate_text(file):
    return openssl("x509", "-in", file, "-noout", "-text")


def certificates(pem):
    """Returns each certificate block of a PEM text."""
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", pem, re.DOTALL)


def verify(folder, purpose="sslclient"):
    """Verifies an agent's credentials by `openssl verify` with strict checks."""
    return run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-check_ss_sig",
               "-CAfile", folder / "bundle.pem", "-untrusted", folder / "cert.pem",
               folder / "cert.pem")


def certtool_verify(folder):
    """Verifies an agent's credentials by GnuTLS."""
    return certtool_verify_by(folder / "cert.pem", folder / "bundle.pem")


def certtool_verify_by(chain, root):
    """Verifies a file of certificates by GnuTLS, with the roots of another file."""
    return run("certtool", "--verify", "--load-ca-certificate", root, input=chain.read_text())
