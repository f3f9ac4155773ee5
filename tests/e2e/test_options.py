"""README and manual have the options of --help, every job's and every applet's."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import PROGRAM, PULL_SECRET, TESTS, native

pytestmark = native
TOP = TESTS.parent
README = TOP / "README.md"
MANUAL = TOP / "src/cmd/pull-secret.1"


def options(*words):
    done = subprocess.run([TOP / "scripts/options", *words], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def test_readme_and_manual_have_the_options_of_the_help(run):
    assert options(PROGRAM) == (0, "")
    rows = re.findall(r"^  (?:(--\S+)|\(variable only\)) .*?(\w+)\n",
                      run("run-job", "pull-secret", "--help").out, re.M)
    assert len(rows) > 20
    readme, manual = README.read_text(), MANUAL.read_text()
    for flag, variable in rows:
        assert re.search(rf"^\| (`{flag}` )?\| `{variable}`", readme, re.M)
        assert re.search(rf"^\.It (Fl Fl {flag[2:]}.*)?Ev {variable}\b", manual, re.M)


# A part of the README or of the manual, and what somebody makes of it.
CHANGES = {
    "row": ("README", r"\| `--dry-run`.*\n", ""),
    "variable": ("README", r"`DRY_RUN`", "`DRY`"),
    "default": ("README", r"\(280\)", "(300)"),
    "order": ("README", r"(\| `--results-path`.*\n)(\| `--termination-log`.*\n)", r"\2\1"),
    "of-another-job": ("README", r"\| `--force`", "| `--strong`"),
    "entry": ("manual", r"\.It Fl Fl dry-run.*\n.*\n", ""),
    "argument": ("manual", r"Fl Fl timeout Ar duration", "Fl Fl timeout"),
    "text": ("manual", r"The default is 280\.", "The default is 300."),
    "of-an-applet": ("manual", r"It Fl Fl secret-version", "It Fl Fl version"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_is_told_and_mended(tmp_path, name):
    where, part, new = CHANGES[name]
    paths = [shutil.copy(path, tmp_path) for path in (README, MANUAL)]
    source, path = (README, paths[0]) if where == "README" else (MANUAL, paths[1])
    text, times = re.subn(part, new, source.read_text(), count=1)
    assert times == 1
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    code, told = options(PROGRAM, *paths)
    assert code == 1
    assert re.search(r"^\+[^+]", told, re.M) and "options --write mends it" in told
    assert options("--write", PROGRAM, *paths)[0] == 0
    with open(path, encoding="utf-8") as file:
        assert file.read() == source.read_text()


def test_a_job_that_the_manual_does_not_mention(tmp_path):
    changed = tmp_path / "manual"
    changed.write_text(MANUAL.read_text().replace('.\\" options run-job delete-pull-secret\n', ""))
    code, told = options(PROGRAM, README, changed)
    assert code == 1
    assert 'lacks --force of run-job delete-pull-secret' in told


def test_a_program_that_cannot_be_asked(tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nprintf 'usage\\n\\n  --odd\\n'\n")
    os.chmod(program, 0o755)
    code, said = options(program)
    assert code == 1 and "cannot read all rows" in said


def examples(text):
    """What stands in literal blocks of the manual, or indented in the README."""
    lines = re.findall(r"^(?:\.Dl |    )?((?:(?:some-command \| )?pull-secret|mv) .*)", text, re.M)
    return [line.partition("  #")[0].strip() for line in lines]


def test_examples_of_readme_and_manual_work(emulator, job, tmp_path):
    """Those of a user's own machine, in the order in which they stand there."""
    (tmp_path / "pull-secret.json").write_text(PULL_SECRET)
    (tmp_path / "tasks.ndjson").write_text('{"cluster_id":"cls-1"}\n{"cluster_id":"cls-2"}\n')
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "pull-secret").symlink_to(PROGRAM)
    (bin_folder / "some-command").write_text("#!/bin/sh\ncat pull-secret.json\n")
    (bin_folder / "some-command").chmod(0o755)
    env = {**job.environment(PULL_SECRET_DATA=None, PULL_SECRET_FILE="pull-secret.json"),
           "PATH": f"{bin_folder}:/usr/bin:/bin"}
    manual = MANUAL.read_text().split("\n.Sh EXAMPLES")[1].split("\n.Sh ")[0]
    readme = README.read_text().split("**A pull secret**")[1].split("**On Kubernetes**")[0]
    assert (len(examples(manual)), len(examples(readme))) == (11, 4)
    for line in examples(readme) + examples(manual):
        line = line.replace("cls-abc123", env["CLUSTER_ID"])
        if "--tasks" in line:
            line = "unset CLUSTER_ID; " + line
        if "--pull-secret-file" in line:
            line = "unset PULL_SECRET_FILE; " + line
        done = subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, capture_output=True,
                              text=True, check=False,
                              env={name: str(value) for name, value in env.items()
                                   if value is not None})
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        if "stored.json" in line:
            assert (tmp_path / "stored.json").read_text() == PULL_SECRET


def test_the_manual_has_the_usual_sections():
    sections = re.findall(r"^\.Sh (.*)", MANUAL.read_text(), re.M)
    usual = ["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES",
             "DIAGNOSTICS", "SEE ALSO", "STANDARDS", "CAVEATS"]
    assert [name for name in sections if name in usual] == usual
