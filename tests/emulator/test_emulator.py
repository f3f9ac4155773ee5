"""The emulator as a whole: life, TLS, journal, and the command line."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from emulator import Emulator
from emulator.certificates import CHAINS, FAULTS, certificates
from emulator.driver import TOKEN_PATH, Driver

FOLDER = Path(__file__).resolve().parent


# --- life --------------------------------------------------------------------------


def until(condition):
    """Wait for something that takes no time, but on another thread."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_stop_leaves_nothing_behind(directory):
    before = threading.active_count()
    for _ in range(20):
        with Emulator(directory) as emu:
            # No handshake follows: the server is caught in the middle of one.
            client = socket.create_connection(("127.0.0.1", emu.port("oauth")))
        client.close()
        for service in ("secretmanager", "oauth", "metadata"):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", emu.port(service)))
    until(lambda: threading.active_count() == before)


def test_stop_interrupts_delays_and_hangs(directory):
    before = threading.active_count()
    with Emulator(directory) as emu:
        driver = Driver(emu)
        request = driver.request_bytes()
        emu.order("secretmanager", delay_before=60)
        emu.order("secretmanager", nth=2, drop="uncommitted", how="hang")
        socks = [driver.socket("secretmanager") for _ in range(2)]
        for sock in socks:
            sock.sendall(request)
        until(lambda: len(emu.requests("secretmanager")) == 2)
    until(lambda: threading.active_count() == before)
    for sock in socks:
        sock.close()


def test_several_at_once_are_apart(start):
    one, two = start(), start()
    one.secretmanager.put("s")
    assert Driver(one).api("GET", "s").status == 200
    assert Driver(two).api("GET", "s").status == 404
    foreign = Driver(two).api("GET", "s", token=Driver(one).token)
    assert foreign.status == 401


def test_environment(start):
    emu = start()
    assert emu.environment() == {
        "SECRET_MANAGER_ENDPOINT": f"https://localhost:{emu.port('secretmanager')}",
        "OAUTH2_ENDPOINT": f"https://localhost:{emu.port('oauth')}",
        "STS_ENDPOINT": f"https://localhost:{emu.port('federation')}",
        "IAM_CREDENTIALS_ENDPOINT": f"https://localhost:{emu.port('federation')}",
        "RESOURCE_MANAGER_ENDPOINT": f"https://localhost:{emu.port('resourcemanager')}",
        "GCE_METADATA_HOST": f"127.0.0.1:{emu.port('metadata')}",
        "SSL_CERT_FILE": emu.ca_file}
    assert start(plain=True).secretmanager_url.startswith("http://localhost:")


def test_ipv6(start):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    emu = start(ipv6=True)
    for address in ("127.0.0.1", "::1"):
        socket.create_connection((address, emu.port("metadata"))).close()
    emu.refuse("metadata")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("::1", emu.port("metadata")))


def test_many_clients(emu):
    def work(index):
        driver = Driver(emu)
        driver.create(f"s{index}")
        statuses.extend(driver.add(f"s{index}").status for _ in range(5))
    statuses = []
    threads = [threading.Thread(target=work, args=(index,)) for index in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 50
    assert len({entry.index for entry in emu.journal}) == len(emu.journal)


# --- TLS ---------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_tls_versions_and_alpn(start, tls):
    emu = start(tls=tls)
    context = ssl.create_default_context(cafile=emu.ca_file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with Driver(emu).socket("secretmanager", context) as sock:
        assert sock.version() == f"TLSv{tls}"
        assert sock.selected_alpn_protocol() == "http/1.1"
        sock.sendall(b"x\n")
        sock.recv(1)
    record, = emu.connections("secretmanager")
    assert (record.tls_version, record.alpn, record.sni) == (
        f"TLSv{tls}", "http/1.1", "localhost")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(emu):
    context = ssl.create_default_context(cafile=emu.ca_file)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        Driver(emu).socket("secretmanager", context)


def test_without_sni_the_certificate_is_useless(emu):
    context = ssl.create_default_context(cafile=emu.ca_file)
    context.check_hostname = False
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        Driver(emu).socket("secretmanager", context, server_name=None)
    until(lambda: emu.connections("secretmanager")[0].error)
    record, = emu.connections("secretmanager")
    assert not record.established and "handshake" in record.error


@pytest.mark.parametrize("chain", sorted(set(CHAINS) - {"google"}))
def test_chains(start, chain):
    emu = start(chain=chain)
    with Driver(emu).socket("oauth") as sock:
        assert sock.version()


VERIFIES = ("weak-key", "sha1", "no-purpose", "no-san")


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_certificates(start, fault):
    emu = start(certificate=fault)
    context = ssl.create_default_context(cafile=emu.ca_file)
    if fault in VERIFIES:  # OpenSSL lets these pass at its lowest security level
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        Driver(emu).socket("oauth", context).close()
        return
    with pytest.raises(ssl.SSLCertVerificationError):
        Driver(emu).socket("oauth", context)


def test_certificates_are_kept(directory):
    first = Path(certificates(directory).key_file).read_bytes()
    assert Path(certificates(directory).key_file).read_bytes() == first


def test_certificates_are_made_once_by_many(tmp_path):
    made = []
    threads = [threading.Thread(target=lambda: made.append(certificates(tmp_path)))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4 and len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["certificates-ec-good"]


# --- journal -----------------------------------------------------------------------


def test_journal(start, tmp_path):
    journal = tmp_path / "journal"
    emu = start(journal_file=journal)
    driver = Driver(emu)
    driver.create()
    driver.add(data=b"top secret")
    driver.metadata(TOKEN_PATH)
    assert [entry.operation for entry in emu.journal] == [
        "token", "create", "addVersion", "token"]
    entry, = emu.requests("secretmanager", "POST", ":addVersion")
    assert entry.json["payload"]["data"] == "dG9wIHNlY3JldA=="
    assert entry.header("content-type") == "application/json"
    assert ("Content-Type", "application/json") in entry.headers
    assert emu.requests(operation="create")[0].query == [("secretId", "s")]
    assert (entry.status, entry.committed) == (200, True)
    text = journal.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["index"] for line in lines] == [0, 1, 2, 3]
    for secret in (driver.token, "top secret", "dG9wIHNlY3JldA"):
        assert secret not in text
    emu.journal.clear()
    assert len(emu.journal) == 0


def test_the_journal_file_hides_what_it_could_not_parse(start, tmp_path):
    journal = tmp_path / "journal"
    emu = start(journal_file=journal)
    Driver(emu).raw("metadata", b'{"data":"hunter2"} x\r\n\r\n')
    assert "hunter2" not in journal.read_text()
    assert emu.journal[0].method == '{"data":"hunter2"}'


# --- command line ------------------------------------------------------------------


def run(*arguments, **options):
    command = [sys.executable, str(FOLDER), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command(directory, tmp_path, number):
    environment, adc = tmp_path / "env", tmp_path / "adc.json"
    fault = {"service": "metadata", "reply": "metadata_unavailable"}
    process = run("--directory", directory, "--env-file", environment, "--adc", adc,
                  "--project", "p", "--state", tmp_path / "state",
                  "--journal", tmp_path / "journal", "--fault", json.dumps(fault))
    until(environment.exists)
    script = f". {environment}; echo $GCE_METADATA_HOST; echo $SSL_CERT_FILE"
    host, ca_file = subprocess.check_output(["sh", "-c", script], text=True).split()
    assert os.path.exists(ca_file)
    name, port = host.split(":")
    for _ in range(2):
        with socket.create_connection((name, int(port))) as sock:
            sock.sendall(f"GET {TOKEN_PATH} HTTP/1.1\r\nHost: {host}\r\n"
                         "Metadata-Flavor: Google\r\n\r\n".encode())
            reply = sock.recv(65536)
    token = json.loads(reply.partition(b"\r\n\r\n")[2])["access_token"]
    process.send_signal(number)
    out, err = process.communicate(timeout=5)
    assert (process.returncode, err) == (0, "")
    assert out.startswith(environment.read_text())
    assert out.endswith(f"metadata GET {TOKEN_PATH} 503\n"
                        f"metadata GET {TOKEN_PATH} 200\n")
    assert token not in out + (tmp_path / "journal").read_text()
    assert json.loads(adc.read_text())["type"] == "authorized_user"
    assert json.loads((tmp_path / "state").read_text()) == {"secrets": []}


def test_quiet_command(directory, tmp_path):
    process = run("--quiet", "--directory", directory, "--env-file", tmp_path / "env")
    until((tmp_path / "env").exists)
    process.terminate()
    assert process.communicate(timeout=5) == ("", "")


@pytest.mark.parametrize("arguments", [
    ("--fault", "{"), ("--fault", "[]"), ("--fault", '{"service":"x"}'),
    ("--fault", '{"service":"oauth","drop":"x"}'), ("--ports", "1,2"), ("--nonsense",)])
def test_wrong_usage(arguments):
    process = run(*arguments)
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out) == (2, "")
    assert "error:" in err.splitlines()[-1]
