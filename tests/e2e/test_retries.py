"""Retries: what is tried again, how often, how long after, and what the log says.

Waits are read from the log, never measured.
"""

import fcntl
import json
import os
import signal
import time
from email.utils import formatdate

import pytest
from conftest import PULL_SECRET, SECRET, Job, stuck, together, until

from test_credential_types import Files

from emulator import errors

F_SETPIPE_SZ = 1031  # Python 3.9 has no name for it

OUTAGES = ["unavailable", "internal", "deadline_exceeded", "quota_exceeded",
           "html_429", "html_500", "html_502", "html_503"]
OPERATIONS = {"addVersion": "add-secret-version", "create": "create-secret",
              "access": "verify-secret"}


def sent(emulator, operation):
    return len(emulator.requests("secretmanager", operation=operation))


def check_warning(line, attempt, least_ms, most_ms, operation):
    assert line["attempt"] == attempt
    assert least_ms <= line["retry_in_ms"] <= most_ms
    assert line["operation"] == operation
    assert "error_code" in line


def test_one_failure_is_made_good(start_emulator):
    def check(name, operation):
        emulator = start_emulator()
        order = emulator.order("secretmanager", operation, reply=errors.named(name))
        result = Job(emulator)()
        assert result.code == 0, result.out
        assert order.hits == 1
        [warning] = result.warnings
        check_warning(warning, 1, 800, 1200, OPERATIONS[operation])
        assert result.errors == []
        assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]

    together(check, {f"{name}-{operation}": (name, operation)
                     for name in OUTAGES for operation in OPERATIONS})


def test_three_failures_are_made_good_and_four_are_not(start_emulator):
    """Three retries, after 1, 2 and 4 seconds, each 20 % more or less."""
    def check(operation, failures):
        emulator = start_emulator()
        order = emulator.order("secretmanager", operation, times=failures,
                               reply=errors.unavailable())
        result = Job(emulator)()
        assert order.hits == failures
        for attempt, line in enumerate(result.warnings, 1):
            middle = 1000 * 2 ** (attempt - 1)
            check_warning(line, attempt, middle * 0.8, middle * 1.2,
                          OPERATIONS[operation])
        assert len(result.warnings) == 3
        assert result.code == (0 if failures == 3 else 1), result.out
        if failures == 4:
            assert result.error["error_code"] == "UNAVAILABLE"
            assert result.error["http_status"] == 503
        versions = emulator.secretmanager.payloads(SECRET)
        assert len(versions) == (0 if failures == 4 and operation != "access" else 1)

    together(check, {f"{operation}-{count}": (operation, count)
                     for operation in OPERATIONS for count in (3, 4)})


def test_a_create_in_between_uses_up_no_retry(emulator, job):
    """NOT_FOUND was no failure of the addVersion that comes after it."""
    order = emulator.order("secretmanager", "addVersion", nth=2, times=3,
                           reply=errors.quota_exceeded())
    result = job()
    assert result.code == 0, result.out
    assert order.hits == 3
    assert [line["attempt"] for line in result.warnings] == [1, 2, 3]


def dated(seconds):
    return formatdate(time.time() + seconds, usegmt=True)


# What the server asks for, and the wait in ms that the log must then tell.
ASKED = {
    "seconds": (lambda: errors.unavailable(retry_after=3), 3000, 3000),
    "zero": (lambda: errors.unavailable(retry_after=0), 800, 1200),
    "less-than-ours": (lambda: errors.unavailable(retry_delay="0.1s"), 800, 1200),
    "date": (lambda: errors.unavailable(retry_after=dated(4)), 2000, 4000),
    "past-date": (lambda: errors.unavailable(retry_after=dated(-90)), 800, 1200),
    "nonsense": (lambda: errors.unavailable(retry_after="soon"), 800, 1200),
    "negative": (lambda: errors.unavailable(retry_after=-5), 800, 1200),
    "retry-info": (lambda: errors.quota_exceeded(retry_delay="2.5s"), 2500, 2500),
    "html": (lambda: errors.html_503(retry_after=2), 2000, 2000),
    "retry-info-and-header": (lambda: errors.quota_exceeded(
        retry_after=1, retry_delay="3s"), 3000, 3000),
}


def test_the_server_may_ask_for_a_longer_wait(start_emulator):
    def check(reply, least, most):
        emulator = start_emulator()
        emulator.order("secretmanager", "addVersion", reply=reply())
        result = Job(emulator)()
        assert result.code == 0, result.out
        [warning] = result.warnings
        check_warning(warning, 1, least, most, "add-secret-version")

    together(check, ASKED)


@pytest.mark.parametrize("asked", [60, 86400, 10**15, dated(7200)], ids=["minute", "day", "ages", "date"])
def test_a_wait_beyond_the_deadline_is_not_begun(emulator, job, asked):
    emulator.order("secretmanager", "addVersion", times=None,
                   reply=errors.unavailable(retry_after=asked))
    result = job(MAX_WAIT_TIME_SECONDS=20)
    assert result.code == 1
    assert result.warnings == []
    assert result.error["error_code"] == "UNAVAILABLE"
    assert sent(emulator, "addVersion") == 1


def test_the_jitter_differs_from_run_to_run(start_emulator):
    waits = []

    def check(_):
        emulator = start_emulator()
        emulator.order("secretmanager", "addVersion", reply=errors.unavailable())
        waits.append(Job(emulator)().warnings[0]["retry_in_ms"])

    together(check, {number: (number,) for number in range(8)})
    assert len(set(waits)) > 1


def test_a_dry_run_retries_too(emulator, job):
    emulator.order("secretmanager", "get", reply=errors.unavailable())
    result = job("--dry-run")
    assert result.code == 0
    assert [line["operation"] for line in result.warnings] == ["dry-run"]
    assert sent(emulator, "get") == 2


def test_a_connection_that_is_refused_is_retried(emulator, job):
    emulator.refuse("secretmanager", seconds=0.5)
    result = job()
    assert result.code == 0
    assert result.warnings[0]["operation"] == "init-client"
    assert result.warnings[0]["error_code"] == "UNAVAILABLE"
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def read_line(pipe):
    """A line of the log, byte by byte, so that the next one stays in the pipe."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(pipe, 1)
        assert byte, line
        line += byte
    return json.loads(line)


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_an_idle_connection_that_was_closed_is_no_failure(emulator, job, how):
    """The server closes while the run waits for room for its log: the next request
    opens a new connection, without a warning.
    """
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)  # one page: room for one line
    process = job.start(stdout=writer)
    os.close(writer)
    operations = [read_line(reader)["operation"] for _ in range(3)]
    assert operations[-1] == "add-secret-version"
    # "Creating" stands in the pipe, unread; "Successfully created" waits for room.
    until(lambda: [entry.status for entry in emulator.requests(operation="create")] == [200]
          and stuck(process))
    emulator.drop_connections("secretmanager", how)
    until(lambda: all(one.closed for one in emulator.connections("secretmanager")))
    with os.fdopen(reader) as rest:
        lines = [json.loads(line) for line in rest]
    assert process.wait().code == 0, lines
    assert {line["level"] for line in lines} == {"info"}, lines
    assert len(emulator.connections("secretmanager")) == 2
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_server_that_closes_after_every_reply(emulator, job, how):
    """A request that was under way then is lost, and made good."""
    emulator.order("secretmanager", times=None, drop="idle",
                   how="rst" if how == "rst" else "close_notify")
    emulator.secretmanager.put(SECRET, b"old")  # so that a look-up is certain
    result = job()
    assert result.code == 0, result.out
    assert emulator.secretmanager.payloads(SECRET) == [b"old", PULL_SECRET.encode()]


# --- a role that is granted a moment ago -----------------------------------------

DENIED = errors.permission_denied()
# Who refuses for want of a role, how often, the reply, and the operation in the log.
REFUSALS = {
    "add": ("secretmanager", "addVersion", 2, DENIED, "add-secret-version"),
    "create": ("secretmanager", "create", 1, DENIED, "create-secret"),
    "read": ("secretmanager", "access", 1, DENIED, "verify-secret"),
    "metadata": ("metadata", None, 1, errors.metadata_impersonation_denied(), "init-client"),
    "impersonation": ("federation", "generateAccessToken", 1,
                      errors.api("PERMISSION_DENIED", "No."), "init-client"),
}


def test_a_missing_role_is_waited_for(start_emulator, tmp_path):
    def check(service, operation, times, reply, logged):
        emulator = start_emulator()
        order = emulator.order(service, operation, times=times, reply=reply)
        variables = {}
        if service == "federation":
            variables["GOOGLE_APPLICATION_CREDENTIALS"] = Files(
                emulator, tmp_path / "files").impersonated()
        result = Job(emulator)(PERMISSION_WAIT_SECONDS="3m", **variables)
        assert result.code == 0, result.out
        assert order.hits == times == len(result.warnings)
        for attempt, line in enumerate(result.warnings, 1):
            middle = 1000 * 2 ** (attempt - 1)
            check_warning(line, attempt, middle * 0.8, middle * 1.2, logged)
            assert line["error_code"] == "PERMISSION_DENIED" and line["http_status"] == 403
        assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]

    together(check, REFUSALS)


def test_a_role_that_stays_away(start_emulator):
    """It is waited for as long as was said, and within the deadline; then it is final."""
    def check(reply, warnings, variables):
        emulator = start_emulator()
        order = emulator.order("secretmanager", "addVersion", times=None, reply=reply)
        result = Job(emulator)(**variables)
        assert result.code == 4, result.out
        assert result.error["error_code"] == "PERMISSION_DENIED"
        assert len(result.warnings) in warnings and order.hits == len(result.warnings) + 1
        # The last wait is cut, so that the last try is at the end.
        assert sum(line["retry_in_ms"] for line in result.warnings) <= 1000
        assert emulator.secretmanager.payloads(SECRET) == []

    together(check, {
        "waited": (DENIED, (1, 2), {"PERMISSION_WAIT_SECONDS": 1}),
        "deadline": (DENIED, (1, 2), {"PERMISSION_WAIT_SECONDS": 600,
                                      "MAX_WAIT_TIME_SECONDS": 2}),
        "zero": (DENIED, (0,), {"PERMISSION_WAIT_SECONDS": 0}),
        "another-reason": (errors.scope_insufficient(), (0,), {"PERMISSION_WAIT_SECONDS": 9}),
    })


def test_a_signal_ends_the_wait_for_a_role(emulator, job, tmp_path):
    """It comes while the run waits: each refusal has been read by then."""
    emulator.order("secretmanager", "addVersion", times=None, reply=DENIED)
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = job.start("--permission-wait=60", stdout=out)
        until(lambda: log.read_text().count('"retry_in_ms"') == 2)
        process.popen.send_signal(signal.SIGTERM)
        assert process.wait().code == 143
    errors_said = [line for line in map(json.loads, log.read_text().splitlines())
                   if line["level"] == "error"]
    assert "no version was written" in errors_said[0]["message"]


def test_a_wait_for_a_role_that_is_no_time(emulator, job):
    result = job(PERMISSION_WAIT_SECONDS="soon", MAX_WAIT_TIME_SECONDS="x")
    assert result.code == 2
    for name in ("PERMISSION_WAIT_SECONDS=soon", "MAX_WAIT_TIME_SECONDS=x"):
        assert f"{name} must be from " in result.error["message"]
    assert emulator.connections() == []
