"""`make demo`: what it shows, and that it colours terminals only."""

import os
import subprocess

import pytest
from conftest import TOP, Terminal

DEMO = [TOP / "scripts/demo", TOP / "bin/pull-secret"]


@pytest.fixture(scope="module", autouse=True)
def built():
    subprocess.run(["make", "build"], cwd=TOP, check=True, capture_output=True,
                   env={name: value for name, value in os.environ.items() if name[0] != "M"})


def test_a_file_gets_no_colours():
    done = subprocess.run(DEMO, cwd=TOP, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\033" not in done.stdout
    for part in ("1. A Google on this machine", "valid pull secret: ", '"operation":"completed"',
                 "sha256 of the file and of the newest version: ", '"reason": "PullSecretStored"'):
        assert part in done.stdout


@pytest.mark.parametrize("more, start", [
    ({"TERM": "xterm"}, "\033[1m1. A Google"), ({"TERM": "xterm", "NO_COLOR": "1"}, "1. A Google"),
    ({"TERM": "dumb"}, "1. A Google")], ids=["terminal", "no-color", "dumb"])
def test_a_terminal(more, start):
    with Terminal(" ".join(map(str, DEMO)), TOP, **more) as terminal:
        assert terminal.wait(r"\n(.*1\. A Google)")[1] == start
