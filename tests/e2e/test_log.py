"""The log: one JSON object a line, whatever happens."""

import re
from datetime import datetime, timezone

import pytest
from conftest import CLUSTER, SECRET

from emulator import errors

INFO = {"cluster_id", "gcp_project", "level", "message", "operation", "timestamp",
        "duration_ms", "version"}
MORE = {"attempt", "error_code", "hint", "http_status", "retry_in_ms"}
GRPC = {"CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
        "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}


# What a terminal obeys instead of showing it: DEL, C1, separators, directions of text.
CONTROLS = "\x7f" + "".join(map(chr, [
    *range(0x80, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]))


def check(result):
    """What holds for every log."""
    assert result.out.endswith("\n")
    for line in result.log:
        assert line["level"] in ("info", "warning", "error")
        allowed = INFO if line["level"] == "info" else INFO | MORE
        assert set(line) <= allowed, line
        assert {"cluster_id", "gcp_project", "message", "operation",
                "timestamp"} <= set(line)
        assert "" not in (line["message"], line["operation"], line.get("hint"))
        assert line.get("error_code", "UNKNOWN") in GRPC
        for name in ("attempt", "retry_in_ms", "http_status", "duration_ms"):
            assert isinstance(line.get(name, 0), int)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["timestamp"])
        assert len(str(line)) < 4096
    assert result.operations[-1] == "summary"
    assert result.operations[0] == "start"


def failures(emulator):
    """Ways to fail, by name: what to order, and the variables."""
    manager = emulator.secretmanager
    return {
        "none": (lambda: None, {}),
        "configuration": (lambda: None, {"CLUSTER_ID": "WRONG"}),
        "secret": (lambda: None, {"PULL_SECRET_DATA": "{}"}),
        "no-token": (lambda: emulator.refuse("metadata"),
                     {"MAX_WAIT_TIME_SECONDS": 1}),
        "unreachable": (lambda: emulator.refuse("secretmanager"),
                        {"MAX_WAIT_TIME_SECONDS": 2}),
        "disabled": (lambda: setattr(manager, "service_disabled", True), {}),
        "denied": (lambda: emulator.order("secretmanager", times=None,
                                          reply=errors.permission_denied()), {}),
        "retried": (lambda: emulator.order("secretmanager",
                                           reply=errors.unavailable()), {}),
        "html": (lambda: emulator.order("secretmanager", times=None,
                                        reply=errors.html_404()), {}),
        "differs": (lambda: emulator.order("secretmanager", "access", times=None,
                                           tamper="flip"), {}),
    }


@pytest.mark.parametrize("name", [
    "none", "configuration", "secret", "no-token", "unreachable", "disabled", "denied",
    "retried", "html", "differs",
])
def test_every_log_is_well_formed(emulator, job, name):
    order, variables = failures(emulator)[name]
    order()
    result = job(**variables)
    check(result)
    good = name in ("none", "retried")
    assert (result.code == 0) == good
    assert len(result.errors) == (0 if good else 1)
    assert result.stderr == b""
    summary = result.log[-1]
    assert summary["message"] == ("Job pull-secret: 1 total, "
                                  + ("1 succeeded, 0 failed" if good
                                     else "0 succeeded, 1 failed"))
    assert summary["level"] == ("info" if good else "error")
    if not good:
        assert result.error["error_code"] in GRPC


def test_the_timestamp_is_now_in_utc(job):
    before = datetime.now(timezone.utc).replace(microsecond=0)
    result = job(TZ="America/New_York")
    after = datetime.now(timezone.utc)
    for line in result.log:
        moment = datetime.fromisoformat(line["timestamp"])
        assert before <= moment <= after


def test_retries_are_warnings_with_attempt_and_wait(emulator, job):
    emulator.order("secretmanager", "addVersion", times=2, reply=errors.unavailable())
    result = job()
    assert result.code == 0
    first, second = result.warnings
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert 800 <= first["retry_in_ms"] <= 1200
    assert 1600 <= second["retry_in_ms"] <= 2400
    assert first["operation"] == "add-secret-version"
    assert first["http_status"] == 503
    assert first["error_code"] == "UNAVAILABLE"


def test_durations_are_measured(emulator, job):
    emulator.order("secretmanager", "access", delay_before=0.3)
    line = job().line("verify-secret")
    assert 300 <= line["duration_ms"] < 5000


def test_control_characters_of_a_server_do_not_get_into_the_log(emulator, job):
    """Neither raw nor escaped: people print fields with jq -r."""
    evil = f'evil\n{{"level": "info"}}\r\x1b[2J{CONTROLS}"\\'
    emulator.order("secretmanager", times=None,
                   reply=errors.api("PERMISSION_DENIED", evil))
    result = job()
    check(result)
    assert result.code == 4
    message = result.error["message"]
    assert "evil" in message
    assert not set(CONTROLS) & set(message + result.out[:-1].replace("\n", ""))
    assert not re.search(r"[\x00-\x1f]", message)


def test_nor_onto_a_terminal(emulator, run):
    """A token endpoint's description, on standard error, with bytes that are no UTF-8."""
    emulator.order("metadata", times=None, reply=errors.metadata_text(
        403, f"evil {CONTROLS}\x1b[2J"))
    result = run("token", env=emulator.environment())
    assert result.code == 4
    assert not set(CONTROLS) & set(result.err)
    broken = run("validate", b"/\x9b31m\xff", env={})
    assert broken.code == 2
    assert "/?31m?" in broken.err


def test_controls_in_names_are_escaped(job):
    """What was given as a name is shown as it is, and obeyed by nobody."""
    name = f"c{CONTROLS}"
    result = job(CLUSTER_ID=name)
    assert result.code == 2
    assert result.log[0]["cluster_id"] == name
    assert not set(CONTROLS) & set(result.out)


def test_a_long_message_of_a_server_is_cut(emulator, job):
    emulator.order("secretmanager", times=None,
                   reply=errors.api("PERMISSION_DENIED", "ü€😀" * 5_000))
    result = job()
    check(result)
    assert result.code == 4
    assert result.error["message"].isprintable()


def test_a_body_that_is_echoed_is_not_in_the_log(emulator, job):
    def echo(request):
        text = request.body.decode()
        order.fault.__dict__["reply"] = errors.api("INVALID_ARGUMENT", f"bad: {text}")
        return True

    order = emulator.order("secretmanager", match=echo, times=None,
                           reply=errors.internal())
    result = job()
    assert result.code == 2
    data = emulator.requests("secretmanager")[0].json["payload"]["data"]
    assert data[:16] not in result.out
    assert data[-16:] not in result.out


def test_names_in_the_log(job):
    result = job()
    assert {line["cluster_id"] for line in result.log} == {CLUSTER}
    assert {line["gcp_project"] for line in result.log} == {"test-project"}
    assert SECRET in result.out
