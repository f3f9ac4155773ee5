"""scripts/check sums up what its stages counted, and hides nothing."""

import re

import pytest
from conftest import TOP, path_with, run, stub


@pytest.fixture
def check(tmp_path):
    """Runs scripts/check where the goals of make, and its pytest, are what a test says."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/check").write_bytes((TOP / "scripts/check").read_bytes())
    (tmp_path / "scripts/check").chmod(0o755)

    def go(**stages):
        cases = "".join(f"{name.replace('_', '-')})\n{body}\n;;\n" for name, body in stages.items())
        stub(tmp_path / "stubs", "make", f'case "$*" in\n{cases}esac\n')
        done = run(["scripts/check", *(name.replace("_", "-") for name in stages)], tmp_path,
                   PATH=path_with(tmp_path / "stubs"))
        return done.returncode, [re.sub(r" \(\d+ s\)$", "", line) for line in done.stdout.splitlines()]

    return go


def test_counts_of_all_stages_and_why_something_was_skipped(check):
    code, lines = check(
        lint="echo 4 passed, 0 failed",
        unit="echo ok test_buf: 7; echo 70 passed, 0 failed, 2 skipped",
        e2e="echo 'SKIPPED [3] tests/e2e/test_x.py:9: no strace'; echo note: in a box;"
            "echo 12 passed, 3 skipped, 5 deselected, 1 warning in 3.21s")
    assert code == 0
    assert sorted(lines[:-1]) == [
        "e2e| SKIPPED [3] tests/e2e/test_x.py:9: no strace", "e2e| note: in a box",
        "ok      e2e: 12 passed, 0 failed, 3 skipped",
        "ok      lint: 4 passed, 0 failed, 0 skipped",
        "ok      unit: 70 passed, 0 failed, 2 skipped"]
    assert lines[-1] == "86 passed, 0 failed, 5 skipped"


def test_a_failed_stage_is_shown_whole(check):
    code, lines = check(unit="echo 1 passed, 0 failed, 0 skipped",
                        e2e="echo why; echo '2 failed, 5 passed, 1 skipped, 1 error in 61.02s (0:01:01)'; exit 1")
    assert code == 1
    assert "e2e| why" in lines
    assert "FAILED  e2e: 5 passed, 3 failed, 1 skipped" in lines
    assert lines[-1] == "6 passed, 3 failed, 1 skipped"


@pytest.mark.parametrize("body", ["exit 1", "true", "echo 0 passed, 0 failed, 0 skipped",
                                  "echo 3 skipped in 0.1s", "echo 5 passed in 0.1s; exit 3"])
def test_a_stage_that_tested_nothing_or_broke_off_has_failed(check, body):
    code, lines = check(unit=body)
    assert code == 1
    assert re.match(r"\d passed, 1 failed, \d skipped$", lines[-1])
