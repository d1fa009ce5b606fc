"""Agents that talk with each other: TLS by Python's ssl, at its strictest, over loopback."""

import os
import secrets
import socket
import ssl
import threading

from programs import PATIENCE_S
from relying_party import Credentials


def context_of(credentials, purpose):
    context = ssl.SSLContext(purpose)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False  # agents have SPIFFE IDs
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(credentials.chain, credentials.key)
    context.load_verify_locations(credentials.root)
    return context


def peer_of(tls):
    """The SPIFFE ID of who is at the other end."""
    (name,) = [value for kind, value in tls.getpeercert()["subjectAltName"] if kind == "URI"]
    return name


def talk(server, client):
    """A TLS handshake in which each verifies the other, and a few octets; raises what fails. Returns
    who the server and the client found at the other end."""
    found, failures = {}, []

    def serve(listener):
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                with context_of(server, ssl.PROTOCOL_TLS_SERVER).wrap_socket(
                        connection, server_side=True) as tls:
                    found["client"] = peer_of(tls)
                    tls.sendall(tls.recv(5))
        except Exception as failure:
            failures.append(f"the server: {failure!r}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        try:
            with socket.create_connection(listener.getsockname(), PATIENCE_S) as connection, \
                    context_of(client, ssl.PROTOCOL_TLS_CLIENT).wrap_socket(connection) as tls:
                found["server"] = peer_of(tls)
                tls.sendall(b"hello")
                if tls.recv(5) != b"hello":
                    failures.append("the client: the answer is another")
        except Exception as failure:
            failures.append(f"the client: {failure!r}")
        thread.join()
    if failures:
        raise AssertionError(f"no handshake: {', '.join(failures)}")
    return found["client"], found["server"]


def current(folder):
    """An agent's credentials as they are at this moment, to be kept: the command line replaces the
    folder in one step, and whoever has it open goes on reading the one that he opened."""
    while True:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            kept = folder.with_name(f"{folder.name}-{secrets.token_hex(4)}")
            kept.mkdir(mode=0o700)
            for name in ["key.pem", "cert.pem", "bundle.pem"]:
                with open(name, opener=lambda path, flags: os.open(path, flags, dir_fd=directory)) as file:
                    (kept / name).write_text(file.read())
            return Credentials(kept)
        except FileNotFoundError:  # it was replaced, and is removed by now
            continue
        finally:
            os.close(directory)
