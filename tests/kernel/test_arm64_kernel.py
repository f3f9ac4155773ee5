"""The arm64 program on an arm64 kernel: it does its job there, and is confined."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from emulator import Emulator  # noqa: E402
from guest import Guest  # noqa: E402

PULL_SECRET = '{"auths":{"quay.io":{"auth":"dXNlcjpwYXNz"}}}'
HOST = "10.0.2.2"  # what a guest of qemu takes for this machine
NAMES = ("secretmanager.googleapis.com", "metadata.google.internal")
SECRET = "hyperfleet-cluster-1-pull-secret"
TASKS = 8

# The numbers of arm64 (include/uapi/asm-generic/unistd.h).
ALLOWED = {
    "unlinkat": 35, "renameat": 38, "ftruncate": 46, "fchmod": 52, "close": 57, "read": 63,
    "write": 64, "pwrite64": 68,
    "ppoll": 73, "newfstatat": 79, "fstat": 80, "fsync": 82, "exit_group": 94,
    "clock_gettime": 113, "restart_syscall": 128, "rt_sigreturn": 139, "connect": 203,
    "getpeername": 205, "sendto": 206, "recvfrom": 207, "getrandom": 278,
}
BY_ARGUMENT = {
    "passed": ("socket-inet", "socket-inet6", "getsockopt-socket", "setsockopt-tcp",
               "ioctl-ifindex", "fcntl-setfl", "fcntl-setfd", "fcntl-getfd",
               "openat-read", "openat-new", "setitimer-real", "kill-own"),
    "killed": ("socket-unix", "socket-netlink", "getsockopt-tcp", "setsockopt-socket",
               "ioctl-tiocsti", "fcntl-dupfd", "openat-write", "openat-change",
               "openat-truncate", "setitimer-prof", "kill-init"),
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    made = Emulator(tmp_path_factory.mktemp("certificates")).start()
    yield made
    made.stop()
    assert made.crashes == []


@pytest.fixture(scope="module")
def said(emulator, tmp_path_factory):
    """All that the guest did, by part."""
    port = emulator.secretmanager_url.rsplit(":", 1)[1]
    variables = {
        "GCP_PROJECT_ID": emulator.project, "CLUSTER_ID": "cluster-1",
        "PULL_SECRET_DATA": PULL_SECRET, "SSL_CERT_FILE": "/ca.pem",
        "SECRET_MANAGER_ENDPOINT": f"https://{NAMES[0]}:{port}",
    }
    silent = socket.create_server(("127.0.0.1", 0))
    metadata = f"{NAMES[1]}:{emulator.metadata_host.rsplit(':', 1)[1]}"
    nobody = f"{NAMES[1]}:{silent.getsockname()[1]}"
    jobs = (f"job stored {metadata}\njob crashed {nobody} SEGV\njob ended {nobody} TERM\n"
            f"list first {metadata}\nlist again {metadata}\n")
    tasks = [{"cluster_id": f"c{number}"} for number in range(TASKS - 1)]
    tasks.append({"cluster_id": f"c{TASKS - 1}", "pull_secret_file": "payload.json"})
    guest = Guest({
        "pull-secret": Path(os.environ["PULL_SECRET"]),
        "calls": Path(os.environ["CALLS"]),
        "ca.pem": Path(emulator.ca_file),
        "etc/hosts": f"{HOST} {' '.join(NAMES)}\n".encode(),
        "job": "\n".join(f"{name}={value}" for name, value in variables.items()).encode(),
        "jobs": jobs.encode(),
        "list": "\n".join(map(json.dumps, tasks)).encode(),
        "payload.json": PULL_SECRET.encode(),
    })
    with silent:
        return guest.run(tmp_path_factory.mktemp("guest"))


def test_the_machine(said):
    assert said["machine"] == ["aarch64"]


def test_the_job_is_done(said, emulator):
    assert "exit 0" in said["stored"], said["stored-log"]
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]
    assert json.loads("".join(said["stored-result"]))["status"] == "success"


def test_a_list_is_done(said, emulator):
    """By processes of three roles, each with its own table; a second run has nothing to do."""
    for name, skipped in ("first", None), ("again", TASKS):
        assert said[name] == ["exit 0"], said[f"{name}-log"]
        summary = json.loads(said[f"{name}-log"][-1])
        assert (summary["task_succeeded"], summary.get("task_skipped")) == (TASKS, skipped)
    for number in range(TASKS):
        assert emulator.secretmanager.payloads(f"hyperfleet-c{number}-pull-secret") == [
            PULL_SECRET.encode()]


@pytest.mark.parametrize("run", ["stored", "crashed", "ended"])
def test_it_is_confined(said, run):
    assert "Seccomp:\t2" in said[run]
    assert "NoNewPrivs:\t1" in said[run]


@pytest.mark.parametrize("run, code, reason, note", [
    ("crashed", 139, "InternalError", "pull-secret: internal error: SIGSEGV"),
    ("ended", 143, "Interrupted", "Interrupted: ")])
def test_a_signal_ends_it_with_a_result(said, run, code, reason, note):
    assert f"exit {code}" in said[run]
    result = json.loads("".join(said[f"{run}-result"]))
    assert (result["status"], result["reason"]) == ("failure", reason)
    assert said[f"{run}-note"][0].startswith(note)


def test_every_call(said):
    """Those in the table pass, some with certain arguments only; all others kill."""
    outcomes = dict(line.split() for line in said["calls"])
    passed = {int(call) for call, outcome in outcomes.items()
              if call.isdigit() and outcome == "passed"}
    assert passed == set(ALLOWED.values())
    assert len(outcomes) == 600 + sum(map(len, BY_ARGUMENT.values())) + 1
    for outcome, names in BY_ARGUMENT.items():
        assert {name: outcomes[name] for name in names} == dict.fromkeys(names, outcome)
    assert outcomes["read-a-file"] == "refused"
