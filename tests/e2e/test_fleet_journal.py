"""What a list of tasks leaves behind for its next run: the journal and the list of failed tasks."""

from pathlib import Path

import pytest
from conftest import PULL_SECRET


@pytest.fixture
def listing(tmp_path):
    path = tmp_path / "tasks.ndjson"
    path.write_text('{"cluster_id": "c1"}\n{"cluster_id": "c2"}\n')
    return path


@pytest.fixture
def run_list(job, listing):
    def run(*flags, **more):
        return job("--tasks", listing, *flags, **{"CLUSTER_ID": None, **more})
    return run


@pytest.mark.parametrize("flag", ["--journal", "--failed"])
def test_is_no_other_file_of_the_run(emulator, run_list, listing, tmp_path, flag):
    """Nor is it emptied or appended to then."""
    secret, result, ended = (tmp_path / name for name in ("secret.json", "result.json", "ended"))
    secret.write_text(PULL_SECRET)
    ended.write_text("as it was")
    link = tmp_path / "link"
    link.symlink_to(listing)
    sources = {"PULL_SECRET_DATA": None, "PULL_SECRET_FILE": secret, "RESULTS_PATH": result,
               "TERMINATION_LOG_PATH": ended}
    kept = {path: path.read_bytes() for path in (listing, secret, Path(emulator.ca_file))}
    for path in (listing, link, secret, emulator.ca_file, result, ended):
        done = run_list(flag, path, **sources)
        assert done.code == 2, (path, done.out)
        assert flag in done.err + done.out, path
    other = {"--journal": "--failed", "--failed": "--journal"}[flag]
    done = run_list(flag, tmp_path / "both", other, tmp_path / "both", **sources)
    assert done.code == 2 and "both is the file of --" in done.err
    assert {path: path.read_bytes() for path in kept} == kept
    assert not emulator.journal


def test_is_not_standard_output(run_list, tmp_path):
    out = tmp_path / "out"
    with open(out, "wb") as stdout:
        done = run_list("--journal", out, stdout=stdout)
    assert done.code == 2 and "standard output" in done.err
