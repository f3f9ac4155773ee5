"""A peer that sends at full speed and never stops."""

import contextlib
import ctypes
import ctypes.util
import hashlib
import hmac
import socket
import ssl
import tempfile
import threading
from pathlib import Path

from tlsserver import is_client_hello, record

EXCESS = 16 << 20  # bytes that nobody reads who wants to end; buffers hold a few MiB


class Flooder:
    """Listens on a port of 127.0.0.1. On each connection it takes the steps, functions
    from a socket to the one to go on with; then it sends `first`, and `again` for ever.

    started is set when the flood begins; sent counts its bytes, of all connections.
    """

    def __init__(self, *steps, first=b"", again):
        self.started = threading.Event()
        self.sent = 0
        self._steps = steps
        self._first = first
        self._again = again * (65536 // len(again) + 1)
        self._limit = None
        self._leave = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self._limit = 0
        self._leave = lambda: None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def must_end(self, process):
        """From now on the process must stop reading; one that does not is killed."""
        self._leave = process.popen.kill
        self._limit = self.sent + EXCESS

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(OSError, EOFError))
            stack.enter_context(client)
            for step in self._steps:
                client = stack.enter_context(step(client))
            client.sendall(self._first)
            self.started.set()
            while self._limit is None or self.sent < self._limit:
                client.sendall(self._again)
                self.sent += len(self._again)
            self._leave()


class KeepOpen:
    """A step that keeps the socket; for `with`, which is not to close it twice."""

    def __init__(self, client):
        self._client = client

    def __enter__(self):
        return self._client

    def __exit__(self, *problem):
        pass


def _read_until(client, whole):
    said = b""
    while not whole(said):
        more = client.recv(1)
        if not more:
            raise EOFError
        said += more


def client_hello(client):
    """Read a ClientHello, and answer nothing yet."""
    _read_until(client, lambda said: len(said) > 5 and is_client_hello(said))
    return KeepOpen(client)


def request(client):
    """Read the head of a request."""
    _read_until(client, lambda said: said.endswith(b"\r\n\r\n"))
    return KeepOpen(client)


def tunnel(client):
    """Be a proxy that opens the tunnel to itself."""
    request(client)
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return KeepOpen(client)


def session(context):
    """Be a TLS server."""
    return lambda client: context.wrap_socket(client, server_side=True)


class Records:
    """Protects TLS 1.2 records of one's own, which Python's ssl does not send.

    Of a session with the suite below that a context has opened (RFC 5288): the key log
    has its master secret, and two records, Finished among them, are gone.
    """

    SUITE = "ECDHE-ECDSA-AES128-GCM-SHA256"

    def __init__(self, context):
        self._folder = tempfile.TemporaryDirectory()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(self.SUITE)
        context.keylog_filename = str(Path(self._folder.name) / "keys")
        self._context = context

    def burst(self, kind, content, count):
        """A step: open a session, read a request, send so many records at once."""
        def step(client):
            server = _ServerBytes(client)
            inside = self._context.wrap_bio(server.incoming, server.outgoing,
                                            server_side=True)
            server.handshake(inside)
            line = Path(self._context.keylog_filename).read_text().split()
            random, master = (bytes.fromhex(word) for word in line[-2:])
            key = _key_block(master, server.random + random)
            server.flush()
            client.sendall(b"".join(
                _protect(key[16:32], key[36:40], number, kind, content)
                for number in range(1, count + 1)))
            return KeepOpen(client)
        return step


class _ServerBytes:
    """The bytes of a TLS server that one has in hand, for the server's random."""

    def __init__(self, client):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.random = None
        self._client = client

    def flush(self):
        said = self.outgoing.read()
        if said and self.random is None:
            self.random = said[11:43]  # record, message, version: RFC 5246 7.4.1.3
        self._client.sendall(said)

    def handshake(self, inside):
        done = False
        while not done:
            try:
                inside.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                self.flush()
                self._read()
        self.flush()
        self._read()  # the request

    def _read(self):
        said = self._client.recv(65536)
        if not said:
            raise EOFError
        self.incoming.write(said)


def _key_block(secret, seed):
    """RFC 5246 section 6.3; the server's key and salt stand at 16 and 36."""
    label = seed = b"key expansion" + seed
    block = b""
    while len(block) < 40:
        label = hmac.new(secret, label, hashlib.sha256).digest()
        block += hmac.new(secret, label + seed, hashlib.sha256).digest()
    return block


def _protect(key, salt, number, kind, content):
    """RFC 5288 section 3: the number of the record is its explicit nonce."""
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_gcm"):
        getattr(crypto, name).restype = ctypes.c_void_p
    nonce = number.to_bytes(8, "big")
    extra = nonce + bytes([kind, 3, 3]) + len(content).to_bytes(2, "big")
    cipher = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    out, tag = ctypes.create_string_buffer(len(content) + 16), ctypes.create_string_buffer(16)
    size = ctypes.c_int()
    crypto.EVP_EncryptInit_ex(cipher, ctypes.c_void_p(crypto.EVP_aes_128_gcm()), None, key,
                              salt + nonce)
    crypto.EVP_EncryptUpdate(cipher, None, ctypes.byref(size), extra, len(extra))
    crypto.EVP_EncryptUpdate(cipher, out, ctypes.byref(size), content, len(content))
    crypto.EVP_EncryptFinal_ex(cipher, None, ctypes.byref(size))
    crypto.EVP_CIPHER_CTX_ctrl(cipher, 0x10, 16, tag)  # EVP_CTRL_AEAD_GET_TAG
    crypto.EVP_CIPHER_CTX_free(cipher)
    return record(kind, nonce + out.raw[:len(content)] + tag.raw)
