"""What `make cluster` says and needs before there is a cluster."""

import json
import sys

from conftest import TOP, path_with, run, stub

PROGRAMS = "import sys; sys.path.insert(0, 'tests/cluster'); import programs; print(programs.compiler())"


def test_it_needs_root_and_says_so():
    nobody = "import os, runpy; os.geteuid = lambda: 1000; runpy.run_path('tests/cluster', run_name='__main__')"
    done = run([sys.executable, "-B", "-c", nobody], TOP)
    assert done.returncode == 2
    assert done.stdout.startswith("cluster: needs root")


def test_a_go_that_is_too_old_fetches_a_newer_one(tmp_path):
    """As a module, whose checksum is pinned; its programs are made programs again."""
    (tmp_path / "module").mkdir()
    stub(tmp_path / "module/bin", "go", "echo newer\n")
    tool = tmp_path / "module/bin/go"
    tool.chmod(0o444)
    told = json.dumps({"Dir": str(tmp_path / "module")})
    stub(tmp_path / "stubs", "go", "case $1 in\nversion) echo go version go1.19.8 linux/amd64 ;;\n"
         f"*) echo '{told}' ;;\nesac\n")
    done = run([sys.executable, "-B", "-c", PROGRAMS], TOP, PATH=path_with(tmp_path / "stubs"))
    assert done.stdout == f"{tool}\n"
    assert run([tool], TOP).stdout == "newer\n"


def test_a_newer_go_does_as_it_is(tmp_path):
    stub(tmp_path / "stubs", "go", "echo go version go1.21.0 linux/amd64\n")
    done = run([sys.executable, "-B", "-c", PROGRAMS], TOP, PATH=path_with(tmp_path / "stubs"))
    assert done.stdout == "go\n"
