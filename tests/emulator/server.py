"""One listening service: accepts, reads requests, and carries out ordered faults."""

import socket
import ssl
import sys
import threading
import time
import traceback

from . import closing, errors, wire
from .faults import Fault

IO_SECONDS = 30.0
IDLE_SECONDS = 240.0
HANDSHAKE_SECONDS = 30.0
REFUSALS = {400: errors.html_400, 411: errors.html_411, 413: errors.html_413,
            431: errors.html_431}


class Server:
    """Serves one service on an address and, if asked, on ::1 with the same port.

    A service has a name, hosts (its public host names), operation(request) -> name,
    and answer(request, operation) -> Reply.
    """

    def __init__(self, service, journal, orders, tls=None, framing="length",
                 port=0, ipv6=False, address="127.0.0.1"):
        self.service = service
        self.framing = framing
        self.idle_seconds = IDLE_SECONDS
        self.crashes = []
        self._journal = journal
        self._orders = orders
        self._tls = tls
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._live = {}
        self._threads = set()
        self._listeners = []
        self._address = address
        self._reserved = reserve(port, ipv6, address)
        self.port = self._reserved[0].getsockname()[1]

    def listen(self):
        """Accept connections; may follow refuse()."""
        with self._lock:
            if self._listeners or self._stopped.is_set():
                return
            for reserved in self._reserved:
                listener = _bound(reserved.family, self.port, self._address)
                listener.listen(128)
                self._listeners.append(listener)
                self._spawn(self._accept, listener)

    def refuse(self):
        """Refuse connections, keeping the port; open connections go on."""
        with self._lock:
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            closing.shutdown_now(listener)
            listener.close()

    def drop_connections(self, how="fin"):
        """End every open connection now, as a front end that restarts does."""
        with self._lock:
            live = list(self._live.values())
        for sock in live:
            if how == "rst":
                linger = b"\1\0\0\0\0\0\0\0"
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            closing.shutdown_now(sock)

    def stop(self):
        self._stopped.set()
        self.refuse()
        self.drop_connections()
        for reserved in self._reserved:
            reserved.close()
        end = time.monotonic() + 0.5
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0, end - time.monotonic()))

    def _spawn(self, target, *arguments):
        def run():
            try:
                target(*arguments)
            except Exception as error:  # a bug of the emulator must not hide
                self.crashes.append(error)
                traceback.print_exc(file=sys.stderr)
            finally:
                self._threads.discard(threading.current_thread())
        thread = threading.Thread(target=run, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _accept(self, listener):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            record = self._journal.connected(self.service.name, peer)
            with self._lock:
                # stop() may have passed by since accept(): it would miss this one.
                if self._stopped.is_set():
                    sock.close()
                    return
                self._live[record.id] = sock
                self._spawn(self._serve, sock, record)

    def _serve(self, sock, record):
        try:
            fault = self._orders.for_connection(self.service.name)
            if fault:
                self._spoil_connection(sock, fault, record)
                return
            stream = self._secure(sock, record)
            if stream is None:
                return
            sock = stream
            self._converse(stream, record)
        except OSError as error:
            record.error = record.error or str(error) or type(error).__name__
        finally:
            with self._lock:
                self._live.pop(record.id, None)
            sock.close()
            record.closed = True

    def _spoil_connection(self, sock, fault, record):
        record.error = f"ordered: {fault.connection}"
        if fault.connection == "reset":
            closing.reset(sock)
        elif fault.connection == "silent":
            closing.finish(sock, "hang", self._stopped)
        elif fault.connection == "plaintext":
            sock.settimeout(IO_SECONDS)
            sock.recv(65536)
            sock.sendall(wire.render(errors.html_400(), close=True))
            closing.finish(sock, "fin", self._stopped)

    def _secure(self, sock, record):
        """Do the TLS handshake; None if it failed."""
        sock.settimeout(HANDSHAKE_SECONDS)
        if self._tls is None:
            record.established = True
            return sock
        try:
            with self._lock:  # wrapping empties sock, which stop() may be about to use
                if self._stopped.is_set():
                    return None
                stream = self._tls.wrap_socket(sock, server_side=True,
                                               do_handshake_on_connect=False)
                self._live[record.id] = stream
        except (OSError, ValueError) as error:
            record.error = f"handshake: {error}"
            return None
        try:
            stream.do_handshake()
        except (OSError, ValueError) as error:
            record.error = f"handshake: {error}"
            closing.finish(stream, "fin", self._stopped)
            return None
        record.established = True
        record.tls_version = stream.version()
        record.cipher = stream.cipher()[0]
        record.alpn = stream.selected_alpn_protocol()
        record.sni = getattr(stream, "requested_name", None)
        record.session_reused = stream.session_reused
        return stream

    def _converse(self, stream, record):
        reader = wire.Reader(stream)
        go_on = True
        while go_on and not self._stopped.is_set():
            stream.settimeout(IO_SECONDS)
            if not reader.wait(self.idle_seconds):
                closing.finish(stream, "close_notify", self._stopped)
                return
            if self._stopped.is_set():
                return
            go_on = self._one_request(stream, reader, record)

    def _one_request(self, stream, reader, record):
        """Handle one request; True if the connection may carry another."""
        fault = None
        if not _at_end(stream, reader):
            fault = self._orders.for_unread(self.service.name)
        if fault:
            record.error = "ordered: unread"
            closing.finish(stream, fault.how, self._stopped)
            return False
        try:
            request = wire.read_request(
                reader, lambda: stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"))
        except wire.Refused as refusal:
            self._refuse_request(stream, record, refusal)
            return False
        except wire.Incomplete as incomplete:
            record.error = f"incomplete request: {incomplete.why}"
            entry = self._journal.received(
                self.service.name, record, incomplete.request, "incomplete")
            entry.problems.append(incomplete.why)
            self._journal.settled(entry)
            return False
        if request is None:
            closing.finish(stream, "close_notify", self._stopped)
            return False
        return self._exchange(stream, reader, record, request)

    def _refuse_request(self, stream, record, refusal):
        entry = self._journal.received(
            self.service.name, record, refusal.request, "refused")
        entry.problems.append(refusal.why)
        reply = REFUSALS[refusal.status]()
        entry.status = reply.status
        self._journal.settled(entry)
        stream.sendall(wire.render(reply, "length", close=True))
        closing.finish(stream, "close_notify", self._stopped)

    def _exchange(self, stream, reader, record, request):
        if isinstance(stream, ssl.SSLSocket):
            request.certificate = stream.getpeercert(binary_form=True)
        operation = self.service.operation(request)
        entry = self._journal.received(self.service.name, record, request, operation)
        if reader.buffered:
            entry.problems.append("bytes after the body, or pipelining")
        if not self._expects_host(request.header("Host")):
            entry.problems.append(f"unexpected Host {request.header('Host')!r}")
        fault = self._orders.for_request(self.service.name, operation, request)
        entry.fault = fault
        fault = fault or Fault()
        self._stopped.wait(fault.delay_before)
        if fault.drop == "uncommitted":
            self._journal.settled(entry)
            closing.finish(stream, fault.how, self._stopped)
            return False
        reply = self._reply(request, operation, entry, fault)
        self._stopped.wait(fault.delay_after)
        if fault.drop == "committed":
            self._journal.settled(entry)
            closing.finish(stream, fault.how, self._stopped)
            return False
        return self._send(stream, request, reply, entry, fault)

    def _expects_host(self, host):
        """A client must name the server as its URL does, port included."""
        name, _, port = host.rpartition(":")
        if port == str(self.port):
            return name in ("localhost", "127.0.0.1", "[::1]", *self.service.hosts)
        return host in self.service.hosts

    def _reply(self, request, operation, entry, fault):
        """Ask the service, unless the fault stands in for it."""
        reply = None
        if fault.commit or not fault.instead:
            reply = self.service.answer(request, operation)
            entry.committed = reply.status < 300
        if fault.reply is not None:
            reply = fault.reply(request) if callable(fault.reply) else fault.reply
        return reply and fault.tampered(reply)

    def _send(self, stream, request, reply, entry, fault):
        data = fault.verbatim()
        ends = fault.drop in ("cut", "idle") or data is not None
        says_close = request.wants_close
        if data is None:
            framing = fault.framing or self.framing
            says_close = says_close or reply.close or framing == "close"
            data = wire.render(reply, framing, says_close)
            entry.status = reply.status
        if fault.drop == "cut":
            data = data[:fault.cut_at]
        self._journal.settled(entry)
        for status in fault.interim:
            line = f"HTTP/1.1 {status} {wire.reason_of(status)}\r\n\r\n"
            stream.sendall(line.encode())
        self._send_paced(stream, data + fault.extra, fault.drip)
        if ends or says_close:
            closing.finish(stream, fault.how, self._stopped)
            return False
        return True

    def _send_paced(self, stream, data, pause):
        if pause is None:
            stream.sendall(data)
            return
        for at in range(len(data)):
            stream.sendall(data[at:at + 1])
            if pause and self._stopped.wait(pause):
                return


def _at_end(stream, reader):
    """True if the client has closed its side and sent nothing more."""
    secure = isinstance(stream, ssl.SSLSocket)
    if reader.buffered or (secure and stream.pending()):
        return False
    start = socket.socket.recv(stream, 5, socket.MSG_PEEK)
    if not secure or len(start) < 5:
        return not start
    # The record of a close_notify: type 21, or in TLS 1.3 a disguised one of 19 bytes.
    return start[0] == 21 or start[3:5] == b"\0\x13"


def reserve(port, ipv6, address="127.0.0.1"):
    """Bind without listening, so that the port stays ours while we refuse."""
    for _ in range(20):
        reserved = [_bound(socket.AF_INET, port, address)]
        if not ipv6:
            return reserved
        try:
            number = reserved[0].getsockname()[1]
            return reserved + [_bound(socket.AF_INET6, number, address)]
        except OSError:
            reserved[0].close()
            if port:
                raise
    raise OSError(f"no port is free on both {address} and ::1")


def _bound(family, port, address):
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address if family == socket.AF_INET else "::1", port))
    except OSError:
        sock.close()
        raise
    return sock
