"""A list of tasks is worked on by processes: what each may do, and what if one ends."""

import errno
import os
import re
import shutil
import signal
import threading
from pathlib import Path

import fleet
import pytest
from conftest import PATIENCE, native, needs_root, until
from fleet import Processes, clusters, counts, exactly, stored, task
from test_confinement import ALLOWED, ANYWHERE, OPENAT, SOCKET, landlock_version, x86_64
from tracer import Tracee

from emulator import errors

OPENAT2, SENDMSG, RECVMSG, WAIT4, FDATASYNC = 437, 46, 47, 61, 75
OUTPUTS = {"pwrite64", "ftruncate", "fchmod", "fsync", "renameat", "unlinkat"}
NETWORK = {"connect", "sendto", "recvfrom", "getpeername"}


class Hold:
    """Keeps the first addVersion of a cluster until it is let go."""

    def __init__(self, emulator, number=0, **fields):
        self.reached, self.opened = threading.Event(), threading.Event()
        self.secret = fleet.secret(number)
        emulator.order("secretmanager", self._match, **{"delay_before": 0.01, **fields})

    def _match(self, request):
        if not request.target.endswith(f"/{self.secret}:addVersion"):
            return False
        self.reached.set()
        self.opened.wait(PATIENCE)
        return True

    def wait(self):
        assert self.reached.wait(PATIENCE)


@pytest.fixture
def hold(emulator):
    made = []

    def make(*arguments, **fields):
        made.append(Hold(emulator, *arguments, **fields))
        return made[-1]
    yield make
    for one in made:
        one.opened.set()


def status_of(pid, name):
    text = Path(f"/proc/{pid}/status").read_text()
    return re.search(rf"^{name}:\s+(.*)$", text, re.M).group(1)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_list(emulator, run_fleet, workers):
    """Each worker has one connection and one token, however many tasks it has."""
    result = run_fleet("--workers", workers, tasks=map(task, range(30)))
    assert result.code == 0, result.out
    assert stored(emulator) == exactly(range(30))
    assert sorted(clusters(result.log)) == sorted(map(fleet.cluster, range(30)))
    assert counts(result.log) == {"total": 30, "succeeded": 30, "failed": 0}
    assert len(emulator.connections("secretmanager")) == workers
    assert len([request for request in emulator.requests("metadata")
                if "/token" in request.target]) == workers


def test_a_connection_that_was_closed_while_idle(emulator, run_fleet):
    """It is opened again for the next task; nothing fails and nothing is doubled."""
    emulator.set_idle_seconds("secretmanager", 0.05)
    rows = [task(number) for number in range(4)]
    reader, writer = os.pipe()
    process = run_fleet.start("--tasks", "-", stdin=reader)
    os.close(reader)
    for number, row in enumerate(rows):
        os.write(writer, (fleet.json.dumps(row) + "\n").encode())
        until(lambda number=number: len(stored(emulator)) > number)
        threading.Event().wait(0.1)
    os.close(writer)
    assert process.wait().code == 0
    assert stored(emulator) == exactly(range(4))
    assert len(emulator.connections("secretmanager")) > 1


@native
def test_a_worker_is_killed(emulator, run_fleet, hold):
    """It costs its task, which is unknown; another one does the rest."""
    held = hold(2)
    process = run_fleet.start(tasks=map(task, range(5)))
    held.wait()
    family = Processes(process.pid)
    worker, = family.workers
    os.kill(worker, signal.SIGKILL)
    until(lambda: family.workers not in ([], [worker]))
    held.opened.set()
    result = process.wait()
    assert result.code == 1
    assert result.error["cluster_id"] == "c2"
    assert result.error["error_code"] == "UNKNOWN"
    assert result.error["message"] == ("worker 0 was ended by signal 9; it is unknown whether a "
                                       "version was written")
    assert clusters(result.log) == ["c0", "c1", "c3", "c4"]
    assert counts(result.log) == {"total": 5, "succeeded": 4, "failed": 1,
                                  "failed_by_code": {"UNKNOWN": 1}}


@native
@pytest.mark.parametrize("who", ["launcher", "spawner"])
def test_nobody_outlives(run_fleet, hold, who):
    held = hold(0)
    process = run_fleet.start("--workers", 3, tasks=map(task, range(20)))
    held.wait()
    family = Processes(process.pid)
    everyone = family.everyone()
    os.kill(family.launcher if who == "launcher" else family.spawner, signal.SIGKILL)
    result = process.wait()
    held.opened.set()
    until(lambda: not any(map(fleet.alive, everyone)))
    if who == "launcher":
        assert result.code == -signal.SIGKILL
        return
    assert result.code == 1
    assert "the process that starts workers is gone" in result.messages
    assert counts(result.log)["total"] == 20


@native
@pytest.mark.soak
def test_a_spawner_that_is_stopped(run_fleet, hold):
    """What it does not say is not waited for without end."""
    held = hold(0)
    process = run_fleet.start(tasks=map(task, range(3)))
    held.wait()
    family = Processes(process.pid)
    os.kill(family.spawner, signal.SIGSTOP)
    for _ in range(2):
        process.popen.send_signal(signal.SIGTERM)
        until(lambda: int(status_of(process.pid, "ShdPnd"), 16) == 0)
    until(lambda: not fleet.alive(process.pid), 30)
    os.kill(family.spawner, signal.SIGCONT)
    result = process.wait()
    held.opened.set()
    assert result.code == 143
    assert counts(result.log) == {"total": 3, "succeeded": 0, "failed": 1, "not_tried": 2,
                                  "failed_by_code": {"UNKNOWN": 1}}


@native
def test_signals_from_others_do_not_stop_a_worker(emulator, run_fleet, hold):
    """As a service manager sends them to all processes: the launcher decides."""
    held = hold(0)
    process = run_fleet.start(tasks=map(task, range(3)))
    held.wait()
    family = Processes(process.pid)
    for pid in (family.spawner, *family.workers):
        os.kill(pid, signal.SIGTERM)
    held.opened.set()
    assert process.wait().code == 0
    assert stored(emulator) == exactly(range(3))


@native
def test_a_signal_lets_end_what_is_in_flight(emulator, run_fleet, hold, tmp_path):
    held = hold(0)
    process = run_fleet.start("--failed", tmp_path / "failed", tasks=map(task, range(9)))
    held.wait()
    process.popen.send_signal(signal.SIGTERM)
    until(lambda: status_of(process.pid, "SigQ") and not pending(process.pid))
    held.opened.set()
    result = process.wait()
    assert result.code == 128 + signal.SIGTERM
    assert clusters(result.log) == ["c0"]
    assert stored(emulator) == exactly(range(1))
    assert counts(result.log) == {"total": 9, "succeeded": 1, "failed": 0, "not_tried": 8}
    assert result.error["message"] == "stopped by SIGTERM"
    left = (tmp_path / "failed").read_text().splitlines()
    assert [fleet.json.loads(line)["cluster_id"] for line in left] == [
        fleet.cluster(number) for number in range(1, 9)]


def pending(pid):
    """Whether SIGTERM waits to be taken."""
    return int(status_of(pid, "ShdPnd"), 16) & 1 << (signal.SIGTERM - 1) != 0


@native
def test_a_second_signal_abandons_it(emulator, run_fleet, hold):
    """And the log says that a version may have been written."""
    held = hold(0)
    process = run_fleet.start(tasks=map(task, range(3)))
    held.wait()
    for _ in range(2):
        process.popen.send_signal(signal.SIGINT)
        until(lambda: int(status_of(process.pid, "ShdPnd"), 16) == 0)
    result = process.wait()
    held.opened.set()
    assert result.code == 128 + signal.SIGINT
    lines = [line for line in result.errors if line["cluster_id"] == "c0"]
    assert len(lines) == 1
    assert "unknown whether a version was written" in lines[0]["message"]
    assert "stopped by SIGINT" in lines[0]["message"]
    assert result.errors[0]["hint"].startswith("what is under way has 20 s to end")
    assert "no worker is left" not in result.messages
    assert counts(result.log)["not_tried"] == 2


@native
def test_the_time_of_the_run(run_fleet, hold):
    """It ends what is in flight, too; the rest is not tried."""
    held = hold(0)
    process = run_fleet.start("--timeout", 1, "--workers", 2, tasks=map(task, range(40)))
    result = process.wait()
    held.opened.set()
    assert result.code == 1
    assert "the time for the whole run is over" in result.messages
    line, = [line for line in result.errors if line["cluster_id"] == "c0"]
    assert line["error_code"] == "DEADLINE_EXCEEDED"
    assert counts(result.log)["not_tried"] > 0


def test_the_log_as_text(run_fleet):
    """Each line says whose task it is; what was done step by step is for debugging."""
    result = run_fleet("--log-format", "text", tasks=map(task, range(2)))
    assert result.code == 0
    lines = result.out.splitlines()
    assert len(lines) == 4, result.out
    for number, line in enumerate(lines[1:3]):
        assert f" cluster_id={fleet.cluster(number)} gcp_project=test-project" in line
    assert "cluster_id" not in lines[3]
    result = run_fleet("--log-level", "debug", tasks=map(task, range(1)))
    assert {"add-secret-version", "verify-secret", "client-initialized"} <= {
        line["operation"] for line in result.log if line["cluster_id"] == "c0"}


# --- what each may do ------------------------------------------------------------


class Attached(Tracee):
    """One that runs already."""

    def __init__(self, pid):
        self.pid = pid
        self._ptrace(16)  # PTRACE_ATTACH
        self._stopped_by(signal.SIGSTOP)
        self._ptrace(7)  # PTRACE_CONT


@pytest.fixture
def attached(run_fleet, hold, tmp_path):
    """(process, {role: tracee}) while a worker waits for a reply."""
    seen = []

    def start(**more):
        held = hold(0)
        process = run_fleet.start(tasks=map(task, range(3)), RESULTS_PATH=tmp_path / "result",
                                  **more)
        held.wait()
        family = Processes(process.pid)
        tracees = {"launcher": Attached(family.launcher),
                   "worker": Attached(family.workers[0])}
        for tracee in tracees.values():
            seen.append(tracee.pid)
            tracee.stop()
        return process, tracees, held
    yield start
    for pid in seen:
        if fleet.alive(pid):
            os.kill(pid, signal.SIGKILL)


def end(process, tracees, held):
    for tracee in tracees.values():
        tracee.resume()
    held.opened.set()
    assert process.wait().code == 0


@native
@needs_root
@x86_64
def test_exactly_the_calls_of_a_role_are_possible(attached):
    process, tracees, held = attached()
    channel = {SENDMSG, RECVMSG}
    base = {number for name, number in ALLOWED.items() if name not in OUTPUTS | NETWORK}
    outputs = {ALLOWED[name] for name in OUTPUTS}
    expected = {"launcher": base | outputs | channel | {WAIT4, FDATASYNC, OPENAT2},
                "worker": (base - {ALLOWED["write"]}) | channel | {
                    ALLOWED[name] for name in NETWORK}}
    untried = {15, 231, 335, 336}
    for role, tracee in tracees.items():
        possible = {number for number in set(range(600)) - untried
                    if tracee.call(number, -1, -1, -1, -1, -1, -1) is not None}
        assert possible == expected[role], role
    end(process, tracees, held)


@native
@needs_root
@x86_64
def test_no_socket_for_the_launcher_and_no_file_for_a_worker(attached, tmp_path):
    if landlock_version() == 0:
        pytest.skip("this kernel has no Landlock")
    process, tracees, held = attached()
    launcher, worker = tracees["launcher"], tracees["worker"]
    assert launcher.call(SOCKET, 2, 1, 0) is None
    assert worker.call(SOCKET, 2, 1, 0) >= 0
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    inside, outside = tmp_path / "tasks.ndjson", Path(__file__)

    def opens(tracee, path, flags=os.O_RDONLY):
        return tracee.call(OPENAT, ANYWHERE, tracee.text(path), flags, 0o600)

    assert opens(worker, inside) == opens(worker, outside) == -errno.EACCES
    assert opens(worker, tmp_path / "new", new) is None

    def opens_beneath(path):
        how = launcher.text(bytes(24) + os.fsencode(path))
        return launcher.call(OPENAT2, ANYWHERE, how + 24, how, 24)

    assert opens_beneath(inside) >= 0
    assert opens_beneath(outside) == -errno.EACCES
    end(process, tracees, held)


@native
def test_filters_and_descriptors(run_fleet, hold):
    """A worker has two filters, its own and the spawner's, and no file of the launcher's."""
    held = hold(0)
    process = run_fleet.start("--workers", 2, tasks=map(task, range(3)))
    held.wait()
    family = Processes(process.pid)
    until(lambda: len(family.workers) == 2)
    own = int(status_of("self", "Seccomp_filters"))
    worker = family.workers[0]
    until(lambda: status_of(worker, "Seccomp_filters") == str(own + 2))
    assert [status_of(pid, "Seccomp_filters") for pid in family.everyone()[:2]] == [
        str(own + 1)] * 2
    for pid in family.everyone():
        assert (status_of(pid, "Seccomp"), status_of(pid, "NoNewPrivs")) == ("2", "1")
    for pid in family.everyone()[1:]:
        named = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()
                 if int(entry.name) > 2]
        assert all(name.startswith("socket:") for name in named), named
    assert os.getpgid(family.spawner) == os.getpgid(worker) == family.spawner
    held.opened.set()
    assert process.wait().code == 0


@native
@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")
def test_the_table_has_every_call_of_each_role(emulator, run_fleet, tmp_path):
    """Of a list with all that a launcher reads and writes, and of a worker that is replaced."""
    emulator.order("secretmanager", lambda request: fleet.secret(3) in request.target,
                   reply=errors.permission_denied(), times=None)
    (tmp_path / "one.json").write_text(fleet.payload(1))
    rows = [task(number) for number in range(6)] + [
        {"cluster_id": "file", "pull_secret_file": "one.json"}]
    folder = tmp_path / "traces"
    folder.mkdir()
    result = run_fleet("--failed", tmp_path / "failed", "--journal", tmp_path / "journal",
                       "--workers", 2, tasks=rows, before=["strace", "-ff", "-o", folder / "t"],
                       RESULTS_PATH=tmp_path / "result")
    assert result.code == 7, result.out
    table = (Path(__file__).parents[2] / "src/sys/sandbox.c").read_text()
    rules = re.findall(r"{ SYS_(\w+),\s*([A-Z |]+),", table)
    roles = {"launcher": {"ALL", "WRITER", "FLEET", "LAUNCHER"},
             "worker": {"ALL", "CLIENT", "FLEET"}, "spawner": {"ALL", "CLIENT", "FLEET", "SPAWNER"}}
    seen = []
    for trace in folder.iterdir():
        text = trace.read_text()
        role = ("launcher" if "exit_group(7)" in text else
                "spawner" if "ORDER" in text or "setpgid" in text else "worker")
        seen.append(role)
        calls = set(re.findall(r"^(\w+)\(", text.rpartition("PR_SET_SECCOMP")[2], re.M))
        allowed = {name for name, words in rules if roles[role] & set(words.split(" | "))}
        assert calls <= allowed, role
    assert sorted(seen) == ["launcher", "spawner", "worker", "worker"]
