"""--skip-unchanged: nothing is written where the newest version of all is enabled and holds
the same bytes. What was newest before is known then, and helps where an addVersion went
unanswered.
"""

import json
import os
import signal

import pytest
from conftest import PULL_SECRET, SECRET, Job, native, together, until
from test_cut_connections import in_turn
from test_exactly_once import FAULTS, PAIRED, Place, some_or_all
from test_unanswered_add import LOST, check_unknown, lose, payloads, remake, sent, states

from emulator import errors

OURS = PULL_SECRET.encode()


@pytest.fixture
def skip(emulator):
    """Run the job against `emulator`, with SKIP_UNCHANGED."""
    runner = Skipping(emulator)
    yield runner
    runner.stop()


class Skipping(Job):
    """A job that is told to skip, which a Place can run, too."""

    def environment(self, **variables):
        return super().environment(**{"SKIP_UNCHANGED": "true", **variables})


def check_unchanged(result, number):
    assert result.code == 0, result.out
    assert result.operations == ["start", "client-initialized", "compare-secret",
                                 "compare-secret", "completed", "summary"]
    same = result.log[3]
    assert same["message"] == "Newest version holds the same bytes"
    assert same["version"].endswith(f"/versions/{number}")
    assert result.line("completed")["message"] == (
        "Pull secret is unchanged, no version was added")


# --- unchanged ------------------------------------------------------------------------


def test_unchanged(emulator, skip, tmp_path):
    """Only versions.access is needed."""
    emulator.secretmanager.put(SECRET, b"old", OURS)
    emulator.iam.grant_only("versions.access")
    result = skip(RESULTS_PATH=tmp_path / "result", TERMINATION_LOG_PATH=None)
    check_unchanged(result, 2)
    value = json.loads((tmp_path / "result").read_text())
    assert (value["status"], value["reason"]) == ("success", "PullSecretUnchanged")
    assert value["details"]["version"] == result.log[3]["version"]
    assert "/versions/2 holds the same" in value["message"]
    assert payloads(emulator) == [b"old", OURS]
    assert sent(emulator) == ["access"] * 3


def test_the_flag_in_a_dry_run(emulator, job):
    secret = emulator.secretmanager.put(SECRET, OURS)
    assert job("--dry-run", "--skip-unchanged").line("dry-run")["message"].endswith(
        f"secret {SECRET} is unchanged, nothing would be written")
    secret.add(b"newer")
    assert job("--dry-run", "--skip-unchanged").line("dry-run")["message"].endswith(
        f"secret {SECRET} exists, a version would be added")
    emulator.secretmanager.store.remove(secret.name)
    assert "it would be created" in job("--dry-run", "--skip-unchanged").line(
        "dry-run")["message"]
    assert "addVersion" not in sent(emulator)


def test_without_the_flag_a_version_is_added(emulator, job):
    emulator.secretmanager.put(SECRET, OURS)
    assert job(SKIP_UNCHANGED="false").code == 0
    assert payloads(emulator) == [OURS, OURS]
    assert sent(emulator) == ["addVersion", "access"]


@pytest.mark.parametrize("lag", [0, 1000], ids=["fresh", "stale"])
def test_the_newest_of_all_counts(start_emulator, lag):
    """Whatever `latest` shows, what stands above it is found."""
    def check(versions, switched, number, text):
        emulator = start_emulator()
        secret = emulator.secretmanager.put(SECRET, *versions)
        emulator.secretmanager.latest_lag = lag
        for old, state in switched:
            secret.version(old).state = state
        result = Skipping(emulator)()
        if number:
            check_unchanged(result, number)
            assert payloads(emulator) == versions
        else:
            assert result.code == 0, result.out
            assert result.log[3]["message"] == text
            assert payloads(emulator) == [*versions, OURS]
            assert result.line("verify-secret")["version"].endswith(
                f"/versions/{len(versions) + 1}")

    other, off = "Newest version holds other bytes", "Newest version is disabled or destroyed"
    together(check, {
        "ours": ([OURS], [], 1, ""),
        "ours-on-top": ([b"1", b"2", b"3", OURS], [], 4, ""),
        "ours-below": ([OURS, b"newer"], [], None, other),
        "longer": ([OURS + b" "], [], None, other),
        "disabled": ([b"old", OURS], [(2, "DISABLED")], None, off),
        "destroyed": ([b"old", OURS], [(2, "DESTROYED")], None, off),
        "disabled-on-ours": ([OURS, b"bad"], [(2, "DISABLED")], None, off),
        "all-disabled": ([OURS, OURS], [(1, "DISABLED"), (2, "DISABLED")], None, off),
        "ours-on-disabled": ([b"1", b"2", OURS], [(1, "DESTROYED"), (2, "DISABLED")], 3, ""),
        "none": ([], [], None, "There is no version"),
    })


def test_there_is_no_secret(emulator, skip):
    result = skip()
    assert result.code == 0, result.out
    assert payloads(emulator) == [OURS]
    assert sent(emulator) == ["access", "access", "addVersion", "create", "addVersion", "access"]
    check_unchanged(skip(), 1)
    assert payloads(emulator) == [OURS]


def test_it_is_disabled_while_it_is_compared(emulator, skip):
    """Read by `latest`, it must be there by its number, too."""
    secret = emulator.secretmanager.put(SECRET, OURS)
    answer = emulator.secretmanager.answer

    def disabling(request, operation):
        if request.target.endswith("/versions/1:access"):
            secret.version(1).state = "DISABLED"
        return answer(request, operation)

    emulator.secretmanager.answer = disabling
    assert skip().code == 0
    assert payloads(emulator) == [OURS, OURS]


# --- it cannot be compared ------------------------------------------------------------


def test_it_cannot_be_compared(start_emulator):
    """Then nothing is written."""
    def check(fault, code, said, *flags):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, OURS)
        emulator.order("secretmanager", "access", times=None, **fault)
        result = Skipping(emulator)(*flags)
        assert result.code == code, result.out
        assert result.error["operation"] == "compare-secret"
        assert result.error["message"].startswith("cannot compare the newest version: ")
        assert said in result.error["message"]
        assert payloads(emulator) == [OURS]

    denied = ({"reply": errors.permission_denied()}, 4, "HTTP 403 PERMISSION_DENIED")
    together(check, {
        "denied": denied, "denied-dry-run": (*denied, "--dry-run"),
        "unavailable": ({"reply": errors.unavailable()}, 1, "HTTP 503 UNAVAILABLE"),
        "crc": ({"tamper": "wrong-crc"}, 5, "does not match its own dataCrc32c")})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_while_it_compares(emulator, skip, number):
    emulator.secretmanager.put(SECRET, OURS)
    order = emulator.order("secretmanager", "access", drop="uncommitted", how="hang")
    process = skip.start()
    until(lambda: order.hits)
    os.kill(process.pid, number)
    result = process.wait()
    assert result.code == 128 + number, result.out
    assert result.error["message"].startswith(f"stopped by {number.name}")
    assert result.error["message"].endswith("; no version was written")


def test_the_deadline_holds_while_it_compares(emulator, skip):
    emulator.secretmanager.put(SECRET, OURS)
    emulator.order("secretmanager", "access", drop="uncommitted", how="hang", times=None)
    result = skip(MAX_WAIT_TIME_SECONDS=1)
    assert result.code == 1, result.out
    assert result.error["error_code"] == "DEADLINE_EXCEEDED"
    assert "addVersion" not in sent(emulator)


@native
def test_what_cannot_be_told(emulator, skip):
    """Nothing was written: another run does no harm."""
    emulator.secretmanager.put(SECRET, OURS)
    with open("/dev/full", "wb") as full:
        assert skip(stdout=full).code == 1
    assert payloads(emulator) == [OURS]


# --- the newest one is known when an addVersion goes unanswered -----------------------


class Looked:
    """Where an addVersion is lost, and what others do before it is looked for."""

    def __init__(self, emulator, what, *before):
        self.emulator = emulator
        self.before = list(before)
        self.secret = emulator.secretmanager.put(SECRET, *before)
        self.order = lose(emulator, what)

    def then(self, function):
        """Call function(secret) just before the look-up, which follows the lost one."""
        answer = self.emulator.secretmanager.answer
        pending = [function]

        def wrapped(request, operation):
            if operation == "access" and self.order.hits and pending:
                pending.pop()(self.emulator.secretmanager.secret(SECRET))
            return answer(request, operation)

        self.emulator.secretmanager.answer = wrapped
        return Skipping(self.emulator)()


def test_ours_is_known_below_others(start_emulator):
    """All above the baseline is younger: an equal one is ours, a missing one is missing."""
    def check(what, before, disabled, theirs, stored):
        emulator = start_emulator()
        looked = Looked(emulator, what, *before)
        for number in disabled:
            looked.secret.version(number).state = "DISABLED"
        result = looked.then(lambda secret: [secret.add(data) for data in theirs])
        assert result.code == 0, result.out
        assert payloads(emulator) == before + stored

    together(check, {
        "below": ("reply", [b"old"], [], [b"new"], [OURS, b"new"]),
        "far-below": ("reply", [b"old"], [], [b"1", b"2", b"3"], [OURS, b"1", b"2", b"3"]),
        "lost": ("request", [b"old"], [], [b"new"], [b"new", OURS]),
        "an-older-equal-one": ("request", [OURS, b"old"], [], [b"new"], [b"new", OURS]),
        "disabled-before": ("request", [b"1", OURS], [2], [], [OURS]),
        "disabled-before-below": ("reply", [b"1", OURS], [2], [b"new"], [OURS, b"new"]),
        "all-disabled-before": ("request", [b"1", OURS], [1, 2], [b"new"], [b"new", OURS]),
        "equal-by-others": ("request", [b"old"], [], [OURS, b"new"], [OURS, b"new"]),
        "none-before": ("reply", [], [], [b"new"], [OURS, b"new"]),
    })


@pytest.mark.parametrize("what", LOST)
def test_what_was_disabled_since_cannot_be_compared(start_emulator, what):
    def check(before, changes, number):
        emulator = start_emulator()
        check_unknown(Looked(emulator, what, *before).then(states(*changes)),
                      f"version {number} is disabled or destroyed")
        assert payloads(emulator) == before + [OURS] * (what == "reply")

    if what == "reply":
        together(check, {"ours": ([b"old"], [(2, "DISABLED")], 2)})
    else:
        together(check, {"the-baseline": ([OURS, b"old"], [(2, "DESTROYED")], 2)})


def test_a_baseline_that_was_enabled_since(emulator):
    """It may be older for all that is known."""
    looked = Looked(emulator, "request", OURS)
    looked.secret.version(1).state = "DISABLED"

    def enable(secret):
        secret.version(1).state = "ENABLED"
        secret.add(b"new")

    check_unknown(looked.then(enable), "version 1 holds the same bytes")
    assert payloads(emulator) == [OURS, b"new"]


def test_a_baseline_of_another_secret(start_emulator):
    """Numbers start again: all versions are younger."""
    def check(what, before, remade, stored):
        emulator = start_emulator()
        looked = Looked(emulator, what, *before)
        result = looked.then(remake(emulator, *remade))
        assert result.code == 0, result.out
        assert payloads(emulator) == stored

    together(check, {
        "gone-and-ours-below": ("reply", [b"1", b"2", b"3"], [OURS, b"new"], [OURS, b"new"]),
        "changed-and-ours-below": ("reply", [b"1", b"2"], [OURS, b"22", b"new"],
                                   [OURS, b"22", b"new"]),
        "gone": ("request", [b"1", b"2", b"3"], [b"new"], [b"new", OURS]),
        "changed": ("request", [b"1", b"2"], [b"1", b"22"], [b"1", b"22", OURS]),
    })


# --- exactly once ---------------------------------------------------------------------

# The requests of a run that finds the same bytes, and of one that does not.
SAME = {"latest": 1, "next": 2, "by-number": 3}
OTHER = {"latest": 1, "next": 2, "add": 3, "access": 4}


def check_fault(emulator, tmp_path, same, *struck):
    """struck: pairs of the number of a request and the name of its fault."""
    place = Place(emulator, tmp_path, OURS if same else b"old", job=Skipping(emulator))
    orders = [place.order(nth, **FAULTS[name]) for nth, name in struck]
    result = place.run()
    assert orders[0].hits == 1
    assert result.code == 0, result.out
    if same:
        assert place.payloads == [OURS]
    else:
        place.check(result)
    # And it stays at that, by whatever happened.
    assert place.run().code == 0
    assert place.payloads == [OURS] if same else [b"old", OURS]


@some_or_all("lost-request-fin", "lost-reply-close", "503-committed", "garbage-committed")
def test_one_fault(emulator, tmp_path, names):
    together(lambda *row: check_fault(emulator, tmp_path, *row), {
        f"{same}-{nth}-{name}": (same, (nth, name))
        for same, requests in ((True, SAME), (False, OTHER)) for nth in requests.values()
        for name in names})


@native
@pytest.mark.soak
def test_two_faults(emulator, tmp_path):
    in_turn(lambda *row: check_fault(emulator, tmp_path, *row), {
        f"{same}-{nth}-{one}-{two}": (same, (nth, one), (later, two))
        for same, requests in ((True, SAME), (False, OTHER)) for nth in requests.values()
        for later in range(nth + 1, 7) for one in PAIRED for two in PAIRED})


def test_a_job_repeats_what_was_not_verified(emulator, tmp_path):
    """Stored, and the read-back fails for a while: the next run adds nothing."""
    place = Place(emulator, tmp_path, b"old", job=Skipping(emulator))
    place.order(4, reply=errors.wrong_state())
    result = place.run()
    assert result.code == 1, result.out
    assert "a version was already written" in result.error["message"]
    assert place.run().code == 0
    assert place.payloads == [b"old", OURS]


def test_killed(emulator, tmp_path):
    """The next run finds what the killed one left, if it did."""
    def check(nth, drop):
        place = Place(emulator, tmp_path, b"old", job=Skipping(emulator))
        order = place.order(nth, drop=drop, how="hang")
        process = place.start()
        until(lambda: order.hits == 1)
        process.popen.send_signal(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        assert place.run().code == 0
        assert place.payloads == [b"old", OURS]

    together(check, {f"{name}-{drop}": (nth, drop) for name, nth in OTHER.items()
                     for drop in ("uncommitted", "committed")})


def test_ours_may_lie_below_more_than_are_read(emulator, skip):
    """Then it is unknown whether it is there, and nothing is sent again."""
    emulator.secretmanager.put(SECRET, b"old")

    def reply(_):
        emulator.secretmanager.put(SECRET, b"old", OURS, *[b"%d" % n for n in range(17)])
        return errors.unavailable()

    emulator.order("secretmanager", "addVersion", reply=reply)
    result = skip()
    assert result.code == 1
    assert "others added more than 16 versions" in result.error["message"]
    assert emulator.secretmanager.payloads(SECRET).count(OURS) == 1
