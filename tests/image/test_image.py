"""The image: what is in it, and the main job inside it as Kubernetes would run it."""

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import pytest
from conftest import RUNTIMES
from runtimes import COMMAND, ENTRYPOINT, Chroot, Podman, environment, podman, run, wait_until

TESTS = Path(__file__).resolve().parents[1]
TOP = TESTS.parent
sys.path.insert(0, str(TESTS))

from emulator import Emulator  # noqa: E402

PULL_SECRET = '{"auths":{"quay.io":{"auth":"dXNlcjpwYXNzd29yZA=="}}}'
SECRET = "hyperfleet-c1-pull-secret"
RELEASE = ["VERSION=v1.2.3", "COMMIT=c0ffee0", "IMAGE_REGISTRY=localhost"]
NAME = "localhost/pull-secret:v1.2.3"
PROGRAM = ENTRYPOINT[1:]
NOTICES = "usr/share/doc/pull-secret/THIRD-PARTY-NOTICES"
LABELS = itertools.count(1)


@pytest.fixture(scope="session")
def tool(tmp_path_factory):
    """podman as a command, with a storage of its own."""
    folder = tmp_path_factory.mktemp("podman")
    yield podman(folder)
    run([*podman(folder), "rmi", "--all", "--force"])


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A copy of the sources and of what is compiled, for builds with a version of our own."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("Makefile", "Containerfile", ".containerignore", "src", "vendor", "scripts",
                 "build/gen", "build/vendor", *TOP.glob("build/*-release"),
                 *TOP.glob("build/kernel-*")):
        target = tree / (TOP / name).relative_to(TOP)
        target.parent.mkdir(exist_ok=True)
        assert run(["cp", "-a", TOP / name, target]).returncode == 0
    (tree / ".cache").symlink_to(TOP / ".cache")
    return tree


@pytest.fixture(scope="session")
def image(tool, tree):
    """The image of the program that this machine built, by name."""
    done = run(["make", "image-host", *RELEASE, f"CONTAINER_TOOL={shlex.join(tool)}"], cwd=tree)
    assert done.returncode == 0, done.stdout
    return NAME


@pytest.fixture(scope="session")
def config(tool, image):
    done = run([*tool, "inspect", image])
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)[0]


def layers(tool, image, folder):
    """The names of an image's files, layer by layer, and the files in `folder`."""
    done = run([*tool, "save", "--format=docker-archive", "-o", folder / "image.tar", image])
    assert done.returncode == 0, done.stdout
    found = []
    with tarfile.open(folder / "image.tar") as archive:
        manifest = json.load(archive.extractfile("manifest.json"))
        for name in manifest[0]["Layers"]:
            with tarfile.open(fileobj=archive.extractfile(name)) as layer:
                layer.extractall(folder / "files")
                found.append(sorted(m.name for m in layer.getmembers() if not m.isdir()))
    return found


@pytest.fixture(scope="session")
def files(tool, image, tmp_path_factory):
    """The unpacked image."""
    folder = tmp_path_factory.mktemp("files")
    assert [names for names in layers(tool, image, folder) if names] == [[PROGRAM, NOTICES]]
    return folder / "files"


@pytest.fixture(scope="session", params=["podman", "chroot"])
def runtime(request, tool, image, files):
    """Both ways; where podman can run no container, the second one alone."""
    if request.param == "chroot":
        found = Chroot(files)
    else:
        found = Podman(tool, image)
        why_not = found.why_not()
        if why_not:
            pytest.skip(f"podman can run no container here: {why_not}")
    request.config.stash[RUNTIMES].append(found.name())
    return found


class Container:
    """One run of the image against the emulator."""

    def __init__(self, runtime, emulator, folder):
        self.runtime, self.emulator, self.folder = runtime, emulator, folder
        self.label = f"pull-secret-test-{os.getpid()}-{next(LABELS)}"
        for name, mode in (("results", 0o777), ("etc", 0o755)):
            (folder / name).mkdir()
            (folder / name).chmod(mode)
        for name, text, mode in (
                ("termination-log", "", 0o666), (".dockerconfigjson", PULL_SECRET, 0o444),
                ("etc/hosts", "127.0.0.1 localhost\n", 0o644), ("etc/resolv.conf", "", 0o644)):
            (folder / name).write_text(text)
            (folder / name).chmod(mode)
        (folder / "ca.pem").write_bytes(Path(emulator.environment()["SSL_CERT_FILE"]).read_bytes())

    def start(self, *words, user="65532:65532", **more):
        """The container with what Kubernetes mounts, and nothing else of /etc."""
        mounts = {
            "/secret/.dockerconfigjson": (self.folder / ".dockerconfigjson", "ro"),
            "/ca.pem": (self.folder / "ca.pem", "ro"),
            "/results": (self.folder / "results", "rw"),
            "/dev/termination-log": (self.folder / "termination-log", "rw"),
            "/etc/hosts": (self.folder / "etc/hosts", "ro"),
            "/etc/resolv.conf": (self.folder / "etc/resolv.conf", "ro"),
        }
        variables = {
            **self.emulator.environment(), "SSL_CERT_FILE": "/ca.pem",
            "GCP_PROJECT_ID": "test-project", "CLUSTER_ID": "c1",
            "PULL_SECRET_FILE": "/secret/.dockerconfigjson", **more,
        }
        command = self.runtime.command(user, mounts, variables, list(words), self.label)
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env=environment())

    def run(self, *words, **more):
        """Its exit code and what it printed."""
        process = self.start(*words, **more)
        out, _ = process.communicate(timeout=120)
        return process.returncode, out

    def result(self):
        path = self.folder / "results/adapter-result.json"
        assert path.stat().st_mode & 0o777 == 0o644
        return json.loads(path.read_text())


@pytest.fixture
def container(runtime, tmp_path):
    with Emulator(tmp_path / "emulator") as emulator:
        yield Container(runtime, emulator, tmp_path)


def test_who_runs_what(config):
    assert config["Config"]["User"] == "65532:65532"
    assert config["Config"]["Entrypoint"] == [ENTRYPOINT]
    assert config["Config"]["Cmd"] == COMMAND


def test_labels(config):
    labels = config["Labels"]
    assert labels["org.opencontainers.image.version"] == labels["version"] == "v1.2.3"
    assert labels["org.opencontainers.image.revision"] == "c0ffee0"
    assert labels["org.opencontainers.image.created"].endswith("Z")
    for name in ("org.opencontainers.image.title", "org.opencontainers.image.description",
                 "name", "vendor", "summary", "description"):
        assert labels[name]


def test_nothing_but_the_program_and_its_notices(tree, files):
    program = (files / PROGRAM).stat()
    assert program.st_mode & 0o777 == 0o755 and program.st_uid == 0
    assert (files / NOTICES).stat().st_size < 16 * 1024
    assert (files / PROGRAM).read_bytes() == (tree / "bin/pull-secret").read_bytes()


def test_small(files):
    sizes = [path.stat().st_size for path in files.rglob("*") if path.is_file()]
    assert sum(sizes) <= (files / PROGRAM).stat().st_size + 16 * 1024


def test_version(container):
    code, out = container.run("version")
    assert code == 0 and "v1.2.3" in out


@pytest.mark.parametrize("user", ["65532:65532", "1000710000:0"])
def test_main_job(container, user):
    code, out = container.run(user=user)
    assert code == 0, out
    assert container.emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]
    assert json.loads(out.splitlines()[-1])["operation"] == "summary"
    assert container.result()["status"] == "success"


def test_wrong_pull_secret(container):
    (container.folder / ".dockerconfigjson").unlink()
    (container.folder / ".dockerconfigjson").write_text("{}")
    code, out = container.run()
    assert code == 3, out
    assert container.result()["status"] == "failure"


def test_sigterm_to_process_1(container):
    container.emulator.order("metadata", drop="uncommitted", how="hang")
    process = container.start()
    wait_until(lambda: container.emulator.requests("metadata"))
    container.runtime.stop(process, container.label)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 143, out
    assert container.result()["status"] == "failure"
    assert container.emulator.secretmanager.payloads(SECRET) == []


def commands_of_the_readme(word):
    """Those of the one indented block that holds the word."""
    text = (TOP / "README.md").read_text()
    blocks = re.findall(r"(?:^    .*\n)+", text, re.M)
    (found,) = [block for block in blocks if word in block]
    return textwrap.dedent(found)


@pytest.fixture
def path(tool, tmp_path):
    """PATH, with a podman that has the storage of the tests."""
    stub = tmp_path / "stubs/podman"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\nPATH={os.environ["PATH"]}\nexec {shlex.join(tool)} "$@"\n')
    stub.chmod(0o755)
    return f"{stub.parent}:{os.environ['PATH']}"


def test_both_architectures_as_the_readme_says(path, tmp_path):
    """There is no registry here: what it would get goes to a folder."""
    target = tmp_path / "pushed"
    script = commands_of_the_readme("podman manifest create")
    for there, here in (("quay.io/NAME", "localhost"),
                        ("docker://$IMAGE_REGISTRY/pull-secret:v1", f"dir:{target}")):
        assert there in script
        script = script.replace(there, here)
    # Where both are compiled already, by the same version and date.
    done = run(["sh", "-e", "-c", script], cwd=TOP, PATH=path, SOURCE_DATE_EPOCH="")
    assert done.returncode == 0, done.stdout
    index = json.loads((target / "manifest.json").read_text())
    assert sorted(entry["platform"]["architecture"] for entry in index["manifests"]) == [
        "amd64", "arm64"]
    for entry in index["manifests"]:
        name = entry["digest"].removeprefix("sha256:")
        manifest = json.loads((target / f"{name}.manifest.json").read_text())
        config = json.loads((target / manifest["config"]["digest"][7:]).read_text())
        assert config["architecture"] == entry["platform"]["architecture"]
        programs = []
        for layer in manifest["layers"]:
            with tarfile.open(target / layer["digest"][7:]) as archive:
                programs += [archive.extractfile(member).read(20)
                             for member in archive.getmembers() if member.name == PROGRAM]
        # The machine in the head of an ELF file.
        assert [int.from_bytes(head[18:20], "little") for head in programs] == [
            {"amd64": 62, "arm64": 183}[config["architecture"]]]


def test_pushed_elsewhere_than_to_a_registry(tree, image, path, tmp_path):
    for to in (f"dir:{tmp_path}/folder", f"oci-archive:{tmp_path}/image.tar"):
        done = run(["scripts/image", "push", image, to], cwd=tree, PATH=path,
                   CONTAINER_TOOL="podman")
        assert done.returncode == 0, done.stdout
    assert json.loads((tmp_path / "folder/manifest.json").read_text())["layers"]
    assert tarfile.is_tarfile(tmp_path / "image.tar")
    done = run(["make", "-n", "image-push", "IMAGE_TO=dir:/x"], cwd=tree, PATH=path)
    assert "scripts/image push" in done.stdout and "'dir:/x'" in done.stdout


def codename():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2]
    raise AssertionError("no Debian here")


@pytest.fixture(scope="session")
def base(tool, tmp_path_factory):
    """A Debian base image made of this machine's own package sources."""
    folder = tmp_path_factory.mktemp("debian")
    lines = run(["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)",
                 "Created-By: Packages"]).stdout.splitlines()
    (mirror, *_) = [line.split()[1] for line in lines if line.split()[0] == codename()]
    done = run(["debootstrap", "--variant=minbase", codename(), folder / "root", mirror])
    assert done.returncode == 0, done.stdout
    tar = subprocess.run(["tar", "-c", "-C", folder / "root", "."], stdout=subprocess.PIPE,
                         check=True).stdout
    (folder / "base.tar").write_bytes(tar)
    shutil.rmtree(folder / "root")
    done = run([*tool, "import", folder / "base.tar", "localhost/base:1"])
    assert done.returncode == 0, done.stdout
    return "localhost/base:1"


@pytest.mark.soak
def test_built_from_sources_in_a_base_image(tool, base, files, tmp_path):
    done = run(["make", "image", "VERSION=v1.2.3", "COMMIT=c0ffee0", "IMAGE_REGISTRY=localhost",
                "IMAGE_TAG=built", f"BUILDER={base}", f"CONTAINER_TOOL={shlex.join(tool)}"],
               cwd=TOP)
    assert done.returncode == 0, done.stdout
    found = layers(tool, "localhost/pull-secret:built", tmp_path)
    assert [names for names in found if names] == [[PROGRAM, NOTICES]]
    built = (tmp_path / "files" / PROGRAM).read_bytes()
    assert built == (files / PROGRAM).read_bytes()


def test_no_container_tool_is_one_clear_line():
    done = run(["make", "image-host", "CONTAINER_TOOL="], cwd=TOP)
    assert done.returncode != 0
    assert "neither podman nor docker is here" in done.stdout


def test_image_dev_wants_a_user():
    done = run(["make", "image-dev", "CONTAINER_TOOL=true"], cwd=TOP)
    assert done.returncode != 0
    assert "QUAY_USER" in done.stdout


def recorded(tmp_path, *goals):
    """What make calls the container tool with."""
    tool = tmp_path / "tool"
    tool.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\n')
    tool.chmod(0o755)
    done = run(["make", *goals, f"CONTAINER_TOOL={tool}", "VERSION=v9", "COMMIT=abc1234"], cwd=TOP)
    assert done.returncode == 0, done.stdout
    return (tmp_path / "calls").read_text().splitlines()


def test_image_push_builds_and_pushes_the_version(tmp_path):
    build, push = recorded(tmp_path, "image-push")
    assert build.startswith("build ") and "quay.io/openshift-hyperfleet/pull-secret:v9" in build
    assert push == "push quay.io/openshift-hyperfleet/pull-secret:v9"


DIGEST = "sha256:" + 64 * "a"


@pytest.mark.parametrize("given, expected", [
    ([], set()), (["BUILDER=quay.io/x/debian:12"], {"BUILDER=quay.io/x/debian:12"}),
    ([f"BUILDER_DIGEST={DIGEST}"], {f"BUILDER_DIGEST=@{DIGEST}"}),
    (["BUILDER=quay.io/x/debian:12", f"BUILDER_DIGEST={DIGEST}"],
     {"BUILDER=quay.io/x/debian:12", f"BUILDER_DIGEST=@{DIGEST}"}),
], ids=["neither", "name", "digest", "both"])
def test_the_base_image_and_its_digest(tmp_path, given, expected):
    [build] = recorded(tmp_path, "image", *given)
    assert {word for word in build.split() if word.startswith("BUILDER")} == expected


@pytest.mark.parametrize("digest", ["12-slim", "sha256:abc", "@" + DIGEST, DIGEST + "a",
                                    DIGEST.upper()])
def test_a_digest_that_is_none(digest):
    done = run(["make", "image", f"BUILDER_DIGEST={digest}", "CONTAINER_TOOL=true"], cwd=TOP)
    assert done.returncode != 0
    assert "BUILDER_DIGEST must be sha256:" in done.stdout


def test_every_base_image_has_a_full_name():
    """A short name means another image on each machine; only `scratch` and stages have none."""
    text = (TOP / "Containerfile").read_text()
    [default] = [line for line in text.splitlines() if line.startswith("ARG BUILDER=")]
    registry, _, rest = default.partition("=")[2].partition("/")
    assert "." in registry and "/" in rest and ":" in rest
    bases = [line.split() for line in text.splitlines() if line.startswith("FROM ")]
    stages = {words[-1] for words in bases if "AS" in words}
    for words in bases:
        [base] = [word for word in words[1:] if not word.startswith("--")][:1]
        assert base in stages | {"scratch", "${BUILDER}${BUILDER_DIGEST}"}


def test_image_dev_pushes_to_the_user(tmp_path):
    build, push = recorded(tmp_path, "image-dev", "QUAY_USER=jane")
    assert "quay.io/jane/pull-secret:dev-abc1234" in build
    assert push == "push quay.io/jane/pull-secret:dev-abc1234"


def test_a_manifest_list_of_both_architectures(tool, tree, image):
    """The way that the README tells."""
    other = f"{NAME}-arm64"
    done = run(["make", "ARCH=arm64", "image-host", *RELEASE, "IMAGE_TAG=v1.2.3-arm64",
                f"CONTAINER_TOOL={shlex.join(tool)}"], cwd=tree)
    assert done.returncode == 0, done.stdout
    both = NAME.replace("v1.2.3", "both")
    done = run([*tool, "manifest", "create", both, f"containers-storage:{NAME}",
                f"containers-storage:{other}"])
    assert done.returncode == 0, done.stdout
    found = json.loads(run([*tool, "manifest", "inspect", both]).stdout)["manifests"]
    assert [entry["platform"]["architecture"] for entry in found] == ["amd64", "arm64"]
