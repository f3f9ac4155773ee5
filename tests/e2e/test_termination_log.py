"""The termination log: one line that Kubernetes shows in the status of a pod."""

import os
import re
import shutil
import signal

import pytest
from conftest import CANARY, CLUSTER, PULL_SECRET, UNPRIVILEGED, auth, native, needs_root, until

from emulator import errors

LIMIT = 4096  # what Kubernetes keeps


@pytest.fixture
def note(tmp_path):
    """As Kubernetes mounts it, but with something old in it."""
    path = tmp_path / "termination-log"
    path.write_text("old " * 2000)
    return path


def line_of(path):
    """Read it: one whole line, short, without a secret."""
    text = path.read_text()
    assert text.count("\n") == 1 and text.endswith("\n")
    assert len(text.encode()) <= LIMIT
    for word in (CANARY, auth()):
        assert word not in text
    return text[:-1]


def test_success(emulator, job, note):
    assert job(TERMINATION_LOG_PATH=note).code == 0
    assert line_of(note) == (
        f"PullSecretStored: Stored and verified {len(PULL_SECRET)} bytes as projects/"
        f"{emulator.project_number}/secrets/hyperfleet-{CLUSTER}-pull-secret/versions/1")


def test_dry_run_by_flag(job, note):
    assert job("--dry-run", "--termination-log", note).code == 0
    assert line_of(note) == "DryRunPassed: Nothing was changed"


@pytest.mark.parametrize("how", ["same-path", "hard-link", "link-to-it"])
@pytest.mark.parametrize("name", ["PULL_SECRET_FILE", "SSL_CERT_FILE", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_an_input_is_not_emptied(emulator, job, note, name, how):
    """By whatever name: a file is device and inode."""
    given = note.parent / "given"
    if how == "hard-link":
        os.link(note, given)
    elif how == "link-to-it":
        given.symlink_to(note.name)
    else:
        given = note
    before = note.read_text()
    extra = {"PULL_SECRET_DATA": None} if name == "PULL_SECRET_FILE" else {}
    result = job(TERMINATION_LOG_PATH=note, **extra, **{name: given})
    assert result.code == 2
    assert f"TERMINATION_LOG_PATH: {note} is the file of {name}, too" in result.err
    assert note.read_text() == before
    assert emulator.connections() == []


FAILURES = {
    "usage": (["--unknown"], {}, 2, "ConfigurationInvalid: "),
    "configuration": ([], {"CLUSTER_ID": "X"}, 2, "ConfigurationInvalid: CLUSTER_ID=X: "),
    "result-path": ([], {"RESULTS_PATH": "/no/x"}, 2, "ConfigurationInvalid: RESULTS_PATH"),
    "pull-secret": ([], {"PULL_SECRET_DATA": "{}"}, 3, "PullSecretInvalid: "),
    "credentials": ([], {"NO_GCE_CHECK": "1"}, 4, "NotAuthenticated: "),
}


@pytest.mark.parametrize("flags, variables, code, start", FAILURES.values(), ids=FAILURES)
def test_failures_before_the_network(job, note, flags, variables, code, start):
    result = job(*flags, TERMINATION_LOG_PATH=note, **variables)
    assert result.code == code
    assert line_of(note).startswith(start)


def test_reason_message_and_hint(emulator, job, note):
    emulator.order("secretmanager", times=None, reply=errors.service_disabled())
    result = job(TERMINATION_LOG_PATH=note)
    error = result.error
    assert result.code == 4
    assert line_of(note) == f"PermissionDenied: {error['message']} ({error['hint']})"


def test_the_longest_message_fits(emulator, job, note):
    emulator.order("secretmanager", times=None,
                   reply=errors.api("PERMISSION_DENIED", "ü€😀\n" * 3000))
    assert job(TERMINATION_LOG_PATH=note).code == 4
    assert len(line_of(note)) > 300


def test_a_signal(emulator, job, note):
    """And nothing old is there meanwhile."""
    emulator.order("metadata", delay_before=30)
    process = job.start(TERMINATION_LOG_PATH=note)
    until(lambda: emulator.requests("metadata"))
    assert note.read_text() == ""
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait().code == 143
    assert line_of(note) == "Interrupted: stopped by SIGTERM; no version was written"


def test_an_unwritten_result(emulator, job, note, tmp_path):
    """The line says that the result was not written, not what the run did."""
    folder = tmp_path / "results"
    folder.mkdir()
    emulator.order("secretmanager", "access", delay_before=0.3)
    process = job.start(TERMINATION_LOG_PATH=note, RESULTS_PATH=folder / "result")
    until(lambda: emulator.requests(operation="access"))
    shutil.rmtree(folder)
    assert process.wait().code == 6
    assert re.match(r"ReportIncomplete: cannot write \S+: .*; a version was already written: "
                    r"projects/\d+/secrets/\S+/versions/1 \(", line_of(note))


# --- places where it cannot be ---------------------------------------------------


def make_bad(path, kind):
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        (path.parent / "other").write_text("other")
        path.symlink_to(path.parent / "other")
    elif kind == "read-only":
        path.touch(mode=0o444)


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "link", "read-only"])
def test_unusable_places_are_told_before_anything_is_sent(emulator, job, tmp_path, kind):
    path = tmp_path / "note"
    make_bad(path, kind)
    result = job(TERMINATION_LOG_PATH=path, RESULTS_PATH=tmp_path / "result",
                 before=UNPRIVILEGED)
    assert result.code == 2
    assert f"TERMINATION_LOG_PATH: cannot write to {path}" in result.err
    assert emulator.connections() == []
    assert '"ConfigurationInvalid"' in (tmp_path / "result").read_text()
    assert path.exists() == (kind != "missing")
    if kind == "link":
        assert (tmp_path / "other").read_text() == "other"


def test_a_device_is_not_written_to(job):
    assert job(TERMINATION_LOG_PATH="/dev/null").code == 2


@needs_root
@native
def test_the_default_place(scratch):
    (scratch.root / "dev").mkdir()
    note = scratch.root / "dev" / "termination-log"
    note.touch()
    assert scratch().code == 0
    assert line_of(note).startswith("PullSecretStored: ")


@needs_root
@native
@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "link"])
def test_the_default_place_is_passed_over(scratch, kind):
    (scratch.root / "dev").mkdir()
    note = scratch.root / "dev" / "termination-log"
    make_bad(note, kind)
    before = sorted(os.listdir(note.parent))
    assert scratch().code == 0
    assert sorted(os.listdir(note.parent)) == before
    if kind == "link":
        assert note.read_text() == "other"
