"""A server that answers a ClientHello with given bytes, and keeps what it received."""

import socket
import threading
import time

HANDSHAKE, ALERT = 22, 21
TLS_1_2 = 0x0303
# ECDHE with AES-128-GCM and SHA-256; certificates with ECDSA or with RSA.
SUITES = {"ec": 0xc02b, "rsa": 0xc02f}


def record(kind, content, version=TLS_1_2):
    """RFC 5246 section 6.2.1."""
    return (bytes([kind]) + version.to_bytes(2, "big") + len(content).to_bytes(2, "big")
            + content)


def handshake(*messages, version=TLS_1_2):
    """Messages (type, content) in as many records as they take; section 7.4."""
    whole = b"".join(bytes([kind]) + len(content).to_bytes(3, "big") + content
                     for kind, content in messages)
    return b"".join(record(HANDSHAKE, whole[at:at + 16384], version)
                    for at in range(0, len(whole), 16384))


def server_hello(suite=SUITES["ec"], version=TLS_1_2, compression=0):
    """Section 7.4.1.3, with an empty renegotiation_info (RFC 5746)."""
    return 2, (version.to_bytes(2, "big") + bytes(range(32)) + b"\0"
               + suite.to_bytes(2, "big") + bytes([compression])
               + b"\0\5\xff\1\0\1\0")


def certificates(ders):
    """Section 7.4.2."""
    rows = b"".join(len(der).to_bytes(3, "big") + der for der in ders)
    return 11, len(rows).to_bytes(3, "big") + rows


def alert(number, level=2):
    """Section 7.2."""
    return record(ALERT, bytes([level, number]))


def is_client_hello(said):
    """Whether it is one record with one handshake message of type 1, and no more."""
    return (said[:1] == b"\x16" and said[5] == 1
            and len(said) == 5 + int.from_bytes(said[3:5], "big"))


class TlsServer:
    """Listens on a port of 127.0.0.1; one connection after the other.

    received has all that came on each connection that has ended. drip: the answer
    comes in single bytes, with so many seconds between them.
    """

    def __init__(self, answer, drip=None):
        self.received = []
        self._drip = drip
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        try:
            while True:
                client, _ = self._listener.accept()
                with client:
                    self.received.append(self._talk(client))
        except OSError:
            return  # the listener was closed

    def _talk(self, client):
        client.settimeout(30)
        said = client.recv(4096)
        try:
            self._say(client)
            while more := client.recv(4096):
                said += more
        except ConnectionError:
            pass  # it left before it had read all
        return said

    def _say(self, client):
        if self._drip is None:
            client.sendall(self._answer)
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in self._answer:
            client.sendall(bytes([byte]))
            time.sleep(self._drip)
