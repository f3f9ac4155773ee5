"""Every system call of a run fails once, in every way, and every one is interrupted.

strace makes the call fail without making it, or sends a signal while it is made. After
each run: no crash, no hang, no false success, at most one version, and a result that
says what the exit code says.
"""

import collections
import json
import os
import re
import shutil
import signal

import pytest
from conftest import PULL_SECRET, native, together
from follower import Short
from test_exactly_once import OURS, Place
from tracer import trace_me

pytestmark = [native, pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")]

x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the tracer knows x86-64")

# What can go wrong with a call; all others get the last row.
ERRORS = {
    "recvfrom": "ECONNRESET EINTR EAGAIN ETIMEDOUT ENOMEM",
    "sendto": "EPIPE ECONNRESET EINTR EAGAIN ENOBUFS",
    "connect": "ECONNREFUSED ENETUNREACH ETIMEDOUT EINTR EADDRNOTAVAIL",
    "socket": "EMFILE ENFILE ENOMEM EAFNOSUPPORT EACCES",
    "poll": "EINTR ENOMEM EAGAIN", "ppoll": "EINTR ENOMEM EAGAIN",
    "getsockopt": "EBADF", "getpeername": "ENOTCONN", "setsockopt": "ENOPROTOOPT",
    "open": "EMFILE EACCES EINTR ENOENT EIO ELOOP",
    "openat": "EMFILE EACCES EINTR ENOSPC EROFS",
    "read": "EIO EINTR EAGAIN EISDIR", "close": "EIO EINTR",
    "write": "ENOSPC EIO EPIPE EINTR EAGAIN EBADF",
    "fsync": "EIO EINTR ENOSPC", "renameat": "EACCES ENOSPC EXDEV", "fchmod": "EPERM",
    "unlinkat": "EACCES EROFS", "getrandom": "ENOSYS EINTR EFAULT",
    "landlock_create_ruleset": "ENOSYS EOPNOTSUPP EPERM EINVAL",
    "landlock_add_rule": "EINVAL ENOMEM", "landlock_restrict_self": "EPERM E2BIG",
    "prctl": "EINVAL EPERM ENOSYS", "": "ENOMEM EINVAL ENOSYS",
}
# Of the C library's start, of the kernel, or beyond what a program can answer for.
BEYOND = {"execve", "arch_prctl", "set_tid_address", "exit_group"}


@pytest.fixture
def calls(emulator, tmp_path):
    """(name, count of that name so far) for each call of a run without faults."""
    place = Place(emulator, tmp_path)
    trace = tmp_path / "trace"
    assert place.run(before=["strace", "-o", trace]).code == 0
    seen, found = collections.Counter(), []
    for name in re.findall(r"^(\w+)\(", trace.read_text(), re.M):
        seen[name] += 1
        if name not in BEYOND:
            found.append((name, seen[name]))
    assert len(found) > 100
    return found


def run_with(place, tmp_path, tampering):
    trace = tmp_path / f"{place.name}trace"
    words = ["strace", "-o", trace, "-e", f"inject={tampering}"]
    result = place.run(before=words, MAX_WAIT_TIME_SECONDS=20)
    return result, trace.read_text()


def check(place, result):
    """What holds after any run, whatever was done to it."""
    assert place.payloads in ([], [OURS]), result.out
    status = json.loads(place.results.read_text())["status"] if place.results.exists() else None
    if result.code == 0:
        assert place.payloads == [OURS]
        assert status == "success"
        assert result.operations[-1] == "summary"
    else:
        assert status in ("failure", None)


def batches(rows, function, size=120):
    names = list(rows)
    for start in range(0, len(names), size):
        together(function, {name: rows[name] for name in names[start:start + size]})


def test_every_call_fails_once(emulator, tmp_path, calls):
    outcomes = collections.Counter()

    def fail(name, count, error):
        place = Place(emulator, tmp_path)
        result, trace = run_with(place, tmp_path, f"{name}:error={error}:when={count}")
        assert result.code in (0, 1, 2, 5), (result.code, result.out, result.err)
        check(place, result)
        if result.code and "(INJECTED)" in trace and result.out:
            assert result.errors or result.err, result.out
        outcomes[result.code] += 1

    rows = {f"{name}-{count}-{error}": (name, count, error) for name, count in calls
            for error in ERRORS.get(name, ERRORS[""]).split()}
    batches(rows, fail)
    print(f"{len(rows)} faults: {dict(outcomes)}")
    assert outcomes[0] > outcomes[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT],
                         ids=["SIGTERM", "SIGINT"])
def test_a_signal_at_every_call(emulator, tmp_path, calls, number):
    """Before the handlers stand, the signal kills; after the end, it comes too late."""
    outcomes = collections.Counter()

    def interrupt(name, count):
        place = Place(emulator, tmp_path)
        result, _ = run_with(place, tmp_path,
                             f"{name}:signal={number.name}:when={count}")
        assert result.code in (0, 128 + number, -number), (result.code, result.out)
        check(place, result)
        if result.code == 128 + number:
            assert json.loads(place.results.read_text())["status"] == "failure"
            assert result.error["error_code"] == "CANCELLED"
            told = "already written" in result.error["message"] or (
                "it is unknown" in result.error["message"])
            assert told or not place.payloads, result.out
        elif result.code < 0:
            assert result.out == "" and place.payloads == []
        outcomes[result.code] += 1

    batches({f"{name}-{count}": (name, count) for name, count in calls}, interrupt)
    print(f"{len(calls)} places: {dict(outcomes)}")
    assert outcomes[128 + number] > len(calls) / 2


def test_a_kill_at_every_call(emulator, tmp_path, calls):
    """SIGKILL leaves no time for anything; the next run repairs what is left."""
    outcomes = collections.Counter()

    def kill(name, count):
        place = Place(emulator, tmp_path)
        result, _ = run_with(place, tmp_path, f"{name}:signal=SIGKILL:when={count}")
        assert result.code in (0, -signal.SIGKILL), (result.code, result.out)
        stored = len(place.payloads)
        assert place.payloads in ([], [OURS])
        if place.results.exists() and stored == 0:
            assert json.loads(place.results.read_text())["status"] == "failure"
        if result.code == 0:
            check(place, result)
        again = place.run()
        assert again.code == 0, again.out
        # The killed run's request may have been under way still.
        check_newest(place, len(place.payloads) - 1)
        assert len(place.payloads) - stored in (1, 2)
        assert len(place.payloads) <= 2
        outcomes[result.code, stored] += 1

    batches({f"{name}-{count}": (name, count) for name, count in calls}, kill)
    print(f"{len(calls)} places: {dict(outcomes)}")
    assert outcomes[-signal.SIGKILL, 0] > 50 and outcomes[-signal.SIGKILL, 1] > 20


def check_newest(place, stored):
    """A run added one version to those that were stored, and says so."""
    assert place.payloads == [OURS] * (stored + 1)
    assert json.loads(place.results.read_text())["status"] == "success"


def run_short(place, *cut):
    process = place.start(preexec_fn=trace_me)
    short = Short(process.pid, *cut)
    short.follow()
    result = process.wait()
    assert result.code == 0, result.out
    assert result.errors == [] and result.warnings == []
    check_newest(place, 0)
    return short


@x86_64
@pytest.mark.parametrize("size", [1, 2, 7])
def test_every_read_and_write_is_short(emulator, tmp_path, size):
    whole = run_short(Place(emulator, tmp_path), 1 << 20)
    short = run_short(Place(emulator, tmp_path), size)
    assert short.calls.total() > whole.calls.total() * 20


@x86_64
def test_each_read_and_write_is_short_once(emulator, tmp_path):
    whole = run_short(Place(emulator, tmp_path), 1 << 20)
    batches({f"call-{call}-{number}": ((call, number),)
             for call, count in whole.calls.items() for number in range(count)},
            lambda only: run_short(Place(emulator, tmp_path), 1, only))
    print(f"{whole.calls.total()} calls")
    assert whole.calls.total() > 50


CLOSED = {"stdin": [0], "stdout": [1], "stderr": [2], "all": [0, 1, 2]}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_descriptors(emulator, tmp_path, name):
    """What is opened later must not be taken for them."""
    place = Place(emulator, tmp_path)
    shell = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in CLOSED[name])
    result = place.run(before=["sh", "-c", f'exec "$@" {shell}', "sh"])
    if 1 in CLOSED[name]:
        assert result.code == 1
        assert place.payloads == []
    else:
        assert result.code == 0
        assert place.payloads == [OURS]
    assert PULL_SECRET not in result.out + result.err


LIMITS = {
    "descriptors-8": ("-n 8", (0, 1)), "descriptors-4": ("-n 4", (1, 2)),
    "descriptors-3": ("-n 3", (1, 2)), "memory-16-mib": ("-v 16384", (0,)),
    "stack-256-kib": ("-s 256", (0,)), "files-of-0-bytes": ("-f 0", (1,)),
}


@pytest.mark.parametrize("name", LIMITS)
def test_narrow_limits(emulator, tmp_path, name):
    limit, codes = LIMITS[name]
    place = Place(emulator, tmp_path)
    result = place.run(before=["sh", "-c", f'ulimit {limit} && exec "$@"', "sh"],
                       MAX_WAIT_TIME_SECONDS=3)
    assert result.code in codes, (result.code, result.out, result.err)
    assert place.payloads in ([], [OURS])
    if result.code == 0:
        assert place.payloads == [OURS]
