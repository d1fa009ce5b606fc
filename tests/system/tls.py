"""Agents that talk with each other: mTLS by Python's ssl with strict checks, over loopback."""

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
    context.check_hostname = False  # agents have SPIFFE IDs, not host names
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(credentials.chain, credentials.key)
    context.load_verify_locations(credentials.root)
    return context


def peer_of(tls):
    """Returns the SPIFFE ID of the peer."""
    (name,) = [value for kind, value in tls.getpeercert()["subjectAltName"] if kind == "URI"]
    return name


def talk(server, client):
    """Makes a TLS handshake in which each side verifies the other, and exchanges 5 octets. Raises each
    failure. Returns the SPIFFE IDs that the server and the client found for their peers."""
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
                    failures.append("the client: it received other octets")
        except Exception as failure:
            failures.append(f"the client: {failure!r}")
        thread.join()
    if failures:
        raise AssertionError(f"no handshake: {', '.join(failures)}")
    return found["client"], found["server"]


def current(folder):
    """Returns a copy of an agent's current credentials. The CLI replaces the folder atomically, and an
    open folder keeps its files, so the copy is consistent."""
    while True:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            kept = folder.with_name(f"{folder.name}-{secrets.token_hex(4)}")
            kept.mkdir(mode=0o700)
            for name in ["key.pem", "cert.pem", "bundle.pem"]:
                with open(name, opener=lambda path, flags: os.open(path, flags, dir_fd=directory)) as file:
                    (kept / name).write_text(file.read())
            return Credentials(kept)
        except FileNotFoundError:  # the CLI has replaced and removed the folder
            continue
        finally:
            os.close(directory)
