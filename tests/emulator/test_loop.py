"""The fast server gives what the other one gives, and loses nothing on the way."""

import itertools
import json
import re
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import errors
from emulator.crc32c import crc32c
from emulator.driver import Driver, read_to_end

# What differs from one moment, one secret or one token to the next.
CHANGING = (
    (rb"Date: [^\r]*", b"Date"), (rb'"etag": "[^,}]*"', b"etag"), (rb"Content-Length: \d+", b""),
    (rb"\d{4}-\d\d-\d\dT[0-9:.]*Z", b"time"), (rb'"nextPageToken": "[^"]*"', b"page"))
DATA = b"payload"
BODY = {"payload": {"data": "cGF5bG9hZA==", "dataCrc32c": str(crc32c(DATA))}}
P = "/v1/projects/test-project"


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.soak)], ids=["tls", "plain"])
def two(request, start):
    """A driver of the threaded server and one of the fast server."""
    return [Driver(start(plain=request.param, fast=fast)) for fast in (False, True)]


def request(method, path, body=None, *headers, token="{token}"):
    body = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


CALLS = [
    request("POST", f"{P}/secrets/s:addVersion", BODY),
    request("POST", f"{P}/secrets?secretId=s", {"replication": {"automatic": {}}}),
    request("POST", f"{P}/secrets?secretId=s", {"replication": {"automatic": {}}}),
    request("POST", f"{P}/secrets/s:addVersion", BODY),
    request("POST", f"{P}/secrets/s:addVersion", {"payload": {**BODY["payload"], "dataCrc32c": "1"}}),
    request("POST", f"{P}/secrets/s:addVersion", b"{"),
    request("POST", f"{P}/secrets/s:addVersion", {"payload": {"data": "***"}}),
    request("GET", f"{P}/secrets/s/versions/1:access"),
    request("GET", f"{P}/secrets/s/versions/latest:access"),
    request("GET", f"{P}/secrets/s/versions/2:access"),
    request("GET", f"{P}/secrets/s/versions"),
    request("GET", f"{P}/secrets/s"),
    request("GET", f"{P}/secrets/s", token=None),
    request("GET", f"{P}/secrets/s", token="wrong"),
    request("GET", "/v1/projects/other/secrets/s"),
    request("GET", "/v2/x"),
    request("GET", f"{P}/secrets/s", None, "Accept: a", "Host: twice"),
    request("GET", f"{P}/secrets/s", None, "Connection: close"),
    request("GET", f"{P}/secrets/s", None, "bad header"),
    request("DELETE", f"{P}/secrets/s"),
    b"garbage\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\r\n\r\n",
]
FAULTS = [
    {"drop": "uncommitted"}, {"drop": "uncommitted", "how": "fin"},
    {"drop": "uncommitted", "how": "rst"}, {"drop": "committed"},
    {"drop": "committed", "how": "rst"}, {"drop": "cut", "cut_at": 17},
    {"drop": "cut", "cut_at": -1, "how": "rst"}, {"drop": "idle"},
    {"garbage": 300}, {"garbage": 300, "commit": True}, {"raw": b"", "how": "fin"},
    {"reply": errors.unavailable()}, {"reply": errors.internal(), "commit": True},
    {"reply": errors.captive_portal()}, {"tamper": "no-name"}, {"framing": "chunked"},
    {"framing": "close"}, {"extra": b"more"},
]


def masked(data):
    for pattern, instead in CHANGING:
        data = re.sub(pattern, instead, data)
    return data


def exchange(driver, data):
    """What comes back until the connection ends, and how it ends."""
    data = data.replace(b"{token}", driver.token.encode())
    with driver.socket("secretmanager") as sock:
        sock.sendall(data)
        sock.settimeout(5)
        got = b""
        try:
            while b"\r\n\r\n" not in got and (part := sock.recv(65536)):
                got += part
            sock.settimeout(0.05)
            while part := sock.recv(65536):
                got += part
        except TimeoutError:
            return masked(got), "open"
        except ConnectionResetError:
            return masked(got), "reset"
        except ssl.SSLEOFError:
            return masked(got), "cut"
    return masked(got), "closed"


def test_the_same_replies(two):
    for call in CALLS:
        threaded, fast = [exchange(driver, call) for driver in two]
        assert fast == threaded, call
    problems = [[entry.problems for entry in driver.emulator.requests() if entry.problems]
                for driver in two]
    assert problems[0] == problems[1]


def test_the_same_faults(two):
    for number, fault in enumerate(FAULTS):
        name = f"s{number}"
        for driver in two:
            driver.emulator.secretmanager.put(name)
            driver.emulator.order("secretmanager", "addVersion", **fault)
        threaded, fast = [exchange(driver, request("POST", f"{P}/secrets/{name}:addVersion", BODY))
                          for driver in two]
        assert fast == threaded, fault
        assert (two[1].emulator.secretmanager.payloads(name)
                == two[0].emulator.secretmanager.payloads(name)), fault


def test_a_request_in_pieces(start):
    driver = Driver(start(fast=True))
    driver.emulator.secretmanager.put("s")
    data = request("POST", f"{P}/secrets/s:addVersion", BODY, "Connection: close").replace(
        b"{token}", driver.token.encode())
    with driver.socket("secretmanager") as sock:
        for at in range(0, len(data), 100):
            sock.sendall(data[at:at + 100])
        assert read_to_end(sock).startswith(b"HTTP/1.1 200 ")
    assert driver.emulator.secretmanager.payloads("s") == [DATA]


def test_many_connections(start):
    """Each keeps its own place, and their requests are counted ahead of the service."""
    emulator = start(fast=True)
    driver, seen = Driver(emulator), []
    emulator.loop.before = lambda number, operation, request: seen.append(
        (number, operation, len(emulator.secretmanager.store.secrets)))
    kept = [driver.connection("secretmanager") for _ in range(8)]
    for connection, number in zip(itertools.cycle(kept), range(24)):
        body = {"replication": {"automatic": {}}}
        assert driver.api("POST", f"?secretId=s{number}", body, kept=connection).status == 200
    assert seen == [(number + 1, "create", number) for number in range(24)]
    assert len(emulator.connections("secretmanager")) == 8
    assert emulator.requests("secretmanager") == []


def test_a_connection_that_hangs(start):
    """It says nothing more, keeps nobody waiting, and is left when its client goes."""
    emulator = start(fast=True)
    driver = Driver(emulator)
    emulator.order("secretmanager", drop="committed", how="hang")
    call = request("POST", f"{P}/secrets?secretId=s", {"replication": {"automatic": {}}})
    assert exchange_nothing(driver, call)
    assert emulator.secretmanager.secret("s")
    assert driver.api("GET", "s").status == 200


def exchange_nothing(driver, call):
    with driver.socket("secretmanager") as sock:
        sock.sendall(call.replace(b"{token}", driver.token.encode()))
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(1)
    return True


def test_connections_are_dropped(start):
    emulator = start(fast=True)
    driver = Driver(emulator)
    emulator.secretmanager.put("s")
    kept = driver.connection("secretmanager")
    assert driver.api("GET", "s", kept=kept).status == 200
    emulator.drop_connections("secretmanager", "rst")
    with pytest.raises((OSError, socket.timeout)):
        read = kept.sock.recv(1)
        raise OSError if read == b"" else AssertionError(read)
    assert driver.api("GET", "s").status == 200


CLIENT = """
import json, os, urllib.request as web
host, api = os.environ["GCE_METADATA_HOST"], os.environ["SECRET_MANAGER_ENDPOINT"]
ask = web.Request(f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token",
                  headers={"Metadata-Flavor": "Google"})
token = json.load(web.urlopen(ask))["access_token"]
for _ in range(3):
    ask = web.Request(api + "/v1/projects/test-project/secrets",
                      headers={"Authorization": "Bearer " + token})
    try:
        print(web.urlopen(ask).status)
    except web.HTTPError as error:
        print(error.code, error.headers.get("Content-Type"))
"""


def test_on_the_command_line(directory):
    """With a quota, which the threaded one has, too; nothing is said of single requests."""
    folder = Path(__file__).resolve().parent
    out = subprocess.check_output(
        [sys.executable, folder, "--fast", "--quota", "2", "--directory", directory, "--",
         sys.executable, "-c", CLIENT], text=True, timeout=30)
    assert out == "200\n200\n429 application/json; charset=UTF-8\n"
