"""An HTTP proxy that only tunnels, and does what a test tells it."""

import base64
import socket
import ssl
import threading
import time


class ProxyServer:
    """Listens on a port of 127.0.0.1, or where `listen` says, and leads every host name to
    the loopback, to the port that was asked for or, for some hosts, to one of `ports`, which
    may be (address, port), too.

    user: "USER:PASSWORD" that it asks for. reply: bytes instead of its own reply.
    context: speaks TLS. after: bytes right behind the reply. pieces: sends its reply
    byte by byte. asked collects the heads of the requests.
    """

    def __init__(self, user=None, reply=None, context=None, after=b"", ports=None,
                 pieces=False, listen=("127.0.0.1", 0)):
        self.asked = []
        self._user = user
        self._reply = reply
        self._context = context
        self._after = after
        self._pieces = pieces
        self._ports = ports or {}
        self._listener = socket.create_server(listen)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def targets(self):
        return [head.split()[1] for head in self.asked]

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            with client:
                self._tunnel(client)
        except (OSError, ssl.SSLError, ValueError):
            pass

    def _tunnel(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = client.recv(1)
            if not byte:
                return
            head += byte
        self.asked.append(head.decode())
        if self._reply is not None:
            client.sendall(self._reply)
            return
        if self._user and f"Proxy-Authorization: Basic {self._encoded}" not in head.decode():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b"Proxy-Authenticate: Basic realm=x\r\n"
                           b"Content-Length: 5\r\n\r\nlogin")
            return
        host, _, port = head.split()[1].decode().rpartition(":")
        place = self._ports.get(host, port)
        if not isinstance(place, tuple):
            place = ("127.0.0.1", int(place))
        with socket.create_connection(place) as server:
            reply = b"HTTP/1.1 200 Connection established\r\n\r\n" + self._after
            if self._pieces:
                _send_in_pieces(client, reply)
            else:
                client.sendall(reply)
            copier = threading.Thread(target=_copy, args=(server, client), daemon=True)
            copier.start()
            _copy(client, server)
            copier.join()

    @property
    def _encoded(self):
        return base64.b64encode(self._user.encode()).decode()


def _send_in_pieces(client, reply):
    """Each byte in a segment, and in a TLS record, of its own."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in reply:
        client.sendall(bytes([byte]))
        time.sleep(0.002)  # so that the peer has most of them one by one


def _copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
