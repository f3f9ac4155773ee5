"""Ordered faults: each kind, and which request it strikes."""

import base64
import http.client
import json
import socket
import ssl
import time

import pytest

from emulator import Fault, Reply, errors
from emulator.crc32c import crc32c
from emulator.driver import Driver, read_to_end
from emulator.faults import TAMPERINGS, from_json

DROPPED = (http.client.HTTPException, OSError)


@pytest.fixture(params=[False, True], ids=["tls", "plain"])
def emu(request, start):
    return start(plain=request.param)


@pytest.fixture
def driver(emu):
    emu.secretmanager.put("s", b"one")
    return Driver(emu)


class Wire:
    """A connection seen from below TLS, which alone tells FIN from RST."""

    def __init__(self, driver):
        port = driver.emulator.port("secretmanager")
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.tls = None
        if not driver.emulator.plain:
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = driver.trust.wrap_bio(self._incoming, self._outgoing,
                                             server_hostname="localhost")
            self._pump(self.tls.do_handshake)

    def send(self, data):
        if self.tls:
            self.tls.write(data)
            data = self._outgoing.read()
        self.sock.sendall(data)

    def read_to_end(self):
        """Return how the connection ended and what came before."""
        raw, end = b"", "fin"
        try:
            while part := self.sock.recv(65536):
                raw += part
        except ConnectionResetError:
            end = "rst"
        self.sock.close()
        if not self.tls:
            return end, raw
        self._incoming.write(raw)
        data = b""
        try:
            while part := self.tls.read(65536):
                data += part
        except ssl.SSLZeroReturnError:
            pass
        except ssl.SSLWantReadError:
            return end, data
        return "close_notify", data

    def _pump(self, step):
        while True:
            try:
                step()
                self.sock.sendall(self._outgoing.read())
                return
            except ssl.SSLWantReadError:
                self.sock.sendall(self._outgoing.read())
                self._incoming.write(self.sock.recv(65536))


# --- which request -----------------------------------------------------------------


@pytest.mark.parametrize("which, struck", [
    ({}, [0]), ({"nth": 2}, [1]), ({"times": 2}, [0, 1]),
    ({"nth": 2, "times": 2}, [1, 2]), ({"times": None}, [0, 1, 2, 3]),
    ({"nth": 3, "times": None}, [2, 3])])
def test_nth_and_times(emu, driver, which, struck):
    order = emu.order("secretmanager", "get", reply=errors.unavailable(), **which)
    assert driver.api("GET", "").status == 200
    statuses = [driver.api("GET", "s").status for _ in range(4)]
    assert [index for index in range(4) if statuses[index] == 503] == struck
    assert (order.seen, order.hits) == (4, len(struck))


def test_matching(emu, driver):
    emu.order("secretmanager", lambda request: request.query_string == "pageSize=7",
              reply=errors.internal())
    emu.order("metadata", "token", reply=errors.metadata_internal())
    assert driver.metadata("/").status == 200
    assert driver.metadata("/computeMetadata/v1/instance/service-accounts/default/"
                           "token").status == 500
    assert driver.api("GET", "").status == 200
    assert driver.api("GET", "?pageSize=7").status == 500


def test_of_two_orders_the_first_wins_and_clear_ends_all(emu, driver):
    emu.order("secretmanager", times=None, reply=errors.internal())
    emu.order("secretmanager", times=None, reply=errors.unavailable())
    assert driver.api("GET", "s").status == 500
    emu.orders.clear()
    assert driver.api("GET", "s").status == 200


def test_wrong_orders(emu):
    for wrong in ({"drop": "x"}, {"how": "x"}, {"tamper": "x"}, {"connection": "x"},
                  {"framing": "x"}, {}):
        with pytest.raises(ValueError):
            emu.order("secretmanager", **wrong)
    with pytest.raises(ValueError):
        emu.order("nonsense", drop="cut")


# --- replies -----------------------------------------------------------------------


@pytest.mark.parametrize("name", errors.names())
def test_every_ready_made_reply(emu, driver, name):
    reply = errors.named(name)
    emu.order("secretmanager", "addVersion", reply=reply)
    answer = driver.add()
    assert (answer.status, answer.body) == (reply.status, reply.body)
    if answer.headers["Content-Type"].startswith("application/json"):
        error = answer.json["error"]
        if isinstance(error, dict):
            assert error["code"] == reply.status
            assert errors.HTTP_OF[error["status"]] == reply.status
    assert emu.secretmanager.payloads("s") == [b"one"]
    entry = emu.requests(operation="addVersion")[0]
    assert (entry.status, entry.committed) == (reply.status, False)


def test_reply_after_commit(emu, driver):
    emu.order("secretmanager", "addVersion", reply=errors.unavailable(), commit=True)
    assert driver.add(data=b"two").status == 503
    assert emu.secretmanager.payloads("s") == [b"one", b"two"]
    assert emu.requests(operation="addVersion")[0].committed


def test_a_reply_of_ones_own(emu, driver):
    reply = Reply(418, b"hello", (("X-A", "b"),), reason="Teapot")
    emu.order("secretmanager", reply=reply)
    answer = driver.api("GET", "s")
    assert (answer.status, answer.body, answer.headers["X-A"]) == (418, b"hello", "b")


def test_wrapped(emu, driver):
    emu.order("secretmanager", reply=errors.wrapped(errors.secret_not_found()))
    assert driver.api("GET", "s").json[0]["error"]["status"] == "NOT_FOUND"


def test_raw_and_garbage(emu, driver):
    request = driver.request_bytes()
    emu.order("secretmanager", raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}")
    assert driver.raw("secretmanager", request).endswith(b"\r\n\r\n{}")
    emu.order("secretmanager", garbage=500)
    assert len(driver.raw("secretmanager", request)) == 500
    emu.order("secretmanager", "addVersion", raw=b"", commit=True)
    body = b'{"payload":{"data":"YQ=="}}'
    request = driver.request_bytes("POST", "s:addVersion", body)
    assert driver.raw("secretmanager", request) == b""
    assert emu.secretmanager.payloads("s") == [b"one", b"a"]


def test_extra_and_interim_and_framing(emu, driver):
    extra = b"Connection: close\r\n"
    request = driver.request_bytes(extra=extra)
    emu.order("secretmanager", extra=b"SURPLUS", interim=(100, 103), framing="chunked")
    reply = driver.raw("secretmanager", request)
    assert reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints"
                            b"\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert b"Transfer-Encoding: chunked" in reply
    assert reply.endswith(b"0\r\n\r\nSURPLUS")


def test_drip(emu, driver):
    emu.order("secretmanager", drip=0, times=2)
    assert driver.api("GET", "s").status == 200
    with driver.socket("secretmanager") as sock:
        sock.sendall(driver.request_bytes())
        assert len(sock.recv(65536)) < 100


def test_delays(emu, driver):
    driver.token
    for field in ("delay_before", "delay_after"):
        emu.order("secretmanager", "addVersion", **{field: 0.2})
        begin = time.monotonic()
        with driver.socket("secretmanager") as sock:
            sock.sendall(driver.request_bytes("POST", "s:addVersion",
                                              b'{"payload":{"data":"YQ=="}}'))
            time.sleep(0.1)
            committed = len(emu.secretmanager.payloads("s"))
            sock.recv(1)
        assert time.monotonic() - begin >= 0.2
        assert committed == (1 if field == "delay_before" else 3)


# --- connections that end ----------------------------------------------------------


@pytest.mark.parametrize("how", ["close_notify", "fin", "rst"])
@pytest.mark.parametrize("drop, committed, received", [
    ("unread", False, 0), ("uncommitted", False, 0), ("committed", True, 0),
    ("cut", True, 40), ("idle", True, None)])
def test_drops(emu, driver, drop, committed, received, how):
    body = b'{"payload":{"data":"YQ=="}}'
    request = driver.request_bytes("POST", "s:addVersion", body)
    emu.order("secretmanager", drop=drop, how=how, cut_at=40)
    wire = Wire(driver)
    wire.send(request)
    end, data = wire.read_to_end()
    assert end == ("fin" if emu.plain and how == "close_notify" else how)
    assert len(emu.secretmanager.payloads("s")) == (2 if committed else 1)
    if received is None:
        assert json.loads(data.partition(b"\r\n\r\n")[2])["state"] == "ENABLED"
        assert b"Connection: close" not in data
    elif how != "rst":
        assert len(data) == received
    if drop == "unread":
        assert emu.requests("secretmanager") == []
    else:
        assert emu.requests("secretmanager")[0].committed == committed


def test_cut_from_the_end(emu, driver):
    emu.order("secretmanager", drop="cut", cut_at=-1)
    with pytest.raises(http.client.IncompleteRead):
        driver.api("GET", "s")


def test_hang(emu, driver):
    emu.order("secretmanager", "addVersion", drop="cut", cut_at=5, how="hang")
    with driver.socket("secretmanager") as sock:
        sock.sendall(driver.request_bytes("POST", "s:addVersion",
                                          b'{"payload":{"data":"YQ=="}}'))
        assert sock.recv(100) == b"HTTP/"
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    assert len(emu.secretmanager.payloads("s")) == 2


def test_a_stale_connection(emu, driver):
    """The second request on a kept connection meets a closed one."""
    emu.order("secretmanager", nth=2, drop="unread", how="fin")
    kept = driver.connection("secretmanager")
    assert driver.api("GET", "s", kept=kept).status == 200
    kept.auto_open = False
    with pytest.raises(DROPPED):
        driver.api("GET", "s", kept=kept)
    kept.close()
    assert driver.api("GET", "s").status == 200


def test_closing_clients_do_not_use_up_an_unread_order(emu, driver):
    order = emu.order("secretmanager", nth=3, drop="unread")
    for _ in range(2):
        with driver.socket("secretmanager") as sock:
            sock.sendall(driver.request_bytes())
            sock.recv(65536)
            if isinstance(sock, ssl.SSLSocket):
                sock.unwrap().close()
    assert order.seen == 2
    with pytest.raises(DROPPED):
        driver.api("GET", "s")


# --- before TLS --------------------------------------------------------------------


def bare(emu, service="secretmanager"):
    return socket.create_connection(("127.0.0.1", emu.port(service)), timeout=5)


def test_silent_connections(emu, driver):
    emu.order("secretmanager", connection="silent")
    with bare(emu) as sock:
        sock.sendall(b"x" * 1000)
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    assert driver.api("GET", "s").status == 200
    first, second = emu.connections("secretmanager")
    assert (first.established, second.established) == (False, True)


def test_reset_on_accept(emu, driver):
    emu.order("secretmanager", connection="reset")
    with pytest.raises(ConnectionResetError):
        with bare(emu) as sock:
            sock.recv(1)
    assert driver.api("GET", "s").status == 200


def test_plain_text_where_tls_is_expected(emu, driver):
    emu.order("secretmanager", connection="plaintext")
    with bare(emu) as sock:
        sock.sendall(b"\x16\x03\x01")
        assert read_to_end(sock).startswith(b"HTTP/1.1 400 ")
    if not emu.plain:
        emu.order("secretmanager", connection="plaintext")
        with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
            driver.api("GET", "s")


def test_refuse(emu, driver):
    driver.token
    emu.refuse("secretmanager")
    with pytest.raises(ConnectionRefusedError):
        driver.api("GET", "s")
    emu.listen("secretmanager")
    assert driver.api("GET", "s").status == 200
    emu.refuse("secretmanager", seconds=0.05)
    with pytest.raises(ConnectionRefusedError):
        driver.api("GET", "s")
    time.sleep(0.15)
    assert driver.api("GET", "s").status == 200


# --- tampering ---------------------------------------------------------------------


def payload(answer):
    value = answer.json.get("payload", {})
    data = value.get("data")
    return data and base64.b64decode(data), value.get("dataCrc32c")


def test_tampering_with_access(emu, driver):
    good = payload(driver.access())
    seen = {}
    for name in TAMPERINGS:
        if name not in ("no-checksum-flag", "state-number"):
            emu.order("secretmanager", "access", tamper=name)
            seen[name] = driver.access()
    assert payload(seen["flip"]) == (b"ooe", good[1])
    assert payload(seen["truncate"]) == (b"on", good[1])
    assert payload(seen["wrong-crc"]) == (b"one", str(int(good[1]) ^ 1))
    assert payload(seen["crc-number"]) == (b"one", int(good[1]))
    assert payload(seen["no-crc"]) == (b"one", None)
    assert payload(seen["no-data"]) == (None, good[1])
    assert "payload" not in seen["no-payload"].json
    assert seen["other-version"].json["name"].endswith("/versions/2")
    assert "name" not in seen["no-name"].json
    assert seen["url-safe"].status == 200
    assert payload(driver.access()) == good


def test_tampering_with_add_version(emu, driver):
    emu.order("secretmanager", "addVersion", tamper="no-checksum-flag")
    value = driver.add(dataCrc32c=crc32c(b"payload")).json
    assert value["state"] == "ENABLED"
    assert "clientSpecifiedPayloadChecksum" not in value
    emu.order("secretmanager", "addVersion", tamper="state-number")
    assert driver.add().json["state"] == 1


def test_tampering_with_a_function(emu, driver):
    emu.order("secretmanager", "get", tamper=lambda value: [value["name"]])
    assert driver.api("GET", "s").json == ["projects/123456789012/secrets/s"]


# --- as JSON -----------------------------------------------------------------------


def test_orders_as_json(emu, driver):
    emu.order_json({"service": "secretmanager", "match": "get", "times": 2,
                    "reply": "unavailable"})
    emu.order_json({"service": "secretmanager", "match": "list",
                    "reply": {"status": 499, "body": "x", "headers": [["A", "b"]]}})
    assert [driver.api("GET", "s").status for _ in range(3)] == [503, 503, 200]
    assert driver.api("GET", "").status == 499
    order = from_json({"service": "oauth", "raw": "\u00ff", "how": "rst"})
    assert order == {"service": "oauth", "fault": Fault(raw=b"\xff", how="rst")}
    with pytest.raises(ValueError, match="no reply named"):
        from_json({"service": "oauth", "reply": "nonsense"})
    with pytest.raises(TypeError):
        from_json({"service": "oauth", "nonsense": 1})
