"""Lists of tasks as the README makes them, and as Kubernetes mounts them."""

import ctypes
import json
import os
import re
import signal
import struct
import subprocess

import pytest
from conftest import PULL_SECRET, TESTS, auth, native, pull_secret, until

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


@native
def test_lists_as_the_readme_makes_them(emulator, run_list, tmp_path):
    section = README.read_text().split("\n### A list of tasks\n")[1].split("\n### ")[0]
    shared, own = re.findall(r"^    (jq .*)", section, re.M)
    (tmp_path / "clusters.json").write_text(json.dumps(
        {"items": [{"id": f"cls-{n}", "project": emulator.project, "other": 1} for n in (1, 2)]}))
    subprocess.run(["/bin/sh", "-c", shared], cwd=tmp_path, check=True)
    assert run_list().code == 0
    wanted = {name_of(f"cls-{n}"): [PULL_SECRET] for n in (1, 2)}
    assert stored(emulator) == wanted
    (tmp_path / "cls-2.json").write_text(OTHER)
    (tmp_path / "cls-3.json").write_text(PULL_SECRET)
    subprocess.run(["/bin/sh", "-c", own], cwd=tmp_path, check=True)
    assert run_list(PULL_SECRET_DATA=None).code == 0
    wanted[name_of("cls-2")].append(json.dumps(json.loads(OTHER), separators=(",", ":")))
    wanted[name_of("cls-3")] = [
        json.dumps(json.loads(PULL_SECRET), separators=(",", ":"))]
    assert stored(emulator) == wanted


def mounted(folder, files):
    """A volume with these files, all behind a link that is changed at once."""
    data = folder / "..2026_01_02"
    data.mkdir(parents=True)
    (folder / "..data").symlink_to(data.name)
    for name, text in files.items():
        (data / name).write_text(text)
        (folder / name).symlink_to(f"..data/{name}")


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
