"""--keep: what is destroyed of older versions, once ours is verified, and what never is."""

import json
import os
import signal
from datetime import datetime, timedelta, timezone

import pytest
from conftest import PULL_SECRET, SECRET, Job, native, together, until
from test_cut_connections import in_turn
from test_exactly_once import FAULTS, Place, fault_pairs, single_faults, some_or_all
from test_unanswered_add import sent

from emulator import errors

OURS = PULL_SECRET.encode()
DAY = 86400


def at(seconds_ago):
    moment = datetime.now(timezone.utc) - timedelta(seconds=seconds_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def old_versions(emulator, count=3, name=SECRET, age=DAY):
    """A secret with so many versions, a day old."""
    secret = emulator.secretmanager.put(name, *[b"%d" % n for n in range(1, count + 1)])
    for version in secret.versions:
        version.create_time = at(age)
    return secret


def states(secret):
    """The first letter of each version's state: E, d (disabled), D (destroyed)."""
    short = {"ENABLED": "E", "DISABLED": "d", "DESTROYED": "D"}
    return "".join(short[version.state] for version in secret.versions)


class Keeping(Job):
    """A job that keeps one version, unless told otherwise."""

    def environment(self, **variables):
        return super().environment(**{"KEEP_VERSIONS": "1", **variables})


@pytest.fixture
def keep(emulator):
    runner = Keeping(emulator)
    yield runner
    runner.stop()


def check_stored(result):
    assert result.code == 0, result.out
    assert result.errors == []
    assert result.operations[-2:] == ["completed", "summary"]


# --- what is destroyed ----------------------------------------------------------------


def test_all_but_the_newest(emulator, keep, tmp_path):
    secret = old_versions(emulator)
    emulator.iam.grant_only("versions.add", "versions.access", "secrets.get", "versions.list",
                            "versions.destroy")
    result = keep("--keep", "2", RESULTS_PATH=tmp_path / "result")
    check_stored(result)
    assert states(secret) == "DDEE"
    assert result.operations[2:] == [
        "add-secret-version", "secret-exists", "add-secret-version", "verify-secret",
        "prune-versions", "prune-versions", "prune-versions", "completed", "summary"]
    assert result.messages[6:9] == ["Looking for enabled versions, all but the newest: 2",
                                    "Destroyed version 2", "Destroyed version 1"]
    value = json.loads((tmp_path / "result").read_text())
    assert value["reason"] == "PullSecretStored"
    assert value["message"].endswith("/versions/4; 2 older destroyed")
    assert sent(emulator) == ["addVersion", "access", "listVersions", "get", "destroy",
                              "listVersions", "get", "destroy", "listVersions"]


def test_which_versions_go(start_emulator):
    """Rows: states before, changes, flags, states after."""
    def check(count, change, flags, after):
        emulator = start_emulator()
        secret = old_versions(emulator, count)
        change(secret)
        result = Keeping(emulator)(*flags)
        check_stored(result)
        assert result.warnings == [], result.out
        assert states(secret) == after

    def put(**fields):
        def change(secret):
            secret.fields.update(fields)
        return change

    def state(letters, **fields):
        full = {"E": "ENABLED", "d": "DISABLED", "D": "DESTROYED"}

        def change(secret):
            for version, letter in zip(secret.versions, letters):
                version.state = full[letter]
            for number, value in fields.items():
                secret.version(int(number[1:])).scheduled_destroy_time = value
        return change

    def age(*seconds):
        def change(secret):
            for version, ago in zip(secret.versions, seconds):
                version.create_time = at(ago)
        return change

    nothing, keep = put(), "--keep"
    together(check, {
        "one": (3, nothing, [], "DDDE"),
        "none-to-destroy": (0, nothing, [], "E"),
        "more-than-there-are": (2, nothing, [keep, 9], "EEE"),
        "exactly": (2, nothing, [keep, 3], "EEE"),
        "alias": (3, put(versionAliases={"old": "2"}), [], "DEDE"),
        "aliases": (3, put(versionAliases={"a": "1", "b": 3}), [], "EDEE"),
        "disabled-is-not-counted": (4, state("EEdE"), [keep, 2], "DDdEE"),
        "destroyed-is-not-counted": (4, state("EEDD"), [keep, 2], "DEDDE"),
        "scheduled": (3, state("EEE", v2=at(-DAY)), [keep, 2], "DEEE"),
        "young": (3, age(DAY, 3500, 10), [], "DEEE"),
        "an-hour": (3, age(DAY, 3700, 3700), [], "DDDE"),
        "keep-age": (3, age(7300, 5400, 5300), ["--keep-age", "90m"], "DDEE"),
        "keep-age-seconds": (3, age(100, 60, 10), ["--keep-age=50"], "DDEE"),
        "keep-age-0": (3, age(0, 0, 0), ["--keep-age=0"], "DDDE"),
        "disable": (3, nothing, ["--keep-action=disable"], "dddE"),
        "destroy": (3, nothing, ["--keep-action=destroy", keep, 2], "DDEE"),
    })


def test_newer_ones_are_never_destroyed(start_emulator):
    """Others add versions while ours is verified: they are counted, and stay, as ours does."""
    def check(count, after, **variables):
        emulator = start_emulator()
        secret = old_versions(emulator)
        if variables:
            secret.add(OURS).create_time = at(DAY)
        answer = emulator.secretmanager.answer

        def adding(request, operation):
            if operation == "listVersions" and len(secret.versions) == 4:
                for _ in range(2):
                    secret.add(b"theirs").create_time = at(DAY)
            return answer(request, operation)

        emulator.secretmanager.answer = adding
        check_stored(Keeping(emulator)(KEEP_VERSIONS=count, **variables))
        assert states(secret) == after

    def unchanged(count, after):
        check(count, after, SKIP_UNCHANGED="1")

    for function in (check, unchanged):
        together(function, {"1": (1, "DDDEEE"), "3": (3, "DDDEEE"), "4": (4, "DDEEEE")})


@pytest.mark.parametrize("ages, after, spared", [
    ((60, 60, 10), "EEEE", 3), ((DAY, DAY, 9), "DDEE", 1)])
def test_the_young_are_told_of(emulator, keep, ages, after, spared):
    secret = old_versions(emulator)
    for version, age in zip(secret.versions, ages):
        version.create_time = at(age)
    result = keep()
    check_stored(result)
    assert states(secret) == after
    assert result.messages[-3] == f"Younger than --keep-age, and spared: {spared}"


def test_the_age_counts_by_the_servers_clock(emulator, keep):
    """Ours has the server's time; it is two hours behind."""
    secret = old_versions(emulator)
    answer = emulator.secretmanager.answer

    def behind(request, operation):
        if operation == "listVersions":
            secret.version(4).create_time = at(7200)
            secret.version(3).create_time = at(7200 + 60)
        return answer(request, operation)

    emulator.secretmanager.answer = behind
    check_stored(keep())
    assert states(secret) == "DDEE"


def test_times_that_cannot_be_read(emulator, keep):
    """They are left alone."""
    secret = old_versions(emulator, 5)

    def change(value):
        for version in value["versions"]:
            version["scheduledDestroyTime"] = None
            if version["name"].endswith("/2"):
                version["createTime"] = "yesterday"
            if version["name"].endswith("/4"):
                del version["createTime"]
            if version["name"].endswith("/1"):
                version["scheduledDestroyTime"] = "tomorrow"
        return value

    emulator.order("secretmanager", "listVersions", times=None, tamper=change)
    check_stored(keep())
    assert states(secret) == "EEDEDE"


def test_a_delayed_destruction(emulator, keep):
    """It says when; what is scheduled is disabled, and not counted by the next run."""
    secret = old_versions(emulator)
    secret.fields["versionDestroyTtl"] = "172800s"
    result = keep()
    check_stored(result)
    assert states(secret) == "dddE"
    for number, line in zip((3, 2, 1), result.log[7:10]):
        due = secret.version(number).scheduled_destroy_time[:19]
        assert line["message"] == f"Version {number} will be destroyed at {due}Z"
    etags = [version.etag for version in secret.versions]
    check_stored(keep("--keep=2"))
    assert states(secret) == "dddEE"
    assert [version.etag for version in secret.versions][:4] == etags


def test_pages_are_followed(start_emulator):
    def check(count, empty, size):
        emulator = start_emulator()
        secret = old_versions(emulator, count)
        emulator.secretmanager.empty_pages = empty
        if size:
            limit_pages(emulator, size)
        result = Keeping(emulator)("--keep=3")
        check_stored(result)
        assert states(secret) == "D" * (count - 2) + "EEE"

    together(check, {"small": (7, 0, 1), "empty": (5, 3, 0), "two": (60, 0, 0)})


def limit_pages(emulator, size):
    """A server may give less than what is asked for."""
    page_size = emulator.secretmanager._page

    def smaller(call, *rest):
        call.query["pageSize"] = str(size)
        return page_size(call, *rest)

    emulator.secretmanager._page = smaller


def test_a_pile_is_destroyed_by_and_by(emulator, keep):
    secret = old_versions(emulator, 105)
    result = keep()
    check_stored(result)
    assert result.messages[-3] == "More may be left for the next run"
    assert states(secret) == "EEEEE" + "D" * 100 + "E"
    check_stored(keep())
    assert states(secret) == "D" * 105 + "EE"  # ours of before is young


def test_with_skip_unchanged(emulator, keep):
    """What is there is verified, too."""
    secret = old_versions(emulator)
    secret.add(OURS)
    result = keep("--skip-unchanged")
    check_stored(result)
    assert states(secret) == "DDDE"
    assert "addVersion" not in sent(emulator)


def test_never_before_ours_is_verified(emulator, keep):
    secret = old_versions(emulator)
    emulator.order("secretmanager", "access", tamper="flip")
    assert keep().code == 5
    assert states(secret) == "EEEE"
    assert sent(emulator) == ["addVersion", "access"]


def test_neither_without_the_flag_nor_in_a_dry_run(emulator, job):
    secret = old_versions(emulator)
    assert job(KEEP_AGE="0", KEEP_ACTION="disable").code == 0
    assert job("--dry-run", "--keep=1").code == 0
    assert states(secret) == "EEEE"


@pytest.mark.parametrize("flag, said", [
    ("--keep=0", "--keep=0 must be a number from 1 to 1000000"),
    ("--keep=-1", "--keep=-1 must be"), ("--keep=two", "--keep=two must be"),
    ("--keep=1000001", "--keep=1000001 must be"),
    ("--keep-age=1d", "--keep-age=1d must be from 0 to 315360000 seconds"),
    ("--keep-action=delete", "--keep-action=delete must be destroy or disable")])
def test_wrong_values(emulator, job, flag, said):
    result = job(flag, KEEP_VERSIONS="1")
    assert result.code == 2
    assert said in result.error["message"]
    assert emulator.requests() == []


@pytest.mark.parametrize("flag", ["--keep-age=1h", "--keep-action=disable"])
def test_flags_that_do_nothing(emulator, job, flag):
    result = job(flag)
    assert (result.code, result.error["operation"]) == (2, "validate-config")
    assert result.error["message"] == "--keep-age and --keep-action need --keep"
    assert emulator.requests() == []


# --- where nothing, or not all, is destroyed ------------------------------------------


def warned(result, *parts):
    """It succeeded, with one warning that holds these parts."""
    check_stored(result)
    assert [line["operation"] for line in result.warnings] == ["prune-versions"], result.out
    for part in parts:
        assert part in result.warnings[0]["message"]
    return result.warnings[0]


def test_failures_are_warnings(start_emulator):
    def check(operation, fault, after, *parts):
        emulator = start_emulator()
        secret = old_versions(emulator)
        emulator.order("secretmanager", operation, times=None, **fault)
        line = warned(Keeping(emulator)(), "older versions were not all dealt with: ", *parts)
        assert states(secret) == after
        if "PERMISSION_DENIED" in parts:
            assert ("needs secretmanager.secrets.get, versions.list and versions.destroy"
                    in line["hint"])

    def tamper(change):
        def changed(value):
            for version in value.get("versions", []):
                change(version)
            return value
        return {"tamper": changed}

    denied = {"reply": errors.permission_denied()}
    together(check, {
        "get": ("get", denied, "EEEE", "PERMISSION_DENIED"),
        "list": ("listVersions", denied, "EEEE", "PERMISSION_DENIED"),
        "destroy": ("destroy", denied, "EEEE", "PERMISSION_DENIED"),
        "alias": ("get", {"tamper": lambda value: {**value, "versionAliases": {"a": "x"}}},
                  "EEEE", "its aliases cannot be read"),
        "aliases": ("get", {"tamper": lambda value: {**value, "versionAliases": {
            f"a{n}": "1" for n in range(51)}}}, "EEEE", "its aliases cannot be read"),
        "alias-text": ("get", {"tamper": lambda value: {**value, "versionAliases": "x"}},
                       "EEEE", "its aliases cannot be read"),
        "no-etag": ("listVersions", tamper(lambda version: version.pop("etag")), "EEEE",
                    "version 3 has no usable etag"),
        "etag": ("listVersions", tamper(lambda version: version.update(etag="x" * 200)),
                 "EEEE", "version 3 has no usable etag"),
        "order": ("listVersions", {"tamper": lambda value: {"versions": value["versions"][::-1]}},
                  "EEEE", "version 4 is not listed as enabled"),
        "twice": ("listVersions", {"tamper": lambda value: {
            "versions": [value["versions"][0]] * 2}}, "EEEE", "not listed from the newest"),
        "endless": ("listVersions", {"tamper": lambda value: {"nextPageToken": "x"}}, "EEEE",
                    "HTTP 400"),
        "token": ("listVersions", {"tamper": lambda value: {"nextPageToken": 7}}, "EEEE",
                  "or does not name the next one"),
        "many": ("listVersions", {"tamper": lambda value: {"versions": [
            value["versions"][0]] * 51}}, "EEEE", "the page of versions is too long"),
    })


def test_pages_without_end(emulator, keep):
    secret = old_versions(emulator)
    answer = emulator.secretmanager.answer

    def endless(request, operation):
        if operation == "listVersions":
            return errors.api("UNKNOWN", "", code=200).with_json({"nextPageToken": "x"})
        return answer(request, operation)

    emulator.secretmanager.answer = endless
    warned(keep(), "the list of versions has no end: 1000 pages")
    assert sent(emulator).count("listVersions") == 1000
    assert states(secret) == "EEEE"


@pytest.mark.parametrize("state", ["DISABLED", "DESTROYED"])
def test_ours_is_disabled_in_between(emulator, keep, state):
    """Once it was verified, or once a first one was destroyed: the rest stays."""
    secret = old_versions(emulator)
    answer = emulator.secretmanager.answer

    def disabling(request, operation):
        reply = answer(request, operation)
        if operation == "destroy":
            secret.version(4).state = state
        return reply

    emulator.secretmanager.answer = disabling
    warned(keep(), "version 4 is not listed as enabled")
    assert states(secret)[:3] == "EED"


def test_what_others_change_is_theirs(emulator, keep):
    """The etag does not fit any more: it is left, the rest is destroyed."""
    secret = old_versions(emulator)
    answer = emulator.secretmanager.answer

    def touching(request, operation):
        if operation == "destroy" and "/versions/2:" in request.target:
            secret.version(2).etag = '"touched"'
        return answer(request, operation)

    emulator.secretmanager.answer = touching
    warned(keep(), "an older version was left as it is: ", "etag")
    assert states(secret) == "DEDE"


def test_an_alias_that_is_set_in_between(emulator, keep):
    """The one that is to be destroyed next, and one that would be later."""
    secret = old_versions(emulator, 4)
    answer = emulator.secretmanager.answer

    def setting(request, operation):
        reply = answer(request, operation)
        if operation == "listVersions" and states(secret) == "EEEDE":
            secret.fields["versionAliases"] = {"next": "3", "later": "1"}
        return reply

    emulator.secretmanager.answer = setting
    check_stored(keep())
    assert states(secret) == "EDEDE"


def test_no_role_is_waited_for(start_emulator):
    def check(operation):
        emulator = start_emulator()
        old_versions(emulator)
        emulator.order("secretmanager", operation, times=None, reply=errors.permission_denied())
        warned(Keeping(emulator)(PERMISSION_WAIT_SECONDS="60"), "PERMISSION_DENIED")
        assert sent(emulator).count(operation) == 1

    together(check, {name: (name,) for name in STEPS})


MAYBE = "an older version may have been dealt with: "


@pytest.mark.parametrize("by", ["us", "others"])
def test_a_lost_reply(emulator, keep, tmp_path, by):
    """Sent again with the same etag, it is refused: we changed it, or others did."""
    secret = old_versions(emulator, 2)

    def disabled(_request):
        secret.version(2).state = "DISABLED"
        secret.version(2).etag = '"theirs"'
        return errors.unavailable()

    fault = {"drop": "committed"} if by == "us" else {"reply": disabled}
    emulator.order("secretmanager", "destroy", **fault)
    result = keep(RESULTS_PATH=tmp_path / "result")
    check_stored(result)
    assert states(secret) == ("DDE" if by == "us" else "DdE")
    assert MAYBE in result.warnings[-1]["message"]
    assert "/versions/2:destroy" in result.warnings[-1]["message"]
    assert "Destroyed version 2" not in result.messages
    assert json.loads((tmp_path / "result").read_text())["message"].endswith(
        "; 1 older destroyed, see the warning in the log")


def test_replies_that_do_not_say_it_is_done(start_emulator):
    def check(*flags, **fields):
        emulator = start_emulator()
        old_versions(emulator)
        operation = "disable" if flags else "destroy"
        emulator.order("secretmanager", operation, times=None,
                       tamper=lambda value: {**value, **fields})
        result = Keeping(emulator)(*flags)
        warned(result, "version 3 may be as it was, by the reply")
        assert sent(emulator).count(operation) == 1
        assert not any(message.startswith(("Destroyed", "Disabled"))
                       for message in result.messages)

    def destroy(fields):
        check(**fields)

    def disable(fields):
        check("--keep-action=disable", **fields)

    name = f"projects/test-project/secrets/{SECRET}/versions/2"
    together(destroy, {
        "enabled": ({"state": "ENABLED"},), "unknown": ({"state": "x"},),
        "disabled": ({"state": "DISABLED"},), "another": ({"name": name},),
        "scheduled": ({"state": "ENABLED", "scheduledDestroyTime": at(-DAY)},)})
    together(disable, {"enabled": ({"state": "ENABLED"},), "another": ({"name": name},)})


def test_a_list_that_lags(emulator, keep):
    """Ours is not shown yet: nothing is destroyed."""
    secret = old_versions(emulator)
    for version in secret.versions:
        version.added_at -= 2000
    emulator.secretmanager.list_lag = 1000
    warned(keep(), "version 4 is not listed as enabled")
    assert states(secret) == "EEEE"


def test_what_was_destroyed_is_still_listed(emulator, keep):
    """It is not asked for again."""
    secret = old_versions(emulator)
    shown = [secret.version_to_json(version) for version in reversed(secret.versions)]
    emulator.order("secretmanager", "listVersions", times=None, tamper=lambda value: {
        "versions": [secret.version_to_json(secret.version(4)), *shown]})
    check_stored(keep())
    assert states(secret) == "DDDE"
    assert sent(emulator).count("destroy") == 3


# --- time, signals, the log -----------------------------------------------------------

STEPS = ("listVersions", "get", "destroy")


@pytest.mark.parametrize("number", [
    signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)],
    ids=["SIGTERM", "SIGINT"])
def test_a_signal(start_emulator, tmp_path, number):
    """Ours is verified: that is a success, and nothing more is done."""
    def check(operation):
        emulator = start_emulator()
        old_versions(emulator)
        order = emulator.order("secretmanager", operation, drop="uncommitted", how="hang")
        job = Keeping(emulator)
        process = job.start(RESULTS_PATH=tmp_path / operation)
        until(lambda: order.hits)
        os.kill(process.pid, number)
        warned(process.wait(), f"stopped by {number.name}")
        assert sent(emulator)[-1] == operation
        value = json.loads((tmp_path / operation).read_text())
        assert value["status"] == "success"
        assert value["message"].endswith("0 older destroyed, see the warning in the log")

    together(check, {name: (name,) for name in STEPS})


def test_the_deadline(start_emulator):
    def check(operation):
        emulator = start_emulator()
        old_versions(emulator)
        emulator.order("secretmanager", operation, drop="uncommitted", how="hang", times=None)
        result = Keeping(emulator)(MAX_WAIT_TIME_SECONDS=2)
        assert warned(result)["error_code"] == "DEADLINE_EXCEEDED"

    together(check, {name: (name,) for name in STEPS})


@native
def test_a_log_that_is_lost(emulator, keep):
    """What cannot be told is not done: the reader goes away after it was verified."""
    secret = old_versions(emulator)
    reader, writer = os.pipe()
    answer = emulator.secretmanager.answer

    def closing(request, operation):
        if operation == "get":
            os.close(reader)
        return answer(request, operation)

    emulator.secretmanager.answer = closing
    process = keep.start(stdout=writer)
    os.close(writer)
    assert process.wait().code == 6
    # One is under way when the log breaks; it cannot be told any more.
    assert states(secret) in ("EEEE", "EEDE")


# --- exactly once ---------------------------------------------------------------------

# The requests of a run that adds, verifies, and destroys one version.
REQUESTS = {"add": 1, "access": 2, "list": 3, "get": 4, "destroy": 5, "list-again": 6}


def place_of(emulator, tmp_path):
    place = Place(emulator, tmp_path, b"old", job=Keeping(emulator))
    emulator.secretmanager.secret(place.name).version(1).create_time = at(DAY)
    return place


def check_fault(emulator, tmp_path, *struck):
    """struck: pairs of the number of a request and the name of its fault."""
    place = place_of(emulator, tmp_path)
    orders = [place.order(nth, **FAULTS[name]) for nth, name in struck]
    result = place.run()
    assert orders[0].hits == 1
    check_stored(result)
    retried = [line for line in result.warnings if MAYBE not in line["message"]]
    assert len(retried) == sum(order.hits for order in orders)
    secret = emulator.secretmanager.secret(place.name)
    assert place.payloads == [b"", OURS]
    assert states(secret) == "DE"


@some_or_all("lost-reply-close", "503-committed")
def test_one_fault(emulator, tmp_path, names):
    in_turn(lambda *row: check_fault(emulator, tmp_path, *row),
            single_faults(REQUESTS, names))


@native
@pytest.mark.soak
def test_two_faults(emulator, tmp_path):
    in_turn(lambda *row: check_fault(emulator, tmp_path, *row), fault_pairs(REQUESTS))


def test_killed(emulator, tmp_path):
    """Ours is never destroyed, and the next run sets the rest right."""
    def check(nth, drop):
        place = place_of(emulator, tmp_path)
        order = place.order(nth, drop=drop, how="hang")
        process = place.start()
        until(lambda: order.hits == 1)
        process.popen.send_signal(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        secret = emulator.secretmanager.secret(place.name)
        left = states(secret)
        assert left in ("E", "EE", "DE")
        check_stored(place.run(SKIP_UNCHANGED="true"))
        assert states(secret) == "DE"
        assert place.payloads == [b"", OURS]

    together(check, {f"{name}-{drop}": (nth, drop) for name, nth in REQUESTS.items()
                     for drop in ("uncommitted", "committed")})
