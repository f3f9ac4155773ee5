"""The build keeps its promises: pinned sources, no network, nothing done twice."""

import hashlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from conftest import BUILD, PINS, TOP, copy_tree, environment, path_with, run, stub, without_network


@pytest.fixture(scope="session")
def built(tmp_path_factory, cache):
    """A tree built with a full cache, no network, and no package client."""
    tree = copy_tree(tmp_path_factory.mktemp("first") / "tree")
    stubs = tree / "build" / "stubs"
    stubs.parent.mkdir()
    stub(stubs, "apt-get", "echo apt-get was called >&2\nexit 1\n")
    done = run(without_network() + BUILD, tree, PATH=path_with(stubs))
    assert done.returncode == 0, done.stdout
    shutil.rmtree(stubs)
    return tree


def stamps(tree):
    """When each built file was last written."""
    return {
        path: path.stat().st_mtime_ns
        for folder in ("build", "bin")
        for path in (tree / folder).rglob("*")
        if path.is_file()
    }


def compiled(output):
    return re.findall(r"^  CC +(\S+)", output, re.M)


def test_builds_without_a_network(built):
    assert (built / "bin/pull-secret").stat().st_size > 1000


def test_embeds_version_commit_and_date(built):
    """The program says them; in the file, constants are packed."""
    done = run(["bin/pull-secret", "version"], built)
    for text in ("v9.8.7-test", "c0ffee0", "2001-09-09T01:46:40Z"):
        assert text in done.stdout


# What is poisoned in files of the program, and in others.
BANNED = {
    "src/base/planted.c": ["strcpy", "atoi", "malloc", "free", "setjmp"],
    "tests/unit/planted.c": ["strcpy", "atoi", "system"],
}


@pytest.mark.parametrize("mode", ["release", "fuzz"])
@pytest.mark.parametrize("path", BANNED)
def test_what_nobody_calls_does_not_compile(built, path, mode):
    machine = {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    (built / path).parent.mkdir(exist_ok=True)
    for name in BANNED[path]:
        (built / path).write_text(f"int {name};\n")
        done = run(["make", *BUILD[3:], f"MODE={mode}", f"build/{machine}-{mode}/{path[:-1]}o"], built)
        (built / path).unlink()
        assert done.returncode != 0
        assert re.search(rf"{path}:1:\d+: error: attempt to use .*poisoned", done.stdout), done.stdout


def test_second_make_does_nothing(built):
    before = stamps(built)
    done = run(BUILD, built)
    assert (done.returncode, done.stdout) == (0, "")
    assert stamps(built) == before


def test_new_version_compiles_one_file(built):
    done = run(["make", "build", "VERSION=v9.8.8", "COMMIT=c0ffee0"], built)
    assert done.returncode == 0, done.stdout
    assert compiled(done.stdout) == ["src/base/version.c"]
    done = run(BUILD, built)
    assert compiled(done.stdout) == ["src/base/version.c"]


def test_touched_header_compiles_its_users_only(built):
    later = time.time() + 2
    os.utime(built / "src/net/roots.h", (later, later))
    done = run(BUILD, built)
    assert done.returncode == 0, done.stdout
    assert "build/gen/roots.c" in compiled(done.stdout)
    assert "src/base/version.c" not in compiled(done.stdout)
    assert "bearssl" not in done.stdout


def test_same_bytes_in_another_folder(built, tmp_path):
    other = copy_tree(tmp_path / "a-much-longer-name-of-a-folder")
    done = run(["make", "-j2"] + BUILD[2:], other)
    assert done.returncode == 0, done.stdout
    assert (other / "bin/pull-secret").read_bytes() == (built / "bin/pull-secret").read_bytes()


def test_clean_keeps_the_cache_and_distclean_does_not(tmp_path):
    tree = copy_tree(tmp_path / "tree")
    (tree / ".cache").unlink()
    for folder in (".cache", "build", "bin"):
        (tree / folder).mkdir()
    assert run(["make", "clean"], tree).returncode == 0
    assert [(tree / f).exists() for f in (".cache", "build", "bin")] == [True, False, False]
    assert run(["make", "distclean"], tree).returncode == 0
    assert not (tree / ".cache").exists()


def test_plain_make_is_help_and_builds_nothing(tmp_path):
    tree = copy_tree(tmp_path / "tree")
    done = run(["make"], tree)
    assert done.returncode == 0
    for word in ("build", "check", "demo", "CONTAINER_TOOL", "QUAY_USER", "DEV_TAG"):
        assert re.search(rf"^  {word} ", done.stdout, re.M), word
    assert not (tree / "build").exists()


def test_unknown_mode_is_refused(tmp_path):
    done = run(["make", "build", "MODE=fast"], copy_tree(tmp_path / "tree"))
    assert done.returncode != 0
    assert 'it is "fast"' in done.stdout


# --- scripts/version ------------------------------------------------------------


def version(cwd, word, **more):
    return run([TOP / "scripts/version", word], cwd, **more).stdout.strip()


def test_version_of_a_git_tree(tmp_path):
    def git(*words):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(
            ["git", *who, *words],
            cwd=tmp_path,
            env=environment(GIT_COMMITTER_DATE="@1700000000 +0000"),
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-q", "-m", "first")
    git("tag", "v1.2.3")
    assert version(tmp_path, "version") == "v1.2.3"
    assert re.fullmatch("[0-9a-f]{7,}", version(tmp_path, "commit"))
    assert version(tmp_path, "date", SOURCE_DATE_EPOCH="") == "2023-11-14T22:13:20Z"
    assert version(tmp_path, "date", SOURCE_DATE_EPOCH="0") == "1970-01-01T00:00:00Z"
    (tmp_path / "file").write_text("2")
    assert version(tmp_path, "version") == "v1.2.3-dirty"


def test_version_before_the_first_tag(tmp_path):
    """It precedes that of the tag (semver.org, 11), and can be an image's tag."""
    def git(*words):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        assert run(["git", *who, *words], tmp_path).returncode == 0

    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-q", "-m", "first")
    git("tag", "not-a-version")
    commit = version(tmp_path, "commit")
    assert version(tmp_path, "version") == f"v0.1.0-dev-g{commit}"
    (tmp_path / "file").write_text("2")
    assert version(tmp_path, "version") == f"v0.1.0-dev-g{commit}-dirty"


def test_version_outside_git_is_unknown(tmp_path):
    ceiling = {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent), "SOURCE_DATE_EPOCH": ""}
    for word in ("version", "commit", "date"):
        assert version(tmp_path, word, **ceiling) == "unknown"


def test_version_header_is_always_valid_c(tmp_path):
    header = version(tmp_path, "header", VERSION='v1"\\\n$(x)', COMMIT="c")
    assert '#define PS_VERSION "v1_____x_"' in header
    assert len(header.splitlines()) == 4


# --- scripts/fetch and scripts/unpack -------------------------------------------


def test_wrong_checksum_in_the_cache_stops(tmp_path, cache):
    for name in os.listdir(cache):
        if (cache / name).is_file():
            shutil.copy(cache / name, tmp_path)
    _, _, file, expected, _ = PINS[0]
    with open(tmp_path / file, "ab") as archive:
        archive.write(b"x")
    found = run(["sha256sum", tmp_path / file], TOP).stdout.split()[0]
    done = run(["scripts/fetch"], TOP, CACHE=str(tmp_path))
    assert done.returncode != 0
    assert done.stdout == f"fetch: {file}: SHA-256 is {found}, expected {expected}\n"


APT_GET = """
for word; do
    case $word in
    Dir::Etc::sourceparts=*) cat "${word#*=}"/* >"$SEEN" ;;
    source) echo forged >"$FORGED" ;;
    esac
done
"""


def fetch_with_stub(tmp_path, forged):
    stubs = tmp_path / "stubs"
    stub(stubs, "apt-get", APT_GET)
    stub(stubs, "apt-config", f"echo \"LIST='{tmp_path}/sources.list' PARTS='{tmp_path}/parts'\"\n")
    return run(
        ["scripts/fetch"],
        TOP,
        PATH=path_with(stubs),
        CACHE=str(tmp_path / "cache"),
        SEEN=str(tmp_path / "seen"),
        FORGED=forged,
    )


def test_forged_download_never_gets_its_name(tmp_path):
    done = fetch_with_stub(tmp_path, PINS[0][2])
    assert done.returncode != 0
    assert re.fullmatch(
        rf"fetch: {re.escape(PINS[0][2])}: SHA-256 is [0-9a-f]{{64}}, expected {PINS[0][3]}\n",
        done.stdout,
    )
    assert os.listdir(tmp_path / "cache") == []


def test_other_archive_than_pinned_is_named(tmp_path):
    done = fetch_with_stub(tmp_path, "bearssl_0.7.orig.tar.xz")
    assert done.returncode != 0
    assert done.stdout == f"fetch: source package {PINS[0][0]} has no {PINS[0][2]}\n"


def test_fetch_asks_the_configured_sources(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://off.example one main\n"
        "deb [signed-by=/k.gpg arch=amd64] http://a.example/debian one main\n"
        "deb-src http://b.example/debian two main\n"
    )
    (tmp_path / "parts/more.list").write_text("  deb http://c.example/debian three main\n")
    (tmp_path / "parts/new.sources").write_text(
        "Types: deb deb-src\nURIs: http://d.example\nSuites: x\nSigned-By: /k.gpg\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: x\n"
    )
    fetch_with_stub(tmp_path, PINS[0][2])
    seen = (tmp_path / "seen").read_text()
    for line in (
        "deb-src [signed-by=/k.gpg arch=amd64] http://a.example/debian one main",
        "deb-src http://b.example/debian two main",
        "deb-src http://c.example/debian three main",
        "Types: deb-src\nURIs: http://d.example\nSuites: x\nSigned-By: /k.gpg",
        "Enabled: no\nTypes: deb-src\nURIs: http://off.example",
    ):
        assert line in seen
    assert "one main\n# " not in seen and "# deb" not in seen


def test_patch_that_does_not_apply_stops(tmp_path, cache):
    tree = copy_tree(tmp_path / "tree")
    patch = tree / "vendor/bearssl/99-wrong.patch"
    patch.write_text("--- a/LICENSE.txt\n+++ b/LICENSE.txt\n@@ -1,1 +1,1 @@\n-no such line\n+x\n")
    done = run(["scripts/unpack", "build/vendor/unpacked"], tree)
    assert done.returncode != 0
    assert f"vendor/bearssl/99-wrong.patch does not apply to {PINS[0][2]}" in done.stdout
    assert not (tree / "build/vendor/unpacked").exists()


# --- scripts/roots ----------------------------------------------------------------


def roots(tmp_path, pins, *sources):
    output = tmp_path / "roots.c"
    done = run(["scripts/roots", pins, output, *sources], TOP)
    return done, output.read_text() if output.exists() else ""


def pinned():
    lines = (TOP / "vendor/roots/pins").read_text().splitlines()
    return [line.split(" ", 1) for line in lines if line and line[0] != "#"]


def test_roots_are_the_same_twice_and_from_one_bundle(tmp_path):
    pins = TOP / "vendor/roots/pins"
    _, first = roots(tmp_path, pins)
    _, second = roots(tmp_path, pins, "/etc/ssl/certs/ca-certificates.crt")
    assert first.count(".not_before = ") == len(pinned())
    assert first == second


def test_missing_root_is_named(tmp_path):
    pins = tmp_path / "pins"
    pins.write_text(f"# one\n{'0' * 64} Nobody's Root\n")
    done, text = roots(tmp_path, pins)
    assert done.returncode != 0
    assert done.stdout == f"roots: Nobody's Root ({'0' * 64}) is not in package ca-certificates\n"
    assert text == ""
    done, _ = roots(tmp_path, pins, tmp_path)
    assert done.stdout.endswith(f"is not in {tmp_path}\n")


def openssl(path, *words):
    return run(["openssl", "x509", "-in", path, "-noout", *words], TOP, TZ="UTC").stdout


def test_roots_say_what_openssl_says(tmp_path):
    _, text = roots(tmp_path, TOP / "vendor/roots/pins")
    array, table = text.split("const struct root ROOTS[]")
    left = bytes(int(byte, 16) for byte in re.findall("0x([0-9a-f]{2})", array))
    rows = [dict(re.findall(r"\.(\w+) = ([^,]+),", row)) for row in re.findall(r"\{\n(.*?)\n\t\}", table, re.S)]
    assert len(rows) == len(pinned())
    bundle = Path("/etc/ssl/certs/ca-certificates.crt").read_text()
    by_print = {}
    for index, pem in enumerate(re.findall("-----BEGIN.*?-----END CERTIFICATE-----\n", bundle, re.S)):
        file = tmp_path / f"{index}.pem"
        file.write_text(pem)
        der = subprocess.run(
            ["openssl", "x509", "-in", file, "-outform", "DER"], capture_output=True, check=True
        ).stdout
        by_print[hashlib.sha256(der).hexdigest()] = (file, der)
    for row, (fingerprint, _) in zip(rows, pinned()):
        file, der = by_print[fingerprint]
        name, left = left[: int(row["name_length"])], left[int(row["name_length"]) :]
        key, left = left[: int(row["key_length"])], left[int(row["key_length"]) :]
        dates = openssl(file, "-dates", "-dateopt", "iso_8601")
        expected = [
            time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(int(row[end]))) for end in ("not_before", "not_after")
        ]
        assert re.findall("=(.*)", dates) == expected
        assert name[0] == 0x30 and name in der
        if row["curve"] == "0":
            assert key.hex().upper() == openssl(file, "-modulus").strip().split("=")[1]
            assert "Exponent: 65537 (" in openssl(file, "-text")
        else:
            assert key[0] == 4
            assert b"\0" + key in der
    assert left == b""


def test_root_with_another_exponent_is_refused(tmp_path):
    root = tmp_path / "root.pem"
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3", "-nodes",
         "-keyout", "/dev/null", "-subj", "/CN=Three", "-out", root], TOP)
    pins = tmp_path / "pins"
    fingerprint = openssl(root, "-fingerprint", "-sha256").strip().split("=")[1]
    pins.write_text(f"{fingerprint.replace(':', '').lower()} Three\n")
    done, text = roots(tmp_path, pins, root)
    assert done.returncode != 0
    assert done.stdout == "roots: Three: its RSA exponent is not 65537\n"
    assert text == ""


# --- scripts/setup ----------------------------------------------------------------


def setup_with_stub(tmp_path, states, *more):
    """scripts/setup build, where dpkg-query knows these states of packages."""
    stubs = tmp_path / "stubs"
    cases = "".join(f"{name}) printf '{state}' ;;\n" for name, state in states.items())
    stub(stubs, "dpkg-query", f"for name; do :; done\ncase $name in\n{cases}*) printf 'installed ' ;;\nesac\n")
    stub(stubs, "apt-get", f'echo "$*" >>{tmp_path}/calls\n')
    stub(stubs, "dpkg", f'echo "dpkg $*" >>{tmp_path}/calls\n')
    stub(stubs, "uname", "echo x86_64\n")
    stub(stubs, "id", "echo 0\n")
    done = run(["scripts/setup", "build", *more], TOP, PATH=path_with(stubs))
    calls = tmp_path / "calls"
    return done, calls.read_text().splitlines() if calls.exists() else []


def test_setup_touches_nothing_if_nothing_is_missing(tmp_path):
    done, calls = setup_with_stub(tmp_path, {"gcc": "not-installed installed "})
    assert (done.returncode, done.stdout, calls) == (0, "", [])


def test_setup_installs_what_is_missing(tmp_path):
    done, calls = setup_with_stub(tmp_path, {"patch": "not-installed ", "gcc": "config-files "})
    assert done.returncode == 0
    assert done.stdout == "setup: installing gcc patch\n"
    assert calls == ["update", "install -y --no-install-recommends gcc patch"]


def test_setup_tells_dpkg_of_another_machine_only_if_needed(tmp_path):
    done, calls = setup_with_stub(tmp_path, {"musl-dev:arm64": ""}, "arm64")
    assert done.returncode == 0
    assert calls == ["dpkg --add-architecture arm64", "update",
                     "install -y --no-install-recommends musl-dev:arm64"]
