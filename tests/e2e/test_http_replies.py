"""HTTP replies of every kind, each with its verdict in one table.

A dry run asks once, so the verdict on the reply is the verdict of the run: an
empty one for success, else a part of the error's message. RFC 9110, RFC 9112.
"""

import pytest
from conftest import Job, together

CRLF = b"\r\n"
JSON = b"Content-Type: application/json"
OBJECT = b'{"name": "x"}'
LIMIT = 128 * 1024


def head(*fields, status=b"HTTP/1.1 200 OK"):
    return CRLF.join((status, *fields)) + CRLF + CRLF


def sized(*fields, body=OBJECT, length=None, **more):
    """A reply with Content-Length."""
    size = b"Content-Length: %d" % (len(body) if length is None else length)
    return head(JSON, size, *fields, **more) + body


def chunked(*chunks, fields=(b"Transfer-Encoding: chunked",), **more):
    """A reply in chunks; chunks are written as they are given."""
    return head(JSON, *fields, **more) + b"".join(chunks)


def piece(data=OBJECT, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


END = b"0\r\n\r\n"
ONLY = (piece(), END)
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
NOT_CRLF = "CR or LF that is not CRLF"
CONTROL = "a field holds a control character"
NO_TOKEN = "a field's name is no token"
STATUS = "the status is not 100 to 599"
VERSION = "the version is not HTTP/1.1"
NO_NUMBER = "Content-Length is no number"
CODING = "an unknown transfer coding"
TOO_LARGE = "the body is larger than the limit"
AFTER = "bytes after the end of the body"
CUT = "was cut off"
NO_JSON = "the body cannot be read"
NO_NAME = "a field has no name"

GOOD = {
    "length": sized(),
    "length-with-zeros": head(JSON, b"Content-Length: 0013") + OBJECT,
    "chunked": chunked(*ONLY),
    "chunked-in-bytes": chunked(*(piece(bytes([c])) for c in OBJECT), END),
    "chunked-any-case": chunked(*ONLY, fields=(b"transfer-encoding: CHUNKED",)),
    "chunk-extension": chunked(piece(extension=b';a=b;c="d e"'), END),
    "chunk-bad-white-space": chunked(piece(extension=b" ; a"), END),
    "chunk-size-with-zeros": chunked(b"0000d\r\n" + OBJECT + CRLF, END),
    "chunk-size-upper-case": chunked(b"D\r\n" + OBJECT + CRLF, END),
    "trailers": chunked(piece(), b"0\r\nA: b\r\nC: d\r\n\r\n"),
    "trailer-values": chunked(piece(), b"0\r\nA:\r\nB: \tc: d\xfc \r\n\r\n"),
    "close": head(JSON) + OBJECT,
    "http-1.0": head(JSON, status=b"HTTP/1.0 200 OK") + OBJECT,
    "http-1.0-length": sized(status=b"HTTP/1.0 200 OK"),
    "connection-close": sized(b"Connection: close"),
    "connection-list": sized(b"Connection: foo, Keep-Alive", b"Connection: bar"),
    "no-reason": sized(status=b"HTTP/1.1 200 "),
    "no-reason-no-space": sized(status=b"HTTP/1.1 200"),
    "odd-reason": sized(status="HTTP/1.1 200 Grüß Gott".encode()),
    "tab-in-reason": sized(status=b"HTTP/1.1 200 All\tis well"),
    "another-success": sized(status=b"HTTP/1.1 299 Fine"),
    "continue-first": b"HTTP/1.1 100 Continue\r\n\r\n" + sized(),
    "eight-interims": INTERIM * 8 + sized(),
    "names-in-any-case": head(b"CONTENT-TYPE: application/json",
                              b"content-length: 13") + OBJECT,
    "no-space-after-colon": head(b"Content-Type:application/json",
                                 b"Content-Length:13") + OBJECT,
    "spaces-around-value": head(JSON, b"Content-Length: \t 13 \t") + OBJECT,
    "empty-value": sized(b"X-Empty:"),
    "odd-name": sized(b"!#$%&'*+-.^_`|~09azAZ: x"),
    "obs-text": sized(b"X-Odd: \xfc\xff"),
    "json-parameters": head(b"Content-Type: application/json ; charset=UTF-8",
                            b"Content-Length: 13") + OBJECT,
    "identity-coding": sized(b"Content-Encoding: identity"),
    "hundred-fields": sized(*(b"X-%d: y" % n for n in range(98))),
    "longest-line": sized(b"X: " + b"y" * (8192 - 3)),
    "white-space-in-body": sized(body=b" \r\n\t{} \r\n"),
    "largest-body": sized(body=b'{"x": "' + b"y" * (LIMIT - 9) + b'"}'),
    "redundant-fields": sized(b"Date: x", b"Date: y", b"Set-Cookie: a=b"),
}

BAD = {
    # What is no status line.
    "nothing": (b"", "closed without a reply"),
    "http-0.9": (OBJECT, "does not start with HTTP/"),
    "another-protocol": (b"ICY 200 OK\r\n\r\n", "does not start with HTTP/"),
    "ssh": (b"SSH-2.0-OpenSSH_9\r\n", "does not start with HTTP/"),
    "http-2-settings": (b"\0\0\x12\4\0\0\0\0\0", "speaks HTTP/2"),
    "tls-in-it": (b"\x15\3\3\0\2\2\x28", "speaks TLS"),
    "leading-line": (CRLF + sized(), "does not start with HTTP/"),
    "leading-space": (b" " + sized(), "does not start with HTTP/"),
    "lower-case": (sized(status=b"http/1.1 200 OK"), "does not start with HTTP/"),
    "half-a-name": (sized(status=b"HTTPS/1.1 200 OK"), "malformed status line"),
    "http-2": (sized(status=b"HTTP/2 200 OK"), VERSION),
    "http-1.2": (sized(status=b"HTTP/1.2 200 OK"), VERSION),
    "http-1.11": (sized(status=b"HTTP/1.11 200 OK"), VERSION),
    "no-version": (sized(status=b"HTTP/ 200 OK"), VERSION),
    "version-only": (sized(status=b"HTTP/1.1"), VERSION),
    "two-spaces": (sized(status=b"HTTP/1.1  200 OK"), STATUS),
    "status-099": (sized(status=b"HTTP/1.1 099 Low"), STATUS),
    "status-600": (sized(status=b"HTTP/1.1 600 High"), STATUS),
    "status-20": (sized(status=b"HTTP/1.1 20 ShortTransfers"), STATUS),
    "status-2000": (sized(status=b"HTTP/1.1 2000 Long"), STATUS),
    "status-negative": (sized(status=b"HTTP/1.1 -20 OK"), STATUS),
    "status-hex": (sized(status=b"HTTP/1.1 0x1 OK"), STATUS),
    "status-words": (sized(status=b"HTTP/1.1 OK"), STATUS),
    "status-glued": (sized(status=b"HTTP/1.1 200OK"), STATUS),
    "status-nul": (sized(status=b"HTTP/1.1 200\0OK"), STATUS),
    "reason-escape": (sized(status=b"HTTP/1.1 200 \x1b[2J"), "the reason holds a control"),
    "reason-nul": (sized(status=b"HTTP/1.1 200 O\0K"), "the reason holds a control"),
    "reason-delete": (sized(status=b"HTTP/1.1 200 \x7f"), "the reason holds a control"),
    "reason-of-an-interim": (sized(status=b"HTTP/1.1 100 \x01\r\n\r\nHTTP/1.1 200 OK"),
                             "the reason holds a control"),
    # Interim responses (RFC 9110 15.2).
    "nine-interims": (INTERIM * 9 + sized(), "too many interim responses"),
    "only-interims": (INTERIM * 2, "closed without a reply"),
    "upgrade": (sized(status=b"HTTP/1.1 101 Switching Protocols"), "101"),
    # Lines and fields (RFC 9112 2.2, 5).
    "bare-lf": (sized().replace(CRLF, b"\n"), NOT_CRLF),
    "bare-lf-once": (sized(b"A: b\nC: d"), NOT_CRLF),
    "bare-cr": (sized(b"A: b\rC: d"), NOT_CRLF),
    "two-crs": (sized(b"A: b\r"), NOT_CRLF),
    "lf-cr": (sized().replace(CRLF, b"\n\r"), NOT_CRLF),
    "folded-space": (sized(b"A: b", b" c: d"), "folded"),
    "folded-tab": (sized(b"A: b", b"\tc: d"), "folded"),
    "folded-first": (sized(status=b"HTTP/1.1 200 OK\r\n A: b"), "folded"),
    "space-before-colon": (sized(b"A : b"), NO_TOKEN),
    "space-in-name": (sized(b"A B: c"), NO_TOKEN),
    "control-in-name": (sized(b"A\x01: c"), NO_TOKEN),
    "nul-in-name": (sized(b"A\0: c"), NO_TOKEN),
    "utf-8-in-name": (sized("Größe: 1".encode()), NO_TOKEN),
    "no-colon": (sized(b"Nothing"), "a field has no name"),
    "no-name": (sized(b": value"), "a field has no name"),
    "nul-in-value": (sized(b"A: b\0c"), CONTROL),
    "escape-in-value": (sized(b"A: \x1b[2J"), CONTROL),
    "delete-in-value": (sized(b"A: \x7f"), CONTROL),
    "many-fields": (sized(*(b"X-%d: y" % n for n in range(99))), "too many fields"),
    "long-line": (sized(b"X: " + b"y" * (8193 - 3)), "a line is longer"),
    "long-status-line": (sized(status=b"HTTP/1.1 200 " + b"y" * 8192),
                         "a line is longer"),
    "large-head": (sized(*(b"X: " + b"y" * 8000 for _ in range(5))), "the head is"),
    "head-without-end": (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9000, "the head is"),
    "cut-in-head": (sized()[:40], "cut off in its head"),
    # Content-Length (RFC 9112 6.3, RFC 9110 8.6).
    "length-twice": (sized(b"Content-Length: 13"), "more than one Content-Length"),
    "length-contradicts": (sized(b"Content-Length: 12"), "more than one"),
    "length-list": (head(JSON, b"Content-Length: 13, 13") + OBJECT, NO_NUMBER),
    "length-negative": (sized(length=-1), NO_NUMBER),
    "length-plus": (head(JSON, b"Content-Length: +13") + OBJECT, NO_NUMBER),
    "length-hex": (head(JSON, b"Content-Length: 0xd") + OBJECT, NO_NUMBER),
    "length-empty": (head(JSON, b"Content-Length:") + OBJECT, NO_NUMBER),
    "length-words": (head(JSON, b"Content-Length: 1 3") + OBJECT, NO_NUMBER),
    "length-fraction": (head(JSON, b"Content-Length: 13.0") + OBJECT, NO_NUMBER),
    "length-2^64": (sized(length=2**64), NO_NUMBER),
    "length-2^64+13": (sized(length=2**64 + 13), NO_NUMBER),
    "length-2^63": (sized(length=2**63), TOO_LARGE),
    "length-over-limit": (sized(length=LIMIT + 1), TOO_LARGE),
    "body-short": (sized(length=14), "13 bytes of its body came, 1 are missing"),
    "body-none": (sized(body=b"", length=13), "0 bytes of its body came"),
    "body-long": (sized(length=12), AFTER),
    "body-then-line": (sized() + CRLF, AFTER),
    "second-reply": (sized() + sized(), AFTER),
    "close-over-limit": (head(JSON) + b"y" * (LIMIT + 1), TOO_LARGE),
    # Transfer-Encoding (RFC 9112 6.1) and codings.
    "length-and-chunked": (chunked(*ONLY, fields=(b"Content-Length: 13",
                                                  b"Transfer-Encoding: chunked")),
                           "both Content-Length and Transfer-Encoding"),
    "chunked-and-length": (chunked(*ONLY, fields=(b"Transfer-Encoding: chunked",
                                                  b"Content-Length: 13")),
                           "both Content-Length and Transfer-Encoding"),
    "chunked-in-1.0": (chunked(*ONLY, status=b"HTTP/1.0 200 OK"), "in HTTP/1.0"),
    "gzip": (sized(b"Content-Encoding: gzip"), "a content coding nobody asked for"),
    "br": (sized(b"Content-Encoding: br"), "a content coding nobody asked for"),
    **{f"coding-{number}": (chunked(*ONLY, fields=fields), CODING)
       for number, fields in enumerate((
           (b"Transfer-Encoding: gzip",), (b"Transfer-Encoding: gzip, chunked",),
           (b"Transfer-Encoding: chunked, chunked",), (b"Transfer-Encoding: identity",),
           (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
           (b"Transfer-Encoding: chunked;q=1",), (b"Transfer-Encoding:",),
           (b"Transfer-Encoding: xchunked",)))},
    "coding-vertical-tab": (chunked(*ONLY, fields=(b"Transfer-Encoding: \x0bchunked",)),
                            CONTROL),
    # Chunks (RFC 9112 7.1).
    "chunk-size-none": (chunked(CRLF), "a chunk has no size"),
    "chunk-size-extension-only": (chunked(b";a=b\r\n"), "a chunk has no size"),
    "chunk-size-negative": (chunked(b"-d\r\n"), "a chunk has no size"),
    "chunk-size-plus": (chunked(b"+d\r\n"), "a chunk has no size"),
    "chunk-size-space": (chunked(b" d\r\n"), "a chunk has no size"),
    "chunk-size-0x": (chunked(b"0xd\r\n"), "a chunk's size is no number"),
    "chunk-size-words": (chunked(b"d d\r\n"), "a chunk's size is no number"),
    "chunk-size-then-space": (chunked(b"d \r\n"), "a chunk's size is no number"),
    "chunk-size-2^64": (chunked(b"10000000000000000\r\n"), "a chunk is too large"),
    "chunk-size-2^64+13": (chunked(b"1000000000000000d\r\n"), "a chunk is too large"),
    "chunk-size-2^63": (chunked(b"8000000000000000\r\n"), "a chunk is too large"),
    "chunk-size-over-limit": (chunked(b"20001\r\n"), TOO_LARGE),
    "chunks-over-limit": (chunked(*[piece(b"y" * 65536)] * 3, END), TOO_LARGE),
    "chunk-bare-lf": (chunked(b"d\n" + OBJECT + CRLF, END), NOT_CRLF),
    "chunk-bare-cr": (chunked(b"d\rx"), NOT_CRLF),
    "chunk-no-end": (chunked(b"d\r\n" + OBJECT, END), "longer than its size"),
    "chunk-longer": (chunked(b"c\r\n" + OBJECT + CRLF, END), "longer than its size"),
    "chunk-shorter": (chunked(b"e\r\n" + OBJECT + CRLF, END), "longer than its size"),
    "chunk-end-lf": (chunked(b"d\r\n" + OBJECT + b"\n", END), "longer than its size"),
    "chunk-extension-nul": (chunked(piece(extension=b";a=\0"), END), "extension holds"),
    "chunk-extension-long": (chunked(piece(extension=b";" + b"a" * 1024), END),
                             "a chunk's line is too long"),
    "chunk-cut": (chunked(piece()[:8]), CUT),
    "chunks-without-end": (chunked(piece()), CUT),
    "chunks-cut-in-end": (chunked(piece(), b"0\r\n"), CUT),
    "chunks-cut-in-trailer": (chunked(piece(), b"0\r\nA: b\r\n"), CUT),
    "trailer-bare-lf": (chunked(piece(), b"0\r\nA: b\n\r\n"), NOT_CRLF),
    # Trailers are fields (RFC 9112 7.1.2), not whatever follows a size of 0.
    "trailer-second-reply": (chunked(piece(), b"0\r\n", sized()), NO_TOKEN),
    "trailer-lost-data": (chunked(piece(b'{"name"'), b"0\r\n: "
                                  b'"x"}\r\n0\r\n\r\n'), NO_NAME),
    "trailer-lost-chunk": (chunked(b"0\r\n", piece(), END), NO_NAME),
    "trailer-no-colon": (chunked(piece(), b"0\r\nNothing\r\n\r\n"), NO_NAME),
    "trailer-no-name": (chunked(piece(), b"0\r\n: b\r\n\r\n"), NO_NAME),
    "trailer-second-no-name": (chunked(piece(), b"0\r\nA: b\r\nB\r\n\r\n"), NO_NAME),
    "trailer-space-before-colon": (chunked(piece(), b"0\r\nA : b\r\n\r\n"), NO_TOKEN),
    "trailer-folded": (chunked(piece(), b"0\r\nA: b\r\n c: d\r\n\r\n"), "folded"),
    "trailer-control": (chunked(piece(), b"0\r\nA: \x1b[2J\r\n\r\n"), CONTROL),
    "trailer-nul": (chunked(piece(), b"0\r\nA: b\0\r\n\r\n"), CONTROL),
    "trailers-long": (chunked(piece(), b"0\r\n" + b"A: b\r\n" * 2000 + CRLF),
                      "the trailers are too long"),
    "chunks-then-more": (chunked(*ONLY, b"x"), AFTER),
    # Successes without what was asked for.
    "no-content": (head(status=b"HTTP/1.1 204 No Content"), NO_JSON),
    "no-content-with-body": (sized(status=b"HTTP/1.1 204 No Content"), AFTER),
    "not-modified": (head(status=b"HTTP/1.1 304 Not Modified"), "HTTP 304"),
    "no-body": (sized(body=b""), NO_JSON),
    "html": (sized(body=b"<html>").replace(b"application/json", b"text/html"), NO_JSON),
    "json-by-another-name": (sized().replace(b"application/json", b"text/json"),
                             NO_JSON),
    "no-type": (sized().replace(JSON, b"A: b"), NO_JSON),
    "json-array": (sized(body=b"[]"), NO_JSON),
    "json-text": (sized(body=b'"x"'), NO_JSON),
    "json-broken": (sized(body=b'{"name": '), NO_JSON),
    "json-twice": (sized(body=b"{}{}"), NO_JSON),
    "json-bom": (sized(body=b"\xef\xbb\xbf{}"), NO_JSON),
    "json-latin-1": (sized(body=b'{"x": "\xfc"}'), NO_JSON),
    "json-utf-16": (sized(body='{"x": 1}'.encode("utf-16")), NO_JSON),
    "json-nul": (sized(body=b'{"x": 1}\0'), NO_JSON),
    "json-deep": (sized(body=b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}"), NO_JSON),
    "json-duplicate": (sized(body=b'{"x": 1, "x": 2}'), NO_JSON),
    "json-many-values": (sized(body=b'{"x":[' + b"1," * 20000 + b"1]}"), NO_JSON),
}

ROWS = {name: (reply, "") for name, reply in GOOD.items()} | BAD
WAYS = {"at-once": {}, "byte-by-byte": {"drip": 0}}
SLOW_SIZE = 3000  # bytes that may be sent one by one; those after a reply come late


@pytest.mark.parametrize("way", WAYS)
def test_replies_of_secret_manager(emulator, start_job, way):
    job = start_job(emulator)

    def check(number, reply, verdict):
        secret = f"row-{number}-"
        emulator.order("secretmanager", lambda request: secret in request.raw_path,
                       times=None, raw=reply, **WAYS[way])
        result = job("--dry-run", SECRET_NAME=secret, MAX_WAIT_TIME_SECONDS=60)
        if not verdict:
            assert result.code == 0, result.out
            return
        assert result.code == 1, result.out
        assert verdict in result.error["message"]
        assert "Secret Manager" in result.error["message"]

    rows = {name: (number, *row) for number, (name, row) in enumerate(ROWS.items())
            if way == "at-once" or (len(row[0]) <= SLOW_SIZE and row[1] != AFTER)}
    assert len(rows) >= 100
    together(check, rows)


def test_replies_of_the_metadata_server(start_emulator):
    """The same rules hold without TLS; one row of each kind."""
    rows = ("status-600", "bare-lf", "folded-tab", "length-contradicts", "body-short",
            "body-long", "length-and-chunked", "chunk-size-none", "chunk-longer",
            "chunks-without-end", "tls-in-it", "nothing")

    def check(reply, verdict):
        emulator = start_emulator()
        emulator.order("metadata", times=None, raw=reply)
        result = Job(emulator)(MAX_WAIT_TIME_SECONDS=1)
        assert result.code == 1
        assert verdict in result.error["message"], result.out
        assert emulator.requests("secretmanager") == []

    together(check, {name: BAD[name] for name in rows})


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("status, code, name, calls", [
    (403, 4, "PERMISSION_DENIED", 1), (400, 2, "INVALID_ARGUMENT", 1), (404, 1, "UNKNOWN", 1),
    (503, 1, "UNAVAILABLE", 4),
])
def test_of_a_failure_with_a_content_coding_the_status_suffices(
        emulator, job, status, code, name, calls, framing):
    """Its body cannot be read, but is not needed: it is neither lost nor, of itself, retried."""
    fields = {"length": (b"Content-Length: 4",), "chunked": (b"Transfer-Encoding: chunked",),
              "close": ()}[framing]
    reply = head(JSON, b"Content-Encoding: gzip", b"Retry-After: 0", *fields,
                 status=b"HTTP/1.1 %d Zipped" % status)
    reply += b"4\r\n\x1f\x8b\x08\0\r\n0\r\n\r\n" if framing == "chunked" else b"\x1f\x8b\x08\0"
    emulator.order("secretmanager", times=None, raw=reply)
    result = job("--dry-run")
    assert result.code == code, result.out
    assert (result.error["error_code"], result.error["http_status"]) == (name, status)
    assert len(emulator.requests("secretmanager")) == calls
