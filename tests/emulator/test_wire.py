"""HTTP: what is refused, and how replies are framed."""

import http.client

import pytest

from emulator.driver import Driver

HEAD = b"GET /x HTTP/1.1\r\nHost: h\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize("data, status", [
    (b"GET /x HTTP/1.1\nHost: h\n\n", 400),
    (b"GET /x HTTP/1.1\r\nHost: h\n\r\n", 400),
    (b"GET /x HTTP/1.1\r\n\r\n", 400),
    (b"GET /x HTTP/1.1\r\nHost:\r\n\r\n", 400),
    (b"GET /x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400),
    (b"GET /x HTTP/1.0\r\nHost: h\r\n\r\n", 400),
    (b"GET  /x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"GET /x#f HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"get /x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n", 400),
    (HEAD + b"A : b\r\n\r\n", 400),
    (HEAD + b"A: b\r\n c\r\n\r\n", 400),
    (HEAD + b"A: b\x00c\r\n\r\n", 400),
    (HEAD + b"A: b\rc\r\n\r\n", 400),
    (HEAD + b"NoColon\r\n\r\n", 400),
    (HEAD + b"A: b\r\n\n", 400),
    (HEAD + b"Content-Length: 1\r\n\r\nx", 400),
    (POST + b"\r\n", 411),
    (POST + b"Content-Length: x\r\n\r\n", 400),
    (POST + b"Content-Length: -1\r\n\r\n", 400),
    (POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (POST + b"Content-Length: 99999999\r\n\r\n", 413),
    (HEAD + b"A: " + b"x" * 20000 + b"\r\n\r\n", 431),
    (HEAD + (b"A: " + b"x" * 9000 + b"\r\n") * 5 + b"\r\n", 431),
], ids=lambda value: str(value)[:40])
def test_bad_http_is_refused_in_html(emu, driver, data, status):
    reply = driver.raw("metadata", data)
    assert reply.startswith(b"HTTP/1.1 %d " % status)
    assert b"Content-Type: text/html; charset=UTF-8\r\n" in reply
    assert b"Error %d (" % status in reply
    assert b"\r\nConnection: close\r\n" in reply
    entry, = emu.journal
    assert (entry.operation, entry.status) == ("refused", status)
    assert entry.problems


@pytest.mark.parametrize("data", [
    b"GET /x HT", HEAD, POST + b"Content-Length: 5\r\n\r\nabc"])
def test_a_request_cut_short_is_journalled(emu, driver, data):
    with driver.socket("metadata") as sock:
        sock.sendall(data)
        sock.shutdown(1)
        assert sock.recv(1) == b""
    entry, = emu.journal
    assert (entry.operation, entry.status) == ("incomplete", None)
    assert emu.connections()[0].error.startswith("incomplete request")


def test_bytes_after_the_body_are_noted_and_refused(emu, driver):
    request = (b"POST /token HTTP/1.1\r\nHost: localhost\r\n"
               b"Content-Length: 3\r\n\r\na=bsurplus\r\n")
    reply = driver.raw("oauth", request)
    assert reply.count(b"HTTP/1.1 400") == 2
    assert "bytes after the body" in emu.journal[0].problems[0]
    assert emu.journal[1].operation == "refused"


def test_connections_are_kept_alive(emu, driver):
    kept = driver.connection("metadata")
    for _ in range(3):
        driver.send("metadata", "GET", "/", kept=kept)
    assert len(emu.requests("metadata")) == 3
    assert len(emu.connections("metadata")) == 1
    assert emu.connections("metadata")[0].requests == 3


def test_connection_close_is_obeyed(driver):
    reply = driver.raw("metadata", b"GET / HTTP/1.1\r\nHost: h\r\n"
                                   b"Connection: close\r\n\r\n")
    assert reply.endswith(b"0.1/\ncomputeMetadata/\n")
    assert b"Connection: close\r\n" in reply


def test_chunked_requests_are_read(driver):
    reply = driver.raw("oauth", b"POST /token HTTP/1.1\r\nHost: h\r\nConnection: close"
                       b"\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n"
                       b"b\r\ngrant_type=\r\n1\r\nx\r\n0\r\n\r\n")
    assert b"Invalid grant_type: x" in reply


def test_expect_continue_is_answered(driver):
    with driver.socket("metadata") as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                     b"Expect: 100-continue\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize("framing, mark", [
    ("length", b"\r\nContent-Length: "), ("chunked", b"\r\nTransfer-Encoding: chunked"),
    ("close", b"\r\nConnection: close")])
def test_framings(start, framing, mark):
    emu = start(framing=framing)
    driver = Driver(emu)
    payload = b"0123456789abcdef" * 300
    driver.create()
    driver.add(data=payload)
    assert len(driver.access().json["payload"]["data"]) == 6400
    extra = b"Connection: close\r\n"
    reply = driver.raw("secretmanager",
                       driver.request_bytes(path="s/versions/1:access", extra=extra))
    head = reply.partition(b"\r\n\r\n")[0]
    assert mark in head + b"\r\n"
    assert (b"Content-Length" in head) == (framing == "length")


@pytest.mark.parametrize("host, expected", [
    ("localhost:{port}", True), ("127.0.0.1:{port}", True),
    ("169.254.169.254", True), ("metadata.google.internal", True),
    ("localhost", False), ("127.0.0.1:1", False), ("evil.example", False)])
def test_a_wrong_host_is_recorded(emu, driver, host, expected):
    host = host.format(port=emu.port("metadata"))
    kept = driver.connection("metadata")
    kept.putrequest("GET", "/", skip_host=True)
    kept.putheader("Host", host)
    kept.endheaders()
    assert kept.getresponse().status == 200
    kept.close()
    assert (emu.journal[0].problems == []) == expected


def test_replies_look_like_googles(driver):
    answer = driver.api("GET", "")
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.headers["Server"] == "ESF"
    assert answer.headers.get_all("Vary") == ["Origin", "X-Origin", "Referer"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    driver.create()
    assert driver.api("GET", "s").body.startswith(b'{\n  "name": "projects/1234')


def test_idle_connections_are_closed(emu, driver):
    emu.set_idle_seconds("metadata", 0.05)
    with driver.socket("metadata") as sock:
        assert sock.recv(1) == b""


def test_open_connections_can_be_dropped(emu, driver):
    kept = driver.connection("metadata")
    driver.send("metadata", "GET", "/", kept=kept)
    emu.drop_connections("metadata")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        kept.auto_open = False
        driver.send("metadata", "GET", "/", kept=kept)
