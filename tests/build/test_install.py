"""`make install`, and the manual page: sound, and true to what --help and README say."""

import os
import re
import subprocess

import pytest
from conftest import TOP

PAGE = TOP / "src/cmd/pull-secret.1"
PROGRAM = TOP / "bin/pull-secret"


def run(command, cwd):
    """Unlike the builds of the other tests, with what was built already."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("M")}
    return subprocess.run([str(word) for word in command], cwd=cwd, env=kept, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def install(folder, *words):
    return run(["make", "install", f"DESTDIR={folder}", *words], TOP)


@pytest.fixture(scope="module", autouse=True)
def built():
    done = run(["make", "build"], TOP)
    assert done.returncode == 0, done.stdout


def modes(folder):
    """Files and links below a folder, with mode or target."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink()
        else oct(path.stat().st_mode & 0o7777)
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def installed(prefix, *links):
    return {
        f"{prefix}/bin/pull-secret": "0o755",
        f"{prefix}/share/man/man1/pull-secret.1": "0o644",
        f"{prefix}/share/bash-completion/completions/pull-secret": "0o644",
        f"{prefix}/share/zsh/site-functions/_pull-secret": "0o644",
        f"{prefix}/share/fish/vendor_completions.d/pull-secret.fish": "0o644",
        **{f"{prefix}/bin/{name}": "pull-secret" for name in links},
    }


def test_all_files(tmp_path):
    done = install(tmp_path)
    assert done.returncode == 0, done.stdout
    assert modes(tmp_path) == installed("usr/local")
    assert (tmp_path / "usr/local/bin/pull-secret").read_bytes() == PROGRAM.read_bytes()


def test_another_prefix_and_links(tmp_path):
    folder = tmp_path / "a folder"
    for _ in range(2):
        done = install(folder, "PREFIX=/opt/x", "LINKS=validate run-job")
        assert done.returncode == 0, done.stdout
    assert modes(folder) == installed("opt/x", "validate", "run-job")
    text = '{"auths":{"r":{"auth":"dTpw"}}}'
    done = subprocess.run([folder / "opt/x/bin/validate", "-"], input=text, text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("links", ["validate nope", "--list", "pull-secret", "Validate", "valid*"])
def test_a_link_that_is_no_applet(tmp_path, links):
    """Nothing is installed then."""
    done = install(tmp_path, f"LINKS={links}")
    assert done.returncode != 0
    assert f"no applet {links.split()[-1]}; there are: run-job validate " in done.stdout
    assert modes(tmp_path) == {}


def test_uninstall(tmp_path):
    """Links, too, and nothing that is not ours."""
    done = install(tmp_path, "LINKS=validate token")
    assert done.returncode == 0, done.stdout
    bin_folder = tmp_path / "usr/local/bin"
    (bin_folder / "doctor").write_text("another")
    (bin_folder / "access").symlink_to("doctor")
    done = run(["make", "uninstall", f"DESTDIR={tmp_path}"], TOP)
    assert done.returncode == 0, done.stdout
    assert sorted(modes(tmp_path)) == ["usr/local/bin/access", "usr/local/bin/doctor"]
    assert run(["make", "uninstall", f"DESTDIR={tmp_path}/nothing"], TOP).returncode == 0


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert install(tmp_path / "file").returncode != 0


def test_the_page_is_sound():
    done = run(["mandoc", "-T", "lint", "-W", "style", PAGE], TOP)
    assert (done.returncode, done.stdout) == (0, "")


def page():
    """The page as a reader sees it."""
    done = run(["mandoc", "-T", "ascii", PAGE], TOP)
    return re.sub(".\b", "", done.stdout)


def help_of(*words):
    done = run([PROGRAM, *words, "--help"], TOP)
    assert done.returncode == 0
    return done.stdout


def flags(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)) - {"--help", "--list", "--version"}


def variables(text):
    return set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", text))


def help_of_all():
    jobs = re.findall(r"^  ([a-z-]+) ", run([PROGRAM, "run-job"], TOP).stdout, re.M)
    applets = run([PROGRAM, "--list"], TOP).stdout.split()
    return "".join(help_of(*words) for words in
                   [["run-job", job] for job in jobs] + [[applet] for applet in applets])


def test_flags_and_variables_are_those_of_the_help():
    told = help_of_all()
    assert len(flags(told)) > 10
    assert flags(page()) == flags(told)
    assert variables(page()) >= variables(told)


def test_flags_and_variables_are_those_of_the_readme():
    told = help_of_all()
    text = (TOP / "README.md").read_text().split("### Options")[1].split("###")[0]
    table = "".join(line for line in text.splitlines(True) if line.startswith("|"))
    assert flags(table) == flags(told)
    assert variables(table) >= variables(told) - {"CLUSTER_ID"}


def test_applets_are_those_of_the_help():
    listed = run([PROGRAM, "--list"], TOP).stdout.split()
    tagged = re.findall(r"^\.It Cm ([a-z-]+)", PAGE.read_text(), re.M)
    assert tagged == listed


def test_exit_codes_are_those_of_the_readme():
    codes = re.findall(r"^\| ([\d, ]+) \|", (TOP / "README.md").read_text(), re.M)
    tagged = re.findall(r"^\.It ([\d, ]+)$", PAGE.read_text(), re.M)
    assert tagged == codes


def test_links_of_the_readme_lead_to_its_headings():
    readme = (TOP / "README.md").read_text()
    headings = [re.sub(r"[^a-z0-9 -]", "", name.lower()).replace(" ", "-")
                for name in re.findall(r"^##+ (.*)", readme, re.M)]
    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\]\(#([^)]*)\)", readme)) <= set(headings)
    # The table of contents has all parts.
    contents = readme.split("\n## ")[0]
    assert all(f"(#{re.sub(' ', '-', part.lower())})" in contents
               for part in re.findall(r"^## (.*)", readme, re.M))
