"""One deadline for the whole run: it holds in every phase."""

import json
import os

import pytest
from conftest import SECRET, Job, native, needs_root, together
from nameserver import NameServer

from emulator import errors

DEADLINE = {"MAX_WAIT_TIME_SECONDS": 1}


def check_over(result, operation):
    assert result.code == 1, result.out
    assert result.error["error_code"] == "DEADLINE_EXCEEDED"
    assert result.error["hint"]
    assert result.error["operation"] == operation
    assert result.operations[-1] == "summary"


HANGS = {
    "token": ("metadata", None, "init-client"),
    "add-version": ("secretmanager", "addVersion", "add-secret-version"),
    "create": ("secretmanager", "create", "create-secret"),
    "access": ("secretmanager", "access", "verify-secret"),
}


@pytest.mark.parametrize("name", HANGS)
def test_no_reply(emulator, job, name):
    service, match, operation = HANGS[name]
    emulator.order(service, match, times=None, drop="uncommitted", how="hang")
    check_over(job(**DEADLINE), operation)


@pytest.mark.parametrize("name", HANGS)
def test_replies_that_never_end(emulator, job, name):
    """Each byte comes in time, but there is no last one."""
    service, match, operation = HANGS[name]
    endless = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 6000
    emulator.order(service, match, times=None, raw=endless, drip=0.05)
    check_over(job(**DEADLINE), operation)


def test_no_connection(job, full_backlog):
    address = f"127.0.0.1:{full_backlog}"
    for place in ({"GCE_METADATA_HOST": address},
                  {"SECRET_MANAGER_ENDPOINT": f"https://localhost:{full_backlog}"}):
        check_over(job(**DEADLINE, **place), "init-client")


def test_no_handshake(emulator, job):
    emulator.order("secretmanager", connection="silent", times=None)
    check_over(job(**DEADLINE), "init-client")


@needs_root
@native
def test_no_name_server(scratch):
    (scratch.root / "etc").mkdir()
    (scratch.root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.53\n")
    with NameServer({"silent.example": "silent"}):
        result = scratch(SECRET_MANAGER_ENDPOINT="https://silent.example", **DEADLINE)
    check_over(result, "init-client")


def test_pull_secrets_that_nobody_writes(emulator, job, tmp_path):
    reader, writer = os.pipe()
    result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-", stdin=reader, **DEADLINE)
    check_over(result, "validate-pull-secret")
    assert "PULL_SECRET_FILE: standard input" in result.error["message"]
    os.close(reader)
    os.close(writer)
    assert emulator.connections() == []


def held_open(path):
    """A named pipe with a writer that never writes."""
    os.mkfifo(path)
    return os.open(path, os.O_RDWR)


def test_a_named_pipe(emulator, job, tmp_path):
    writer = held_open(tmp_path / "pipe")
    result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=tmp_path / "pipe", **DEADLINE)
    check_over(result, "validate-pull-secret")
    os.close(writer)


def test_credentials_that_nobody_writes(emulator, job, tmp_path):
    writer = held_open(tmp_path / "pipe")
    for place in ({"GOOGLE_APPLICATION_CREDENTIALS": tmp_path / "pipe"},
                  {"CLOUDSDK_CONFIG": tmp_path / "config"}):
        if "CLOUDSDK_CONFIG" in place:
            (tmp_path / "config").mkdir()
            (tmp_path / "pipe").rename(
                tmp_path / "config" / "application_default_credentials.json")
        check_over(job(**DEADLINE, **place), "validate-config")
    os.close(writer)
    assert emulator.connections() == []


def test_a_log_that_nobody_reads(emulator, job, full_pipe, tmp_path):
    path = tmp_path / "result.json"
    result = job(stdout=full_pipe, RESULTS_PATH=path, **DEADLINE)
    assert result.code == 1
    assert json.loads(path.read_text())["status"] == "failure"
    assert emulator.connections() == []


def test_a_back_off(start_emulator):
    """The wait that would end too late is not begun: the failure itself is reported."""
    def check(service, operation):
        emulator = start_emulator()
        emulator.order(service, operation, times=None, reply=errors.html_503())
        result = Job(emulator)(MAX_WAIT_TIME_SECONDS=2)
        assert result.code == 1
        assert result.error["error_code"] == "UNAVAILABLE"
        assert emulator.secretmanager.payloads(SECRET) == []

    together(check, {"metadata": ("metadata", None),
                     "add": ("secretmanager", "addVersion"),
                     "create": ("secretmanager", "create")})
