"""Servers whose certificate or TLS must be refused, and CA files of every kind."""

import errno
import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import Job, native, needs_root, together, until

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
# A part of the message, and of the hint.
REFUSED = {
    "expired": ({"certificate": "expired"},
                f"its certificate expired at {TIME}, the local time is {TIME}",
                "local clock"),
    "future": ({"certificate": "future"},
               f"is not valid before {TIME}, the local time is {TIME}", "local clock"),
    "wrong-name": ({"certificate": "wrong-name"},
                   "for other names: other.example, localhost.example",
                   "check the host name"),
    "no-san": ({"certificate": "no-san"}, "no DNS name in subjectAltName", "another"),
    "self-signed": ({"certificate": "self-signed"}, "leads to no trusted root",
                    "SSL_CERT_FILE"),
    "unknown-ca": ({"certificate": "untrusted"},
                   'no trusted root: the last issuer is "Emulator Root"',
                   "SSL_CERT_FILE"),
    "no-intermediate": ({"certificate": "no-intermediate"},
                        'the last issuer is "Emulator CA"', "SSL_CERT_FILE"),
    "not-a-ca": ({"certificate": "not-a-ca"}, "no certification authority", "another"),
    "client-only": ({"certificate": "client-only"}, "not for TLS servers", "another"),
    "rsa-1024": ({"certificate": "weak-key"}, "RSA key of 1024 bits", "another"),
    "sha-1": ({"certificate": "sha1"}, "signed with SHA-1 or MD5", "another"),
    "tls-1.3-only": ({"tls": "1.3"}, "the server refuses TLS 1.2", "allow TLS 1.2"),
}
ACCEPTED = {"google": {"chain": "google"}, "rsa": {"chain": "rsa"},
            "p384": {"chain": "p384"}, "tls-1.2-only": {"tls": "1.2"},
            "no-purpose": {"certificate": "no-purpose"}}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(start_emulator, start_job, name):
    """At once, by the first message, and without a byte of the token."""
    options, message, hint = REFUSED[name]
    emulator = start_emulator(**options)
    result = start_job(emulator)()
    assert result.code == 1
    assert result.warnings == []
    assert result.error["error_code"] == "UNAVAILABLE"
    assert re.search(message, result.error["message"]), result.error["message"]
    assert "localhost" in result.error["message"]
    assert hint in result.error["hint"]
    assert emulator.requests("secretmanager") == []


def test_refused_by_the_token_endpoint_too(start_emulator, tmp_path):
    def check(name, options, message, hint):
        emulator = start_emulator(**options)
        adc = tmp_path / f"{name}.json"
        emulator.make_authorized_user(adc)
        result = Job(emulator)(GOOGLE_APPLICATION_CREDENTIALS=adc)
        assert result.code == 1
        assert re.search(message, result.error["message"])
        assert hint in result.error["hint"]
        assert emulator.requests() == []

    together(check, {name: (name, *row) for name, row in REFUSED.items()})


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(start_emulator, start_job, name):
    assert start_job(start_emulator(**ACCEPTED[name]))().code == 0


def test_the_compiled_in_roots_do_not_know_the_emulator(job):
    result = job(SSL_CERT_FILE=None)
    assert result.code == 1
    assert "leads to no trusted root" in result.error["message"]


# --- CA files --------------------------------------------------------------------


def others(count):
    """PEM certificates that have nothing to do with the emulator."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt").read_text()
    found = re.findall(r"-----BEGIN.*?END CERTIFICATE-----\n", bundle, re.S)
    return (found * (count // len(found) + 1))[:count]


def pem(text="AAAA", label="CERTIFICATE"):
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"


GOOD_FILES = {
    "as-it-is": lambda ca: ca,
    "crlf": lambda ca: ca.replace("\n", "\r\n"),
    "no-final-newline": lambda ca: ca.rstrip("\n"),
    "comments": lambda ca: f"# Root\nsubject=/CN=x\n\n{ca}\ntrailing words\n",
    "twice": lambda ca: ca + ca,
    "last-of-several-hundred": lambda ca: "".join(others(400)) + ca,
    "first-of-several-hundred": lambda ca: ca + "".join(others(400)),
    "other-labels": lambda ca: pem(label="X509 CRL") + ca + pem(label="PRIVATE KEY"),
    "unusable-ones": lambda ca: pem() + ca + pem("MAA="),
    "indented-lines": lambda ca: ca.replace("\n", " \n"),
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_ca_files_that_work(emulator, job, tmp_path, name):
    path = tmp_path / "ca.pem"
    path.write_bytes(GOOD_FILES[name](Path(emulator.ca_file).read_text()).encode())
    result = job(SSL_CERT_FILE=path)
    assert result.code == 0, result.out


def test_the_flag_wins(emulator, job, tmp_path):
    other = tmp_path / "other.pem"
    other.write_text("".join(others(1)))
    assert job("--ca-file", emulator.ca_file, SSL_CERT_FILE=other).code == 0
    assert job("--ca-file", other).code == 1


def der_of(ca):
    done = subprocess.run(["openssl", "x509", "-outform", "DER"], input=ca.encode(),
                          capture_output=True, check=True)
    return done.stdout


BAD_FILES = {
    "empty": lambda ca: b"",
    "white-space": lambda ca: b"\n \n",
    "words": lambda ca: b"no certificate here\n",
    "der": der_of,
    "binary": lambda ca: bytes(range(256)) * 8,
    "only-unusable": lambda ca: pem().encode() + pem("MAA=").encode(),
    "only-a-key": lambda ca: pem(label="PRIVATE KEY").encode(),
    "no-end": lambda ca: ca.split("-----END")[0].encode(),
    "no-begin": lambda ca: ca.split("CERTIFICATE-----\n", 1)[1].encode(),
    "no-base64": lambda ca: pem("*" * 64).encode(),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_ca_files_without_any_root(emulator, job, tmp_path, name):
    """A mistake in the configuration, reported before anything is sent."""
    path = tmp_path / "ca.pem"
    path.write_bytes(BAD_FILES[name](Path(emulator.ca_file).read_text()))
    result = job(SSL_CERT_FILE=path)
    assert result.code == 2, result.out
    assert str(path) in result.error["message"]
    assert result.error["operation"] == "validate-config"
    assert len(emulator.journal) == 0
    assert emulator.connections() == []


@pytest.mark.parametrize("name", ["missing.pem", "", "."])
def test_ca_files_that_cannot_be_read(emulator, job, tmp_path, name):
    result = job("--ca-file", f"{tmp_path}/{name}")
    assert result.code == 2
    assert str(tmp_path) in result.error["message"]
    assert emulator.connections() == []


def test_a_file_without_an_end(emulator, job):
    result = job(SSL_CERT_FILE="/dev/zero")
    assert result.code == 2, result.out
    assert "SSL_CERT_FILE: /dev/zero " in result.error["message"]
    assert "more than 16 MiB" in result.error["message"]
    assert emulator.connections() == []


def pipe_to(process, path):
    """The end for writing of a named pipe, once the process has opened the other one."""
    found = []

    def is_open():
        assert process.popen.poll() is None, process.wait().out
        try:
            found.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as problem:
            assert problem.errno == errno.ENXIO
        return found

    until(is_open)
    os.set_blocking(found[0], True)
    return open(found[0], "wb", buffering=0)


def write_for_ever(process, path):
    """The number of bytes that a reader took of a pipe without an end."""
    taken = 0
    with pipe_to(process, path) as pipe:
        try:
            while True:
                taken += pipe.write(b"# no certificate in this line\n" * 1000)
        except BrokenPipeError:
            return taken


def test_a_pipe_without_an_end(emulator, job, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    process = job.start(SSL_CERT_FILE=path)
    taken = write_for_ever(process, path)
    result = process.wait()
    assert result.code == 2, result.out
    assert "more than 16 MiB" in result.error["message"]
    assert 2**24 <= taken < 2**24 + 2**20
    assert emulator.connections() == []


def test_a_pipe_that_nobody_writes(emulator, job, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    result = job(SSL_CERT_FILE=path, MAX_WAIT_TIME_SECONDS=1)
    assert result.code == 1, result.out
    assert f"SSL_CERT_FILE: {path}: nobody wrote it" in result.error["message"]
    assert emulator.connections() == []


def test_a_signal_while_a_pipe_is_read(emulator, job, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    process = job.start(SSL_CERT_FILE=path)
    with pipe_to(process, path) as pipe:
        pipe.write(b"# the beginning\n")
        process.popen.terminate()
        result = process.wait()
    assert result.code == 143, result.out
    assert "no version was written" in result.error["message"]
    assert emulator.connections() == []


def test_a_pipe_that_is_written(emulator, job, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    process = job.start(SSL_CERT_FILE=path)
    with pipe_to(process, path) as pipe:
        pipe.write(Path(emulator.ca_file).read_bytes())
    assert process.wait().code == 0


def test_unusable_roots_are_counted(emulator, job, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text(pem() + others(1)[0] + pem("MAA="))
    result = job(SSL_CERT_FILE=path)
    assert result.code == 1
    assert f"trusted are {path} (1, 0 expired, 2 unusable)" in result.error["message"]


# --- folders and the system's bundle ---------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A folder of certificates, and of what else lies in such folders."""
    path = tmp_path / "certs"
    path.mkdir()
    (path / "README").write_text("no certificate\n")
    (path / "empty.pem").write_text("")
    (path / "inside").mkdir()
    (path / "broken").symlink_to("nowhere")
    for number, text in enumerate(others(3)):
        (path / f"{number}.crt").write_text(text)
    return path


def test_a_folder_replaces_the_roots(emulator, job, folder):
    (folder / "our.pem").write_text(Path(emulator.ca_file).read_text())
    assert job(SSL_CERT_FILE=None, SSL_CERT_DIR=folder).code == 0


def test_a_link_in_a_folder(emulator, job, folder):
    (folder / "0a1b2c3d.0").symlink_to(emulator.ca_file)
    assert job("--ca-dir", folder, SSL_CERT_FILE=None).code == 0


def test_several_folders(emulator, job, folder, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "our.pem").write_text(Path(emulator.ca_file).read_text())
    assert job(SSL_CERT_FILE=None, SSL_CERT_DIR=f"{folder}::{tmp_path}/more").code == 0


def test_a_missing_folder_beside_a_good_one(emulator, job, folder, tmp_path):
    """Lists of folders are made for several systems."""
    (folder / "our.pem").write_text(Path(emulator.ca_file).read_text())
    for folders in (f"{tmp_path}/none:{folder}", f"{folder}:{tmp_path}/none"):
        result = job(SSL_CERT_FILE=None, SSL_CERT_DIR=folders)
        assert result.code == 0, result.out


def test_all_folders_are_missing(emulator, job, tmp_path):
    folders = f"{tmp_path}/one:{tmp_path}/two"
    for file in (None, emulator.ca_file):
        result = job(SSL_CERT_FILE=file, SSL_CERT_DIR=folders)
        assert result.code == 2
        assert f"SSL_CERT_DIR: {folders}: no such folder" in result.error["message"]
        assert emulator.connections() == []


def test_file_and_folder_together(emulator, job, folder):
    assert job(SSL_CERT_DIR=folder).code == 0


def test_a_folder_without_our_root(emulator, job, folder):
    result = job(SSL_CERT_FILE=None, SSL_CERT_DIR=folder)
    assert result.code == 1
    assert f"trusted are {folder} (3, 0 expired" in result.error["message"]


@pytest.mark.parametrize("name", ["missing", "file", "empty"])
def test_folders_that_cannot_serve(emulator, job, tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    result = job(SSL_CERT_FILE=None, SSL_CERT_DIR=tmp_path / name)
    assert result.code == 2
    assert "SSL_CERT_DIR" in result.error["message"]
    assert str(tmp_path / name) in result.error["message"]
    assert emulator.connections() == []


BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
           "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"]


@needs_root
@native
@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_bundle_of_the_system_if_asked(emulator, scratch, bundle):
    path = Path(f"{scratch.root}{bundle}")
    path.parent.mkdir(parents=True)
    path.write_text(Path(emulator.ca_file).read_text())
    assert scratch("--system-roots", SSL_CERT_FILE=None).code == 0
    assert scratch(SSL_CERT_FILE=None).code == 1


@needs_root
@native
def test_a_system_without_a_bundle(emulator, scratch):
    result = scratch(SYSTEM_ROOTS="true", SSL_CERT_FILE=None)
    assert result.code == 2
    assert "SYSTEM_ROOTS" in result.error["message"]
    assert "SSL_CERT_FILE" in result.error["hint"]
