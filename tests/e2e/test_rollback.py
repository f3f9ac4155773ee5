"""rollback-pull-secret: the bytes of an older version as a new one, at most one per run."""

import json
import os
import signal

import pytest
from conftest import LABELS, SECRET, Job, native, together, until
from test_cut_connections import in_turn
from test_exactly_once import FAULTS, Place, fault_pairs, single_faults, some_or_all
from test_unanswered_add import UNKNOWN, lose, payloads, sent

from emulator import errors

GOOD, BAD = b'{"auths":{"good":{}}}', b'{"auths":{"bad":{}}}'
BEFORE = [b"first", GOOD, BAD]


class Rollback(Job):
    """Goes back to version 2; needs no pull secret."""

    name = "rollback-pull-secret"

    def environment(self, **variables):
        return super().environment(**{"PULL_SECRET_DATA": None, **variables})

    def start(self, *flags, **more):
        return super().start(*flags, *(() if flags else ("--secret-version=2",)), **more)


@pytest.fixture
def rollback(emulator):
    runner = Rollback(emulator)
    yield runner
    runner.stop()


def test_an_older_version_becomes_the_newest(emulator, rollback, tmp_path):
    emulator.secretmanager.put(SECRET, *BEFORE)
    emulator.iam.grant_only("versions.add", "versions.access")
    result = rollback(RESULTS_PATH=tmp_path / "result")
    assert result.code == 0, result.out
    assert payloads(emulator) == [*BEFORE, GOOD]
    assert result.operations == [
        "start", "client-initialized", "read-version", "read-version", "compare-secret",
        "compare-secret", "add-secret-version", "secret-exists", "add-secret-version",
        "verify-secret", "completed", "summary"]
    assert result.messages[0] == "Starting pull secret rollback operation"
    assert result.messages[2:4] == ["Reading version 2", f"Read version ({len(GOOD)} bytes)"]
    assert result.log[3]["version"].endswith("/versions/2")
    value = json.loads((tmp_path / "result").read_text())
    assert value["reason"] == "PullSecretStored"
    assert value["details"]["version"].endswith("/versions/4")
    # Once more, it is there: a Job that is repeated adds nothing.
    assert rollback(RESULTS_PATH=tmp_path / "result").code == 0
    assert json.loads((tmp_path / "result").read_text())["reason"] == "PullSecretUnchanged"
    assert payloads(emulator) == [*BEFORE, GOOD]


def test_any_bytes(emulator, rollback):
    """Also those that no run of this program would have stored."""
    data = bytes(range(256)) * 256
    emulator.secretmanager.put(SECRET, data, BAD)
    assert rollback("--secret-version", 1).code == 0
    assert payloads(emulator) == [data, BAD, data]


def test_nothing_is_destroyed(emulator, rollback):
    secret = emulator.secretmanager.put(SECRET, *BEFORE)
    assert rollback(KEEP_VERSIONS=1, KEEP_AGE=0).code == 0
    assert {version.state for version in secret.versions} == {"ENABLED"}


def test_a_dry_run(emulator, rollback):
    emulator.secretmanager.put(SECRET, *BEFORE)
    result = rollback("--dry-run", "--secret-version=2")
    assert result.code == 0, result.out
    assert result.line("dry-run")["message"].endswith("exists, a version would be added")
    assert "unchanged" in rollback("--dry-run", "--secret-version=3").line("dry-run")["message"]
    assert payloads(emulator) == BEFORE


def test_versions_that_cannot_be_read(start_emulator):
    def check(number, state, code, *parts):
        emulator = start_emulator()
        secret = emulator.secretmanager.put(SECRET, *BEFORE)
        secret.version(2).state = state
        result = Rollback(emulator)(f"--secret-version={number}")
        assert result.code == code, result.out
        assert result.error["operation"] == "read-version"
        for part in parts:
            assert part in result.error["message"] + result.error["hint"]
        assert payloads(emulator) == BEFORE

    hint = "a disabled version can be enabled; a destroyed one is gone"
    together(check, {
        "disabled": (2, "DISABLED", 2, "HTTP 400 FAILED_PRECONDITION", hint),
        "destroyed": (2, "DESTROYED", 2, "HTTP 400 FAILED_PRECONDITION", hint),
    })


def test_failures_before_anything_is_sent(start_emulator):
    def check(before, fault, code, part):
        emulator = start_emulator()
        if before:
            emulator.secretmanager.put(SECRET, *before)
        if fault:
            emulator.order("secretmanager", "access", times=None, **fault)
        result = Rollback(emulator)()
        assert result.code == code, result.out
        assert part in result.error["message"]
        assert ("pull-secret versions" in result.error.get("hint", "")) == ("NOT_FOUND" in part)
        assert payloads(emulator) == before

    together(check, {
        "no-secret": ([], {}, 2, "HTTP 404 NOT_FOUND"),
        "no-version": ([b"1"], {}, 2, "HTTP 404 NOT_FOUND"),
        "denied": (BEFORE, {"reply": errors.permission_denied()}, 4, "PERMISSION_DENIED"),
        "crc": (BEFORE, {"tamper": "wrong-crc"}, 5, "does not match its own dataCrc32c"),
        "another": (BEFORE, {"tamper": "other-version"}, 5, "version 2 was asked for"),
    })


@pytest.mark.parametrize("value", ["", "latest", "0", "-1"])
def test_wrong_values(emulator, rollback, value):
    result = rollback(f"--secret-version={value}" if value else "--dry-run")
    assert result.code == 2
    assert result.error["message"] == (
        f"--secret-version={value} must be the number of a version, from 1" if value
        else "--secret-version is required")
    assert emulator.requests() == []


def test_each_line_of_a_list_has_its_own(emulator, rollback, tmp_path):
    """Without one, it is that of the option, if there is one."""
    names = [f"hyperfleet-c{number}-pull-secret" for number in range(3)]
    for name in names:
        emulator.secretmanager.put(name, *BEFORE)
    listing = tmp_path / "tasks.ndjson"
    listing.write_text('{"cluster_id":"c0","secret_version":1}\n'
                       '{"cluster_id":"c1","secret_version":"2"}\n{"cluster_id":"c2"}\n')
    result = rollback("--tasks", listing, CLUSTER_ID=None)
    assert result.code == 7, result.out
    assert result.error["message"] == "the task has no secret_version"
    assert result.error["cluster_id"] == "c2"
    assert result.error["hint"] == "--secret-version gives one for all"
    assert rollback("--tasks", listing, "--secret-version=2", CLUSTER_ID=None).code == 0
    added = [emulator.secretmanager.payloads(name)[3:] for name in names]
    assert added == [[b"first"], [GOOD], [GOOD]]


def test_the_secret_is_deleted_meanwhile(emulator, rollback):
    """It is not made anew."""
    secret = emulator.secretmanager.put(SECRET, *BEFORE)
    answer = emulator.secretmanager.answer

    def deleting(request, operation):
        if operation == "addVersion":
            emulator.secretmanager.store.remove(secret.name)
        return answer(request, operation)

    emulator.secretmanager.answer = deleting
    assert rollback().code == 2
    assert "create" not in sent(emulator)


# --- exactly once ---------------------------------------------------------------------


def test_an_unanswered_add_is_not_taken_for_the_older_one(start_emulator):
    """The newest version is known, so what is above it is younger."""
    def check(what, theirs, stored):
        emulator = start_emulator()
        secret = emulator.secretmanager.put(SECRET, *BEFORE)
        order = lose(emulator, what)
        answer = emulator.secretmanager.answer
        pending = list(theirs)

        def adding(request, operation):
            if operation == "access" and order.hits:
                while pending:
                    secret.add(pending.pop())
            return answer(request, operation)

        emulator.secretmanager.answer = adding
        assert Rollback(emulator)().code == 0
        assert payloads(emulator) == [*BEFORE, *stored]

    together(check, {
        "reply": ("reply", [], [GOOD]), "request": ("request", [], [GOOD]),
        "below": ("reply", [b"new"], [GOOD, b"new"]),
        "lost-below": ("request", [b"new"], [b"new", GOOD]),
    })


REQUESTS = {"read": 1, "latest": 2, "next": 3, "add": 4, "access": 5}


def check_fault(emulator, tmp_path, *struck):
    """struck: pairs of the number of a request and the name of its fault."""
    place = Place(emulator, tmp_path, *BEFORE, job=Rollback(emulator))
    orders = [place.order(nth, **FAULTS[name]) for nth, name in struck]
    result = place.run()
    assert orders[0].hits == 1
    assert result.code == 0, result.out
    assert place.payloads == [*BEFORE, GOOD]
    assert json.loads(place.results.read_text())["status"] == "success"
    assert place.run().code == 0
    assert place.payloads == [*BEFORE, GOOD]


@some_or_all("lost-request-fin", "lost-reply-close")
def test_one_fault(emulator, tmp_path, names):
    in_turn(lambda *row: check_fault(emulator, tmp_path, *row),
            single_faults(REQUESTS, names))


@native
@pytest.mark.soak
def test_two_faults(emulator, tmp_path):
    in_turn(lambda *row: check_fault(emulator, tmp_path, *row), fault_pairs(REQUESTS))


def test_killed(emulator, tmp_path):
    """The next run sees what the killed one left, if it did."""
    def check(nth, drop):
        place = Place(emulator, tmp_path, *BEFORE, job=Rollback(emulator))
        order = place.order(nth, drop=drop, how="hang")
        process = place.start()
        until(lambda: order.hits == 1)
        process.popen.send_signal(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        assert place.run().code == 0
        assert place.payloads == [*BEFORE, GOOD]

    together(check, {f"{name}-{drop}": (nth, drop) for name, nth in REQUESTS.items()
                     for drop in ("uncommitted", "committed")})


@pytest.mark.parametrize("number", [
    signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)],
    ids=["SIGTERM", "SIGINT"])
def test_a_signal_in_each_request(emulator, tmp_path, number):
    said = {"add": UNKNOWN, "access": "a version was already written: "}

    def check(name, nth):
        place = Place(emulator, tmp_path, *BEFORE, job=Rollback(emulator))
        order = place.order(nth, drop="committed", how="hang")
        process = place.start()
        until(lambda: order.hits == 1)
        os.kill(process.pid, number)
        result = process.wait()
        assert result.code == 128 + number, result.out
        assert said.get(name, "no version was written") in result.error["message"]
        assert json.loads(place.results.read_text())["status"] == "failure"

    together(check, {name: (name, nth) for name, nth in REQUESTS.items()})


def test_a_secret_of_others_is_refused(emulator, rollback):
    emulator.secretmanager.put(SECRET, b"a", b"b", labels={**LABELS, "managed-by": "others"})
    result = rollback("--secret-version", 1, REQUIRE_MANAGED="true")
    assert result.code == 2
    assert "is not this cluster's" in result.error["message"]
    assert emulator.secretmanager.payloads(SECRET) == [b"a", b"b"]
