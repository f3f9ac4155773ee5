"""Every system call of a run fails once, in every way, and every one is interrupted.

strace makes the call fail without making it, or sends a signal while it is made. After
each run: the outcome that its row expects, no crash, no hang, no false success, at most
one version, a result that says what the exit code says, and a clean run afterwards.
"""

import collections
import json
import os
import re
import shutil
import signal

import pytest
from conftest import LABELS, PULL_SECRET, DeleteJob, native, together
from follower import ShortTransfers
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
    "pwrite64": "ENOSPC EDQUOT EIO EINTR EAGAIN", "ftruncate": "EIO EINTR",
    "prctl": "EINVAL EPERM ENOSYS", "": "ENOMEM EINVAL ENOSYS",
}
PASSING = {"EINTR", "EAGAIN"}  # the call is made again
# Log lines that are written before the first addVersion is sent.
BEFORE_ADD = 3
# What a run ends with if a call fails: (call, what stands in its line, which ones of them
# by number, errors, exit code, whether there is a result). All others do no harm: what is
# behind them is retried, or done without.
HIDDEN = r"\.result-"
ENDINGS = [
    # Nobody can be told, and nothing is sent.
    ("openat|pwrite64|ftruncate|fchmod|fsync", HIDDEN, range(1, 2), ".*", 1, False),
    ("write", r"write\(1<", range(1, BEFORE_ADD + 1), ".*", 1, True),
    # Nobody can be told of a version that is stored and verified.
    ("pwrite64|ftruncate|fchmod|fsync", HIDDEN, range(2, 3), ".*", 6, True),
    ("renameat", HIDDEN, range(1, 2), ".*", 6, True),
    ("write", r"write\(1<", range(BEFORE_ADD + 1, 100), ".*", 6, True),
    # Where the result goes, and the certification authorities: configuration.
    ("open", "O_DIRECTORY", range(1, 2), ".*", 2, False),
    ("newfstatat", "AT_SYMLINK_NOFOLLOW", range(1, 2), ".*", 2, False),
    ("faccessat", "W_OK", range(1, 2), ".*", 2, False),
    ("open|read", r"root\.pem", range(1, 100), ".*", 2, True),
    # The kernel's own want while they are read: another run may succeed.
    ("ppoll", r"root\.pem", range(1, 100), "ENOMEM", 1, True),
    # A kernel that knows a wall but does not let it be built; one that does not passes.
    ("landlock_create_ruleset", "", range(1, 2), "EINVAL", 1, True),
    ("landlock_add_rule|landlock_restrict_self", "", range(1, 100), ".*", 1, True),
    ("prctl", "PR_SET_SECCOMP", range(1, 100), "EPERM", 1, True),
]
DELETED = "Successfully deleted secret"
# Of the C library's start, of the kernel, or beyond what a program can answer for.
BEYOND = {"execve", "arch_prctl", "set_tid_address", "exit_group"}


@pytest.fixture
def lines(emulator, tmp_path):
    """{(name, count of that name so far): line} for each call of a run without faults."""
    place = Place(emulator, tmp_path)
    trace = tmp_path / "trace"
    assert place.run(before=["strace", "-y", "-o", trace]).code == 0
    seen, found = collections.Counter(), {}
    for line, name in re.findall(r"^((\w+)\(.*)", trace.read_text(), re.M):
        seen[name] += 1
        if name not in BEYOND:
            found[name, seen[name]] = line
    assert len(found) > 100
    return found


@pytest.fixture
def calls(lines):
    return list(lines)


def ending(lines, name, count, error):
    """(exit code, whether there is a result) after this error of this call."""
    for names, part, numbers, errors, code, there in ENDINGS:
        if not re.fullmatch(names, name) or not re.fullmatch(errors, error):
            continue
        found = [key for key, line in lines.items() if key[0] == name
                 and re.search(part, line)]
        assert found, (name, part)
        if (name, count) in found and found.index((name, count)) + 1 in numbers:
            return (0, True) if error in PASSING else (code, there)
    return 0, True


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
    return status


def batches(rows, function, size=120):
    names = list(rows)
    for start in range(0, len(names), size):
        together(function, {name: rows[name] for name in names[start:start + size]})


def test_every_call_fails_once(emulator, tmp_path, lines, sample):
    outcomes = collections.Counter()

    def fail(name, count, error):
        place = Place(emulator, tmp_path)
        result, trace = run_with(place, tmp_path, f"{name}:error={error}:when={count}")
        # How often it polls and reads depends on the peer's pace: the last ones may not come.
        came = "(INJECTED)" in trace
        assert came or name in ("ppoll", "recvfrom")
        code, there = ending(lines, name, count, error) if came else (0, True)
        assert result.code == code, (result.out, result.err)
        assert check(place, result) == (
            None if not there else "success" if code == 0 else "failure")
        assert place.payloads == ([OURS] if code in (0, 6) else [])
        assert code == 0 or result.errors or result.err, result.out
        if code == 6:
            assert json.loads(place.results.read_text())["reason"] == "ReportIncomplete"
        outcomes[result.code] += 1
        outcomes["absent"] += not came
        stored = len(place.payloads)
        assert place.run().code == 0
        check_newest(place, stored)

    rows = {f"{name}-{count}-{error}": (name, count, error) for name, count in lines
            for error in ERRORS.get(name, ERRORS[""]).split()}
    rows = sample(rows, 2)
    batches(rows, fail)
    print(f"{len(rows)} faults: {dict(outcomes)}")
    assert min(outcomes[code] for code in (0, 1, 2, 6)) >= 8
    assert outcomes["absent"] <= 12, "more than the last few calls did not come"
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".result-")]


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


# One error for each call of a deletion; all others get EINVAL.
DELETE_ERRORS = {"write": "EPIPE", "recvfrom": "ECONNRESET", "sendto": "EPIPE",
                 "connect": "ECONNREFUSED", "openat": "EMFILE", "open": "EMFILE", "read": "EIO",
                 "pwrite64": "ENOSPC", "renameat": "ENOSPC", "fsync": "EIO"}


def deletion(emulator, tmp_path):
    place = Place(emulator, tmp_path, job=DeleteJob(emulator))
    emulator.secretmanager.put(place.name, OURS, labels=LABELS)
    return place


def test_every_call_of_a_deletion_fails_once(emulator, tmp_path, sample):
    """One error of each call, or SIGTERM in it; a second run ends it."""
    place = deletion(emulator, tmp_path)
    assert place.run(before=["strace", "-o", tmp_path / "trace"]).code == 0
    seen, rows, outcomes = collections.Counter(), {}, collections.Counter()
    for name in re.findall(r"^(\w+)\(", (tmp_path / "trace").read_text(), re.M):
        seen[name] += 1
        if name in BEYOND:
            continue
        error = DELETE_ERRORS.get(name, "EINVAL")
        for fault in (f"error={error}", "signal=SIGTERM"):
            rows[f"{name}-{seen[name]}-{fault}"] = (f"{name}:{fault}:when={seen[name]}",)
    assert len(rows) > 150

    def fail(tampering):
        place = deletion(emulator, tmp_path)
        result, _ = run_with(place, tmp_path, tampering)
        there = emulator.secretmanager.secret(place.name) is not None
        value = json.loads(place.results.read_text()) if place.results.exists() else {}
        assert result.code in (0, 1, 2, 143, -signal.SIGTERM), (result.code, result.out)
        if result.code == 0:
            assert not there and value["reason"] == "PullSecretDeleted"
            assert result.operations[-2:] == ["completed", "summary"]
        else:
            assert value.get("status", "failure") == "failure"
            assert result.code < 0 or result.errors or result.err
        if not there and result.code == 143:
            assert "unknown whether the secret was deleted" in value["message"]
        if not there and result.code == 1 and value:
            assert (value["reason"] == "ReportIncomplete"
                    or "unknown whether the secret was deleted" in value["message"])
        assert not (there and value.get("reason") == "ReportIncomplete" and DELETED in result.out)
        outcomes[result.code] += 1
        assert place.run().code == 0
        assert emulator.secretmanager.secret(place.name) is None

    rows = sample(rows, 3)
    batches(rows, fail)
    print(f"{len(rows)} faults: {dict(outcomes)}")
    assert min(outcomes[code] for code in (0, 1, 143)) >= 5


def check_newest(place, stored):
    """A run added one version to those that were stored, and says so."""
    assert place.payloads == [OURS] * (stored + 1)
    assert json.loads(place.results.read_text())["status"] == "success"


def run_short(place, *cut):
    process = place.start(preexec_fn=trace_me)
    short = ShortTransfers(process.pid, *cut)
    short.run_to_exit()
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
