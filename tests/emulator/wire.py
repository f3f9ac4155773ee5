"""HTTP/1.1 on sockets: read requests strictly, render replies to bytes."""

import json
import re
import select
import ssl
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

MAX_LINE = 16 * 1024
MAX_HEAD = 32 * 1024
MAX_BODY = 1024 * 1024
CHUNK = 1000

_REQUEST_LINE = re.compile(rb"([A-Z]+) (/[\x21\x22\x24-\x7e]*) HTTP/1\.1")
_HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_FORBIDDEN_IN_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ONCE_ONLY = ("host", "content-length", "content-type", "authorization",
              "transfer-encoding", "metadata-flavor")
_NEEDS_LENGTH = ("POST", "PUT", "PATCH")


class Refused(Exception):
    """The request is not acceptable HTTP; request holds what was understood."""

    def __init__(self, status, why, request=None):
        super().__init__(why)
        self.status = status
        self.why = why
        self.request = request


class Incomplete(Exception):
    """The client went away in the middle of a request."""

    def __init__(self, why, request=None):
        super().__init__(why)
        self.why = why
        self.request = request


@dataclass
class Request:
    """One request as it was received."""

    method: str = ""
    target: str = ""
    headers: list = field(default_factory=list)
    body: bytes = b""
    certificate: bytes = None  # DER, of a client that has shown one

    @property
    def raw_path(self):
        return self.target.partition("?")[0]

    @property
    def path(self):
        return unquote(self.raw_path)

    @property
    def query_string(self):
        return self.target.partition("?")[2]

    @property
    def query(self):
        """The query as a list of decoded pairs, in the order sent."""
        return parse_qsl(self.query_string, keep_blank_values=True)

    def header(self, name):
        """Return the first value of a header, or None."""
        values = self.header_values(name)
        return values[0] if values else None

    def header_values(self, name):
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    @property
    def media_type(self):
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def wants_close(self):
        tokens = ",".join(self.header_values("Connection")).lower().split(",")
        return "close" in [token.strip() for token in tokens]


@dataclass(frozen=True)
class Reply:
    """A reply before it becomes bytes; close ends the connection after it."""

    status: int = 200
    body: bytes = b""
    headers: tuple = ()
    close: bool = False
    reason: str = None

    def with_headers(self, *pairs):
        return replace(self, headers=tuple(self.headers) + pairs)

    def with_json(self, value):
        return replace(self, body=json_bytes(value))


def json_bytes(value, pretty=True):
    """Render JSON as Google's front end does: two spaces, final newline."""
    if pretty:
        return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def render(reply, framing="length", close=False):
    """Turn a reply into the bytes of a whole HTTP response."""
    lines = [f"HTTP/1.1 {reply.status} {reply.reason or reason_of(reply.status)}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines.append(f"Date: {formatdate(usegmt=True)}")
    body = reply.body
    if reply.status == 204 or reply.status == 304:
        body = b""
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        body = _chunked(body)
    elif framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    elif framing != "close":
        raise ValueError(f"unknown framing {framing!r}")
    if close or framing == "close":
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def reason_of(status):
    """Return the standard reason phrase; unassigned codes have none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _chunked(body):
    parts = [body[at:at + CHUNK] for at in range(0, len(body), CHUNK)]
    framed = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
    return b"".join(framed) + b"0\r\n\r\n"


class Reader:
    """Buffered reading from a plain or a TLS socket."""

    def __init__(self, sock):
        self._sock = sock
        self._buffer = bytearray()

    @property
    def buffered(self):
        """True if bytes of a next request are already here."""
        return bool(self._buffer)

    def wait(self, seconds):
        """Wait, without consuming anything, until there is something to read."""
        if self._buffer:
            return True
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def line(self):
        """Return one line without its CRLF, None at the end of the stream."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > MAX_LINE:
                raise Refused(431, "line too long")
            if not self._fill():
                if self._buffer:
                    raise Incomplete("end of stream inside a line")
                return None
        end = self._buffer.index(b"\n")
        if end > MAX_LINE:
            raise Refused(431, "line too long")
        line = bytes(self._buffer[:end])
        del self._buffer[:end + 1]
        if not line.endswith(b"\r"):
            raise Refused(400, "line ends in a bare LF")
        return line[:-1]

    def exactly(self, count):
        while len(self._buffer) < count:
            if not self._fill():
                raise Incomplete(f"got {len(self._buffer)} of {count} body bytes")
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def _fill(self):
        data = self._sock.recv(64 * 1024)
        self._buffer += data
        return bool(data)


def read_request(reader, send_continue):
    """Read one request; None if the client closed the connection before it."""
    request = Request()
    try:
        return _read_request(reader, send_continue, request)
    except (Refused, Incomplete) as problem:
        problem.request = request
        raise


def _read_request(reader, send_continue, request):
    line = reader.line()
    if line is None:
        return None
    _read_request_line(line, request)
    _read_headers(reader, request)
    _check_headers(request)
    if (request.header("Expect") or "").lower() == "100-continue":
        send_continue()
    request.body = _read_body(reader, request)
    return request


def _read_request_line(line, request):
    words = line.decode("latin-1").split(" ")
    request.method, request.target = (words + ["", ""])[:2]
    if not _REQUEST_LINE.fullmatch(line):
        raise Refused(400, "malformed request line")
    if _BAD_ESCAPE.search(request.target):
        raise Refused(400, "malformed percent escape in the target")


def _read_headers(reader, request):
    size = 0
    while True:
        line = reader.line()
        if line is None:
            raise Incomplete("end of stream inside the headers")
        if not line:
            return
        size += len(line)
        if size > MAX_HEAD:
            raise Refused(431, "headers too large")
        match = _HEADER_LINE.fullmatch(line)
        if not match or _FORBIDDEN_IN_VALUE.search(match[2]):
            raise Refused(400, "malformed header line")
        pair = match[1].decode("ascii"), match[2].decode("latin-1")
        request.headers.append(pair)


def _check_headers(request):
    for name in _ONCE_ONLY:
        if len(request.header_values(name)) > 1:
            raise Refused(400, f"header {name} given twice")
    if not request.header("Host"):
        raise Refused(400, "Host header missing or empty")
    length = request.header("Content-Length")
    coding = request.header("Transfer-Encoding")
    if length is not None and coding is not None:
        raise Refused(400, "both Content-Length and Transfer-Encoding")
    if length is not None and not re.fullmatch(r"[0-9]{1,10}", length):
        raise Refused(400, "malformed Content-Length")
    if coding is not None and coding.lower() != "chunked":
        raise Refused(400, "unknown Transfer-Encoding")
    if length is None and coding is None and request.method in _NEEDS_LENGTH:
        raise Refused(411, f"{request.method} without Content-Length")
    if request.method in ("GET", "HEAD", "DELETE"):
        if coding is not None or int(length or 0) > 0:
            raise Refused(400, f"{request.method} with a body")


def _read_body(reader, request):
    if request.header("Transfer-Encoding"):
        return _read_chunks(reader)
    length = int(request.header("Content-Length") or 0)
    if length > MAX_BODY:
        raise Refused(413, "body too large")
    return reader.exactly(length)


def _read_chunks(reader):
    body = bytearray()
    while True:
        line = reader.line()
        if line is None or not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", line):
            raise Refused(400, "malformed chunk size")
        size = int(line, 16)
        if len(body) + size > MAX_BODY:
            raise Refused(413, "body too large")
        body += reader.exactly(size)
        if reader.line() != b"":
            raise Refused(400, "chunk not followed by CRLF")
        if size == 0:
            return bytes(body)
