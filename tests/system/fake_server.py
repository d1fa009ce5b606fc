"""An impostor of agentpki-server that keeps all octets it receives."""

import contextlib
import socket
import ssl
import threading

import openssl


class FakeServer(contextlib.AbstractContextManager):
    """Accepts TLS 1.3 with a self-signed certificate, followed by `more_certificates` (PEM). `heard`
    holds the octets received through TLS; `knocks` counts the connections."""

    def __init__(self, folder, more_certificates=""):
        folder.mkdir()
        key, cert = openssl.new_key(folder / "key.pem"), folder / "cert.pem"
        openssl.openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=127.0.0.1", "-days", "1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert)
        cert.write_text(cert.read_text() + more_certificates)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._context.set_alpn_protocols(["h2"])
        self._context.load_cert_chain(cert, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        self.heard = b""
        self.knocks = 0

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.knocks += 1
                self._threads.append(threading.Thread(target=self._listen, args=[connection],
                                                      daemon=True))
                self._threads[-1].start()

    def _listen(self, connection):
        connection.settimeout(5)
        with contextlib.suppress(OSError), connection:
            with self._context.wrap_socket(connection, server_side=True) as tls:
                while octets := tls.recv(65536):
                    self.heard += octets
