"""A name server (RFC 1035) that a test tells what to answer, over UDP and TCP."""

import errno
import ipaddress
import socket
import struct
import threading
import time

TYPES = {1: "A", 28: "AAAA"}
CODES = {"NXDOMAIN": 3, "SERVFAIL": 2, "REFUSED": 5}


class NameServer:
    """Answers on port 53 of one address of 127.0.0.0/8.

    zone maps a name to a list of addresses, a name in CODES, "silent", or a
    function from the type ("A" or "AAAA") to one of these; other names get NXDOMAIN.
    truncated: over UDP only the flag that says so. late: seconds before each answer.
    asked collects (transport, name, type).
    """

    def __init__(self, zone, address="127.0.0.53", truncated=False, late=0):
        self.address = address
        self.asked = []
        self._zone = zone
        self._truncated = truncated
        self._late = late
        self._stopped = threading.Event()
        self._bind()
        self._tcp.listen()

    def _bind(self):
        """Tests of other files run at the same time: only one has the address."""
        for left in range(1200, -1, -1):
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                for sock in (self._udp, self._tcp):
                    sock.bind((self.address, 53))
                return
            except OSError as error:
                self._udp.close()
                self._tcp.close()
                if error.errno != errno.EADDRINUSE or left == 0:
                    raise
            time.sleep(0.05)

    def __enter__(self):
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self._stopped.set()
        for sock in (self._udp, self._tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _serve_udp(self):
        while not self._stopped.is_set():
            try:
                query, peer = self._udp.recvfrom(4096)
                answer = query and self._answer("udp", query)
                if answer:
                    self._udp.sendto(answer, peer)
            except OSError:
                return

    def _serve_tcp(self):
        while not self._stopped.is_set():
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_client, args=(client,),
                             daemon=True).start()

    def _serve_client(self, client):
        with client, client.makefile("rb") as stream:
            while head := stream.read(2):
                answer = self._answer("tcp", stream.read(*struct.unpack("!H", head)))
                if answer:
                    client.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, transport, query):
        name, end = _name(query, 12)
        kind = TYPES.get(struct.unpack_from("!H", query, end)[0])
        question = query[12:end + 4]
        self.asked.append((transport, name, kind))
        self._stopped.wait(self._late)
        if self._truncated and transport == "udp":
            return _head(query, 0x0200, 0) + question
        found = self._zone.get(name, "NXDOMAIN")
        if callable(found):
            found = found(kind)
        if found == "silent":
            return None
        if isinstance(found, str):
            return _head(query, CODES[found], 0) + question
        records = [_record(address) for address in found
                   if ipaddress.ip_address(address).version == (4 if kind == "A" else 6)]
        return _head(query, 0, len(records)) + question + b"".join(records)


def _name(message, at):
    """The name at an offset of a query, and where it ends."""
    labels = []
    while length := message[at]:
        labels.append(message[at + 1:at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), at + 1


def _head(query, flags, answers):
    """Answers the question: QR, RA, and what flags adds."""
    return query[:2] + struct.pack("!HHHHH", 0x8180 | flags, 1, answers, 0, 0)


def _record(address):
    packed = ipaddress.ip_address(address).packed
    kind = 1 if len(packed) == 4 else 28
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(packed)) + packed
