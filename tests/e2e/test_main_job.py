"""The main job: flow, log lines, requests, and what is stored in the end."""

import base64
import re
import threading

import pytest
from conftest import CLUSTER, LABELS, PULL_SECRET, SECRET, Job, pull_secret_of, together

from emulator.crc32c import crc32c

FIRST_RUN = [
    ("start", "Starting pull secret storage operation"),
    ("client-initialized", "Successfully initialized Secret Manager client"),
    ("add-secret-version", "Adding secret version with pull secret data"),
    ("create-secret", f"Creating new secret: {SECRET}"),
    ("create-secret", "Successfully created secret"),
    ("add-secret-version", "Adding secret version with pull secret data"),
    ("add-secret-version", "Successfully created secret version"),
    ("verify-secret", f"Verified secret ({len(PULL_SECRET)} bytes)"),
    ("completed", "Successfully created/updated pull secret"),
    ("summary", "Job pull-secret: 1 total, 1 succeeded, 0 failed"),
]
LATER_RUN = FIRST_RUN[:3] + [
    ("secret-exists", f"Secret already exists: {SECRET}"),
] + FIRST_RUN[6:]


def lines(result):
    return list(zip(result.operations, result.messages))


def operations(emulator):
    return [entry.operation for entry in emulator.requests("secretmanager")]


def test_first_run_logs_the_nine_lines_in_order(job):
    result = job()
    assert result.code == 0
    assert result.stderr == b""
    assert lines(result) == FIRST_RUN


def test_first_run_log_fields(emulator, job):
    name = f"projects/{emulator.project_number}/secrets/{SECRET}/versions/1"
    usual = {"cluster_id", "gcp_project", "level", "message", "operation",
             "timestamp"}
    timed, named = {4, 6, 7}, {6, 7}
    for index, line in enumerate(job().log):
        more = {"duration_ms"} if index in timed else set()
        more |= {"version"} if index in named else set()
        assert set(line) - {"version"} == usual | more - {"version"}, line
        assert line["cluster_id"] == CLUSTER
        assert line["gcp_project"] == emulator.project
        assert line["level"] == "info"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["timestamp"])
        assert isinstance(line.get("duration_ms", 0), int)
        assert line.get("version", name) == name
        assert ("version" in line) >= (index in named)


def test_first_run_stores_the_very_bytes_under_its_labels(emulator, job):
    job()
    secret = emulator.secretmanager.secret(SECRET)
    assert secret.labels == LABELS
    assert secret.fields["replication"] == {"automatic": {}}
    assert [version.data for version in secret.versions] == [PULL_SECRET.encode()]
    assert secret.versions[0].client_checksum


def test_first_run_takes_four_requests_on_one_connection(emulator, job):
    job()
    assert operations(emulator) == ["addVersion", "create", "addVersion", "access"]
    assert len(emulator.connections("secretmanager")) == 1
    assert [entry.operation for entry in emulator.requests("metadata")] == ["token"]
    assert len(emulator.connections("metadata")) == 1
    assert emulator.requests("oauth") == []


def test_the_version_is_read_back_by_number(emulator, job):
    job()
    job()
    paths = [entry.path for entry in emulator.requests(operation="access")]
    assert [path.rpartition("/")[2] for path in paths] == ["1:access", "2:access"]


def test_later_run(emulator, job):
    emulator.secretmanager.put(SECRET, b"old")
    result = job()
    assert result.code == 0
    assert lines(result) == LATER_RUN
    assert operations(emulator) == ["addVersion", "access"]
    assert len(emulator.connections("secretmanager")) == 1
    assert emulator.secretmanager.payloads(SECRET) == [b"old", PULL_SECRET.encode()]


def test_a_later_run_leaves_the_secret_itself_alone(emulator, job):
    emulator.secretmanager.put(SECRET, b"old", labels={"mine": "yes"})
    job()
    assert emulator.secretmanager.secret(SECRET).labels == {"mine": "yes"}


def test_a_secret_without_version_is_completed(emulator, job):
    emulator.secretmanager.put(SECRET)
    result = job()
    assert result.code == 0
    assert lines(result) == LATER_RUN
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def hook(monkeypatch, emulator, operation, before=None, after=None):
    """Do something around what Secret Manager does for an operation."""
    answer = emulator.secretmanager.answer

    def hooked(request, asked):
        if before and asked == operation:
            before()
        reply = answer(request, asked)
        if after and asked == operation:
            after()
        return reply

    monkeypatch.setattr(emulator.secretmanager, "answer", hooked)


def test_somebody_else_creates_the_secret_in_between(emulator, job, monkeypatch):
    hook(monkeypatch, emulator, "create",
         before=lambda: emulator.secretmanager.put(SECRET, b"theirs"))
    result = job()
    assert result.code == 0
    assert lines(result) == FIRST_RUN[:4] + [LATER_RUN[3]] + FIRST_RUN[5:]
    payloads = emulator.secretmanager.payloads(SECRET)
    assert payloads == [b"theirs", PULL_SECRET.encode()]


@pytest.mark.parametrize("count", [2, 8])
def test_several_at_once_all_succeed(emulator, job, monkeypatch, count):
    """All have received that the secret is missing before one may create it."""
    barrier = threading.Barrier(count)
    tickets = iter(range(count))
    hook(monkeypatch, emulator, "addVersion",
         after=lambda: next(tickets, None) is not None and barrier.wait(30))
    processes = [job.start(PULL_SECRET_DATA=f'{PULL_SECRET[:-1]}, "n": {n}}}')
                 for n in range(count)]
    results = [process.wait() for process in processes]
    assert [result.code for result in results] == [0] * count
    assert operations(emulator).count("create") == count
    created = [message for result in results for message in result.messages
               if message == "Successfully created secret"]
    assert len(created) == 1
    payloads = emulator.secretmanager.payloads(SECRET)
    assert len(set(payloads)) == len(payloads) == count


SIZES = {
    "smallest": 62, "odd": 1001, "one-record": 16384, "two-records": 16385,
    "all-but-one": 65535, "limit": 65536,
}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_sizes_that_fit(emulator, job, size):
    text = pull_secret_of(size) if size > 100 else '{"auths":{"r":{"auth":"dTpw"}}}'
    result = job(PULL_SECRET_DATA=text)
    assert result.code == 0
    assert emulator.secretmanager.payloads(SECRET) == [text.encode()]
    assert f"Verified secret ({len(text)} bytes)" in result.messages


@pytest.mark.parametrize("source", ["variable", "file", "stdin"])
def test_one_byte_too_many_is_refused(emulator, job, tmp_path, source):
    text = pull_secret_of(65537)
    path = tmp_path / "secret"
    path.write_text(text)
    given = {"variable": {"PULL_SECRET_DATA": text},
             "file": {"PULL_SECRET_DATA": None, "PULL_SECRET_FILE": path},
             "stdin": {"PULL_SECRET_DATA": None, "PULL_SECRET_FILE": "-",
                       "stdin": text.encode()}}[source]
    result = job(**given)
    assert result.code == 3
    assert "65536" in result.error["message"]
    assert result.error["operation"] == "validate-pull-secret"
    assert len(emulator.journal) == 0


@pytest.mark.parametrize("size", [65537 + 4096, 200_000])
def test_far_too_large_is_refused(emulator, job, tmp_path, size):
    path = tmp_path / "secret"
    path.write_text(pull_secret_of(size))
    result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=path)
    assert result.code == 3
    assert result.error["message"] == (
        f"PULL_SECRET_FILE: {path} holds more than the 65536 bytes of a secret version")
    assert len(emulator.journal) == 0


SPACES = {"newline": "\n", "crlf": "\r\n", "many": " \t\n" * 30, "slack": " " * 4096}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_trailing_white_space_is_stripped_and_counted(emulator, job, space):
    result = job(PULL_SECRET_DATA=PULL_SECRET + space)
    assert result.code == 0
    message = result.line("validate-pull-secret")["message"]
    counted = "1 byte" if len(space) == 1 else f"{len(space)} bytes"
    assert message == f"Removed {counted} of white space after the pull secret"
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def test_white_space_does_not_count_towards_the_limit(emulator, job, tmp_path):
    path = tmp_path / "secret"
    path.write_text(pull_secret_of(65536) + "\n")
    assert job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=path).code == 0
    assert len(emulator.secretmanager.payloads(SECRET)[0]) == 65536


def test_leading_white_space_is_stored(emulator, job):
    assert job(PULL_SECRET_DATA="\n " + PULL_SECRET).code == 0
    assert emulator.secretmanager.payloads(SECRET) == [b"\n " + PULL_SECRET.encode()]


def test_not_found_right_after_create_is_retried(emulator, job):
    emulator.secretmanager.not_found_after_create = 1
    result = job()
    assert result.code == 0
    assert operations(emulator) == ["addVersion", "create", "addVersion",
                                    "addVersion", "access"]
    assert len(result.warnings) == 1
    # Its own text says no more, and looking for secrets in it costs time.
    assert result.warnings[0]["message"].endswith(": HTTP 404 NOT_FOUND")
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def holding(data):
    """A tampering: other bytes, under their own right checksum."""
    def tamper(value):
        value["payload"] = {"data": base64.b64encode(data).decode(),
                            "dataCrc32c": str(crc32c(data))}
        return value
    return tamper


READ_BACKS = {name: (name,) for name in (
    "flip", "truncate", "wrong-crc", "no-data", "no-payload", "other-version")}
READ_BACKS |= {
    "other-bytes": (holding(PULL_SECRET.replace("quay", "kuay").encode()),),
    "more-bytes": (holding(PULL_SECRET.encode() + b"\n"),),
    "fewer-bytes": (holding(PULL_SECRET.encode()[:-1]),),
}


def test_a_read_back_that_differs_is_exit_5(start_emulator):
    def check(tampering):
        emulator = start_emulator()
        emulator.order("secretmanager", "access", times=None, tamper=tampering)
        result = Job(emulator)()
        assert result.code == 5, result.out
        assert result.error["error_code"] == "DATA_LOSS"
        assert result.error["version"].endswith("/versions/1")
        assert operations(emulator).count("addVersion") == 2
        assert "completed" not in result.operations
        assert ((", the reply is " in result.error["message"])
                == (tampering == "other-version"))

    together(check, READ_BACKS)


class TestDryRun:
    """--dry-run authenticates and asks, and changes nothing."""

    @pytest.mark.parametrize("there", [True, False], ids=["exists", "missing"])
    def test_asks_once_and_changes_nothing(self, emulator, job, there):
        if there:
            emulator.secretmanager.put(SECRET, b"old")
        result = job("--dry-run")
        assert result.code == 0
        assert result.operations == ["start", "client-initialized", "dry-run",
                                     "summary"]
        message = result.line("dry-run")["message"]
        assert ("does not exist" in message) == (not there)
        assert operations(emulator) == ["get"]
        assert emulator.secretmanager.payloads(SECRET) == ([b"old"] if there else [])

    def test_denied_is_exit_4(self, emulator, job):
        emulator.secretmanager.service_disabled = True
        result = job("--dry-run")
        assert result.code == 4
        assert operations(emulator) == ["get"]

    def test_bad_token_source_fails(self, emulator, job):
        emulator.metadata.service_account = False
        result = job("--dry-run", MAX_WAIT_TIME_SECONDS=1)
        assert result.code != 0
        assert emulator.requests("secretmanager") == []
