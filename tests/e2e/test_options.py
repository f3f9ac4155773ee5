"""The options that README and manual name are those of --help: scripts/options says so."""

import os
import re
import subprocess

import pytest
from conftest import PROGRAM, TESTS, native

pytestmark = native
TOP = TESTS.parent
README = TOP / "README.md"
MANUAL = TOP / "src/cmd/pull-secret.1"


def options(*paths):
    done = subprocess.run([TOP / "scripts/options", *paths], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def test_readme_and_manual_have_the_options_of_the_help(run):
    code, said = options(PROGRAM)
    assert code == 0, said
    shown = run("run-job", "pull-secret", "--help").out
    count = len(re.findall(r"^  \S", shown, re.M))
    assert count > 20
    assert said.startswith(f"{count} options, ")


# What is done to a text, and what is said of it.
CHANGES = {
    "lacking": (r"\| `--dry-run`", "| `-`", r"\.It Fl Fl dry-run.*\n.*\n", "", "lacks dry-run"),
    "unknown": (r"\| `--dry-run`", "| `--dry`", "Fl Fl dry-run", "Fl Fl dry", "dry is no option"),
    "variable": (r"`DRY_RUN`", "`DRY`", "Ev DRY_RUN", "Ev DRY",
                 "dry-run has the variable DRY_RUN, not DRY"),
    "default": (r"\(280\)", "(300)", r"is 280\.", "is 300.",
                "timeout does not name its default, 280"),
    "only-a-variable": (r"`PULL_SECRET_DATA`", "`DATA`", "Ev PULL_SECRET_DATA", "Ev DATA",
                        "lacks PULL_SECRET_DATA"),
    "order": (r"(\| `--timeout`.*\n)(\| `--results-path`.*\n)", r"\2\1",
              r"(\.It Fl Fl timeout[^$]*?)(\.It Fl Fl results-path[^$]*?)(?=\.It Fl Fl term)",
              r"\2\1", "not in the order of --help"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_is_told(tmp_path, name):
    readme_part, readme_new, manual_part, manual_new, said = CHANGES[name]
    for where, source, part, new in (("README", README, readme_part, readme_new),
                                     ("manual", MANUAL, manual_part, manual_new)):
        text, times = re.subn(part, new, source.read_text(), count=1)
        assert times == 1
        changed = tmp_path / source.name
        changed.write_text(text)
        paths = (changed, MANUAL) if where == "README" else (README, changed)
        code, told = options(PROGRAM, *paths)
        assert code == 1
        assert f"{where}: {said}" in told


def test_an_argument_that_the_manual_lacks(tmp_path):
    changed = tmp_path / "manual"
    changed.write_text(MANUAL.read_text().replace("Fl Fl timeout Ar seconds ,",
                                                  "Fl Fl timeout ,"))
    assert options(PROGRAM, README, changed) == (1, "manual: timeout takes an argument\n")


def test_a_program_that_cannot_be_asked(tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho '  --odd'\n")
    os.chmod(program, 0o755)
    code, said = options(program)
    assert code == 1 and "cannot read all rows" in said
