"""A relay in front of a server that breaks connections after so many bytes.

It knows nothing of TLS or HTTP, so it cuts where a network would: inside of the
handshake, of a record, of a request.
"""

import contextlib
import socket
import struct
import sys
import threading
from dataclasses import dataclass

SENT, RECEIVED = "sent", "received"  # by the client


@dataclass
class Cut:
    """What happens to one connection.

    way     SENT or RECEIVED: whose bytes are counted
    after   so many bytes pass; what comes with them or behind them does not
    how     fin, rst, or hang (it stays open, and nothing passes any more)
    """

    way: str
    after: int
    how: str = "rst"


class Relay:
    """Listens on a port of 127.0.0.1 and leads each connection to `port`.

    cuts: what happens to the first, second, … connection; later ones are left alone.
    passed: bytes so far, by way, of all connections.
    """

    def __init__(self, port, *cuts):
        self.passed = {SENT: 0, RECEIVED: 0}
        self._target = port
        self._cuts = list(cuts)
        self._pairs = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *problem):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def reset(self):
        """Break all connections now."""
        for pair in list(self._pairs):
            pair.close("rst")

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                pair = _Pair(client, server, self._cuts.pop(0) if self._cuts else None)
                self._pairs.append(pair)
                for way in (SENT, RECEIVED):
                    threading.Thread(target=self._lead, args=(pair, way),
                                     daemon=True).start()

    def _lead(self, pair, way):
        left = pair.bytes_left(way)
        source, sink = pair.ends(way)
        with contextlib.suppress(OSError):
            while left > 0:
                data = source.recv(min(left, 65536))
                if not data:
                    break
                self.passed[way] += len(data)
                left -= len(data)
                sink.sendall(data)
        pair.close(pair.how(left))


class _Pair:
    """The two ends of a connection; closed together, by whoever is first."""

    def __init__(self, client, server, cut):
        self._client, self._server, self._cut = client, server, cut
        self._lock = threading.Lock()

    def ends(self, way):
        """Where bytes that go that way come from, and where they go."""
        return ((self._client, self._server) if way == SENT
                else (self._server, self._client))

    def bytes_left(self, way):
        return self._cut.after if self._cut and self._cut.way == way else sys.maxsize

    def how(self, left):
        """How it ends: as ordered, if no more bytes may pass."""
        return self._cut.how if left == 0 else "fin"

    def close(self, how):
        with self._lock:
            if how == "hang" or self._client.fileno() < 0:
                return
            if how == "rst":
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        struct.pack("ii", 1, 0))
            # Who reads there must wake up first, without a FIN that goes ahead.
            for end, ways in ((self._client, socket.SHUT_RD if how == "rst"
                               else socket.SHUT_RDWR), (self._server, socket.SHUT_RDWR)):
                with contextlib.suppress(OSError):
                    end.shutdown(ways)
                end.close()
