"""addVersion was sent and not answered: what the look-up may conclude.

It is sent again only where it is certain that it did not act, it is taken for written
only where the version is ours for certain, and all else is "unknown", at every ending.
"""

import base64
import os
import signal

import pytest
from conftest import PULL_SECRET, SECRET, Job, together, until

from emulator import Reply, errors

OURS = PULL_SECRET.encode()
UNKNOWN = "it is unknown whether a version was written"
LOST = {"reply": {"drop": "committed"}, "request": {"drop": "uncommitted"}}


def payloads(emulator):
    return emulator.secretmanager.payloads(SECRET)


def sent(emulator):
    return [entry.operation for entry in emulator.requests("secretmanager")]


def lose(emulator, what="reply", nth=1):
    """Lose the nth addVersion, or its reply."""
    return emulator.order("secretmanager", "addVersion", nth=nth, **LOST[what])


def before_access(emulator, function):
    """Let others call function(secret) just before the first version is read."""
    answer = emulator.secretmanager.answer
    pending = [function]

    def wrapped(request, operation):
        if operation == "access" and pending:
            pending.pop()(emulator.secretmanager.secret(SECRET))
        return answer(request, operation)

    emulator.secretmanager.answer = wrapped


def states(*changes):
    """A function for before_access: gives the versions of these numbers a state."""
    def change(secret):
        for number, state in changes:
            secret.version(number).state = state
    return change


def check_unknown(result, *parts):
    assert result.code == 1, result.out
    assert result.error["message"].count(UNKNOWN) == 1
    for part in parts:
        assert part in result.error["message"]
    assert "completed" not in result.operations


# --- the newest version, found by number ----------------------------------------------


@pytest.mark.parametrize("others", [1, 2, 3, 7])
def test_others_add_versions_meanwhile(emulator, job, others):
    """Ours is below theirs: it cannot be distinguished from an older one of the same bytes, and
    once more on top of theirs it might put old bytes over new."""
    theirs = [b"theirs %d" % number for number in range(others)]
    emulator.secretmanager.put(SECRET, b"old")
    lose(emulator)
    before_access(emulator, lambda secret: [secret.add(data) for data in theirs])
    check_unknown(job(), "version 2 holds the same bytes", "looking for it")
    assert payloads(emulator) == [b"old", OURS, *theirs]


@pytest.mark.parametrize("others", [1, 2, 3, 7])
def test_others_add_versions_and_ours_was_lost(emulator, job, others):
    theirs = [b"theirs %d" % number for number in range(others)]
    emulator.secretmanager.put(SECRET, b"old")
    lose(emulator, "request")
    before_access(emulator, lambda secret: [secret.add(data) for data in theirs])
    assert job().code == 0
    assert payloads(emulator) == [b"old", *theirs, OURS]


def test_an_older_equal_version_is_not_taken_for_ours(emulator, job):
    emulator.secretmanager.put(SECRET, OURS, b"newer")
    lose(emulator, "request")
    check_unknown(job(), "version 1 holds the same bytes")
    assert payloads(emulator) == [OURS, b"newer"]


def test_it_is_stored_while_it_is_looked_for(emulator, job):
    """Its number was missing when it was asked for, and is asked for again."""
    emulator.secretmanager.put(SECRET, *[b"%d" % number for number in range(4)])
    lose(emulator, "request")
    answer = emulator.secretmanager.answer

    def busy(request, operation):
        reply = answer(request, operation)
        if operation == "access" and request.target.endswith("/versions/6:access"):
            secret = emulator.secretmanager.secret(SECRET)
            if len(secret.versions) == 5:
                secret.add(OURS)
        return reply

    emulator.secretmanager.answer = busy
    before_access(emulator, lambda secret: secret.add(b"theirs"))
    emulator.order("secretmanager", "access", reply=errors.no_versions())
    assert job().code == 0
    assert payloads(emulator)[4:] == [b"theirs", OURS]


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("count", [1, 2, 5, 40, 200])
def test_latest_lags_far_behind(emulator, job, what, count):
    """It shows nothing yet; the newest one is found in steps that double."""
    emulator.secretmanager.put(SECRET, *[b"%d" % number for number in range(count)])
    emulator.secretmanager.latest_lag = 1000
    lose(emulator, what)
    result = job()
    assert result.code == 0, result.out
    assert payloads(emulator)[count:] == [OURS]
    assert len(result.warnings) == 1
    assert sent(emulator).count("access") <= 2 + 2 * count.bit_length() + 16 + 1


def test_latest_is_disabled(emulator, job):
    """Then its number is unknown, and it is found by counting."""
    emulator.secretmanager.put(SECRET, b"1", b"2", b"3")
    lose(emulator)
    before_access(emulator, states((3, "DISABLED")))
    emulator.secretmanager.latest_lag = 1000
    assert job().code == 0
    assert payloads(emulator) == [b"1", b"2", b"3", OURS]


def test_16_versions_are_read(emulator, job):
    """An equal one further down is certainly not the one that was just added."""
    emulator.secretmanager.put(SECRET, OURS, *[b"%d" % number for number in range(16)])
    lose(emulator, "request")
    assert job().code == 0
    assert payloads(emulator)[17:] == [OURS]
    # latest and the missing 18, 15 more, and the read-back
    assert sent(emulator) == ["addVersion"] + ["access"] * 17 + ["addVersion", "access"]


def test_the_good_look_up_costs_two_requests(emulator, job):
    emulator.secretmanager.put(SECRET, b"old")
    lose(emulator)
    assert job().code == 0
    assert sent(emulator) == ["addVersion"] + ["access"] * 3


def test_others_never_stop(emulator, job):
    """Each look shows one more: it ends, and says why."""
    emulator.secretmanager.put(SECRET, b"old")
    lose(emulator)
    answer = emulator.secretmanager.answer

    def busy(request, operation):
        if operation == "access":
            emulator.secretmanager.secret(SECRET).add(b"theirs")
            for _ in range(4):
                emulator.secretmanager.secret(SECRET).add(b"theirs")
        return answer(request, operation)

    emulator.secretmanager.answer = busy
    emulator.order("secretmanager", "access", reply=errors.wrong_state(), times=None)
    check_unknown(job(), "others keep adding versions")
    assert payloads(emulator).count(OURS) == 1


def test_a_look_up_that_gets_another_version(emulator, job):
    emulator.secretmanager.put(SECRET, b"old")
    lose(emulator)
    emulator.order("secretmanager", "access", nth=2, times=None, tamper="other-version")
    emulator.order("secretmanager", "access", reply=errors.no_versions())
    check_unknown(job(), "version 1 was asked for, the reply is ")
    assert payloads(emulator) == [b"old", OURS]


# --- what cannot be read --------------------------------------------------------------


@pytest.mark.parametrize("state", ["DISABLED", "DESTROYED"])
@pytest.mark.parametrize("what", LOST)
def test_unreadable_versions_may_be_ours(start_emulator, state, what):
    def check(before, changes, number):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, *before)
        lose(emulator, what)
        if what == "reply" and number is None:
            changes, number = [(len(before) + 1, state)], len(before) + 1
        before_access(emulator, states(*changes))
        check_unknown(Job(emulator)(), f"version {number} is disabled or destroyed")
        assert payloads(emulator) == before + [OURS] * (what == "reply")

    rows = {"ours-or-the-newest": ([b"old"], [(1, state)], None if what == "reply" else 1)}
    if what == "request":
        rows["below"] = ([b"1", b"2", b"3"], [(2, state)], 2)
        rows["all"] = ([b"1", b"2", b"3"], [(n, state) for n in (1, 2, 3)], 3)
    together(check, rows)


def test_ours_on_top_of_unreadable_versions(emulator, job):
    emulator.secretmanager.put(SECRET, b"1", b"2")
    lose(emulator)
    before_access(emulator, states((1, "DESTROYED"), (2, "DISABLED")))
    assert job().code == 0
    assert payloads(emulator) == [b"1", b"2", OURS]


# --- in a run that created the secret -------------------------------------------------


def test_a_new_version_is_shown_late(emulator, job):
    """Nothing is sent again: the look-up is."""
    lose(emulator, nth=2)
    order = emulator.order("secretmanager", "access", times=2, reply=errors.no_versions())
    result = job()
    assert result.code == 0, result.out
    assert order.hits == 2
    assert payloads(emulator) == [OURS]
    assert sent(emulator).count("addVersion") == 2
    assert len(result.warnings) == 2


@pytest.mark.parametrize("what", LOST)
def test_a_new_version_is_never_shown(emulator, job, what):
    lose(emulator, what, nth=2)
    emulator.order("secretmanager", "access", times=None, reply=errors.no_versions())
    result = job()
    check_unknown(result, "the secret is so new")
    assert [line["attempt"] for line in result.warnings] == [1, 1, 2, 3]
    assert sent(emulator).count("addVersion") == 2
    assert payloads(emulator) == [OURS] * (what == "reply")


def test_others_are_faster_in_a_new_secret(emulator, job):
    """All its versions are younger than our create: the equal one is ours."""
    lose(emulator, nth=2)
    before_access(emulator, lambda secret: secret.add(b"theirs"))
    result = job()
    assert result.code == 0, result.out
    assert payloads(emulator) == [OURS, b"theirs"]
    assert result.line("verify-secret")["version"].endswith("/versions/1")


def test_others_created_it(emulator, job):
    """Then an equal version may be theirs, and a missing one proves nothing."""
    def faster(request):
        emulator.secretmanager.put(SECRET, OURS, b"theirs")
        return errors.already_exists()

    emulator.order("secretmanager", "create", reply=faster)
    lose(emulator, "request", nth=2)
    check_unknown(job(), "version 1 holds the same bytes")
    assert payloads(emulator) == [OURS, b"theirs"]


# --- unknown, at every ending ---------------------------------------------------------


def test_a_signal_after_the_look_up(emulator, job):
    """It was not there when it was looked for; it may still come."""
    emulator.secretmanager.put(SECRET, b"old")
    lose(emulator, "request")
    order = emulator.order("secretmanager", "addVersion", nth=2,
                           reply=errors.quota_exceeded(retry_after=60))
    process = job.start()
    until(lambda: order.hits)
    os.kill(process.pid, signal.SIGTERM)
    result = process.wait()
    assert result.code == 143, result.out
    assert UNKNOWN in result.error["message"]


@pytest.mark.parametrize("reply, code", [
    (errors.permission_denied(), 4), (errors.invalid_argument(), 2)])
def test_a_refusal_after_the_look_up(emulator, job, reply, code):
    emulator.secretmanager.put(SECRET, b"old")
    lose(emulator, "request")
    emulator.order("secretmanager", "addVersion", nth=2, reply=reply)
    result = job()
    assert result.code == code, result.out
    assert UNKNOWN in result.error["message"]
    assert payloads(emulator) == [b"old"]


def test_a_long_message_leaves_room_for_what_was_written(emulator, job):
    name = "n" * 255
    emulator.secretmanager.put(name, b"old")
    emulator.order("secretmanager", "access", times=None,
                   reply=errors.api("PERMISSION_DENIED", "x" * 2000))
    result = job(SECRET_NAME=name)
    assert result.code == 4, result.out
    assert result.error["message"].endswith(
        f"; a version was already written: {result.error['version']}")


# --- another secret of the same name --------------------------------------------------


def remake(emulator, *versions):
    """Delete the secret and make it anew: numbers start again."""
    def change(secret):
        emulator.secretmanager.store.remove(secret.name)
        if versions:
            emulator.secretmanager.put(SECRET, *versions)
    return change


@pytest.mark.parametrize("versions", [(), (b"theirs",)], ids=["gone", "anew"])
def test_the_secret_is_deleted_meanwhile(emulator, job, versions):
    emulator.secretmanager.put(SECRET, *[b"%d" % number for number in range(9)])
    lose(emulator)
    before_access(emulator, remake(emulator, *versions))
    result = job()
    assert result.code == 0, result.out
    assert payloads(emulator) == [*versions, OURS]


# --- what the token's exchange says ---------------------------------------------------


@pytest.fixture
def user(emulator, tmp_path):
    """Variables for credentials whose token comes from the OAuth endpoint."""
    emulator.make_authorized_user(tmp_path / "adc.json")
    return {"GOOGLE_APPLICATION_CREDENTIALS": tmp_path / "adc.json"}


@pytest.mark.parametrize("failure", [
    {"reply": errors.oauth_unavailable()}, {"drop": "uncommitted"},
    {"reply": errors.html_502()}], ids=["503", "lost", "502"])
def test_the_token_endpoint_stumbles_after_a_401(emulator, job, user, failure):
    """The API refused and did not act: there is nothing to look for."""
    emulator.secretmanager.put(SECRET, OURS)
    emulator.order("secretmanager", "addVersion", reply=errors.token_expired())
    order = emulator.order("oauth", nth=2, times=4, **failure)
    result = job(**user)
    assert result.code == 0, result.out
    assert order.hits == 4
    assert payloads(emulator) == [OURS, OURS]
    assert sent(emulator) == ["addVersion", "addVersion", "access"]
    assert result.line("verify-secret")["version"].endswith("/versions/2")


@pytest.mark.parametrize("fault", [{"reply": errors.oauth_unavailable(retry_after=60)},
                                   {"drop": "uncommitted", "how": "hang"}],
                         ids=["back-off", "hangs"])
def test_a_signal_while_the_token_is_renewed(emulator, job, user, fault):
    emulator.secretmanager.put(SECRET, b"old")
    emulator.order("secretmanager", "addVersion", reply=errors.token_expired())
    order = emulator.order("oauth", nth=2, **fault)
    process = job.start(**user)
    until(lambda: order.hits)
    os.kill(process.pid, signal.SIGTERM)
    result = process.wait()
    assert result.code == 143, result.out
    assert "no version was written" in result.error["message"]
    assert payloads(emulator) == [b"old"]


def test_not_found_of_a_token_is_not_the_secrets(emulator, job, user):
    """What is not found there is an account: no secret is created."""
    emulator.secretmanager.put(SECRET, b"old")
    emulator.order("secretmanager", "addVersion", reply=errors.token_expired())
    emulator.order("oauth", nth=2, times=None,
                   reply=errors.api("NOT_FOUND", "Not found; Gaia id not found."))
    result = job(**user)
    assert result.code == 4, result.out
    assert sent(emulator) == ["addVersion"]


# --- CANCELLED ------------------------------------------------------------------------

CANCELLED = {"json": errors.api("CANCELLED", "The operation was cancelled."),
             "html": Reply(499, b"<html>Client Closed Request</html>",
                           (("Content-Type", "text/html"),))}


@pytest.mark.parametrize("reply", CANCELLED.values(), ids=CANCELLED)
@pytest.mark.parametrize("commit", [True, False], ids=["committed", "lost"])
def test_the_server_cancels(emulator, job, reply, commit):
    """It may have acted before; it is no signal, and no reason to send it again."""
    emulator.secretmanager.put(SECRET, b"old")
    emulator.order("secretmanager", "addVersion", reply=reply, commit=commit)
    result = job()
    assert sent(emulator).count("addVersion") == 1
    assert payloads(emulator) == [b"old"] + [OURS] * commit
    if commit:
        assert result.code == 0, result.out
        return
    check_unknown(result, "HTTP 499")
    assert result.error["error_code"] == "CANCELLED"
    assert "no version was written" not in result.out


# --- the read-back --------------------------------------------------------------------


def test_a_read_back_that_comes_too_early(emulator, job):
    """Right after our own create a version may not be shown yet."""
    order = emulator.order("secretmanager", "access", times=2,
                           reply=errors.no_versions())
    result = job()
    assert result.code == 0, result.out
    assert order.hits == 2
    assert len(result.warnings) == 2
    assert payloads(emulator) == [OURS]


def test_a_read_back_that_never_comes(emulator, job):
    emulator.order("secretmanager", "access", times=None, reply=errors.no_versions())
    result = job()
    assert result.code == 1, result.out
    assert "version 1 was written but not verified" in result.error["message"]
    assert len(result.warnings) == 3


@pytest.mark.parametrize("state", ["DISABLED", "DESTROYED"])
@pytest.mark.parametrize("before", [(), (b"old",)], ids=["created", "existing"])
def test_ours_is_disabled_before_the_read_back(emulator, job, state, before):
    """No other bytes came back: no alarm."""
    if before:
        emulator.secretmanager.put(SECRET, *before)
    number = len(before) + 1
    before_access(emulator, states((number, state)))
    result = job()
    assert result.code == 1, result.out
    assert f"version {number} was written but not verified" in result.error["message"]
    assert result.error["error_code"] == "FAILED_PRECONDITION"
    assert "a version was already written" in result.error["message"]


ESCAPES = {
    "padding": lambda text: text.replace("=", "\\u003d"),
    "slash": lambda text: text.replace("/", "\\/"),
    "all": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
def test_a_payload_with_escapes(emulator, job, escape):
    """The same base64 as JSON may write it: no other bytes."""
    text = next(text for text in (
        PULL_SECRET.replace("}}}", '}}, "x": "' + "?" * count + '"}') for count in range(9))
        if {"=", "/"} <= set(base64.b64encode(text.encode()).decode()))
    answer = emulator.secretmanager.answer

    def escaped(request, operation):
        reply = answer(request, operation)
        if operation != "access":
            return reply
        data = reply.body.decode().split('"data": "')[1].split('"')[0]
        body = reply.body.decode().replace(data, escape(data))
        assert body != reply.body.decode()
        return Reply(reply.status, body.encode(), reply.headers)

    emulator.secretmanager.answer = escaped
    result = job(PULL_SECRET_DATA=text)
    assert result.code == 0, result.out
