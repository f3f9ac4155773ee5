"""Names, addresses, TCP: what fails on the way to Google, and what is found anyway."""

import contextlib
import os
import subprocess

import pytest
from conftest import (PROGRAM, PULL_SECRET, SECRET, Job, Scratch, native, needs_root,
                      silent, together, until)
from nameserver import NameServer

GOOGLE = "secretmanager.googleapis.com"


def stored(emulator):
    return emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


# --- TCP -------------------------------------------------------------------------


BROKEN = {"refused": None, "reset": {"connection": "reset"}, "hangs-up": {"drop": "uncommitted"}}


@native
@pytest.mark.parametrize("name", BROKEN)
def test_no_descriptor_is_lost_with_a_connection(emulator, job, name):
    """Many attempts, and no more descriptors than one takes."""
    if BROKEN[name] is None:
        emulator.refuse("metadata", seconds=4)
    else:
        emulator.order("metadata", times=6, **BROKEN[name])
    result = job(before=["sh", "-c", 'ulimit -n 8 && exec "$@"', "sh"])
    assert result.code == 0, result.out
    assert len(result.warnings) >= 5


@pytest.mark.parametrize("seconds", [2, 5])
def test_refused(emulator, job, seconds):
    """Limits that lie far from where a wait of 1, 2 or 4 s +-20 % may end."""
    emulator.refuse("secretmanager")
    result = job(MAX_WAIT_TIME_SECONDS=seconds)
    assert result.code == 1
    error = result.error
    assert error["error_code"] == "UNAVAILABLE"
    assert error["operation"] == "init-client"
    assert "127.0.0.1:" in error["message"]
    assert "Connection refused" in error["message"]
    assert "cannot connect to localhost" in error["message"]
    assert "NetworkPolicy" in error["hint"]
    assert not emulator.requests("secretmanager")


def test_a_port_that_never_answers(job, full_backlog):
    result = job(SECRET_MANAGER_ENDPOINT=f"https://localhost:{full_backlog}",
                 MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert result.error["error_code"] == "DEADLINE_EXCEEDED"
    assert "localhost" in result.error["message"]


CONNECTIONS = {
    "reset": ("reset", {}, "localhost"),
    "plaintext": ("plaintext", {}, "it does not speak TLS on this port"),
    "silent": ("silent", {"MAX_WAIT_TIME_SECONDS": 12}, "no TLS handshake within 10 s"),
    "silent-to-the-end": ("silent", {}, "the time for the whole run is over"),
}


def test_connections_that_fail_before_tls(start_emulator):
    """Each phase has its limit; the first failure is in a warning or the error."""
    def check(connection, variables, part):
        emulator = start_emulator()
        emulator.order("secretmanager", connection=connection, times=None)
        result = Job(emulator)(**{"MAX_WAIT_TIME_SECONDS": 2, **variables})
        assert result.code == 1
        told = result.warnings + result.errors
        assert any(part in line["message"] for line in told), result.out
        assert all("localhost" in line["message"] for line in told), result.out
        assert result.error["operation"] == "init-client"
        assert not emulator.requests("secretmanager")

    together(check, CONNECTIONS)


@pytest.mark.parametrize("connection", ["reset", "plaintext"])
def test_one_bad_connection_is_made_good(emulator, job, connection):
    emulator.order("secretmanager", connection=connection)
    result = job()
    assert result.code == (0 if connection == "reset" else 1), result.out
    assert stored(emulator) == (connection == "reset")


def test_the_other_way_round(start_emulator, start_job):
    """TLS where plain HTTP is spoken: http is allowed on the loopback only."""
    emulator = start_emulator()
    url = emulator.secretmanager_url.replace("https:", "http:")
    result = start_job(emulator)(SECRET_MANAGER_ENDPOINT=url, MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert "closed without a reply" in result.error["message"]
    assert not emulator.requests("secretmanager")


def test_plain_http_on_the_loopback(start_emulator, start_job):
    emulator = start_emulator(plain=True)
    assert start_job(emulator)().code == 0
    assert stored(emulator)


def test_both_families_of_localhost(start_emulator, start_job):
    emulator = start_emulator(ipv6=True)
    for host in ("localhost", "[::1]", "127.0.0.1"):
        url = f"https://{host}:{emulator.port('secretmanager')}"
        result = start_job(emulator)(SECRET_MANAGER_ENDPOINT=url,
                                     MAX_WAIT_TIME_SECONDS=2)
        assert result.code == (0 if host == "localhost" else 1), result.out


# --- names -----------------------------------------------------------------------


def configured(scratch, text="nameserver 127.0.0.53\n"):
    (scratch.root / "etc").mkdir(exist_ok=True)
    (scratch.root / "etc" / "resolv.conf").write_text(text)
    port = scratch.emulator.port("secretmanager")
    return {"SECRET_MANAGER_ENDPOINT": f"https://{GOOGLE}:{port}"}


FOUND = {
    "one-address": ["127.0.0.1"],
    "of-both-families": ["::1", "127.0.0.1"],
    "the-first-is-closed": ["127.0.0.9", "127.0.0.1"],
    "many-are-closed": [f"127.0.0.{n}" for n in range(10, 24)] + ["127.0.0.1"],
    "ipv6-unreachable": ["2001:db8::1", "fd00::1", "127.0.0.1"],
    "no-ipv6-answer": lambda kind: ["127.0.0.1"] if kind == "A" else "SERVFAIL",
    "ipv6-denied": lambda kind: ["127.0.0.1"] if kind == "A" else "NXDOMAIN",
}


@needs_root
@native
@pytest.mark.parametrize("name", FOUND)
def test_names_that_lead_there(emulator, scratch, name):
    with NameServer({GOOGLE: FOUND[name]}):
        result = scratch(**configured(scratch))
    assert result.code == 0, result.out
    assert stored(emulator)


@needs_root
@native
def test_only_an_ipv6_address(start_emulator, tmp_path):
    emulator = start_emulator(ipv6=True)
    scratch = Scratch(emulator, tmp_path / "root")
    with NameServer({GOOGLE: ["::1"]}):
        result = scratch(**configured(scratch))
    assert result.code == 0, result.out


@pytest.fixture
def silence(emulator):
    """Addresses of the loopback that are silent on the emulator's port."""
    addresses = [f"127.0.0.{number}" for number in range(30, 34)]
    with contextlib.ExitStack() as stack:
        for address in addresses:
            stack.enter_context(silent(address, emulator.port("secretmanager")))
        yield addresses


@needs_root
@native
def test_silent_addresses_hide_no_good_one(emulator, scratch, silence):
    """They race: no time limit of an address or of all is used up."""
    with NameServer({GOOGLE: [*silence, "127.0.0.1"]}):
        result = scratch(MAX_WAIT_TIME_SECONDS=4, **configured(scratch))
    assert result.code == 0, result.out
    assert result.warnings == []
    assert stored(emulator)


@needs_root
@native
def test_a_silent_family_hides_no_good_one(emulator, scratch):
    """The first address is of IPv6."""
    with NameServer({GOOGLE: ["::1", "127.0.0.1"]}), \
         silent("::1", emulator.port("secretmanager")):
        result = scratch(MAX_WAIT_TIME_SECONDS=4, **configured(scratch))
    assert result.code == 0, result.out
    assert result.warnings == []


@needs_root
@native
def test_the_losers_of_the_race_are_closed(emulator, scratch, silence):
    emulator.order("secretmanager", "addVersion", drop="uncommitted", how="hang")
    with NameServer({GOOGLE: [*silence, "127.0.0.1"]}):
        process = scratch.start(**configured(scratch))
        until(lambda: emulator.requests("secretmanager"))
    folder = f"/proc/{process.pid}/fd"
    names = [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]
    assert len([name for name in names if name.startswith("socket:")]) == 1, names


@needs_root
@native
def test_what_every_address_answered(emulator, scratch, silence):
    """The refusal is known first; the silent one gets its time."""
    with NameServer({GOOGLE: [silence[0], "127.0.0.9"]}):
        result = scratch(MAX_WAIT_TIME_SECONDS=8, **configured(scratch))
    port = emulator.port("secretmanager")
    assert result.code == 1
    assert (f"cannot connect to {GOOGLE} (127.0.0.9:{port}: Connection refused; "
            f"{silence[0]}:{port}: no answer in time)") in result.warnings[0]["message"]


WAYS = {"over-udp": {}, "truncated": {"truncated": True}, "late": {"late": 0.3}}


@needs_root
@native
@pytest.mark.parametrize("way", WAYS)
def test_ways_of_answering(scratch, way):
    with NameServer({GOOGLE: ["127.0.0.1"]}, **WAYS[way]) as server:
        result = scratch(**configured(scratch))
    assert result.code == 0, result.out
    assert {transport for transport, _, _ in server.asked} == (
        {"udp", "tcp"} if way == "truncated" else {"udp"})


@needs_root
@native
def test_names_are_looked_up_as_absolute(scratch):
    """A search domain whose server lies is never asked for (Kubernetes: ndots:5)."""
    zone = {GOOGLE: ["127.0.0.1"]}
    variables = configured(scratch, "search x.svc.cluster.local cluster.local\n"
                           "nameserver 127.0.0.53\noptions ndots:5\n")
    with NameServer(zone) as server:
        assert scratch(**variables).code == 0
    assert {name for _, name, _ in server.asked} == {GOOGLE}
    assert len(server.asked) == 2


@needs_root
@native
def test_a_dead_name_server_is_passed_over(scratch):
    variables = configured(scratch, "nameserver 127.0.0.52\nnameserver 127.0.0.53\n"
                           "options timeout:1\n")
    with NameServer({GOOGLE: ["127.0.0.1"]}):
        assert scratch(**variables).code == 0


@needs_root
@native
def test_a_silent_name_server_costs_nothing(scratch):
    """All are asked at once: not even the first try of the silent one is over."""
    variables = configured(scratch, "nameserver 127.0.0.52\nnameserver 127.0.0.53\n"
                           "options timeout:30\n")
    with NameServer({GOOGLE: "silent"}, address="127.0.0.52") as silent_one, \
         NameServer({GOOGLE: ["127.0.0.1"]}):
        result = scratch(MAX_WAIT_TIME_SECONDS=10, **variables)
    assert result.code == 0, result.out
    assert result.warnings == []
    assert {kind for _, _, kind in silent_one.asked} == {"A", "AAAA"}


@needs_root
@native
def test_the_metadata_server_by_name(scratch):
    host = "metadata.google.internal"
    port = scratch.emulator.port("metadata")
    with NameServer({GOOGLE: ["127.0.0.1"], host: ["127.0.0.1"]}):
        result = scratch(GCE_METADATA_HOST=f"{host}:{port}", **configured(scratch))
    assert result.code == 0, result.out


LOST = {
    "no-such-name": ("NXDOMAIN", "no such host"),
    "no-addresses": ([], "it has no addresses"),
    "server-failure": ("SERVFAIL", "SERVFAIL"),
    "refused": ("REFUSED", "REFUSED"),
    "silent": ("silent", "cannot resolve"),
}


@needs_root
@native
@pytest.mark.parametrize("name", LOST)
def test_names_that_lead_nowhere(emulator, scratch, name):
    answer, part = LOST[name]
    with NameServer({GOOGLE: answer}):
        result = scratch(MAX_WAIT_TIME_SECONDS=2, **configured(scratch))
    assert result.code == 1
    assert GOOGLE in result.error["message"]
    if name != "silent":
        assert f"cannot resolve {GOOGLE}" in result.error["message"], result.out
        assert part in result.error["message"]
        assert "/etc/resolv.conf" in result.error["hint"]
    assert not emulator.requests("secretmanager")


@needs_root
@native
def test_a_hosts_file_that_is_too_long(scratch):
    """The hint says that not all of it was read."""
    variables = configured(scratch)
    hosts = scratch.root / "etc" / "hosts"
    lines = "192.0.2.1 something.example\n" * 3000 + f"127.0.0.1 {GOOGLE}\n"
    with NameServer({}):
        for text, code in ((lines[-9000:], 0), (lines, 1)):
            hosts.write_text(text)
            result = scratch(MAX_WAIT_TIME_SECONDS=2, **variables)
            assert result.code == code, result.out
    assert "of /etc/hosts the first 64 KiB are read" in result.error["hint"]


@needs_root
@native
def test_no_resolv_conf(scratch):
    """As in an image FROM scratch without a mount: the default is this host."""
    variables = configured(scratch)
    (scratch.root / "etc" / "resolv.conf").unlink()
    result = scratch(MAX_WAIT_TIME_SECONDS=2, **variables)
    assert result.code == 1
    assert f"cannot resolve {GOOGLE}" in result.error["message"]
    assert "127.0.0.1:53" in result.error["message"]


@needs_root
@native
def test_no_network_at_all(job):
    """Not even a loopback that is up."""
    result = job(before=["unshare", "-n"], MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert "cannot connect" in result.error["message"]


# --- other ways to the services --------------------------------------------------


def test_connecting_elsewhere_keeps_the_names(emulator, job):
    """A private endpoint: SNI, Host and certificate are those of the URL."""
    port = emulator.port("secretmanager")
    result = job("--connect-to", f"127.0.0.1:{port}",
                 SECRET_MANAGER_ENDPOINT=f"https://{GOOGLE}")
    assert result.code == 0, result.out
    assert stored(emulator)
    hosts = {entry.header("Host") for entry in emulator.requests("secretmanager")}
    assert hosts == {GOOGLE}


def test_connecting_elsewhere_needs_no_port(emulator, job):
    url = f"https://{GOOGLE}:{emulator.port('secretmanager')}"
    assert job(SECRET_MANAGER_CONNECT_TO="localhost", SECRET_MANAGER_ENDPOINT=url).code == 0


@pytest.mark.parametrize("place", ["https://x", "a b", "x:0", "[::1"])
def test_wrong_places_to_connect_to(emulator, job, place):
    result = job("--connect-to", place)
    assert result.code == 2
    assert result.error["message"].startswith(f"--connect-to={place}: ")
    assert emulator.connections() == []


def test_the_metadata_server_by_an_ipv6_literal(start_emulator, start_job):
    emulator = start_emulator(ipv6=True)
    host = f"[::1]:{emulator.port('metadata')}"
    assert start_job(emulator)(GCE_METADATA_HOST=host).code == 0
    assert len(emulator.requests("metadata")) == 1


METADATA = """
import http.server, socket, sys
class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"access_token": "token-by-%s", "expires_in": 999}' % sys.argv[2].encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
Server((sys.argv[1], 80), Handler).serve_forever()
"""


@needs_root
@native
@pytest.mark.parametrize("address", ["169.254.169.254", "fd20:ce::254"])
def test_the_metadata_server_of_both_families(tmp_path, address):
    """In a network of its own that has this one address, as a pod with IPv6 only.

    There is time for the server to start where a sign of Google Cloud is.
    """
    script = tmp_path / "metadata.py"
    script.write_text(METADATA)
    family = "6" if ":" in address else "4"
    shell = f"""
        ip link set lo up
        ip addr add {address}/{128 if family == '6' else 32} dev lo nodad 2>/dev/null ||
            ip addr add {address}/32 dev lo
        /usr/bin/python3 {script} {address} {family} & server=$!
        K_SERVICE=x {PROGRAM} token --timeout 20; status=$?
        kill $server; exit $status"""
    done = subprocess.run(["unshare", "-n", "sh", "-c", shell], capture_output=True,
                          text=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                          check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"token-by-{family}\n"), done.stderr
