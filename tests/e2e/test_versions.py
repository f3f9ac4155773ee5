"""The applet that lists versions: each once, whatever pages they come on, and no payload."""

import json
import os
import resource
import signal

import pytest
from conftest import PULL_SECRET, SECRET, Applet, native, together, until
from test_keep import limit_pages
from test_unanswered_add import sent

from emulator import errors

OURS = PULL_SECRET.encode()
TIMES = ["2026-01-02T03:04:05.678901Z", "2026-02-03T04:05:06Z", "2026-03-04T05:06:07.5Z",
         "2026-04-05T06:07:08Z"]


class Versions(Applet):
    """Lists the versions of the main job's secret."""

    name = "versions"

    def start(self, *words, **more):
        return super().start(*words, **{"SECRET_NAME": SECRET, **more})


@pytest.fixture
def versions(emulator):
    runner = Versions(emulator)
    yield runner
    runner.stop()


@pytest.fixture
def secret(emulator):
    """Four versions in all states; the fourth is ours, enabled."""
    secret = emulator.secretmanager.put(SECRET, b"other bytes", OURS, OURS, OURS)
    for version, time in zip(secret.versions, TIMES):
        version.create_time = time
    secret.version(2).state = "DISABLED"
    secret.version(2).scheduled_destroy_time = "2099-12-31T23:59:59.9Z"
    secret.version(3).destroy("2026-05-06T07:08:09Z")
    return secret


TABLE = """\
VERSION  STATE      CREATED               DESTROYED
4        ENABLED    2026-04-05T06:07:08Z
3        DESTROYED  2026-03-04T05:06:07Z  2026-05-06T07:08:09Z
2        DISABLED   2026-02-03T04:05:06Z  2099-12-31T23:59:59Z
1        ENABLED    2026-01-02T03:04:05Z
"""
COMPARED = """\
VERSION  STATE      CREATED               EQUAL    DESTROYED
4        ENABLED    2026-04-05T06:07:08Z  yes
3        DESTROYED  2026-03-04T05:06:07Z  unknown  2026-05-06T07:08:09Z
2        DISABLED   2026-02-03T04:05:06Z  unknown  2099-12-31T23:59:59Z
1        ENABLED    2026-01-02T03:04:05Z  no
"""


def test_a_table(emulator, versions, secret):
    emulator.iam.grant_only("versions.list")
    for words in ([], [SECRET], [f"projects/{emulator.project}/secrets/{SECRET}"]):
        result = versions(*words)
        assert (result.code, result.out, result.err) == (0, TABLE, "")
    assert sent(emulator) == ["listVersions"] * 3


def test_compared_with_a_file(emulator, versions, secret, tmp_path):
    """As it is, or as the main job would store it. What is not enabled is not asked for."""
    emulator.iam.grant_only("versions.list", "versions.access")
    path = tmp_path / "file"
    for text in (OURS, OURS + b"\n \n"):
        path.write_bytes(text)
        result = versions("--compare", path)
        assert (result.code, result.out, result.err) == (0, COMPARED, "")
    assert sent(emulator) == ["listVersions", "access", "access"] * 2
    assert versions("--compare=-", stdin=OURS).out == COMPARED
    secret.add(b"with a line feed\n").create_time = TIMES[3]
    path.write_bytes(b"with a line feed\n")
    assert versions("--compare", path).out.splitlines()[1].split()[3] == "yes"


def test_an_object(versions, secret, tmp_path):
    result = versions("--json")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == {"versions": [
        {"number": 4, "state": "ENABLED", "createTime": "2026-04-05T06:07:08Z"},
        {"number": 3, "state": "DESTROYED", "createTime": "2026-03-04T05:06:07Z",
         "destroyTime": "2026-05-06T07:08:09Z"},
        {"number": 2, "state": "DISABLED", "createTime": "2026-02-03T04:05:06Z",
         "scheduledDestroyTime": "2099-12-31T23:59:59Z"},
        {"number": 1, "state": "ENABLED", "createTime": "2026-01-02T03:04:05Z"}]}
    (tmp_path / "file").write_bytes(OURS)
    found = json.loads(versions("--json", "--compare", tmp_path / "file").out)["versions"]
    assert [version["equal"] for version in found] == ["yes", "unknown", "unknown", "no"]


def test_a_time_that_cannot_be_read(versions, secret):
    """Is none, and no year 9999."""
    secret.version(4).create_time = "soon"
    assert versions().out == TABLE.replace("2026-04-05T06:07:08Z", "unknown")
    assert json.loads(versions("--json").out)["versions"][0] == {"number": 4, "state": "ENABLED"}


def test_no_versions(emulator, versions):
    emulator.secretmanager.put(SECRET)
    assert versions().out == TABLE.partition("\n")[0] + "\n"
    assert json.loads(versions("--json").out) == {"versions": []}


def test_pages_are_followed_as_a_stream(start_emulator):
    """Of any size, each version once; what is printed last was not known at first."""
    def check(count, empty, size):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, *[b"%d" % n for n in range(count)])
        emulator.secretmanager.empty_pages = empty
        if size:
            limit_pages(emulator, size)
        lines = Versions(emulator)().out.splitlines()[1:]
        assert [int(line.split()[0]) for line in lines] == list(range(count, 0, -1))

    together(check, {"one": (5, 0, 1), "empty": (5, 3, 0), "exactly": (50, 0, 0),
                     "many": (1234, 0, 0)})


@native
def test_many_versions_take_no_more_memory(emulator, versions):
    peaks = []
    for count in (1, 2000):
        emulator.secretmanager.put(SECRET, *[b"%d" % n for n in range(count)])
        process = versions.start(stdout=-3)  # DEVNULL
        _, status, usage = os.wait4(process.pid, 0)
        process.popen.returncode = os.waitstatus_to_exitcode(status)
        assert process.popen.returncode == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] - peaks[0] < 128 * resource.getpagesize() // 1024  # KiB


def test_failures(start_emulator, tmp_path):
    (tmp_path / "file").write_bytes(OURS)

    def check(operation, fault, code, *parts):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, b"old", b"new")
        emulator.order("secretmanager", operation, times=None, **fault)
        result = Versions(emulator)("--compare", tmp_path / "file")
        assert result.code == code, result
        assert result.err.startswith("pull-secret: versions: ")
        for part in parts:
            assert part in result.err

    denied = {"reply": errors.permission_denied()}
    together(check, {
        "list": ("listVersions", denied, 4, "PERMISSION_DENIED", "roles/secretmanager.viewer"),
        "access": ("access", denied, 4, "PERMISSION_DENIED", "--compare secretAccessor"),
        "crc": ("access", {"tamper": "wrong-crc"}, 5, "dataCrc32c"),
        "another": ("access", {"tamper": "other-version"}, 5, "the reply is"),
        "missing": ("listVersions", {"reply": errors.secret_not_found("s")}, 2, "NOT_FOUND"),
    })


def test_a_version_is_disabled_in_between(emulator, versions, secret):
    emulator.order("secretmanager", "access", reply=errors.wrong_state())
    assert versions("--compare=-", stdin=OURS).out == COMPARED.replace("  yes", "  unknown")


@pytest.mark.parametrize("words, said", [
    (["projects/p/secrets/s/versions/1"], "the name is one of a version: all are listed"),
    (["a/b"], "a full name is projects/P/secrets/S"),
    (["--compare=/none"], "--compare"), (["--compare", PULL_SECRET], "looks like a pull secret"),
    (["--secret-version=1"], "--secret-version"), (["a", "b"], "unexpected argument")])
def test_wrong_words(emulator, versions, words, said):
    result = versions(*words)
    assert result.code == 2
    assert said in result.err
    assert emulator.requests("secretmanager") == []


@pytest.mark.parametrize("number", [
    signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)],
    ids=["SIGTERM", "SIGINT"])
def test_a_signal_in_each_request(start_emulator, number):
    def check(operation, nth):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, b"old", b"new")
        limit_pages(emulator, 1)
        order = emulator.order("secretmanager", operation, nth=nth, drop="uncommitted",
                               how="hang")
        process = Versions(emulator).start("--compare=-", stdin=OURS)
        process.popen.stdin.write(OURS)
        process.popen.stdin.close()
        process.popen.stdin = None
        process._input = None
        until(lambda: order.hits)
        os.kill(process.pid, number)
        result = process.wait()
        assert result.code == 128 + number
        assert f"stopped by {number.name}" in result.err

    together(check, {f"{operation}-{nth}": (operation, nth) for nth in (1, 2)
                     for operation in ("listVersions", "access")})


def test_the_deadline(emulator, versions):
    emulator.secretmanager.put(SECRET, b"old")
    emulator.order("secretmanager", "listVersions", drop="uncommitted", how="hang", times=None)
    result = versions("--timeout=1")
    assert result.code == 1
    assert result.out == ""


@native
def test_output_that_cannot_be_written(emulator, versions):
    emulator.secretmanager.put(SECRET, *[b"%d" % n for n in range(200)])
    with open("/dev/full", "wb") as full:
        result = versions(stdout=full)
    assert result.code == 1
    assert "standard output" in result.err
    assert sent(emulator) == ["listVersions"]  # the rest is not asked for
