"""What the tests of the build share: a clean environment, copies of the tree, stubs."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CACHE") or TOP / ".cache")
PINS = [line.split() for line in (TOP / "vendor/pins").read_text().splitlines()]
OWN = ["Makefile", "scripts", "src", "tests", "vendor"]
EPOCH = "1000000000"  # 2001-09-09T01:46:40Z
BUILD = ["make", "-j2", "build", "VERSION=v9.8.7-test", "COMMIT=c0ffee0"]


def environment(**more):
    """The caller's environment without what the calling make left in it."""
    drop = "MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CACHE ROOTS_DIR VERSION COMMIT MODE ARCH V CC".split()
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    return {**kept, "LC_ALL": "C", "SOURCE_DATE_EPOCH": EPOCH, **more}


def run(command, cwd, **more):
    """The finished process, output and errors in one text."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def copy_tree(target):
    """The sources alone, and the cache as a link: nothing that was built."""
    target.mkdir()
    for name in OWN:
        if (TOP / name).is_dir():
            shutil.copytree(TOP / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(TOP / name, target / name)
    (target / ".cache").symlink_to(CACHE.resolve())
    return target


class Terminal:
    """A command before a terminal, in a folder."""

    def __init__(self, command, folder, **more):
        self.text = ""
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command.split()[0], command.split(),
                       {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder),
                        "INPUTRC": "/dev/null", "LC_ALL": "C", **more})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGHUP)
        os.waitpid(self.pid, 0)
        os.close(self.end)

    def type(self, text):
        os.write(self.end, text.encode())

    def wait(self, pattern):
        while not (found := re.search(pattern, self.text)):
            assert select.select([self.end], [], [], 60)[0], self.text
            self.text += os.read(self.end, 4096).decode(errors="replace").replace("\r", "")
        self.text = self.text[found.end():]
        return found


def readme_block(word):
    """The commands of the README, of the one indented block that holds the word."""
    blocks, block = [], []
    for line in [*(TOP / "README.md").read_text().splitlines(), "."]:
        if line.startswith("    ") or block and not line:
            block.append(line[4:])
        elif block:
            blocks.append("\n".join(block))
            block = []
    (found,) = [text for text in blocks if word in text]
    return found


def readme_table(title):
    """The first two columns of the first table below a title; of the first their first word."""
    text = (TOP / "README.md").read_text().partition(f"\n{title}\n")[2]
    rows = []
    for line in text.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.split("|")[1:3]])
        elif rows:
            break
    return [[first.split()[0], second] for first, second in rows[2:]]


def stub(folder, name, body):
    """A command that takes the place of the real one."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(0o755)


def path_with(folder):
    return f"{folder}:{os.environ['PATH']}"


def without_network():
    """The command prefix that takes the network away, or [] if we may not."""
    for prefix in (["unshare", "-n"], ["unshare", "-r", "-n"]):
        if subprocess.run(prefix + ["true"], capture_output=True, check=False).returncode == 0:
            return prefix
    return []


@pytest.fixture(scope="session")
def cache():
    done = run(["scripts/fetch"], TOP, CACHE=str(CACHE))
    assert done.returncode == 0, done.stdout
    return CACHE
