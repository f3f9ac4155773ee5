"""A service on one thread, many times faster than server.Server: for fleets.

It reads requests as strictly and asks the same service. It records no requests but
those with a problem, and of the faults it knows those that need no waiting.
"""

import select
import socket
import ssl
import sys
import threading
import traceback

from . import closing, server, wire
from .faults import Fault

SEND_SECONDS = 30
NO_FAULT = Fault()
CANNOT = ("delay_before", "delay_after", "drip", "interim", "connection")


class Peer:
    """One connection: what it has sent, and whether the handshake is done."""

    def __init__(self, sock, record, ready):
        self.sock = sock
        self.record = record
        self.ready = ready
        self.hangs = False
        self.buffer = bytearray()


class Whole:
    """Reads a request that has come as a whole; for wire.read_request()."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def line(self):
        end = self._data.find(b"\n", self._at)
        if end < 0:
            raise wire.Incomplete("end of stream inside a line")
        line = self._data[self._at:end]
        if not line.endswith(b"\r"):
            raise wire.Refused(400, "line ends in a bare LF")
        self._at = end + 1
        return line[:-1]

    def exactly(self, count):
        data = self._data[self._at:self._at + count]
        if len(data) < count:
            raise wire.Incomplete(f"got {len(data)} of {count} body bytes")
        self._at += count
        return data

    @property
    def rest(self):
        return len(self._data) - self._at


class LoopServer:
    """In the place of server.Server.

    before  called with the number of each request, its operation and itself, ahead of
            the service: what it does is done before anything is stored or answered
    served  how many requests there were
    """

    def __init__(self, service, journal, orders, tls=None, framing="length", port=0,
                 ipv6=False, address="127.0.0.1"):
        self.service = service
        self.crashes = []
        self.before = None
        self.served = 0
        self._journal = journal
        self._orders = orders
        self._framing = framing
        self._tls = tls
        self._peers = {}
        self._calls = []  # what another thread wants done
        self._poll = select.epoll()
        self._listeners = server.reserve(port, ipv6, address)
        self.port = self._listeners[0].getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stopped = threading.Event()

    def listen(self):
        self._poll.register(self._woken, select.EPOLLIN)
        for listener in self._listeners:
            listener.listen(128)
            listener.setblocking(False)
            self._poll.register(listener, select.EPOLLIN)
        self._thread.start()

    def drop_connections(self, how="fin"):
        """End every open connection, as a front end that restarts does."""
        self._calls.append(lambda: [self._end(peer, how) for peer in list(self._peers.values())])
        self._wake.send(b"!")

    def stop(self):
        self._stopped.set()
        self._wake.send(b"!")
        if self._thread.ident:
            self._thread.join()
        for sock in (*self._listeners, self._wake, self._woken, self._poll,
                     *(peer.sock for peer in self._peers.values())):
            sock.close()

    def _run(self):
        listeners = {listener.fileno(): listener for listener in self._listeners}
        while not self._stopped.is_set():
            for fd, events in self._poll.poll():
                try:
                    if fd in listeners:
                        self._accept(listeners[fd])
                    elif fd in self._peers:
                        self._hear(self._peers[fd], events)
                    elif fd == self._woken.fileno():
                        self._woken.recv(1)
                        while self._calls:
                            self._calls.pop(0)()
                except Exception as error:  # a bug of the emulator must not hide
                    self.crashes.append(error)
                    traceback.print_exc(file=sys.stderr)

    def _accept(self, listener):
        try:
            sock, address = listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        record = self._journal.connected(self.service.name, address)
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        else:
            record.established = True
        self._peers[sock.fileno()] = Peer(sock, record, not self._tls)
        self._poll.register(sock, select.EPOLLIN | select.EPOLLRDHUP)

    def _hear(self, peer, events):
        """Read what has come; a connection that fails is left, its client knows why."""
        try:
            if peer.hangs:
                self._end(peer, "fin")
                return
            if not peer.ready:
                peer.sock.do_handshake()
                peer.ready = peer.record.established = True
            while peer.sock.fileno() >= 0:
                data = peer.sock.recv(65536)
                if not data:
                    self._end(peer, "close_notify")
                    return
                peer.buffer += data
                while peer.buffer and self._request(peer):
                    pass
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if events & (select.EPOLLHUP | select.EPOLLERR):
                self._end(peer, "fin")
        except OSError as error:
            peer.record.error = str(error)
            self._end(peer, "fin")

    def _request(self, peer):
        """Serve a request if it is here as a whole; whether it was."""
        length = _length(peer.buffer)
        if length is None or len(peer.buffer) < length:
            return False
        data = bytes(peer.buffer)
        peer.buffer.clear()
        reader = Whole(data)
        try:
            request = wire.read_request(reader, lambda: None)
        except (wire.Refused, wire.Incomplete) as problem:
            self._journal.received(self.service.name, peer.record, problem.request,
                                   "refused").problems.append(problem.why)
            self._say(peer, wire.render(server.REFUSALS[400](), "length", True))
            self._end(peer, "close_notify")
            return False
        problem = "bytes after the body, or pipelining" if reader.rest else None
        if not self._expects_host(request.header("Host")):
            problem = f"unexpected Host {request.header('Host')!r}"
        operation = self.service.operation(request)
        if problem:
            self._journal.received(self.service.name, peer.record, request,
                                   operation).problems.append(problem)
        self.served += 1
        if self.before:
            self.before(self.served, operation, request)
        self._answer(peer, request, operation,
                     self._orders.for_request(self.service.name, operation, request) or NO_FAULT)
        return True

    _expects_host = server.Server._expects_host

    def _answer(self, peer, request, operation, fault):
        if fault is not NO_FAULT and any(getattr(fault, name) for name in CANNOT):
            raise ValueError(f"not here: {fault}")
        reply = None
        if fault.drop != "uncommitted" and (fault.commit or not fault.instead):
            reply = self.service.answer(request, operation)
        if fault.drop in ("uncommitted", "committed"):
            self._end(peer, fault.how)
            return
        if fault.reply is not None:
            reply = fault.reply(request) if callable(fault.reply) else fault.reply
        data = fault.verbatim()
        ends = fault.drop in ("cut", "idle") or data is not None
        if data is None:
            framing = fault.framing or self._framing
            says_close = request.wants_close or reply.close or framing == "close"
            ends = ends or says_close
            data = wire.render(fault.tampered(reply), framing, says_close)
        if fault.drop == "cut":
            data = data[:fault.cut_at]
        self._say(peer, data + fault.extra)
        if ends:
            self._end(peer, fault.how)

    @staticmethod
    def _say(peer, data):
        peer.sock.settimeout(SEND_SECONDS)
        peer.sock.sendall(data)
        peer.sock.setblocking(False)

    def _end(self, peer, how):
        """End the connection; one that hangs stays until its client goes."""
        fd = peer.sock.fileno()
        if fd < 0:
            return
        if how == "hang":
            peer.hangs = True
            self._poll.modify(fd, select.EPOLLRDHUP)
            return
        self._poll.unregister(fd)
        del self._peers[fd]
        peer.record.closed = True
        try:
            if how == "rst":
                closing.reset(peer.sock)
            elif how == "close_notify" and self._tls:
                peer.sock.unwrap()
        except (OSError, ValueError):
            pass  # its alert is out; the client's own need not be waited for
        try:
            socket.socket.shutdown(peer.sock, socket.SHUT_WR)
        except OSError:
            pass
        peer.sock.close()


def _length(data):
    """The bytes of a request with its body, None while its head is not here."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None if len(data) < wire.MAX_HEAD else 0
    head = bytes(data[:end]).lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        return end + 4
    value = head[at + 17:].partition(b"\r\n")[0].strip()
    return end + 4 + min(int(value) if value.isdigit() else 0, wire.MAX_BODY)
