"""Malformed requests: each is refused whole, and the server keeps serving."""

import contextlib
import random
import socket
import ssl
import unittest

import openssl
from clients import RawClient, are_good_requests
from deployment import DeploymentTest, spiffe_id
from tokens import JoinToken

MUTATIONS = 1000


def mutated(der, others, choose):
    """Returns `der` with one random mutation."""
    octets = bytearray(der)
    begin = choose.randrange(len(octets))
    end = min(len(octets), begin + choose.randint(1, 16))
    other = choose.choice(others)
    match choose.randrange(9):
        case 0:
            octets[begin] ^= 1 << choose.randrange(8)
        case 1:
            octets[begin] = choose.randrange(256)
        case 2:
            del octets[begin:end]
        case 3:
            octets[begin:begin] = choose.randbytes(end - begin)
        case 4:
            del octets[begin:]
        case 5:
            octets[begin:begin] = octets[begin:end]
        case 6:
            octets[begin:end] = bytes(end - begin)
        case 7:
            octets[begin:end] = other[begin:end]
        case 8:
            octets += other
    return bytes(octets)


# Requests that no random mutation makes.
CURIOSITIES = [
    b"",
    b"\0",
    bytes(16_384),
    b"\x30" * 16_384,
    b"\x30\x80" * 8_192,  # indefinite lengths, nested
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x83\x00\x3f\xfb" + b"\x31\x82\x3f\xf7" + bytes(16_375),
    b"-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n",
]


class MalformedRequestsTest(DeploymentTest):

    def good_requests(self):
        folder = self.deployment.folder
        san = f"subjectAltName=URI:{spiffe_id('malformed/bot')}"
        requests = []
        for key_type in ["p256", "p384", "ed25519", "rsa2048"]:
            key = openssl.new_key(folder / f"{key_type}.key", key_type)
            for words, subject in [([], "/"), (["-addext", san], "/CN=bot")]:
                csr = openssl.new_csr(folder / "good.csr", key, *words, subject=subject)
                requests.append(openssl.der_of_csr(csr))
        return requests

    def malformed_requests(self):
        """Returns the same mutations in each run, of new keys. OpenSSL refuses each of them."""
        choose = random.Random(20261124)
        good = self.good_requests()
        self.assertTrue(all(are_good_requests(good)))
        candidates = [mutated(choose.choice(good), good, choose)
                      for _ in range(MUTATIONS * 11 // 10)]
        malformed = [candidate for candidate, is_good
                     in zip(candidates, are_good_requests(candidates)) if not is_good]
        self.assertGreaterEqual(len(malformed), MUTATIONS)
        return malformed[:MUTATIONS] + CURIOSITIES

    def test_each_is_refused_and_neither_stops_the_server_nor_uses_the_token(self):
        self.deployment.register("malformed/bot")
        text = self.deployment.new_token("malformed/bot")
        token = JoinToken.parse(text)
        requests = self.malformed_requests()
        with RawClient(self.deployment) as client:
            for request in requests:
                answer = client.enroll(token, request)
                self.assertEqual(answer.code, "INVALID_ARGUMENT", request.hex())
                self.assertRegex(answer.rule, r"^(csr\.|profile\.key-type)", request.hex())
        self.assertEqual(
            self.deployment.database.value(f"""
                SELECT count(*) FROM agentpki.audit_events
                 WHERE subject = '{spiffe_id("malformed/bot")}' AND decision = 'denied'"""),
            len(requests))

        folder = self.deployment.new_folder()
        done = self.deployment.cli("cert", "enroll", "--token-file", "-", "--out", folder,
                                   input=text)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(openssl.verify(folder).returncode, 0)
        self.assertEqual(self.deployment.server.log().count("serves gRPC"), 1)

    def test_octets_that_are_not_tls_do_no_harm(self):
        host, port = self.deployment.server.address.split(":")
        choose = random.Random(20261124)
        with contextlib.ExitStack() as connections:
            for i in range(200):
                connection = connections.enter_context(socket.create_connection((host, port)))
                with contextlib.suppress(OSError):  # the server may close first
                    connection.sendall([b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                        choose.randbytes(1000)][i % 4])
            self.deployment.enroll("malformed/patient")

    def test_octets_that_are_not_http2_do_no_harm(self):
        host, port = self.deployment.server.address.split(":")
        context = ssl.create_default_context(cafile=self.deployment.operator / "server-ca.pem")
        context.set_alpn_protocols(["h2"])
        choose = random.Random(20261124)
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        settings = bytes(3) + b"\4" + bytes(5)
        for octets in [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                       preface + choose.randbytes(4000),
                       preface + settings + b"\xff\xff\xff\1\5" + b"\0\0\0\1" + bytes(20_000),
                       preface + settings * 5_000]:
            with context.wrap_socket(socket.create_connection((host, port)),
                                     server_hostname=host) as tls, contextlib.suppress(OSError):
                tls.settimeout(2)
                tls.sendall(octets)
                while tls.recv(65536):
                    pass
        self.deployment.enroll("malformed/unmoved")


if __name__ == "__main__":
    unittest.main()
