"""The programs that are measured, and what each needs to be there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NODE = ROOT / "build/node/client"
PINS = ROOT / "tests/node"
# Writes a second. What is there without it, 600 a minute, would hide all that is measured.
RATE = 100000


class Missing(Exception):
    """A program that is not here; says what it needs."""


class Ours:
    name = "pull-secret"
    one = [ROOT / "bin/pull-secret", "run-job", "pull-secret"]

    def fleet(self, tasks, workers):
        return [*self.one, "--tasks", tasks, "--workers", workers, "--rate", RATE]

    def version(self):
        return None

    def files(self):
        return [self.one[0]]


class Curl:
    name = "curl + jq"
    one = ["/bin/sh", ROOT / "scripts/bench-curl"]
    parts = ("sh", "curl", "jq", "base64", "cmp", "xargs", "mktemp", "rm", "cat")

    def __init__(self):
        for part in self.parts:
            _needed(part, "scripts/setup demo")

    def fleet(self, tasks, workers):
        return [*self.one, tasks, workers]

    def version(self):
        return "curl {}, {}".format(_output("curl", "--version").split()[1],
                                    _output("jq", "--version").strip().replace("-", " "))

    def files(self):
        return [*with_libraries(self.parts), Path("/etc/ssl/certs/ca-certificates.crt")]


class Node:
    name = "Node client"
    one = ["/usr/bin/env", "node", NODE / "bench.mjs"]

    def __init__(self):
        _needed("node", "Node.js")
        _needed("npm", "npm")
        lock, done = (PINS / "package-lock.json").read_text(), NODE / "done"
        if not done.exists() or done.read_text() != lock:
            NODE.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(PINS / name, NODE / name)
            made = subprocess.run(["npm", "ci", "--prefer-offline"], cwd=NODE, capture_output=True, text=True,
                                  check=False)
            if made.returncode:
                raise Missing(f"npm ci: {made.stderr.strip()[-500:]}")
            done.write_text(lock)
        shutil.copy(HERE / "client.mjs", NODE / "bench.mjs")

    def fleet(self, tasks, workers):
        return [*self.one, tasks, workers]

    def version(self):
        pins = (PINS / "package.json").read_text()
        client = re.search(r'"(@google-cloud/secret-manager)": *"(.*?)"', pins)
        return f"Node.js {_output('node', '--version').strip()[1:]}, {client[1]} {client[2]}"

    def files(self):
        modules = [path for path in (NODE / "node_modules").rglob("*") if path.is_file()]
        return [*with_libraries(["node"]), *modules]


def present():
    """The contenders that can run, ours first, and a line for each that cannot."""
    found, skipped = [Ours()], []
    for kind in (Curl, Node):
        try:
            found.append(kind())
        except Missing as missing:
            skipped.append(f"skipped: {kind.name}: {missing}")
    return found, skipped


def shipped(contender):
    """How many files one ships, and their bytes."""
    sizes = {path.resolve(): path.stat().st_size for path in contender.files()
             if path.exists()}
    return [len(sizes), sum(sizes.values())]


def with_libraries(programs):
    """Programs, and the shared libraries that ldd finds for them."""
    found = {}
    for program in programs:
        path = shutil.which(program)
        found[Path(path)] = None
        for library in re.findall(r"(/\S+) \(0x", _output("ldd", path)):
            found[Path(library)] = None
    return list(found)


def _needed(program, what):
    if shutil.which(program) is None:
        raise Missing(f"needs {what}")


def _output(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout
