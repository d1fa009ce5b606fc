"""Clients of the server besides the CLI: raw gRPC calls, a sidecar, and load."""

import base64
import contextlib
import json
import re
import secrets
import subprocess
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import openssl
from programs import PATIENCE_S, RAW_CLIENT, environment, kill, run, spawn, wait_until

PROTO_FOLDER = Path(__file__).resolve().parents[2] / "proto/agentpki/v1"


class Answer(NamedTuple):
    code: str
    rule: str
    message: str
    correlation_id: str
    response: object

    @property
    def issued(self):
        """The certificate in a response of Enroll or Renew."""
        return self.response["certificate"]


def new_request_id():
    """Returns a UUIDv7 (RFC 9562 section 5.7)."""
    unix_ms = time.time_ns() // 1_000_000
    return str(uuid.UUID(int=unix_ms << 80 | 7 << 76 | secrets.randbits(12) << 64
                         | 0b10 << 62 | secrets.randbits(62)))


def base64_of(octets):
    return base64.b64encode(octets).decode()


def methods():
    """Returns all methods of agentpki's services, as raw_client knows them."""
    return run(RAW_CLIENT, "methods", check=True).stdout.split()


def methods_of_the_contract():
    """Returns all methods in the proto files, also those that raw_client does not know."""
    found = []
    for file in PROTO_FOLDER.glob("*.proto"):
        service = None
        for line in file.read_text().splitlines():
            if match := re.match(r"service (\w+)", line):
                service = match[1]
            elif match := re.match(r"  rpc (\w+)", line):
                found.append(f"agentpki.v1.{service}/{match[1]}")
    return sorted(found)


def are_good_requests(ders):
    """Returns for each DER whether OpenSSL parses it as a request that is signed by its own key."""
    said = run(RAW_CLIENT, "judge", input="".join(der.hex() + "\n" for der in ders), check=True)
    return [verdict == "good" for verdict in said.stdout.split()]


class RawClient(contextlib.AbstractContextManager):
    """One connection to a server, anonymous or with a certificate and its key."""

    def __init__(self, deployment, server=None, identity=None, cert=None, key=None):
        words = ["--server", (server or deployment.server).address,
                 "--ca", deployment.operator / "server-ca.pem"]
        if identity:
            cert, key = identity / "cert.pem", identity / "key.pem"
        if cert:
            words += ["--cert", cert, "--key", key]
        self._process = spawn(RAW_CLIENT, "call", *words, stdin=subprocess.PIPE)

    def __exit__(self, *_):
        said = self._process.communicate(timeout=PATIENCE_S)
        if self._process.returncode != 0:
            raise AssertionError(f"raw_client ended with {self._process.returncode}: {said}")

    def begin(self, method, request):
        """Sends a request: a dictionary for agentpki's methods, hex octets for any other method."""
        text = request if isinstance(request, str) else json.dumps(request)
        print(method, text, file=self._process.stdin, flush=True)

    def answer(self):
        """Returns the answer of the oldest call that begin() started and that has no answer yet."""
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"raw_client ended: {self._process.communicate()}")
        return Answer(**{"response": None, **json.loads(line)})

    def call(self, method, request):
        self.begin(method, request)
        return self.answer()

    def begin_enroll(self, token, csr_der, request_id=None):
        """Sends an enrollment with the secret of a tokens.JoinToken."""
        self.begin("agentpki.v1.EnrollmentService/Enroll", {
            "request_id": request_id or new_request_id(),
            "csr": base64_of(csr_der),
            "join_token_secret": base64_of(token.secret),
        })

    def enroll(self, token, csr_der, request_id=None):
        self.begin_enroll(token, csr_der, request_id)
        return self.answer()

    def renew(self, csr_der, request_id=None):
        return self.call("agentpki.v1.EnrollmentService/Renew", {
            "request_id": request_id or new_request_id(), "csr": base64_of(csr_der)})


class Sidecar:
    """`agentpki bundle watch`, which keeps a file of roots up to date."""

    def __init__(self, deployment, identity):
        self.file = deployment.new_folder().with_suffix(".pem")
        self._process = deployment.spawn_cli("bundle", "watch", "--out", self.file,
                                             identity=identity)

    def roots(self):
        return openssl.certificates(self.file.read_text()) if self.file.exists() else []

    def code(self):
        """Returns the exit status, or None while it runs."""
        return self._process.poll()

    def close(self):
        """Stops it; returns all its output."""
        self._process.terminate()
        out, err = self._process.communicate(timeout=PATIENCE_S)
        return out + err


class Attempt(NamedTuple):
    """One call of the load, as raw_client prints it; "-" for a value that is missing."""
    request_id: str
    method: str
    code: str
    serial: str
    tbs_sha256: str
    rule: str
    message: str


# Temporary codes while something is unavailable. A client repeats the same request.
UNDECIDED = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"}


class Load(contextlib.AbstractContextManager):
    """A process with `threads` threads that enroll and renew one agent until stop()."""

    def __init__(self, deployment, path, threads=4):
        self._deployment = deployment
        self._output = deployment.folder / f"load-{secrets.token_hex(4)}"
        agent = deployment.register(path)
        with self._output.open("w") as output:
            self._process = spawn(
                RAW_CLIENT, "load", "--identity", deployment.operator, "--agent", agent,
                "--threads", threads, stdin=subprocess.PIPE, stdout=output, stderr=output,
                env=environment())

    def __exit__(self, *_):
        if self._process.poll() is None:
            kill(self._process)

    def stop(self):
        """Stops after the calls in progress."""
        self._process.stdin.close()
        code = self._process.wait(PATIENCE_S)
        if code != 0:
            raise AssertionError(f"the load ended with {code}:\n{self._output.read_text()[-8000:]}")

    def attempts(self):
        """Returns all attempts so far."""
        *lines, _ = self._output.read_text().split("\n")  # the last line may be incomplete
        return [Attempt(*line.split(" ", 6)) for line in lines]

    def issued(self):
        """Returns the attempts so far that returned a certificate."""
        return [attempt for attempt in self.attempts() if attempt.serial != "-"]

    def wait_for_certificates(self, count=5):
        """Waits until `count` more certificates are issued."""
        wanted = len(self.issued()) + count
        wait_until(lambda: len(self.issued()) >= wanted, f"{count} more certificates are issued")

    def repeated_count(self):
        """Returns the number of requests that the load had to repeat."""
        return len({a.request_id for a in self.attempts() if a.code in UNDECIDED} - {"-"})

    def check_answers(self, case):
        """Checks that no request was refused and that none got two certificates, whatever happened
        meanwhile. Returns by request id a set of one pair: serial and digest."""
        refused = [a for a in self.attempts() if a.code != "OK" and a.code not in UNDECIDED]
        case.assertEqual(refused, [], "a good request was refused")
        answers = {}
        for attempt in self.issued():
            answers.setdefault(attempt.request_id, set()).add((attempt.serial, attempt.tbs_sha256))
        case.assertEqual({id: known for id, known in answers.items() if len(known) > 1}, {},
                         "one request, several certificates")
        return answers

    def check(self, case):
        """Checks also that the ledger has each certificate, and no certificate without a request."""
        answers = self.check_answers(case)
        ledger = {row["request_id"]: {(row["serial"], row["tbs_sha256"])}
                  for row in self._deployment.database.rows("""
                      SELECT r.request_id, encode(i.serial, 'hex') AS serial,
                             encode(sha256(i.tbs), 'hex') AS tbs_sha256
                        FROM agentpki.requests AS r
                        JOIN agentpki.issuances AS i USING (serial)
                        JOIN agentpki.signatures AS s USING (serial)""")}
        missing = {id: known for id, known in answers.items() if ledger.get(id) != known}
        case.assertEqual(missing, {}, "a client has a certificate that is not in the ledger")
        case.assertEqual(
            self._deployment.database.value("""
                SELECT count(*) FROM agentpki.issuances AS i
                  LEFT JOIN agentpki.requests AS r USING (serial) WHERE r.serial IS NULL"""),
            0, "the ledger has a certificate without a request")
