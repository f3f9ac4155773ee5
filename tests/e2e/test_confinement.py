"""What the program gave up before it reads from the network, and how it crashes."""

import ctypes
import errno
import fcntl
import json
import os
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import termios
import threading
from pathlib import Path

import pytest
from conftest import (CANARY, LABELS, PATIENCE, PROGRAM, PULL_SECRET, SECRET, auth, native,
                      needs_root, until)

from tracer import Tracee, trace_me

x86_64 = pytest.mark.skipif(platform.machine() != "x86_64",
                            reason="the tracer knows the registers of x86-64 only")
INT_80 = b"\xcd\x80"  # how 32-bit programs enter the kernel
SIOCGIFINDEX = 0x8933
NETLINK = 16

# The numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).
ALLOWED = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "connect": 42, "sendto": 44,
    "recvfrom": 45, "getpeername": 52, "fsync": 74, "fchmod": 91,
    "pwrite64": 18, "ftruncate": 77,
    "restart_syscall": 219, "clock_gettime": 228, "newfstatat": 262, "unlinkat": 263,
    "renameat": 264, "ppoll": 271, "getrandom": 318,
}
OPEN, IOCTL, GETPID, SOCKET, SETSOCKOPT, GETSOCKOPT = 2, 16, 39, 41, 54, 55
EXECVE, KILL, FCNTL, OPENAT, SETITIMER = 59, 62, 72, 257, 38
# Allowed, and proven by every signal and every end: rt_sigreturn, exit_group; and what
# no filter sees, for the kernel put it into programs itself: uretprobe, uprobe.
UNTRIED = {15, 231, 335, 336}
PRCTL, PR_GET_DUMPABLE = 157, 3
X32 = 0x40000000
LAST_CALL = 600  # beyond all that there are
ANYWHERE = -100  # AT_FDCWD


class Gate:
    """Holds back the first token until it is opened: all is confined by then."""

    def __init__(self, emulator):
        self._asked, self._opened = threading.Event(), threading.Event()
        emulator.order("metadata", self._hold, delay_before=1)

    def reached(self):
        """Wait until the run asks for its token."""
        assert self._asked.wait(PATIENCE)

    def open(self):
        self._opened.set()

    def _hold(self, _):
        self._asked.set()
        self._opened.wait(PATIENCE)
        return False  # nothing is ordered for it


@pytest.fixture
def gate(emulator):
    made = Gate(emulator)
    yield made
    made.open()


@pytest.fixture
def traced(job, gate, tmp_path):
    """A run that is stopped where it waits for its token. It inherits a mask."""
    def inherit():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGSYS, signal.SIGSEGV})
        trace_me()

    def start(**more):
        process = job.start(preexec_fn=inherit, RESULTS_PATH=tmp_path / "result",
                            **more)
        tracee = Tracee(process.pid)
        gate.reached()
        tracee.stop()
        return process, tracee
    return start


@pytest.fixture
def note(tmp_path):
    """A termination log, with something old in it."""
    path = tmp_path / "note"
    path.write_text("old " * 2000)
    return path


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def landlock_version():
    """Of this kernel: 0 if it has none."""
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


# --- what is given up ------------------------------------------------------------


@native
def test_the_process_is_confined_while_it_waits(job, gate):
    process = job.start()
    gate.reached()
    status = status_of(process.pid)
    core = re.search(r"core file size +(\S+) +(\S+)",
                     Path(f"/proc/{process.pid}/limits").read_text())
    gate.open()
    assert process.wait().code == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Seccomp_filters"] == str(
        1 + int(status_of("self")["Seccomp_filters"]))
    assert core.groups() == ("0", "0")


def relocated():
    """Where the program has what its start relocates: offset and size of RELRO."""
    with open(PROGRAM, "rb") as file:
        elf = file.read()
    offset, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    for at in range(offset, offset + size * count, size):
        kind, _, _, address, _, _, length, _ = struct.unpack_from("<IIQQQQQQ", elf, at)
        if kind == 0x6474e552:  # PT_GNU_RELRO
            return address, length
    raise AssertionError("no PT_GNU_RELRO")


@native
def test_tables_of_pointers_are_read_only(job, gate):
    process = job.start()
    gate.reached()
    maps = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    gate.open()
    assert process.wait().code == 0
    mine = [line.split() for line in maps if line.endswith(PROGRAM)]
    base = min(int(words[0].split("-")[0], 16) for words in mine)
    start, length = relocated()
    writable = [words[0] for words in mine if "w" in words[1]
                and int(words[0].split("-")[0], 16) < base + start + length
                and int(words[0].split("-")[1], 16) > base + start]
    assert writable == []


@native
@x86_64
def test_others_of_the_same_user_cannot_look_into_it(run):
    """Not dumpable; asked while it reads its input, since later it may not tell."""
    reader, writer = os.pipe()
    process = run.start("validate", stdin=reader, preexec_fn=trace_me)
    tracee = Tracee(process.pid)
    until(lambda: status_of(process.pid)["State"].startswith("S"))
    tracee.stop()
    assert tracee.call(PRCTL, PR_GET_DUMPABLE) == 0
    tracee.resume()
    os.close(writer)
    assert process.wait().code == 3
    os.close(reader)


@native
@x86_64
def test_exactly_the_calls_of_the_table_are_possible(traced, gate):
    """Every number, with arguments that are never right."""
    process, tracee = traced()
    assert tracee.call(GETPID) is None
    numbers = set(range(LAST_CALL)) - UNTRIED

    def possible(bits=0):
        return {number for number in numbers
                if tracee.call(bits | number, -1, -1, -1, -1, -1, -1) is not None}

    assert possible() == set(ALLOWED.values())
    assert possible(X32) == set()
    tracee.resume()
    gate.open()
    assert process.wait().code == 0


def limited(pid):
    """Calls that depend on one argument: (call, arguments, whether it may)."""
    read, write = os.O_RDONLY, os.O_WRONLY
    new = os.O_CREAT | os.O_EXCL
    return {
        "ipv4": (SOCKET, (socket.AF_INET, socket.SOCK_STREAM, 0), True),
        "ipv6": (SOCKET, (socket.AF_INET6, socket.SOCK_DGRAM, 0), True),
        "unix": (SOCKET, (socket.AF_UNIX, socket.SOCK_STREAM, 0), False),
        "netlink": (SOCKET, (NETLINK, socket.SOCK_RAW, 0), False),
        "packet": (SOCKET, (17, socket.SOCK_RAW, 0), False),
        "so-error": (GETSOCKOPT, (-1, socket.SOL_SOCKET), True),
        "tcp-info": (GETSOCKOPT, (-1, socket.IPPROTO_TCP), False),
        "nodelay": (SETSOCKOPT, (-1, socket.IPPROTO_TCP), True),
        "so-debug": (SETSOCKOPT, (-1, socket.SOL_SOCKET), False),
        "interface": (IOCTL, (-1, SIOCGIFINDEX), True),
        "tiocsti": (IOCTL, (-1, 0x5412), False),
        "getfd": (FCNTL, (-1, fcntl.F_GETFD), True),
        "setfd": (FCNTL, (-1, fcntl.F_SETFD), True),
        "setfl": (FCNTL, (-1, fcntl.F_SETFL), True),
        "dupfd": (FCNTL, (-1, fcntl.F_DUPFD), False),
        "read": (OPENAT, (ANYWHERE, 0, read | os.O_CLOEXEC), True),
        "new": (OPENAT, (ANYWHERE, 0, write | new | os.O_NOFOLLOW), True),
        "write": (OPENAT, (ANYWHERE, 0, write), False),
        "read-write": (OPENAT, (ANYWHERE, 0, os.O_RDWR), False),
        "create": (OPENAT, (ANYWHERE, 0, write | os.O_CREAT), False),
        "truncate": (OPENAT, (ANYWHERE, 0, read | os.O_TRUNC), False),
        "old-read": (OPEN, (0, read), True),
        "old-write": (OPEN, (0, write), False),
        "old-new": (OPEN, (0, write | new), False),
        "alarm": (SETITIMER, (signal.ITIMER_REAL, 0, 0), True),
        "profile": (SETITIMER, (signal.ITIMER_PROF, 0, 0), False),
        "itself": (KILL, (pid, 0), True),
        "everybody": (KILL, (-1, 0), False),
        "its-group": (KILL, (0, 0), False),
        "the-first": (KILL, (1, 0), False),
    }


@native
@x86_64
def test_arguments_are_limited(traced, gate):
    process, tracee = traced()
    rows = limited(process.pid)
    seen = {name: tracee.call(call, *arguments) is not None
            for name, (call, arguments, _) in rows.items()}
    assert seen == {name: may for name, (_, _, may) in rows.items()}
    tracee.resume()
    gate.open()
    assert process.wait().code == 0


@native
@x86_64
def test_a_result_that_a_tracer_made_is_let_through(traced, gate):
    """It replaces the number by -1, which is no call: the kernel says so."""
    process, tracee = traced()
    assert tracee.call(-1) == -errno.ENOSYS
    tracee.resume()
    gate.open()
    assert process.wait().code == 0


@native
@x86_64
def test_files_are_out_of_reach(emulator, traced, gate, tmp_path):
    """What was read once cannot be read again, nor anything else be written."""
    if landlock_version() == 0:
        pytest.skip("this kernel has no Landlock")
    secret = tmp_path / "secret" / "pull-secret"
    secret.parent.mkdir()
    secret.write_text(PULL_SECRET)
    process, tracee = traced(PULL_SECRET_DATA=None, PULL_SECRET_FILE=secret)

    def opens(path, flags):
        return tracee.call(OPENAT, ANYWHERE, tracee.text(path), flags, 0o600)

    for path in (secret, emulator.ca_file, "/etc/resolv.conf", PROGRAM):
        assert opens(path, os.O_RDONLY) == -errno.EACCES, path
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    assert opens(secret.parent.parent.parent / "new", new) == -errno.EACCES
    assert opens(tmp_path / "new", new) >= 0
    assert tracee.call(ALLOWED["unlinkat"], ANYWHERE, tracee.text(secret.parent),
                       0x200) == -errno.EACCES
    tracee.resume()
    gate.open()
    assert process.wait().code == 0


# Where Landlock is missing, the run goes on without it; any other error ends it.
LANDLOCK = {
    **{f"create-{error}": ("landlock_create_ruleset", error, 0)
       for error in ("ENOSYS", "EOPNOTSUPP", "EPERM")},
    **{f"create-{error}": ("landlock_create_ruleset", error, 1)
       for error in ("EINVAL", "E2BIG", "ENOMEM", "EMFILE")},
    **{f"add-{error}": ("landlock_add_rule", error, 1)
       for error in ("EINVAL", "ENOMEM", "EPERM", "ENOSYS")},
    **{f"restrict-{error}": ("landlock_restrict_self", error, 1)
       for error in ("EPERM", "E2BIG", "EOPNOTSUPP")},
}


@native
@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")
@pytest.mark.parametrize("name", LANDLOCK)
def test_errors_of_landlock(emulator, job, tmp_path, name):
    if landlock_version() == 0:
        pytest.skip("this kernel has no Landlock")
    call, error, code = LANDLOCK[name]
    result = job(before=["strace", "-o", tmp_path / "trace", "-e", f"inject={call}:error={error}"],
                 RESULTS_PATH=tmp_path / "result")
    assert "(INJECTED)" in (tmp_path / "trace").read_text()
    assert result.code == code, result.out
    if code == 0:
        assert result.errors == []
        return
    assert result.error["error_code"] == "INTERNAL"
    assert re.search(r"cannot give up files \(Landlock\): \w", result.error["message"])
    assert emulator.requests() == []
    assert json.loads((tmp_path / "result").read_text())["status"] == "failure"


# Each end of a run: a connection, what it prints; of a job, the result in its place.
ENDS = {"connect", "recvfrom", "write"}
JOB_ENDS = ENDS | {"pwrite64", "renameat"}


@pytest.mark.parametrize("words, ends", [
    ("run-job pull-secret", JOB_ENDS), ("run-job delete-pull-secret", JOB_ENDS),
    ("run-job pull-secret --skip-unchanged --keep=1 --keep-age=0", JOB_ENDS),
    ("run-job rollback-pull-secret --secret-version=1", JOB_ENDS),
    ("access", ENDS), ("versions --compare=/dev/null", ENDS)],
    ids=["pull-secret", "delete-pull-secret", "keep", "rollback", "access", "versions"])
def test_the_table_has_every_call_of_a_run(emulator, job, run, tmp_path, words, ends):
    """Also on arm64: qemu knows no filters, but tells what is called."""
    emulator.secretmanager.put(SECRET, b"stored", labels=LABELS)
    trace = tmp_path / "trace"
    under_qemu = Path(PROGRAM).read_bytes()[:2] == b"#!"
    result = run(*words.split(), before=[] if under_qemu else ["strace", "-o", trace],
                 env=job.environment(RESULTS_PATH=tmp_path / "result", QEMU_STRACE="1"))
    assert result.code == 0
    said = result.err if under_qemu else trace.read_text()
    calls = re.findall(r"^(?:\d+ )?(\w+)\(", said.rpartition("prctl(")[2], re.M)
    assert ends <= set(calls)
    table = (Path(__file__).parents[2] / "src/sys/sandbox.c").read_text()
    assert set(calls) <= set(re.findall(r"{ SYS_(\w+),", table))


@needs_root
@native
def test_the_name_of_an_interface_is_looked_up(emulator, scratch):
    """A zone in /etc/hosts: the confined process asks the kernel for its number."""
    host = "secretmanager.googleapis.com"
    port = emulator.port("secretmanager")
    (scratch.root / "etc").mkdir()
    (scratch.root / "etc" / "hosts").write_text(f"fe80::1%lo {host}\n127.0.0.1 {host}\n")
    assert scratch(SECRET_MANAGER_ENDPOINT=f"https://{host}:{port}").code == 0


# --- a forbidden call ------------------------------------------------------------


def error_output(result):
    """What the program wrote on standard error; qemu adds a line on signals."""
    return "".join(line for line in result.err.splitlines(keepends=True)
                   if not line.startswith("qemu: "))


def crashed(result, path, note):
    """What a crash leaves; its line on standard error."""
    value = json.loads(path.read_text())
    assert (value["status"], value["reason"]) == ("failure", "InternalError")
    assert "unknown whether a version was written" in value["message"]
    assert value["details"]["error_code"] == "INTERNAL"
    assert value["details"]["cluster_id"]
    assert path.stat().st_mode & 0o777 == 0o644
    assert error_output(result).count("\n") == 1
    assert note.read_text() == error_output(result)
    assert sorted(os.listdir(path.parent)) == sorted([path.name, note.name])
    return error_output(result).strip()


@native
@x86_64
@pytest.mark.parametrize("number, arguments", [
    (GETPID, ()), (EXECVE, (0, 0, 0)), (SOCKET, (NETLINK, socket.SOCK_RAW, 0)),
    (KILL, (1, 0)), (X32 | GETPID, ()),
], ids=["getpid", "execve", "netlink", "kill", "x32"])
def test_a_forbidden_call_ends_it_with_a_trace(traced, note, tmp_path, number,
                                               arguments):
    process, tracee = traced(TERMINATION_LOG_PATH=note, cwd=tmp_path)
    tracee.prepare(number, *arguments)
    tracee.let_go()
    result = process.wait()
    assert result.code == -signal.SIGSYS
    assert (crashed(result, tmp_path / "result", note)
            == f"pull-secret: forbidden system call {number}")


@native
@x86_64
def test_calls_by_the_numbers_of_another_architecture_kill(traced):
    """5 is open to 32-bit programs, and fstat in the table."""
    _, tracee = traced()
    tracee.patch(INT_80)
    tracee.prepare(ALLOWED["fstat"])
    assert tracee.killed_by() == signal.SIGSYS


# --- crashes ---------------------------------------------------------------------

FAULTS = ["SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV"]


@pytest.mark.parametrize("name", FAULTS)
def test_a_crash_leaves_a_result(job, gate, tmp_path, note, name):
    process = job.start(RESULTS_PATH=tmp_path / "result", cwd=tmp_path,
                        TERMINATION_LOG_PATH=note)
    gate.reached()
    os.kill(process.pid, signal.Signals[name])
    result = process.wait()
    assert result.code == -signal.Signals[name]
    assert (crashed(result, tmp_path / "result", note)
            == f"pull-secret: internal error: {name}")


@native
@x86_64
@pytest.mark.parametrize("registers", [{"rip": 0}, {"rsp": 0}], ids=["code", "stack"])
def test_a_fault_of_its_own_leaves_a_result(traced, note, tmp_path, registers):
    """Also if there is no stack any more."""
    process, tracee = traced(TERMINATION_LOG_PATH=note, cwd=tmp_path)
    tracee.change(**registers)
    tracee.let_go()
    result = process.wait()
    assert result.code == -signal.SIGSEGV
    assert (crashed(result, tmp_path / "result", note)
            == "pull-secret: internal error: SIGSEGV")


@needs_root
@native
@x86_64
def test_a_crash_wipes_the_secret(traced, tmp_path):
    """Seen at the last moment; root alone can look into the process."""
    secret = tmp_path / "pull-secret"
    secret.write_text(PULL_SECRET)
    process, tracee = traced(PULL_SECRET_DATA=None, PULL_SECRET_FILE=secret)
    assert auth().encode() in tracee.memory()
    tracee.change(rip=0)
    tracee.crash(signal.SIGSEGV)
    memory = tracee.memory()
    assert b"PULL_SECRET_FILE=" in memory
    for word in (CANARY, auth(), auth()[:8], "quay.io"):
        assert word.encode() not in memory
    tracee.let_go(signal.SIGSEGV)
    assert process.wait().code == -signal.SIGSEGV


def test_faults_that_were_ignored_are_told(job, gate, tmp_path, note):
    def inherit():
        signal.signal(signal.SIGABRT, signal.SIG_IGN)

    process = job.start(RESULTS_PATH=tmp_path / "result", cwd=tmp_path,
                        TERMINATION_LOG_PATH=note, preexec_fn=inherit)
    gate.reached()
    os.kill(process.pid, signal.SIGABRT)
    result = process.wait()
    assert result.code == -signal.SIGABRT
    crashed(result, tmp_path / "result", note)


@native
def test_a_crash_does_not_wait_for_readers(job, gate, full_pipe):
    """Of standard error."""
    process = job.start(stderr=full_pipe)
    gate.reached()
    os.kill(process.pid, signal.SIGSEGV)
    assert process.wait().code == -signal.SIGSEGV


def unread(pipe):
    """Bytes that stand in a pipe."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def test_a_crash_before_the_job(run):
    reader, writer = os.pipe()
    os.write(writer, b"{")
    process = run.start("validate", stdin=reader)
    until(lambda: unread(reader) == 0)  # it reads, so that its handlers stand
    os.kill(process.pid, signal.SIGSEGV)
    result = process.wait()
    os.close(reader)
    os.close(writer)
    assert result.code == -signal.SIGSEGV
    assert error_output(result) == "pull-secret: internal error: SIGSEGV\n"


@needs_root
@native
def test_the_first_process_crashes_too(job, gate, tmp_path, note):
    """Its own signals do not kill it: it exits as a shell would put it."""
    unshare = ["unshare", "-fp"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        pytest.skip("no new PID namespaces here")
    process = job.start(before=unshare, cwd=tmp_path,
                        RESULTS_PATH=tmp_path / "result", TERMINATION_LOG_PATH=note)
    gate.reached()
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    os.kill(int(child), signal.SIGSEGV)
    result = process.wait()
    assert result.code == 128 + signal.SIGSEGV
    crashed(result, tmp_path / "result", note)
