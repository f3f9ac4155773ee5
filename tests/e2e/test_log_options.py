"""How the log looks, what is in it and where it goes: flags, variables, terminals."""

import os
import re
import shlex

import pytest
from conftest import CLUSTER, PULL_SECRET, SECRET, Result, auth, free_port, log_line, pull_secret, together
from test_credential_types import Files
from test_log import CONTROLS
from test_result_file import read

from emulator import errors

# A run that fails without the network: a line of level info, an error, and the summary.
WRONG = {"CLUSTER_ID": "WRONG"}
OTHER = pull_secret(quay=auth("user", "shown"))
TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (DEBUG|INFO |WARN |ERROR) \S.*\S")


def levels(text):
    return {log_line(line)["level"] for line in text.splitlines()}


def at_terminal(job, *flags, **more):
    """Run the job with standard output and error on a terminal."""
    screen, terminal = os.openpty()
    process = job.start(*flags, stdout=terminal, stderr=terminal, **more)
    os.close(terminal)
    shown = b""
    try:
        while data := os.read(screen, 4096):
            shown += data
    except OSError:  # nobody has it open any more
        pass
    os.close(screen)
    return Result(process.wait().code, shown.replace(b"\r\n", b"\n"), b"", 0)


# Flags, variables, and the levels that are then in the log of a run that fails.
LEVELS = {
    "default": ([], {}, {"info", "error"}),
    "short": ([], {"LOG_LEVEL": "error"}, {"error"}),
    "any-case": ([], {"LOG_LEVEL": "eRRor"}, {"error"}),
    "warning": ([], {"LOG_LEVEL": "WARNING"}, {"error"}),
    "warn": (["--log-level=Warn"], {}, {"error"}),
    "long-wins": ([], {"LOG_LEVEL": "info", "HYPERFLEET_LOG_LEVEL": "error"}, {"error"}),
    "long-alone": ([], {"HYPERFLEET_LOG_LEVEL": "error"}, {"error"}),
    "long-empty": ([], {"LOG_LEVEL": "error", "HYPERFLEET_LOG_LEVEL": ""}, {"error"}),
    "flag-wins": (["--log-level", "info"], {"LOG_LEVEL": "error",
                                            "HYPERFLEET_LOG_LEVEL": "error"},
                  {"info", "error"}),
    "flag-over-nonsense": (["--log-level", "error"], {"HYPERFLEET_LOG_LEVEL": "x"}, {"error"}),
    "quiet-wins": (["--quiet", "--log-level", "debug"], {}, {"error"}),
}


@pytest.mark.parametrize("name", LEVELS)
def test_levels(job, name):
    flags, variables, expected = LEVELS[name]
    result = job(*flags, **WRONG, **variables)
    assert (result.code, result.stderr) == (2, b"")
    assert levels(result.out) == expected
    assert (result.operations[-1] == "summary") == (name != "quiet-wins")


@pytest.mark.parametrize("flags, variables, where", [
    ([], {}, "out"), (["--log-output", "stdout"], {"LOG_OUTPUT": "stderr"}, "out"),
    ([], {"LOG_OUTPUT": "stderr"}, "err"),
    ([], {"LOG_OUTPUT": "stdout", "HYPERFLEET_LOG_OUTPUT": "stderr"}, "err"),
    (["--log-output=stderr"], {"HYPERFLEET_LOG_OUTPUT": "stdout"}, "err")])
def test_outputs(job, flags, variables, where):
    result = job(*flags, **WRONG, **variables)
    assert levels(getattr(result, where)) == {"info", "error"}
    assert result.stdout == b"" or result.stderr == b""


@pytest.mark.parametrize("flags, variables, text", [
    ([], {"LOG_FORMAT": "text"}, True), (["--log-format=text"], {"LOG_FORMAT": "json"}, True),
    ([], {"LOG_FORMAT": "text", "HYPERFLEET_LOG_FORMAT": "json"}, False)])
def test_formats(job, flags, variables, text):
    lines = job(*flags, **WRONG, **variables).out.splitlines()
    assert all(TEXT.fullmatch(line) for line in lines) == text
    assert all(line.startswith("{") for line in lines) == (not text)


SHARED = {"FORMAT": "text|json", "LEVEL": "debug|info|warn|error", "OUTPUT": "stdout|stderr"}


@pytest.mark.parametrize("spelling", ["LOG_", "HYPERFLEET_LOG_"])
def test_an_unknown_value_in_a_variable_is_passed_over(job, spelling):
    """They are shared with other programs, which may know more words."""
    for name, words in SHARED.items():
        result = job("--dry-run", **{spelling + name: "tra\x1b[1mce"})
        assert result.code == 0
        [warning] = result.warnings
        assert warning["message"] == (
            f"{spelling}{name}=tra?[1mce is ignored, it must be one of {words}")
        assert levels(result.out) == {"info", "warning"}
    result = job("--dry-run", **{spelling + name: "x" * 9999 for name in SHARED})
    assert result.code == 0
    [warning] = result.warnings
    assert all(f"{spelling}{name}=xxx" in warning["message"] for name in SHARED)


@pytest.mark.parametrize("name", SHARED)
def test_an_unknown_value_in_a_flag_is_an_error(emulator, job, tmp_path, name):
    path = tmp_path / "result.json"
    flag = f"--log-{name.lower()}"
    result = job(flag, "trace", RESULTS_PATH=path)
    assert (result.code, result.stdout) == (2, b"")
    assert result.err == (
        f"pull-secret: run-job pull-secret: {flag}=trace must be one of {SHARED[name]}\n")
    assert read(path)["reason"] == "ConfigurationInvalid"
    assert emulator.connections() == []


def test_quiet_is_silent_about_a_success(job, full_pipe):
    assert job("--quiet").stdout == b""
    assert job(LOG_QUIET="true").stdout == b""
    # It waits for nobody to read what it will not write.
    assert job("--quiet", stdout=full_pipe).code == 0


# --- text ------------------------------------------------------------------------


def test_text_ends_with_the_command_that_reads_the_version_back(emulator, run, job):
    emulator.order("secretmanager", "addVersion", nth=2, reply=errors.quota_exceeded())
    result = job("--log-format=text", PULL_SECRET_DATA=OTHER)
    assert result.code == 0
    *lines, last = result.out.splitlines()
    assert all(TEXT.fullmatch(line) for line in lines)
    first = lines[0]
    assert f"cluster_id={CLUSTER} gcp_project={emulator.project}" in first
    assert not any("cluster_id" in line for line in lines[1:])
    [retry] = [line for line in lines if " WARN " in line]
    assert re.search(r"HTTP 429 .* \(a quota is .*\) attempt=1 error_code=RESOURCE_EXHAUSTED "
                     r"http_status=429 retry_in_ms=\d+$", retry)
    version = f"projects/{emulator.project_number}/secrets/{SECRET}/versions/1"
    assert re.search(rf"Verified secret \(\d+ bytes\) duration_ms=\d+ version={version}$",
                     "\n".join(lines), re.M)
    said, command = last.split("; read it back: ")
    assert said.endswith(" INFO  Version 1 is stored")
    program, *words = shlex.split(command)
    assert program == "pull-secret"
    # It is not the pull secret that the runner looks for, which may not be shown.
    shown = run(*words, env=emulator.environment())
    assert shown.stdout == OTHER.encode()


def test_what_changed_nothing_names_no_version(job):
    assert job("--dry-run", LOG_FORMAT="text").out.splitlines()[-1].endswith("0 failed")
    assert "read it back" not in job(LOG_FORMAT="text", LOG_LEVEL="warn").out


def test_a_terminal_gets_text(job):
    shown = at_terminal(job, PULL_SECRET_DATA="{}")
    lines = shown.out.splitlines()
    assert shown.code == 3
    assert TEXT.fullmatch(lines[0])
    assert "\x1b[31mERROR\x1b[0m invalid pull secret" in lines[1]
    # Confined, too: what the terminal is was asked before.
    assert at_terminal(job).out.splitlines()[-1].endswith("/versions/1")
    assert "\x1b" not in at_terminal(job, PULL_SECRET_DATA="{}", NO_COLOR="1").out
    assert levels(at_terminal(job, LOG_FORMAT="json", **WRONG).out) == {"info", "error"}
    # Only what goes to a terminal has colours.
    assert "\x1b" not in job("--log-format=text", **WRONG).out


def test_text_has_no_controls(emulator, job):
    evil = f'evil\n2026 INFO fake\r\x1b[2J{CONTROLS}"\\'
    emulator.order("secretmanager", times=None, reply=errors.api("PERMISSION_DENIED", evil))
    result = job(LOG_FORMAT="text")
    names = job(LOG_FORMAT="text", CLUSTER_ID=f"c\n\x1b[2J{CONTROLS}", GCP_PROJECT_ID=evil)
    assert (result.code, names.code) == (4, 2)
    for said in (result, names):
        assert "evil" in said.out
        assert not set(CONTROLS) & set(said.out)
        assert all(TEXT.fullmatch(line) and line.isprintable()
                   for line in said.out.splitlines())


# --- debug -----------------------------------------------------------------------

OPENING = {"dns_ms", "connect_ms"}
EXCHANGE = {"duration_ms", "first_byte_ms", "bytes_sent", "bytes_received", "http_status"}


def debug(result):
    return [line for line in result.log if line["level"] == "debug"]


def test_debug_shows_each_request(emulator, job):
    result = job("--log-level", "debug")
    assert result.code == 0
    lines = [line for line in debug(result) if "No retry" not in line["message"]]
    assert [line["message"] for line in lines] == [
        f"{entry.method} {entry.path} of "
        f"{'the metadata server' if entry.service == 'metadata' else 'Secret Manager'}: "
        f"{'NOT_FOUND' if entry.status == 404 else 'OK'}"
        for entry in emulator.requests()]
    token, add, *others = lines
    usual = {"cluster_id", "gcp_project", "level", "message", "operation", "timestamp"}
    assert set(token) == usual | EXCHANGE | OPENING
    assert set(add) == usual | EXCHANGE | OPENING | {"tls_ms", "error_code"}
    assert all(set(line) == usual | EXCHANGE for line in others)  # the same connection
    assert token["operation"] == "init-client" and "?" not in token["message"]
    assert len(PULL_SECRET) < add["bytes_sent"]
    for line, entry in zip(lines, emulator.requests()):
        assert line["http_status"] == entry.status
        assert line["bytes_sent"] > len(entry.body)
        assert 0 < line["bytes_received"] < 2000
        assert 0 <= line["first_byte_ms"] <= line["duration_ms"]


def test_debug_shows_how_long_a_phase_took(emulator, job):
    emulator.order("secretmanager", "access", delay_before=0.3)
    line = debug(job("--log-level", "debug"))[-1]
    assert 200 < line["first_byte_ms"] <= line["duration_ms"]


def test_debug_shows_why_there_is_no_retry(start_emulator, start_job):
    def check(reply, said, attempt):
        emulator = start_emulator()
        emulator.order("secretmanager", "addVersion", times=None, reply=reply)
        _, request, decision = debug(start_job(emulator)(LOG_LEVEL="debug"))
        assert request["message"].endswith(f": {said.partition(':')[0]}")
        assert decision["message"] == f"No retry after {said}"
        assert decision.get("attempt") == attempt

    together(check, {
        "final": (errors.permission_denied(), "PERMISSION_DENIED: it would fail again", None),
        "time": (errors.quota_exceeded(retry_after=900), "RESOURCE_EXHAUSTED: no time is left",
                 1),
    })


def test_debug_shows_the_exchanges_of_a_token(emulator, job, tmp_path):
    files = Files(emulator, tmp_path / "files")
    result = job(LOG_LEVEL="debug", GOOGLE_APPLICATION_CREDENTIALS=files.impersonated())
    assert result.code == 0, result.out
    said = [line["message"] for line in debug(result)]
    assert re.fullmatch(r"POST /token of .*: OK", said[0])
    assert re.fullmatch(r"POST \S*:generateAccessToken of the IAM Credentials API: OK", said[1])


def test_debug_shows_a_request_that_got_no_reply(job):
    result = job(LOG_LEVEL="debug", GCE_METADATA_HOST=f"127.0.0.1:{free_port()}",
                 MAX_WAIT_TIME_SECONDS=1)
    line = debug(result)[0]
    assert line["message"].endswith("of the metadata server: UNAVAILABLE")
    assert line["error_code"] == "UNAVAILABLE" and "http_status" not in line
    assert line["bytes_sent"] == 0


# --- lines that are lost ---------------------------------------------------------

LOOKS = [{"LOG_FORMAT": look, "LOG_LEVEL": level, "LOG_OUTPUT": output}
         for look in ("text", "json") for level in ("debug", "info") for output in ("stdout", "stderr")]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(look.values()))
def test_a_lost_line_is_no_success(emulator, job, tmp_path, look):
    """Before anything was sent, and after a version was written."""
    path = tmp_path / "result.json"
    where = look["LOG_OUTPUT"]
    place = {"stdout": "standard output", "stderr": "standard error"}[where]
    with open("/dev/full", "wb") as full:
        result = job(RESULTS_PATH=path, **look, **{where: full})
    assert result.code == 1 and emulator.connections() == []
    assert place in read(path)["message"]

    reader, writer = os.pipe()
    emulator.order("secretmanager", "access", tamper=lambda value: os.close(reader) or value)
    process = job.start(RESULTS_PATH=path, **look, **{where: writer})
    os.close(writer)
    result = process.wait()
    value = read(path)
    assert (result.code, value["reason"]) == (6, "ReportIncomplete"), result
    assert place in value["message"] and value["details"]["version"].endswith("/versions/1")
    assert len(emulator.secretmanager.payloads(SECRET)) == 1


@pytest.mark.parametrize("level", ["warn", "error"])
def test_what_is_not_written_cannot_be_lost(job, level):
    with open("/dev/full", "wb") as full:
        assert job(LOG_LEVEL=level, stdout=full).code == 0
        assert job(LOG_LEVEL=level, stdout=full, **WRONG).code == 2
