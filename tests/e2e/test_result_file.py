"""The result file for HyperFleet's status-reporter."""

import json
import os
import shutil
import signal
import stat
import threading
from pathlib import Path

import pytest
from conftest import CLUSTER, PULL_SECRET, UNPRIVILEGED, auth, native, needs_root, until

from emulator import errors


@pytest.fixture
def path(tmp_path):
    """Where the result goes: alone in its folder."""
    (tmp_path / "results").mkdir()
    return tmp_path / "results" / "adapter-result.json"


def read(path):
    """The result, checked as its reader does, and alone in its folder."""
    assert os.listdir(path.parent) == [path.name]
    data = path.read_bytes()
    assert 0 < len(data) <= 8192
    value = json.loads(data)
    assert value["status"] in ("success", "failure")
    assert value["reason"].isalnum() and value["reason"][0].isupper()
    assert len(value["reason"].encode()) <= 128
    assert 0 < len(value["message"].encode()) <= 1024
    assert value["message"] == value["message"].strip()
    assert isinstance(value["details"], dict)
    for word in (auth(), "canary"):
        assert word not in data.decode()
    return value


def test_success(emulator, job, path):
    assert job(RESULTS_PATH=path).code == 0
    version = (f"projects/{emulator.project_number}/secrets/"
               f"hyperfleet-{CLUSTER}-pull-secret/versions/1")
    assert read(path) == {
        "status": "success", "reason": "PullSecretStored",
        "message": f"Stored and verified {len(PULL_SECRET)} bytes as {version}",
        "details": {"cluster_id": CLUSTER, "gcp_project": emulator.project,
                    "version": version},
    }


def test_dry_run(job, path):
    assert job("--dry-run", RESULTS_PATH=path).code == 0
    value = read(path)
    assert (value["status"], value["reason"]) == ("success", "DryRunPassed")


def failures(emulator):
    """Name: (what to order, flags, variables, exit status, reason)."""
    def every(reply):
        return lambda: emulator.order("secretmanager", times=None, reply=reply)

    return {
        "usage": (None, ["--unknown"], {}, 2, "ConfigurationInvalid"),
        "operand": (None, ["x"], {}, 2, "ConfigurationInvalid"),
        "configuration": (None, [], {"CLUSTER_ID": "X"}, 2, "ConfigurationInvalid"),
        "no-source": (None, [], {"PULL_SECRET_DATA": None}, 2, "ConfigurationInvalid"),
        "secret": (None, [], {"PULL_SECRET_DATA": "{}"}, 3, "PullSecretInvalid"),
        "too-large": (None, [], {"PULL_SECRET_DATA": "x" * 70_000}, 3,
                      "PullSecretInvalid"),
        "no-credentials": (None, [], {"NO_GCE_CHECK": "1"}, 4, "NotAuthenticated"),
        "denied": (every(errors.permission_denied()), [], {}, 4, "PermissionDenied"),
        "disabled": (every(errors.service_disabled()), [], {}, 4, "PermissionDenied"),
        "differs": (lambda: emulator.order("secretmanager", "access", times=None,
                                           tamper="flip"), [], {}, 5,
                    "VerificationFailed"),
        "quota": (every(errors.quota_exceeded(retry_after=999)), [], {}, 1,
                  "QuotaExceeded"),
        "unavailable": (every(errors.unavailable(retry_after=999)), [], {}, 1,
                        "ServiceUnavailable"),
        "deadline": (lambda: emulator.order("secretmanager", times=None,
                                            delay_before=30), [],
                     {"MAX_WAIT_TIME_SECONDS": 1}, 1, "DeadlineExceeded"),
        "long-message": (every(errors.api("PERMISSION_DENIED", "ü€😀" * 3000)), [],
                         {}, 4, "PermissionDenied"),
    }


@pytest.mark.parametrize("name", [
    "usage", "operand", "configuration", "no-source", "secret", "too-large",
    "no-credentials", "denied", "disabled", "differs", "quota", "unavailable",
    "deadline", "long-message",
])
def test_failure(emulator, job, path, name):
    order, flags, variables, code, reason = failures(emulator)[name]
    if order:
        order()
    result = job(*flags, RESULTS_PATH=path, **variables)
    value = read(path)
    assert (result.code, value["status"], value["reason"]) == (code, "failure", reason)
    assert value["details"]["error_code"]
    assert ("version" in value["details"]) == (name == "differs")
    if result.out:
        assert result.error["message"].startswith(value["message"])
        assert value["details"].get("hint") == result.error.get("hint")


def test_by_flag(job, path):
    assert job("--results-path", path).code == 0
    assert read(path)["status"] == "success"


def test_a_usage_error_after_the_flag(job, path):
    """The flags before the wrong one still count."""
    assert job("--results-path", path, "--unknown").code == 2
    assert read(path)["reason"] == "ConfigurationInvalid"


def test_everybody_may_read_it(job, path):
    for umask in (0o077, 0o000, 0o777):
        assert job(RESULTS_PATH=path, umask=umask).code == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_it_is_replaced_and_never_written_into(job, path):
    """A reader that has the old file open goes on reading the old one."""
    path.write_text("old")
    with open(path, encoding="utf-8") as old:
        before = os.fstat(old.fileno()).st_ino
        assert job(RESULTS_PATH=path).code == 0
        assert old.read() == "old"
        assert path.stat().st_ino != before
    assert read(path)["status"] == "success"


def test_a_link_is_replaced_and_not_followed(job, path, tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    path.symlink_to(other)
    assert job(RESULTS_PATH=path).code == 0
    assert other.read_text() == "mine"
    assert not path.is_symlink()
    assert read(path)["status"] == "success"


def test_a_stale_one_is_removed_at_the_start(emulator, job, path):
    path.write_text('{"status": "success"}')
    emulator.order("metadata", delay_before=30)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests("metadata"))
    assert os.listdir(path.parent) == []
    process.popen.send_signal(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    assert os.listdir(path.parent) == []


def test_nothing_is_there_before_the_end(emulator, job, path):
    emulator.order("secretmanager", "access", delay_before=0.5)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests(operation="access"))
    assert os.listdir(path.parent) == []
    assert process.wait().code == 0
    assert read(path)["status"] == "success"


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)],
                         ids=["SIGTERM", "SIGINT"])
def test_signal(emulator, job, path, number, code):
    emulator.order("metadata", delay_before=30)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests("metadata"))
    process.popen.send_signal(number)
    assert process.wait().code == code
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "Interrupted")
    assert "no version was written" in value["message"]
    assert value["details"]["error_code"] == "CANCELLED"


# --- places where it cannot be ---------------------------------------------------

BAD_PATHS = {
    "no-folder": "missing/result.json", "below-a-file": "file/result.json",
    "trailing-slash": "results/", "a-folder": "results",
    "long": "x" * 5000, "long-name": "x" * 300,
}


@pytest.mark.parametrize("name", BAD_PATHS.values(), ids=BAD_PATHS)
def test_unusable_paths_are_told_before_anything_is_sent(emulator, job, tmp_path, name):
    (tmp_path / "results").mkdir()
    (tmp_path / "file").touch()
    result = job(RESULTS_PATH=f"{tmp_path}/{name}")
    assert result.code == 2
    assert "RESULTS_PATH" in result.err
    assert result.err.count("\n") == 1
    assert result.stdout == b""
    assert emulator.connections() == []


def test_an_unwritable_folder_is_told_before_anything_is_sent(emulator, job, path):
    path.parent.chmod(0o555)
    result = job(RESULTS_PATH=path, before=UNPRIVILEGED)
    assert result.code == 2
    assert "RESULTS_PATH" in result.err
    assert emulator.connections() == []


def test_a_folder_that_goes_away_is_a_failure(emulator, job, path):
    emulator.order("secretmanager", "access", delay_before=0.5)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests(operation="access"))
    shutil.rmtree(path.parent)
    result = process.wait()
    assert result.code == 1
    assert result.error["operation"] == "result-file"
    assert str(path) in result.error["message"]


def test_a_relative_path(job, path):
    assert job(RESULTS_PATH=path.name, cwd=path.parent).code == 0
    assert read(path)["status"] == "success"


def test_a_lost_log_is_no_success(emulator, job, path):
    reader, writer = os.pipe()
    emulator.order("secretmanager", "addVersion", delay_before=0.5)
    process = job.start(stdout=writer, RESULTS_PATH=path)
    os.close(writer)
    while b"Adding secret version" not in os.read(reader, 65536):
        pass
    os.close(reader)
    assert process.wait().code == 1
    assert read(path)["status"] == "failure"


def test_a_closed_log_has_a_result(job, path):
    assert job(RESULTS_PATH=path, preexec_fn=lambda: os.close(1)).code == 1
    assert read(path)["status"] == "failure"


# --- the default place -----------------------------------------------------------


@needs_root
@native
def test_without_its_folder_there_is_no_result(scratch):
    before = sorted(os.listdir(scratch.root))
    assert scratch().code == 0
    assert sorted(os.listdir(scratch.root)) == before


@needs_root
@native
def test_the_default_place(scratch):
    (scratch.root / "results").mkdir()
    assert scratch().code == 0
    assert read(scratch.root / "results" / "adapter-result.json")["status"] == "success"


@needs_root
@native
def test_the_default_place_for_an_empty_variable(scratch):
    (scratch.root / "results").mkdir()
    assert scratch(RESULTS_PATH="", CLUSTER_ID="").code == 2
    value = read(scratch.root / "results" / "adapter-result.json")
    assert value["status"] == "failure"


def test_a_reader_that_polls_never_sees_a_part(emulator, job, path):
    """As fast as it can, over many runs that end in different ways."""
    seen, done = [], threading.Event()

    def poll():
        while not done.is_set():
            try:
                seen.append(path.read_bytes())
            except FileNotFoundError:
                pass

    reader = threading.Thread(target=poll)
    reader.start()
    for number in range(30):
        variables = [{}, {"CLUSTER_ID": "WRONG"}, {"PULL_SECRET_DATA": "{}"}][number % 3]
        assert job(RESULTS_PATH=path, **variables).code == (0, 2, 3)[number % 3]
    done.set()
    reader.join()
    assert len(seen) > 30
    for data in set(seen):
        assert json.loads(data)["status"] in ("success", "failure")
        assert data.endswith(b"}\n")
