"""README's section on the emulator, run as it stands there."""

import os
import subprocess

import pytest
from conftest import PROGRAM, TESTS

TOP = TESTS.parent
REAL = {"GOOGLE_APPLICATION_CREDENTIALS": "/real.json", "HTTPS_PROXY": "http://127.0.0.1:9",
        "SECRET_MANAGER_ENDPOINT": "https://127.0.0.1:9", "GCP_PROJECT_ID": "real-project",
        "CLOUDSDK_CONFIG": "/real", "GCE_METADATA_HOST": "127.0.0.1:9"}


def commands():
    """The two blocks of commands: the one line, and by hand."""
    section = (TOP / "README.md").read_text().split("## Try it without Google\n")[1]
    blocks = []
    for line in section.split("\n## ")[0].split("\n\n"):
        if line.strip("\n").startswith("    "):
            blocks.append(line.replace("\n    ", "\n").strip())
    return blocks


@pytest.mark.parametrize("number", [0, 1])
def test_the_commands_of_the_readme(tmp_path, number):
    assert len(commands()) == 2 and "\n" not in commands()[0]
    script = commands()[number].replace("bin/pull-secret", PROGRAM)
    script = script.replace("/tmp/google", str(tmp_path / "google"))
    script += "\nstatus=$?; [ -z \"$!\" ] || { kill $!; wait $!; }; exit $status"
    done = subprocess.run(["sh", "-c", script], cwd=TOP, env={**os.environ, **REAL},
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"operation":"completed"' in done.stdout.replace(" ", "")
    assert "test-project" in done.stdout and "real-project" not in done.stdout
