"""Lists of tasks as the README makes them, and as Kubernetes mounts them."""

import ctypes
import json
import os
import re
import signal
import struct
import subprocess

import pytest
from conftest import PROGRAM, PULL_SECRET, TESTS, auth, native, pull_secret, until

README = TESTS.parent / "README.md"
OTHER = pull_secret(**{"other.example": auth()})


@pytest.fixture
def run_list(job, tmp_path):
    """Runs a list, by default that at tmp_path/tasks.ndjson; variables as those of job()."""
    def run(*flags, **more):
        return job(*flags, **{"TASKS_FILE": tmp_path / "tasks.ndjson", "CLUSTER_ID": None,
                              "cwd": tmp_path, **more})
    return run


def stored(emulator):
    return {name.rpartition("/")[2]: [version.data.decode() for version in secret.versions]
            for name, secret in emulator.secretmanager.store.secrets.items()}


def name_of(cluster):
    return f"hyperfleet-{cluster}-pull-secret"


def recipes():
    """The blocks of commands in README's section on lists."""
    section = README.read_text().split("\n### A list of tasks\n")[1].split("\n### ")[0]
    return re.findall(r"(?<=\n\n)(?:    .*\n)+", section)


@native
def test_recipes_of_the_readme(emulator, job, tmp_path):
    """As they stand there, one after another: one pull secret, lines', files', again, shards."""
    folder = tmp_path / "pull-secrets"
    folder.mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pull-secret").symlink_to(PROGRAM)
    (tmp_path / "pull-secret.json").write_text(PULL_SECRET)
    (tmp_path / "clusters.json").write_text(json.dumps(
        {"items": [{"id": f"cls-{n}", "project": emulator.project, "other": 1} for n in (1, 2)]}))
    for name, text in (("cls-2", OTHER), ("cls-3", PULL_SECRET)):
        (folder / f"{name}.json").write_text(text)
    env = {name: str(value) for name, value in job.environment(
        PULL_SECRET_DATA=None, CLUSTER_ID=None).items() if value is not None}
    env["PATH"] = f"{tmp_path}/bin:/usr/bin:/bin"
    shared, inline, files, again, shards = recipes()

    def do(block, code=0):
        done = subprocess.run(["/bin/sh", "-c", f"umask 022\n{block}"], cwd=tmp_path, env=env,
                              capture_output=True, text=True, check=False)
        assert done.returncode == code, (block, done.stdout, done.stderr)

    do(shared)
    wanted = {name_of(f"cls-{n}"): [PULL_SECRET] for n in (1, 2)}
    assert stored(emulator) == wanted
    do(inline)
    assert (tmp_path / "inline.ndjson").stat().st_mode & 0o777 == 0o600
    compact = [json.dumps(json.loads(text), separators=(",", ":")) for text in (OTHER, PULL_SECRET)]
    wanted[name_of("cls-2")].append(compact[0])
    wanted[name_of("cls-3")] = [compact[1]]
    assert stored(emulator) == wanted
    (folder / "cls-2.json").unlink()
    (folder / "cls-2.json").symlink_to("away")
    do(files, 7)
    wanted[name_of("cls-3")].append(PULL_SECRET)
    assert stored(emulator) == wanted
    (folder / "cls-2.json").unlink()
    (folder / "cls-2.json").write_text(OTHER)
    do(again)
    wanted[name_of("cls-2")].append(OTHER)
    assert stored(emulator) == wanted and (tmp_path / "failed.ndjson").read_text() == ""
    do(shards)
    for n in (1, 2):
        wanted[name_of(f"cls-{n}")].append(PULL_SECRET)
    assert stored(emulator) == wanted
    done = [(tmp_path / f"done.{n}").read_text().count("\n") for n in range(3)]
    assert sum(done) == 2, done


def mounted(folder, files):
    """A volume with these files, all behind a link that is changed at once."""
    data = folder / "..2026_01_02"
    data.mkdir(parents=True)
    (folder / "..data").symlink_to(data.name)
    for name, text in files.items():
        (data / name).write_text(text)
        (folder / name).symlink_to(f"..data/{name}")


@native  # qemu has no openat2(2)
def test_files_as_kubernetes_mounts_them(emulator, run_list, tmp_path):
    lines = [{"cluster_id": "a", "pull_secret_file": "a.json"},
             {"cluster_id": "b", "pull_secret_file": "out.json"},
             {"cluster_id": "c", "pull_secret_file": "./..data/a.json"}]
    mounted(tmp_path / "tasks", {"list": "".join(json.dumps(line) + "\n" for line in lines),
                                 "a.json": PULL_SECRET})
    (tmp_path / "outside").write_text(PULL_SECRET)
    (tmp_path / "tasks" / "out.json").symlink_to("../outside")
    result = run_list(PULL_SECRET_DATA=None, TASKS_FILE=tmp_path / "tasks" / "list")
    assert result.code == 7, result.out
    assert [line["message"] for line in result.errors] == [
        "line 2: pull_secret_file: cannot open out.json: it leads out of the list's folder, or in "
        "circles"]
    assert stored(emulator) == {name_of(cluster): [PULL_SECRET] for cluster in "ac"}


def old_kernel():
    """For preexec_fn: openat2 is a system call that the kernel does not know."""
    number = 437
    code = [(0x20, 0, 0, 0),              # its number
            (0x15, 0, 1, number),
            (0x06, 0, 0, 0x00050000 | 38),  # ENOSYS
            (0x06, 0, 0, 0x7fff0000)]       # let through
    program = b"".join(struct.pack("HBBI", *row) for row in code)
    memory = ctypes.create_string_buffer(program)
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code),
                                                      ctypes.addressof(memory)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, filter_, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def test_a_kernel_without_openat2(emulator, run_list, tmp_path):
    """Nothing is opened that it does not watch; tasks without files are done."""
    (tmp_path / "a.json").write_text(PULL_SECRET)
    (tmp_path / "tasks.ndjson").write_text(
        '{"cluster_id":"a","pull_secret_file":"a.json"}\n{"cluster_id":"b"}\n')
    result = run_list(preexec_fn=old_kernel)
    assert result.code == 7, result.out
    assert [line["message"] for line in result.errors] == [
        "line 1: pull_secret_file: cannot open a.json: it takes openat2 (Linux 5.6)"]
    assert stored(emulator) == {name_of("b"): [PULL_SECRET]}


def test_a_list_without_end(emulator, job, tmp_path):
    """It is read on after a stop, but not for ever: a second signal ends that, too."""
    log = tmp_path / "log"
    with open(log, "wb") as file:
        process = job.start("--tasks", "/dev/zero", CLUSTER_ID=None, stdout=file)
        for said in ("line 1: longer than", "stopped by SIGTERM"):
            until(lambda text=said: text in log.read_text())
            os.kill(process.pid, signal.SIGTERM)
        assert process.wait().code == 143
    assert stored(emulator) == {}
