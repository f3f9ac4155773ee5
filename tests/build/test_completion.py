"""Completion for bash, zsh and fish, by really completing in each of them."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import TOP, Terminal

PROGRAM = TOP / "bin/pull-secret"
# What is typed before the tabulator, and what the command line then is.
TYPED = {
    "applet": ("val", "validate"),
    "another-applet": ("do", "doctor"),
    "job": ("run-job de", "run-job delete-pull-secret"),
    "help": ("help va", "help validate"),
    "help-of-a-job": ("help run-job de", "help run-job delete-pull-secret"),
    "flag": ("run-job pull-secret --clu", "run-job pull-secret --cluster-id"),
    "flag-of-an-applet": ("token --sh", "token --show-token"),
    "a-given-flag-is-not-offered": ("run-job pull-secret --dry-run --fak",
                                    "run-job pull-secret --dry-run --fake-pull-secret"),
    "file": ("validate the-fi", "validate the-file"),
    "file-of-a-flag": ("run-job pull-secret --ca-file the-fi",
                       "run-job pull-secret --ca-file the-file"),
    "file-after-equals": ("run-job pull-secret --ca-file=the-fi",
                          "run-job pull-secret --ca-file=the-file"),
    "folder": ("token --ca-dir the-fo", "token --ca-dir the-folder/"),
    "no-file": ("access --cluster-id the-fi", "access --cluster-id the-fi"),
    "word": ("access --secret-version la", "access --secret-version latest"),
    "nothing": ("token --nope", "token --nope"),
}
# `pull-secret` becomes a function that shows what it got.
START = {
    "bash": ("bash --norc --noprofile -i", "pull-secret() { echo \"<$*>\"; }; source {file}"),
    "zsh": ("zsh -f -i", "fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {folder}/dump;"
            " unsetopt beep listbeep; pull-secret() { print -r -- \"<$*>\" }"),
}
NAMES = {"bash": "pull-secret", "zsh": "_pull-secret", "fish": "pull-secret.fish"}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """Each shell's, as make installs it."""
    folder = tmp_path_factory.mktemp("completion")
    for shell, name in NAMES.items():
        subprocess.run([TOP / "scripts/completion", shell, PROGRAM, folder / shell / name],
                       check=True)
    return folder


@pytest.mark.parametrize("shell", START)
def test_tabulator(scripts, tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "the-file").touch()
    (tmp_path / "the-folder").mkdir()
    command, start = START[shell]
    start = start.replace("{file}", str(scripts / shell / NAMES[shell]))
    start = start.replace("{folder}", str(scripts / shell))
    with Terminal(command, tmp_path) as terminal:
        terminal.type(start + "; echo re\\ady\n")
        terminal.wait("ready")
        for typed, completed in TYPED.values():
            terminal.type(f"pull-secret {typed}\t\n")
            got = terminal.wait(r"\n<(.*)>\n")[1]
            # zsh adds "=" to a flag, and takes "/" away from a folder.
            assert got.rstrip("=/ ") == completed.rstrip("/")


def test_fish(scripts, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    (tmp_path / "the-file").touch()
    (tmp_path / "the-folder").mkdir()
    lines = "\n".join(f"complete -C 'pull-secret {typed}'; echo ---" for typed, _ in TYPED.values())
    done = subprocess.run(["fish", "--no-config", "-c", f"source {scripts}/fish/{NAMES['fish']}\n{lines}"],
                          cwd=tmp_path, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
                          capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for (typed, completed), offered in zip(TYPED.values(), done.stdout.split("---\n")):
        words = [line.partition("\t")[0] for line in offered.splitlines()]
        last = completed.split()[-1]
        # "--flag=" is completed as a whole, and what leads nowhere is not.
        assert words == ([] if typed == completed else [last]), typed


def test_every_flag_of_every_command_is_offered(scripts):
    """In all three: taken from the tables, and nothing else."""
    listed = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True)
    commands = [[name] for name in listed.stdout.split()] + [
        ["run-job", "pull-secret"], ["run-job", "delete-pull-secret"]]
    flags = set()
    for words in commands:
        told = subprocess.run([PROGRAM, *words, "--help"], capture_output=True, text=True, check=True)
        flags |= set(re.findall(r"^  --(\S+)", told.stdout, re.M))
    assert len(flags) > 25
    usual = {"help", "list", "version"}
    for shell, pattern in (("bash", r"(?<=[ '])--([a-z][\w-]+)"), ("zsh", r"^\s+'--([\w-]+)(?=[=\[])"),
                           ("fish", r"^complete .* -l ([\w-]+)")):
        text = (scripts / shell / NAMES[shell]).read_text()
        assert set(re.findall(pattern, text, re.M)) - usual == flags
