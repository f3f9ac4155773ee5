"""Servers that others wrote: nginx before Secret Manager, openssl's TLS, dnsmasq."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import (PULL_SECRET, SECRET, Job, answers, free_port, native, needs_root,
                      pull_secret_of, until)

from emulator.certificates import certificates

GOOGLE = "secretmanager.googleapis.com"
NGINX = """
daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_types application/json;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {files.chain_file};
        ssl_certificate_key {files.key_file};
        {options}
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_set_header Host localhost:{upstream};
            proxy_http_version 1.1;
        }}
    }}
}}
"""


@pytest.fixture
def started():
    """Start a program that listens on a port, and stop it in the end."""
    running = []

    def start(port, *words, **options):
        process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   **options)
        running.append(process)
        until(lambda: answers(port) or process.poll() is not None, seconds=30)
        assert process.poll() is None, process.stderr.read().decode()
        return process

    yield start
    for process in running:
        process.terminate()
        process.wait()


def installed(name):
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


@pytest.fixture
def nginx(start_emulator, started, tmp_path):
    """nginx with TLS before an emulator without it; a job that goes there."""
    emulator = start_emulator(plain=True)

    def start(options=""):
        port = free_port()
        (tmp_path / "conf").write_text(NGINX.format(
            folder=tmp_path, port=port, options=options,
            files=certificates(emulator.directory), upstream=emulator.port("secretmanager")))
        started(port, installed("nginx"), "-c", tmp_path / "conf", "-e", tmp_path / "early.log")
        job = Job(emulator)
        return lambda *flags, **more: job(
            *flags, SECRET_MANAGER_ENDPOINT=f"https://localhost:{port}", **more)

    start.emulator = emulator
    return start


def stored(emulator):
    return emulator.secretmanager.payloads(SECRET)


def test_nginx(nginx):
    result = nginx()()
    assert result.code == 0, result.out
    assert stored(nginx.emulator) == [PULL_SECRET.encode()]


@pytest.mark.parametrize("options", ["keepalive_timeout 0;", "keepalive_requests 1;",
                                     "ssl_protocols TLSv1.2; ssl_session_tickets off;",
                                     "ssl_buffer_size 256; proxy_buffering off;"])
def test_settings_of_nginx(nginx, options):
    text = pull_secret_of(65536)
    assert nginx(options)(PULL_SECRET_DATA=text).code == 0
    assert stored(nginx.emulator) == [text.encode()]


def test_nginx_that_takes_no_large_bodies(nginx):
    result = nginx("client_max_body_size 1k;")(PULL_SECRET_DATA=pull_secret_of(65536))
    assert result.code == 1
    assert result.error["http_status"] == 413
    assert "front end or a proxy" in result.error["hint"]
    assert stored(nginx.emulator) == []


def test_nginx_without_a_server_behind_it(nginx):
    job = nginx()
    nginx.emulator.refuse("secretmanager")
    result = job(MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert result.error["http_status"] == 502


def test_nginx_with_tls_1_3_only(nginx):
    result = nginx("ssl_protocols TLSv1.3;")()
    assert result.code == 1
    assert "the server refuses TLS 1.2" in result.error["message"]


def test_nginx_that_asks_for_a_client_certificate(nginx):
    files = certificates(nginx.emulator.directory)
    result = nginx(f"ssl_verify_client on; ssl_client_certificate {files.ca_file};")()
    assert result.code == 2
    assert result.error["http_status"] == 400
    assert stored(nginx.emulator) == []


# --- openssl s_server ------------------------------------------------------------

# Options of a server whose handshake must work, and of one whose must not.
ACCEPTED = {
    "aes-128": ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    "aes-256": ["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
    "chacha20": ["-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
    "x25519": ["-groups", "X25519"], "p-256": ["-groups", "P-256"],
    "p-384": ["-groups", "P-384"], "p-521": ["-groups", "P-521"],
    "sha-384-signature": ["-sigalgs", "ECDSA+SHA384"],
    "small-records": ["-max_send_frag", "512"],
    "tickets": ["-num_tickets", "2"],
}
REFUSED = {
    "cbc": ["-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"],
    "cbc-sha-1": ["-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"],
    "ccm": ["-cipher", "ECDHE-ECDSA-AES128-CCM"],
    "static-rsa": ["-cipher", "AES128-GCM-SHA256"],
    "dhe": ["-cipher", "DHE-RSA-AES128-GCM-SHA256"],
    "tls-1.3": ["-tls1_3"],
    "tls-1.1": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    "sha-1-signature": ["-sigalgs", "ECDSA+SHA1", "-cipher", "ALL:@SECLEVEL=0"],
    "x448": ["-groups", "X448"],
}


@pytest.fixture
def s_server(emulator, started, tmp_path):
    def start(options):
        port = free_port()
        files = certificates(emulator.directory)
        end = "-----END CERTIFICATE-----\n"
        leaf, _, above = Path(files.chain_file).read_text().partition(end)
        (tmp_path / "leaf.pem").write_text(leaf + end)
        (tmp_path / "above.pem").write_text(above)
        version = [] if any(option.startswith("-tls1") for option in options) else ["-tls1_2"]
        started(port, "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-quiet",
                "-cert", tmp_path / "leaf.pem", "-cert_chain", tmp_path / "above.pem", "-key",
                files.key_file, *version, *options)
        return f"https://localhost:{port}"

    return start


@pytest.mark.parametrize("name", ACCEPTED)
def test_handshakes_with_openssl(job, s_server, name):
    """It answers in HTML, so that only the handshake can go well."""
    result = job("--dry-run", SECRET_MANAGER_ENDPOINT=s_server(ACCEPTED[name]),
                 MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert "client-initialized" in result.operations, result.out
    assert "of Secret Manager: " in result.error["message"]
    assert "TLS" not in result.error["message"]


@pytest.mark.parametrize("name", REFUSED)
def test_handshakes_that_openssl_cannot_have(job, s_server, name):
    result = job(SECRET_MANAGER_ENDPOINT=s_server(REFUSED[name]), MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert "client-initialized" not in result.operations
    assert "localhost: " in result.error["message"]
    assert result.error["hint"]


# --- dnsmasq ---------------------------------------------------------------------


@pytest.fixture
def dnsmasq(started):
    def start(*options):
        started(53, "sh", "-c", "exec \"$@\"", "sh", installed("dnsmasq"), "--no-daemon",
                "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--bind-interfaces",
                "--listen-address=127.0.0.1", "--user=root", "--pid-file=", *options)

    return start


def configured(scratch, text="nameserver 127.0.0.1\n"):
    (scratch.root / "etc").mkdir()
    (scratch.root / "etc" / "resolv.conf").write_text(text)
    port = scratch.emulator.port("secretmanager")
    return {"SECRET_MANAGER_ENDPOINT": f"https://{GOOGLE}:{port}", "MAX_WAIT_TIME_SECONDS": 5}


ANSWERS = {
    "address": ([f"--host-record={GOOGLE},127.0.0.1"], 0),
    "both": ([f"--host-record={GOOGLE},127.0.0.1,::1"], 0),
    "alias": (["--host-record=real.example,127.0.0.1",
               f"--cname={GOOGLE},real.example"], 0),
    "many": ([f"--host-record={GOOGLE},127.0.0.{n}" for n in range(1, 12)], 0),
    "unknown": ([], 1),
    "no-such-name": ([f"--address=/{GOOGLE}/"], 1),
    "over-tcp-only": ([f"--host-record={GOOGLE},127.0.0.1", "--edns-packet-max=512",
                       *(f"--host-record={GOOGLE},127.0.0.1,2001:db8::{n}"
                         for n in range(1, 40))], 0),
}


@needs_root
@native
@pytest.mark.parametrize("name", ANSWERS)
def test_dnsmasq(scratch, dnsmasq, name):
    options, code = ANSWERS[name]
    dnsmasq(*options)
    result = scratch(**configured(scratch))
    assert result.code == code, result.out
    if code:
        assert f"cannot resolve {GOOGLE}" in result.error["message"]
