"""What is released: a source archive that needs no network, binaries, SBOM, notices, sums."""

import hashlib
import json
import subprocess
import tarfile

import pytest
from conftest import PINS, TOP, copy_tree, readme_block, readme_table, run, stub, without_network

VERSION = "v1.2.3"
NAME = f"pull-secret-{VERSION}"
DIST = ["make", "-j2", "dist", f"VERSION={VERSION}", "COMMIT=c0ffee0"]


def git(tree, *words):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = run(["git", *who, *words], tree)
    assert done.returncode == 0, done.stdout


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def source(tmp_path_factory, cache):
    """A tree that git knows."""
    tree = copy_tree(tmp_path_factory.mktemp("dist") / "tree")
    (tree / ".gitignore").write_text("/bin/\n/build/\n/.cache\n__pycache__/\n")
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "all")
    return tree


@pytest.fixture(scope="module")
def dist(source):
    done = run(DIST, source)
    assert done.returncode == 0, done.stdout
    return contents(source / "build/dist")


@pytest.fixture(scope="module")
def unpacked(dist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    (folder / "archive.tar.gz").write_bytes(dist[f"{NAME}.tar.gz"])
    subprocess.run(["tar", "-xf", "archive.tar.gz"], cwd=folder, check=True)
    return folder / NAME


@pytest.fixture(scope="module")
def rebuilt(unpacked):
    """The archive built with no network, and released again."""
    done = run(without_network() + ["make", "-j2", "dist"], unpacked, ROOTS_DIR="/nowhere")
    assert done.returncode != 0 and "/nowhere" in done.stdout
    done = run(without_network() + ["make", "-j2", "dist"], unpacked)
    assert done.returncode == 0, done.stdout
    return contents(unpacked / "build/dist")


def test_what_is_released(dist):
    assert sorted(dist) == [
        "SHA256SUMS", "THIRD-PARTY-NOTICES", f"{NAME}-linux-amd64",
        f"{NAME}-linux-amd64.spdx.json", f"{NAME}.tar.gz",
    ]


def test_sums_are_those_of_the_files(dist):
    lines = dist["SHA256SUMS"].decode().splitlines()
    assert [line.split()[1] for line in lines] == sorted(set(dist) - {"SHA256SUMS"})
    for line in lines:
        checksum, name = line.split()
        assert checksum == hashlib.sha256(dist[name]).hexdigest()


def test_released_twice_the_same(source, dist):
    done = run(DIST, source)
    assert done.returncode == 0, done.stdout
    assert contents(source / "build/dist") == dist


def test_archive_builds_without_network_the_same_bytes(dist, rebuilt):
    name = f"{NAME}-linux-amd64"
    assert rebuilt[name] == dist[name]


def test_archive_of_the_archive_is_the_same(dist, rebuilt):
    assert rebuilt[f"{NAME}.tar.gz"] == dist[f"{NAME}.tar.gz"]


def test_archive_tests_without_network(unpacked, rebuilt):
    up = "ip link set lo up && scripts/pytest tests/e2e/test_main_job.py"
    done = run(without_network() + ["sh", "-c", up], unpacked)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_archive_holds_sources_and_nobodys_traces(unpacked, source):
    with tarfile.open(unpacked.parent / "archive.tar.gz") as archive:
        members = archive.getmembers()
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
    assert len({m.mtime for m in members}) == 1
    names = {m.name.removeprefix(f"{NAME}/") for m in members if not m.isdir()}
    known = run(["git", "ls-files"], source).stdout.split()
    archives = [f".cache/{pin[2]}" for pin in PINS] + [".cache/roots.pem"]
    assert names == set(known) | set(archives) | {".version"}


def test_notices_name_everybody_and_are_short(dist):
    text = dist["THIRD-PARTY-NOTICES"].decode()
    for word in ("bearssl 0.6", "Thomas Pornin", "jsmn 1.1.0", "Serge", "musl 1.", "Rich Felker",
                 "libgcc", "root certificates"):
        assert word in text
    assert len(text) < 16 * 1024


def test_sbom_names_what_is_inside(dist):
    sbom = json.loads(dist[f"{NAME}-linux-amd64.spdx.json"])
    packages = {package["name"]: package for package in sbom["packages"]}
    assert set(packages) == {"pull-secret", "bearssl", "jsmn", "musl", "libgcc", "root-certificates"}
    for name, version, _, checksum, licence in PINS:
        assert packages[name]["versionInfo"] == version
        assert packages[name]["checksums"][0]["checksumValue"] == checksum
        assert packages[name]["licenseDeclared"] == licence
    binary = hashlib.sha256(dist[f"{NAME}-linux-amd64"]).hexdigest()
    assert packages["pull-secret"]["checksums"][0]["checksumValue"] == binary
    assert all("NOASSERTION" != package["versionInfo"] for package in sbom["packages"])


def test_sbom_has_what_spdx_requires(dist):
    sbom = json.loads(dist[f"{NAME}-linux-amd64.spdx.json"])
    assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["dataLicense"] == "CC0-1.0"
    assert sbom["SPDXID"] == "SPDXRef-DOCUMENT"
    assert sbom["documentNamespace"].startswith("https://") and "#" not in sbom["documentNamespace"]
    assert sbom["creationInfo"]["created"] == "2001-09-09T01:46:40Z"
    ids = [package["SPDXID"] for package in sbom["packages"]]
    assert len(set(ids)) == len(ids)
    assert all(i.startswith("SPDXRef-") and i.replace("-", "").replace(".", "").isalnum() for i in ids)
    for package in sbom["packages"]:
        assert package["downloadLocation"] and package["filesAnalyzed"] is False
    for relation in sbom["relationships"]:
        assert relation["relatedSpdxElement"] in ids
        assert relation["spdxElementId"] in ids + ["SPDXRef-DOCUMENT"]


def test_sbom_and_readme_say_that_there_is_no_licence_yet(dist):
    sbom = json.loads(dist[f"{NAME}-linux-amd64.spdx.json"])
    own, *parts = sbom["packages"]
    assert (own["licenseDeclared"], own["licenseConcluded"]) == ("NONE", "NOASSERTION")
    assert "has not named a licence" in own["licenseComments"]
    assert "has not named a licence" in dist["THIRD-PARTY-NOTICES"].decode()
    assert "The owner has not named a licence" in (TOP / "README.md").read_text()
    assert readme_table("### Licences") == [
        [part["name"], part["licenseDeclared"]] for part in parts]


def test_signed_sums_are_checked_as_the_readme_says(source, dist, tmp_path):
    key = tmp_path / "key"
    assert run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], tmp_path).returncode == 0
    folder = source / "build/dist"
    for _ in range(2):
        done = run([*DIST, f"SIGN_KEY={key}"], source)
        assert done.returncode == 0, done.stdout
    checked = tmp_path / "checked"
    folder.rename(checked)
    assert set(contents(checked)) == {*dist, "SHA256SUMS.sig"}
    assert contents(checked)["SHA256SUMS"] == dist["SHA256SUMS"]
    (checked / "release-key.pub").write_bytes((tmp_path / "key.pub").read_bytes())
    check = ["sh", "-e", "-c", readme_block("ssh-keygen -Y verify")]
    done = run(check, checked)
    assert done.returncode == 0, done.stdout
    assert f"{NAME}.tar.gz: OK" in done.stdout
    with open(checked / "SHA256SUMS", "ab") as sums:
        sums.write(b"\n")
    assert run(check, checked).returncode != 0


@pytest.fixture
def small(tmp_path):
    """A folder of git's in which what is released can be put together, of nothing much."""
    tree = tmp_path / "tree"
    (tree / "scripts").mkdir(parents=True)
    for name in ("dist", "version", "third-party"):
        (tree / "scripts" / name).write_bytes((TOP / "scripts" / name).read_bytes())
        (tree / "scripts" / name).chmod(0o755)
    git(tree, "init", "-q")
    return tree


def refuse(tree, message, **more):
    """Nothing is released, and why is said."""
    done = run(["scripts/dist", "amd64", "/bin/true"], tree, HOME="/nowhere", **more)
    assert done.returncode != 0
    assert message in done.stdout
    assert not (tree / "build").exists()
    return done.stdout


def test_no_release_without_sources(small):
    refuse(small, "git knows no sources here")


def test_no_release_without_git(small, tmp_path):
    git(small, "add", "-A")
    stub(tmp_path / "stubs", "git", "exit 127")
    refuse(small, "git does not list the sources", VERSION="v1.2.3",
           PATH=f"{tmp_path}/stubs:/usr/bin:/bin")
    (small / ".git").rename(small / "not-git")
    said = refuse(small, "git does not list the sources", VERSION="v1.2.3",
                  GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert "not a git repository" in said


def test_no_release_of_a_folder_whose_owner_git_distrusts(small):
    git(small, "add", "-A")
    git(small, "commit", "-q", "-m", "all")
    said = refuse(small, "git does not list the sources", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "safe.directory" in said


def test_no_release_without_a_version(small):
    git(small, "add", "-A")
    refuse(small, "there is no version")
    refuse(small, "there is no date", VERSION="v1.2.3", SOURCE_DATE_EPOCH="")


def test_no_release_that_cannot_be_signed(source):
    done = run([*DIST, "SIGN_KEY=/nowhere/key"], source)
    assert done.returncode != 0
    assert "ssh-keygen cannot sign with /nowhere/key" in done.stdout
