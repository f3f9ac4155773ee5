"""SIGTERM and SIGINT, and what other processes see of a running one."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from conftest import (CANARY, PATIENCE, PROGRAM, PULL_SECRET, SECRET, auth, native, needs_root,
                      until)

from emulator import errors

TRACED = "poll,ppoll,nanosleep,clock_nanosleep,connect,sendto,recvfrom,read"  # what may take time


@pytest.fixture
def job(job, tmp_path):
    """The main job, under strace where it is there and sees the program's own calls."""
    start = job.start
    trace = tmp_path / "waits"

    def traced(*flags, before=(), **more):
        if not before and shutil.which("strace") and not is_emulated():
            # -D: the program itself is our child, strace its grandchild.
            before = ["strace", "-D", "-o", trace, "-e", f"trace={TRACED}"]
        process = start(*flags, before=before, **more)
        process.trace = trace if "strace" in before else None
        if process.trace:
            until(lambda: hears(process))
        return process

    job.start = traced
    return job


def hears(process):
    """True if the program itself runs, no longer strace, and its handlers stand; or ended."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(re.search(r"^SigCgt:\s*(\w+)", status, re.M).group(1), 16)
        return (os.path.samefile(f"/proc/{process.pid}/exe", PROGRAM)
                and caught & 1 << signal.SIGTERM - 1)
    except FileNotFoundError:
        return process.popen.poll() is not None


def is_emulated():
    """A script stands for a program of another machine, which qemu runs."""
    return Path(PROGRAM).read_bytes()[:2] == b"#!"


def calls_after(process, number):
    """What the program waited for or read once the signal had come, but for its log."""
    until(lambda: "+++ exited" in process.trace.read_text())
    before, found, after = process.trace.read_text().partition(f"--- {number.name} ")
    assert found, before
    return [line for line in after.splitlines()[1:-1] if not re.match(r"p?poll\(\[{fd=[12],", line)]


def interrupted(process, number=signal.SIGTERM, pid=None):
    """Send the signal; the run ends without waiting for anything any more, neither
    a peer nor a time limit, and says so in one error line."""
    os.kill(pid or process.pid, number)
    result = process.wait()
    if getattr(process, "trace", None):
        assert calls_after(process, number) == []
    assert result.code == 128 + number, result.out + result.err
    assert result.error["error_code"] == "CANCELLED"
    assert result.error["message"].startswith(f"stopped by {number.name}")
    assert re.search("it is unknown whether .* was |was already |was written|was deleted",
                     result.log[-2]["message"])
    assert result.operations[-1] == "summary"
    assert result.stderr == b""
    return result


def nothing_written(result):
    assert "no version was written" in result.error["message"]


def sleeping(process):
    """True if the process waits in the kernel for something to happen."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


@pytest.fixture(params=[signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def number(request):
    return request.param


def test_while_reading_standard_input(job, number):
    reader, writer = os.pipe()
    process = job.start(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-", stdin=reader)
    os.write(writer, PULL_SECRET[:20].encode())
    until(lambda: sleeping(process))
    nothing_written(interrupted(process, number))
    os.close(reader)
    os.close(writer)


def test_while_waiting_for_a_named_pipe(job, number, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    process = job.start(PULL_SECRET_DATA=None, PULL_SECRET_FILE=tmp_path / "pipe")
    time.sleep(0.1)
    nothing_written(interrupted(process, number))


@pytest.mark.parametrize("where", ["metadata", "secretmanager"])
def test_while_connecting(job, number, full_backlog, where):
    place = {"metadata": {"GCE_METADATA_HOST": f"127.0.0.1:{full_backlog}"},
             "secretmanager": {
                 "SECRET_MANAGER_ENDPOINT": f"https://127.0.0.1:{full_backlog}"}}
    process = job.start(**place[where])
    time.sleep(0.3)
    result = interrupted(process, number)
    nothing_written(result)
    assert "client-initialized" not in result.operations


def test_in_the_tls_handshake(emulator, job, number):
    emulator.order("secretmanager", connection="silent", times=None)
    process = job.start()
    until(lambda: emulator.requests("metadata")
          and emulator.connections("secretmanager"))
    nothing_written(interrupted(process, number))


def test_while_waiting_for_the_token(emulator, job, number):
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = job.start()
    until(lambda: emulator.requests("metadata"))
    result = interrupted(process, number)
    nothing_written(result)
    assert "hint" not in result.error  # there is nothing to mend


def test_in_the_back_off_for_the_token(emulator, job, number):
    emulator.refuse("metadata")
    process = job.start()
    time.sleep(0.7)
    result = interrupted(process, number)
    nothing_written(result)
    assert result.warnings


@pytest.mark.parametrize("fate", ["uncommitted", "committed"])
def test_while_a_version_is_being_added(emulator, job, number, fate):
    """Sent and not answered: nobody can tell."""
    emulator.secretmanager.put(SECRET)
    emulator.order("secretmanager", "addVersion", drop=fate, how="hang")
    process = job.start()
    until(lambda: emulator.requests(operation="addVersion"))
    time.sleep(0.1)
    result = interrupted(process, number)
    assert "unknown whether a version was written" in result.error["message"]


def test_while_the_secret_is_being_created(emulator, job, number):
    emulator.order("secretmanager", "create", drop="uncommitted", how="hang")
    process = job.start()
    until(lambda: emulator.requests(operation="create"))
    nothing_written(interrupted(process, number))


def test_in_the_back_off_before_adding_again(emulator, job, number):
    emulator.secretmanager.put(SECRET)
    emulator.order("secretmanager", "addVersion", times=None,
                   reply=errors.quota_exceeded(retry_after=30))
    process = job.start()
    until(lambda: emulator.requests(operation="addVersion"))
    time.sleep(0.2)
    result = interrupted(process, number)
    nothing_written(result)
    assert len(emulator.requests(operation="addVersion")) == 1


def test_while_verifying(emulator, job, number):
    """The version is there, and the log names it."""
    emulator.order("secretmanager", "access", drop="uncommitted", how="hang")
    process = job.start()
    until(lambda: emulator.requests(operation="access"))
    result = interrupted(process, number)
    name = f"projects/{emulator.project_number}/secrets/{SECRET}/versions/1"
    assert f"a version was already written: {name}" in result.error["message"]
    assert result.error["version"] == name


def test_a_log_that_nobody_reads(emulator, job, number, full_pipe):
    """The first line waits for room, which never comes."""
    process = job.start(stdout=full_pipe)
    until(lambda: sleeping(process))
    process.popen.send_signal(number)
    assert process.wait().code != 0
    assert emulator.connections() == []


def test_a_second_signal_changes_nothing(emulator, job):
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = job.start()
    until(lambda: emulator.requests("metadata"))
    os.kill(process.pid, signal.SIGTERM)
    result = interrupted(process, signal.SIGTERM)
    nothing_written(result)


@pytest.mark.parametrize("disposition", [signal.SIG_IGN, signal.SIG_DFL],
                         ids=["ignored", "default"])
def test_inherited_dispositions_and_masks_do_not_matter(emulator, job, disposition):
    """A shell starts background jobs with SIGINT ignored."""
    def inherit():
        signal.signal(signal.SIGTERM, disposition)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    emulator.order("metadata", drop="uncommitted", how="hang")
    process = job.start(preexec_fn=inherit)
    until(lambda: emulator.requests("metadata"))
    nothing_written(interrupted(process, signal.SIGTERM))


def test_validate_at_a_terminal(run, number):
    """Without a job there is nothing to report: the status says it all."""
    reader, writer = os.pipe()
    process = run.start("validate", stdin=reader)
    until(lambda: sleeping(process))
    os.kill(process.pid, number)
    result = process.wait()
    os.close(reader)
    os.close(writer)
    assert result.code == 128 + number
    assert result.err.count("\n") == 1


def can_unshare():
    done = subprocess.run(["unshare", "-fp", "true"], capture_output=True)
    return done.returncode == 0


def child_of(pid):
    path = Path(f"/proc/{pid}/task/{pid}/children")
    children = path.read_text().split()
    return int(children[0]) if children else None


@needs_root
class TestFirstProcess:
    """As in a container: the kernel drops signals that process 1 has no handler for."""

    def test_works(self, job):
        if not can_unshare():
            pytest.skip("no new PID namespaces here")
        assert job(before=["unshare", "-fp"]).code == 0

    def test_ends_at_a_signal(self, emulator, job, number):
        if not can_unshare():
            pytest.skip("no new PID namespaces here")
        emulator.order("metadata", drop="uncommitted", how="hang")
        process = job.start(before=["unshare", "-fp"])
        until(lambda: emulator.requests("metadata"))
        nothing_written(interrupted(process, number, child_of(process.pid)))


@needs_root
@native
def test_while_a_name_is_looked_up(emulator, scratch, number):
    """The name server never answers."""
    (scratch.root / "etc").mkdir()
    (scratch.root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.77\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.77", 53))
        server.settimeout(PATIENCE)
        process = scratch.start(SECRET_MANAGER_ENDPOINT="https://silent.example")
        assert b"\6silent\7example" in server.recv(512)
        until(lambda: emulator.requests("metadata"))
        nothing_written(interrupted(process, number))


# --- what others see -------------------------------------------------------------


def readable(path):
    try:
        return Path(path).read_bytes()
    except PermissionError:
        pytest.skip(f"{path} is closed even to us")


@native
def test_the_secret_is_gone_from_the_environment(emulator, job):
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = job.start()
    until(lambda: emulator.requests("metadata"))
    environment = readable(f"/proc/{process.pid}/environ")
    assert b"CLUSTER_ID=" in environment
    for word in (CANARY, auth(), "quay.io", "auths"):
        assert word.encode() not in environment
    assert b"quay.io" not in readable(f"/proc/{process.pid}/cmdline")
    interrupted(process)


def test_there_is_no_core_and_no_new_privilege(emulator, job):
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = job.start()
    until(lambda: emulator.requests("metadata"))
    status = Path(f"/proc/{process.pid}/status").read_text()
    limits = readable(f"/proc/{process.pid}/limits").decode()
    assert "NoNewPrivs:\t1" in status
    assert [line.split()[4:6] for line in limits.splitlines()
            if line.startswith("Max core")] == [["0", "0"]]
    # Not dumpable: /proc/PID belongs to root, whoever runs the process.
    assert Path(f"/proc/{process.pid}/environ").stat().st_uid == 0
    interrupted(process)


def test_no_descriptor_is_left_open_for_others(emulator, job):
    """What was inherited stays closed to the network part: 0, 1, 2 and sockets."""
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = job.start()
    until(lambda: emulator.requests("metadata"))
    folder = f"/proc/{process.pid}/fd"
    try:
        targets = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)
                   if int(fd) > 2]
    except PermissionError:
        pytest.skip("closed even to us")
    assert all(target.startswith("socket:") for target in targets), targets
    interrupted(process)


@needs_root
@native
@pytest.mark.parametrize("closed", [[0], [2], [0, 2]])
def test_closed_descriptors_stay_free_of_sockets(emulator, scratch, closed):
    """Also where there is no /dev: what is opened later is not taken for them."""
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = scratch.start(closed=closed)
    until(lambda: emulator.requests("metadata"))
    for fd in closed:
        assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == str(scratch.root)
    interrupted(process)
