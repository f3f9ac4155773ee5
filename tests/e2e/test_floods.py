"""A peer that sends at full speed and never stops holds nobody beyond time and signals.

Once the time is over, or a signal was sent, the peer can deliver a bounded number of
bytes; a run that takes more is killed, and fails.
"""

import contextlib
import json
import signal
import ssl
import struct
import threading

import pytest
from conftest import CLUSTER, Scratch, native, needs_root, together
from flooder import Flooder, Records, client_hello, request, session, tunnel
from nameserver import NameServer
from tlsserver import HANDSHAKE, alert, handshake, record, server_hello

from emulator.certificates import certificates

SECONDS = 2
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
GOOGLE = "secretmanager.googleapis.com"

# What never ends, as (first, again).
RECORDS = {
    "alerts": (b"", alert(90, level=1)),
    "empty": (b"", record(HANDSHAKE, b"")),
    "hello-requests": (b"", handshake((0, b""))),
    "certificate": (handshake(server_hello()) +
                    record(HANDSHAKE, b"\x0b\xff\xff\xff\xff\xff\xfc\xff\xff\xf9"),
                    record(HANDSHAKE, b"0" * 16384)),
}
REPLIES = {
    "interim": (b"", CONTINUE),
    "head": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "body": (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536),
    "extensions": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                   b"1;" + b"x" * 1000 + b"\r\n \r\n"),
    "error-body": (b"HTTP/1.1 503 x\r\n\r\n", b" " * 65536),
}
# What follows a proxy's 200 is not its own.
REFUSALS = {name: REPLIES[name] for name in ("interim", "head", "error-body")}


def context_of(emulator):
    files = certificates(emulator.directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain_file, files.key_file)
    return context


def service(port):
    return {"SECRET_MANAGER_ENDPOINT": f"https://localhost:{port}"}


def behind(scheme):
    return lambda port: {"SECRET_MANAGER_ENDPOINT": f"https://{GOOGLE}",
                         "HTTPS_PROXY": f"{scheme}://localhost:{port}"}


def metadata(port):
    return {"GCE_METADATA_HOST": f"127.0.0.1:{port}"}


# Where: how to get there, the steps before the flood ("tls": a session), the floods.
PHASES = {
    "handshake": (service, [client_hello], RECORDS),
    "handshake-behind-connect": (behind("http"), [tunnel, client_hello], RECORDS),
    "handshake-with-the-proxy": (behind("https"), [client_hello], RECORDS),
    "handshake-inside-tls": (behind("https"), ["tls", tunnel, client_hello], RECORDS),
    "connect": (behind("http"), [request], REFUSALS),
    "connect-inside-tls": (behind("https"), ["tls", request], REFUSALS),
    "reply": (service, ["tls", request], REPLIES),
    "reply-behind-connect": (behind("http"), [tunnel, "tls", request], REPLIES),
    "metadata": (metadata, [request], REPLIES),
}
ROWS = [(phase, flood) for phase, (_, _, floods) in PHASES.items() for flood in floods]


@contextlib.contextmanager
def flooder(emulator, phase, flood):
    """The peer, and the variables that lead to it."""
    place, steps, floods = PHASES[phase]
    first, again = floods[flood]
    tls = session(context_of(emulator))
    with Flooder(*[tls if step == "tls" else step for step in steps],
                 first=first, again=again) as peer:
        yield peer, place(peer.port)


def ended(process, results, code):
    result = process.wait()
    assert result.code == code, (result.code, result.out, result.err)
    assert json.loads(results.read_text())["status"] == "failure"
    assert result.operations[-1] == "summary"
    return result


def all_at_once(check, rows):
    """check(phase, flood) for all rows, some at a time."""
    for start in range(0, len(rows), 10):
        together(check, {"-".join(row): row for row in rows[start:start + 10]})


def over(peer, process):
    """Lets the peer count a while after the time is over."""
    timer = threading.Timer(SECONDS + 3, peer.must_end, [process])
    timer.daemon = True
    timer.start()


def test_the_time_ends_it(emulator, job, tmp_path):
    def check(phase, flood):
        results = tmp_path / f"{phase}-{flood}"
        with flooder(emulator, phase, flood) as (peer, place):
            process = job.start(RESULTS_PATH=results, MAX_WAIT_TIME_SECONDS=SECONDS,
                                **place)
            over(peer, process)
            ended(process, results, 1)
            assert peer.started.is_set()

    all_at_once(check, ROWS)
    assert emulator.secretmanager.payloads(f"hyperfleet-{CLUSTER}-pull-secret") == []


def test_a_signal_ends_it(emulator, job, tmp_path):
    def check(phase, flood):
        results = tmp_path / f"{phase}-{flood}"
        with flooder(emulator, phase, flood) as (peer, place):
            process = job.start(RESULTS_PATH=results, **place)
            assert peer.started.wait(60)
            process.popen.send_signal(signal.SIGTERM)
            peer.must_end(process)
            ended(process, results, 143)

    # A verdict on a chain is final: the run may end by it before the signal.
    all_at_once(check, [row for row in ROWS if row[1] != "certificate"])


LEFT = {
    "alerts": ("handshake", "lead to nothing"),
    "empty": ("handshake-inside-tls", "lead to nothing"),
    "hello-requests": ("handshake-behind-connect", "lead to nothing"),
    "interim": ("metadata", "too many interim responses"),
    "extensions": ("reply", "too much around the data of the chunks"),
}


@pytest.mark.parametrize("flood", LEFT)
def test_the_peer_is_left(emulator, job, flood):
    """For what it does, not for the time that it takes."""
    phase, part = LEFT[flood]
    with flooder(emulator, phase, flood) as (_, place):
        result = job(MAX_WAIT_TIME_SECONDS=SECONDS, **place)
    assert result.code == 1
    told = result.warnings + result.errors
    assert any(part in line["message"] for line in told), result.out


BURSTS = {"empty": (23, b""), "alerts": (21, b"\1\x5a"), "hello-requests": (22, bytes(4))}


@pytest.mark.parametrize("burst", BURSTS)
def test_records_without_data_while_a_reply_is_awaited(emulator, job, burst):
    records = Records(context_of(emulator))
    kind, content = BURSTS[burst]
    with Flooder(records.burst(kind, content, 64), again=b"\0") as peer:
        result = job(MAX_WAIT_TIME_SECONDS=SECONDS, **service(peer.port))
    assert result.code == 1
    told = result.warnings + result.errors
    assert any("lead to nothing" in line["message"] for line in told), result.out


@pytest.mark.parametrize("burst", BURSTS)
def test_some_records_without_data_are_no_failure(emulator, job, burst):
    """They are passed over: what breaks the session here comes behind them."""
    records = Records(context_of(emulator))
    kind, content = BURSTS[burst]
    with Flooder(records.burst(kind, content, 32), again=b"\0") as peer:
        result = job(MAX_WAIT_TIME_SECONDS=SECONDS, **service(peer.port))
    assert result.code == 1
    told = result.warnings + result.errors
    assert all("lead to nothing" not in line["message"] for line in told), result.out
    assert "other than TLS 1.2" in told[0]["message"]


class FloodingNameServer(NameServer):
    """Sends answers to questions that nobody asked, over TCP or UDP, for ever."""

    def __init__(self, transport):
        super().__init__({}, truncated=transport == "tcp")
        self.started = threading.Event()
        self.transport = transport

    def _serve_udp(self):
        if self.transport == "tcp":
            super()._serve_udp()
            return
        with contextlib.suppress(OSError):
            _, peer = self._udp.recvfrom(4096)
            self._flood(lambda junk: self._udp.sendto(junk, peer))

    def _serve_client(self, client):
        with contextlib.suppress(OSError), client:
            client.recv(4096)
            self._flood(client.sendall)

    def _flood(self, send):
        message = b"\0\0\x81\x80" + bytes(8)
        framed = struct.pack("!H", len(message)) + message
        junk = message if self.transport == "udp" else framed * 4096
        while not self._stopped.is_set():
            send(junk)
            self.started.set()


@needs_root
@native
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("code", [1, 143])
def test_a_name_server(emulator, tmp_path, transport, code):
    scratch = Scratch(emulator, tmp_path / "root")
    (scratch.root / "etc").mkdir()
    (scratch.root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.53\n")
    (scratch.root / "results").mkdir()
    results = scratch.root / "results" / "result.json"
    limit = {"MAX_WAIT_TIME_SECONDS": SECONDS} if code == 1 else {}
    with FloodingNameServer(transport) as server:
        process = scratch.start(SECRET_MANAGER_ENDPOINT=f"https://{GOOGLE}",
                                RESULTS_PATH="/results/result.json", **limit)
        assert server.started.wait(60)
        if code == 143:
            process.popen.send_signal(signal.SIGTERM)
        result = ended(process, results, code)
    assert result.error["error_code"] == ("CANCELLED" if code == 143 else "DEADLINE_EXCEEDED")
