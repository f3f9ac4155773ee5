"""What a list of tasks leaves behind for its next run: the journal and the list of failed tasks."""

import json
import os
import resource
import signal
import stat
from pathlib import Path

import pytest
from conftest import PULL_SECRET, pull_secret, until

from emulator import errors

CLUSTERS = [f"c{number}" for number in range(6)]


@pytest.fixture
def listing(tmp_path):
    path = tmp_path / "tasks.ndjson"
    path.write_text("".join(json.dumps({"cluster_id": name}) + "\n" for name in CLUSTERS))
    return path


@pytest.fixture
def start_list(job, listing):
    def start(*flags, **more):
        return job.start("--tasks", listing, "--rate", 1000, *flags, **{"CLUSTER_ID": None, **more})
    return start


@pytest.fixture
def run_list(start_list):
    def run(*flags, **more):
        return start_list(*flags, **more).wait()
    return run


def stored(emulator):
    """The payloads of all versions of each cluster's secret."""
    return {secret.secret_id.split("-")[1]: [version.data for version in secret.versions]
            for secret in emulator.secretmanager.store.secrets.values()}


def entries(journal):
    return [json.loads(line) for line in journal.read_text().splitlines()]


def asked(emulator, since=0):
    """The clusters that requests to Secret Manager were about."""
    return {name for entry in emulator.requests("secretmanager")[since:] for name in CLUSTERS
            if f"-{name}-" in entry.target}


@pytest.mark.parametrize("flag", ["--journal", "--failed"])
def test_is_no_other_file_of_the_run(emulator, run_list, listing, tmp_path, flag):
    """Nor is it emptied or appended to then."""
    secret, result, ended = (tmp_path / name for name in ("secret.json", "result.json", "ended"))
    secret.write_text(PULL_SECRET)
    ended.write_text("as it was")
    strange = tmp_path / "strange.json"
    strange.write_text(PULL_SECRET)
    link = tmp_path / "link"
    link.symlink_to(listing)
    sources = {"PULL_SECRET_DATA": None, "PULL_SECRET_FILE": secret, "RESULTS_PATH": result,
               "TERMINATION_LOG_PATH": ended}
    kept = {path: path.read_bytes() for path in (listing, secret, strange, Path(emulator.ca_file))}
    for path in (listing, link, secret, strange, emulator.ca_file, result, ended, "/dev/null",
                 tmp_path, tmp_path / "missing" / "file"):
        done = run_list(flag, path, **sources)
        assert done.code == 2, (path, done.out)
        assert flag in done.err + done.out, path
        if path in (listing, link) and flag == "--failed":
            assert "mv it first, then name the new file with --tasks" in done.err + done.out
    other = {"--journal": "--failed", "--failed": "--journal"}[flag]
    done = run_list(flag, tmp_path / "both", other, tmp_path / "both", **sources)
    assert done.code == 2 and "both is the file of --" in done.err
    result.unlink()  # nothing is there, and the names differ
    done = run_list(flag, f"{tmp_path}/./result.json", **sources)
    assert done.code == 2 and f"is the file of {flag}, too" in done.out
    assert {path: path.read_bytes() for path in kept} == kept
    assert not emulator.journal


def test_is_not_standard_output(run_list, tmp_path):
    out = tmp_path / "out"
    with open(out, "wb") as stdout:
        done = run_list("--journal", out, stdout=stdout)
    assert done.code == 2 and "standard output" in done.err


def test_a_run_that_was_interrupted_goes_on(emulator, run_list, start_list, tmp_path):
    """What is in the journal is not asked for again, unless its bytes are others."""
    journal = tmp_path / "journal"
    emulator.order("secretmanager", lambda request: "-c3-" in request.target
                   and request.target.endswith(":addVersion"), drop="uncommitted", how="hang")
    log = tmp_path / "log"
    with open(log, "wb") as out:
        process = start_list("--journal", journal, stdout=out)
    until(lambda: "c3" in asked(emulator))
    again = run_list("--journal", journal)
    assert again.code == 1 and "another run" in again.error["message"]
    process.popen.send_signal(signal.SIGTERM)
    until(lambda: "stopped by SIGTERM" in log.read_text())
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait().code == 143
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    lines = entries(journal)
    assert [line["secret"].split("-")[-3] for line in lines] == CLUSTERS[:3]
    assert all(line["version"].endswith("/versions/1") for line in lines)
    with open(journal, "a", encoding="ascii") as out:
        out.write('{"secret":"projects/test-pro')  # and was torn

    emulator.orders.clear()
    before = len(emulator.requests("secretmanager"))
    result = run_list("--journal", journal)
    assert result.code == 0, result.out
    assert asked(emulator, before) == set(CLUSTERS[3:])
    summary = result.log[-1]
    assert (summary["task_total"], summary["task_succeeded"], summary["task_skipped"]) == (6, 6, 3)
    assert stored(emulator) == {name: [PULL_SECRET.encode()] for name in CLUSTERS}
    assert len(entries(journal)) == 6
    assert run_list("--dry-run", "--journal", journal).code == 0
    assert len(entries(journal)) == 6

    other = pull_secret(**{"other.example": "b3RoZXI6b3RoZXI="})
    for _ in range(2):
        result = run_list("--journal", journal, PULL_SECRET_DATA=other)
        assert result.code == 0, result.out
    assert result.log[-1]["task_skipped"] == 6
    assert stored(emulator) == {name: [PULL_SECRET.encode(), other.encode()] for name in CLUSTERS}
    assert len(entries(journal)) == 12
    assert "auth" not in journal.read_text()


def test_a_line_that_is_none_of_a_journal(emulator, run_list, tmp_path):
    journal = tmp_path / "journal"
    journal.write_text("garbage\n")
    result = run_list("--journal", journal)
    assert result.code == 2 and "line 1 of" in result.error["message"], result.out
    assert journal.read_text() == "garbage\n" and not emulator.requests()


def test_no_room(emulator, run_list, listing, tmp_path):
    """Of the journal: nothing more is started, and exit 6 says that something was stored. Of
    the list of failed tasks: the run goes on, and fails.
    """
    entry = json.dumps({"secret": "s", "sha256": "0" * 64, "version": "v"}, separators=(",", ":"))
    full = tmp_path / "full"
    full.write_text((entry + "\n") * (16384 // (len(entry) + 1)))
    size = full.stat().st_size

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))

    result = run_list("--journal", full, preexec_fn=limit)
    assert result.code == 6, result.out
    assert full.stat().st_size == size
    assert any("cannot write" in line["message"] for line in result.errors)
    assert len(stored(emulator)) < len(CLUSTERS)

    large = pull_secret(**{f"{number}.example": "dXNlcjpw" for number in range(200)})
    listing.write_text("".join(json.dumps({"cluster_id": name, "pull_secret_data": large}) + "\n"
                               for name in CLUSTERS))
    emulator.order("secretmanager", lambda request: True, times=None,
                   reply=errors.permission_denied())
    result = run_list("--failed", tmp_path / "failed", preexec_fn=limit)
    assert result.code == 1, result.out
    assert any("--failed: cannot write" in line["message"] for line in result.errors)
    for line in (tmp_path / "failed").read_text().splitlines():
        assert json.loads(line)["pull_secret_data"] == large


def test_failed_tasks_are_a_list(emulator, run_list, listing, tmp_path):
    failed = tmp_path / "failed"
    listing.write_text(listing.read_text().replace('"c1"}', '"c1", "labels": {"a": "b"}}') + "{bad\n")
    emulator.order("secretmanager", lambda request: "-c1-" in request.target or "-c4-"
                   in request.target, times=None, reply=errors.permission_denied())
    result = run_list("--failed", failed)
    assert result.code == 1 or result.code == 7, result.out
    assert result.log[-1]["failed_by_code"] == {"INVALID_ARGUMENT": 1, "PERMISSION_DENIED": 2}
    lines = failed.read_text().splitlines()
    assert stat.S_IMODE(failed.stat().st_mode) == 0o600
    lines.remove("{bad")
    assert [json.loads(line)["cluster_id"] for line in lines] == ["c1", "c4"]
    assert json.loads(lines[0])["labels"] == {"a": "b"}
    emulator.orders.clear()
    listing.write_text("\n".join(lines))
    assert run_list("--failed", failed).code == 0
    assert stored(emulator) == {name: [PULL_SECRET.encode()] for name in CLUSTERS}
    assert failed.read_text() == ""


def test_a_429_stops_all_workers(emulator, run_list, listing):
    """Until what Google asks for is over they write no more than what was under way."""
    listing.write_text("".join(f'{{"cluster_id": "c{number}"}}\n' for number in range(40)))
    emulator.order("secretmanager", "create", nth=3, times=1,
                   reply=errors.quota_exceeded(retry_delay="1s"))
    result = run_list("--workers", 4)
    assert result.code == 0, result.out
    assert all(len(versions) == 1 for versions in stored(emulator).values())
    writes = [entry for entry in emulator.requests("secretmanager")
              if entry.operation in ("create", "addVersion")]
    refused, = (entry.time for entry in writes if entry.status == 429)
    later = [entry for entry in writes if entry.time > refused + 0.9]
    assert len(later) > 70, [entry.time - refused for entry in writes]


def test_a_line_on_a_terminal(emulator, start_list):
    """One line, narrow and without controls, which is gone before each line of the log."""
    emulator.order("secretmanager", "addVersion", nth=4, delay_before=0.5)
    screen, terminal = os.openpty()
    process = start_list(stdout=terminal, stderr=terminal, NO_COLOR="1")
    os.close(terminal)
    said = b""
    try:
        while piece := os.read(screen, 4096):
            said += piece
    except OSError:
        pass  # the program has closed it
    assert process.popen.wait() == 0
    os.close(screen)
    said = said.decode()
    for line in said.split("\r\n")[:-1]:
        *shown, log = line.split("\r")
        assert "INFO" in log or "WARN" in log, line
        for text in filter(None, shown):
            assert text.isprintable() and len(text) < 80
            assert "done, 0 failed" in text or not text.strip()
    assert "\r1 done, 0 failed" in said
