"""scripts/store-pull-secret, the example for shell users."""

import subprocess

import pytest
from conftest import CLUSTER, PROGRAM, PULL_SECRET, SECRET, TESTS

from emulator import errors

SCRIPT = TESTS.parent / "scripts" / "store-pull-secret"


@pytest.fixture
def store(emulator, tmp_path):
    """Run the script for a file with the given text, or for standard input."""
    def run(text=PULL_SECRET, words=None, **options):
        path = tmp_path / "secret.json"
        path.write_text(text)
        words = (emulator.project, CLUSTER, path) if words is None else words
        env = {"PATH": "/usr/bin:/bin", "PULL_SECRET": PROGRAM, **emulator.environment()}
        return subprocess.run([SCRIPT, *words], env=env, capture_output=True, text=True,
                              check=False, **options)

    return run


def test_stored(emulator, store):
    done = store()
    assert done.returncode == 0, done.stderr
    name = f"projects/{emulator.project_number}/secrets/{SECRET}/versions/1"
    assert done.stdout.endswith(f"\nstored as {name}\n")
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def test_standard_input(emulator, store):
    done = store(words=(emulator.project, CLUSTER, "-"), input=PULL_SECRET)
    assert done.returncode == 0, done.stderr
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def test_a_bad_file_costs_nothing(emulator, store):
    done = store("{}")
    assert done.returncode == 3
    assert "auths" in done.stderr
    assert len(emulator.journal) == 0


def test_each_exit_code_has_words(emulator, store):
    emulator.order("secretmanager", "addVersion", reply=errors.permission_denied())
    done = store()
    assert done.returncode == 4
    assert done.stderr.startswith("not logged in, or not permitted\n")
    assert '"level":"error"' in done.stderr


@pytest.mark.parametrize("count", [0, 1, 2])
def test_usage(store, count):
    done = store(words=("a", "b", "c")[:count])
    assert done.returncode == 2
    assert "usage: store-pull-secret PROJECT CLUSTER FILE|-" in done.stderr
