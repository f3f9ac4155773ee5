"""Applets, help, version, links, and what happens when nobody can read the output."""

import json
import os
import re
import subprocess

import pytest
from conftest import PROGRAM, PULL_SECRET

APPLETS = ("run-job", "validate", "token", "access", "versions", "doctor", "version",
           "help")


def usage_error(result, word=""):
    assert result.code == 2
    assert result.stdout == b""
    assert result.err.count("\n") == 1 and result.err.endswith("\n")
    assert result.err.startswith("pull-secret: ")
    assert word in result.err


@pytest.mark.parametrize("words", [["version"], ["--version"], ["-V"]], ids=" ".join)
def test_version(run, words):
    result = run(*words)
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(r"pull-secret version info:\n"
                        r"  Version: \S+\n"
                        r"  Commit:  \S+\n"
                        r"  Built:   (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|unknown)\n",
                        result.out)


@pytest.mark.parametrize("words", [["version", "--json"], ["-V", "--json"]], ids=" ".join)
def test_version_as_an_object(run, words):
    result = run(*words)
    assert (result.code, result.err) == (0, "")
    shown = run("version").out.split()
    assert json.loads(result.out) == {"version": shown[4], "commit": shown[6],
                                      "build_date": shown[8]}


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"], ["help", "--help"],
                                   ["help", "help"]], ids=" ".join)
def test_help_names_every_applet(run, words):
    result = run(*words)
    assert (result.code, result.err) == (0, "")
    for applet in APPLETS:
        assert re.search(rf"^  {applet} ", result.out, re.M)


def test_list(run):
    result = run("--list")
    assert (result.code, result.out) == (0, "".join(f"{name}\n" for name in APPLETS))


@pytest.mark.parametrize("applet", APPLETS)
def test_help_of_each_applet(run, applet):
    texts = {run(*words).out for words in ([applet, "--help"], [applet, "-h"],
                                           ["help", applet])}
    assert len(texts) == 1
    text, = texts
    assert text.startswith("usage: pull-secret ")
    assert text.endswith("\n")
    assert max(len(line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize("job", ["pull-secret", "delete-pull-secret"])
def test_help_of_a_job(run, job):
    text = run("run-job", job, "--help").out
    assert text.startswith(f"usage: pull-secret run-job {job} ")
    for words in (["help", "run-job", job], ["run-job", "--help", job], ["run-job", job, "-h"],
                  ["help", "run-job", job, "--help"], ["--help", "run-job", job]):
        assert run(*words).out == text


def test_help_of_run_job_has_options_and_an_example_that_works(emulator, run, job, tmp_path):
    text = run("run-job", "--help").out
    for flag in ("--timeout DURATION", "--results-path PATH", "--endpoint URL"):
        assert re.search(rf"^  {flag} ", text, re.M)
    example = text.partition("Example:\n")[2].replace("\\\n", " ").split()
    assert example[:3] == ["pull-secret", "run-job", "pull-secret"]
    (tmp_path / "pull-secret.json").write_text(PULL_SECRET)
    words = [{"my-project": emulator.project}.get(word, word) for word in example[3:]]
    result = job(*words, GCP_PROJECT_ID=None, CLUSTER_ID=None, PULL_SECRET_DATA=None, cwd=tmp_path)
    assert (result.code, result.operations[-2]) == (0, "dry-run")


@pytest.mark.parametrize("applet", ["validate", "token", "access", "versions", "doctor",
                                    "version"])
def test_help_wins_over_stray_operands(run, applet):
    """As of the usual tools: what else stands there does not matter."""
    text = run(applet, "--help").out
    for words in (["--help", "x", "y"], ["x", "y", "--help"], ["x", "-h", "--nonsense"],
                  ["--nonsense", "x", "-h"]):
        result = run(applet, *words)
        assert (result.code, result.out, result.err) == (0, text, "")


@pytest.mark.parametrize("words", [["run-job"], ["run-job", "--help"],
                                   ["run-job", "-h"]], ids=" ".join)
def test_run_job_lists_the_jobs(run, words):
    result = run(*words)
    assert (result.code, result.err) == (0, "")
    assert re.search(r"^  pull-secret +store a pull secret", result.out, re.M)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_the_job(emulator, job, flag):
    """Asked for anywhere, it does nothing else."""
    for words, variables in (([flag], {}), (["--dry-run", flag], {}), ([flag, "--unknown"], {}),
                             (["--unknown", flag], {}), ([flag], {"DRY_RUN": "maybe"})):
        result = job(*words, **variables)
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith("usage: pull-secret run-job pull-secret ")
    assert emulator.connections() == []


def test_help_of_the_job_shows_every_variable(run):
    text = run("run-job", "pull-secret", "--help").out
    for name in ("GCP_PROJECT_ID", "CLUSTER_ID", "SECRET_NAME", "PULL_SECRET_FILE",
                 "PULL_SECRET_DATA", "MAX_WAIT_TIME_SECONDS", "RESULTS_PATH",
                 "SECRET_MANAGER_ENDPOINT", "GOOGLE_APPLICATION_CREDENTIALS",
                 "GCE_METADATA_HOST", "SSL_CERT_FILE"):
        assert re.search(rf"\b{name}\n", text)


USAGE = {
    "nothing": [], "unknown": ["unknown"], "unknown-option": ["--unknown"],
    "empty": [""], "option-first": ["--dry-run", "run-job", "pull-secret"],
    "wrong-case": ["Version"], "help-unknown": ["help", "unknown"],
    "help-twice": ["help", "version", "validate"], "version-operand": ["version", "x"],
    "version-option": ["version", "--short"], "job-unknown": ["run-job", "unknown"],
    "job-empty": ["run-job", ""], "job-option": ["run-job", "--dry-run"],
    "secret-as-applet": [PULL_SECRET], "secret-as-job": ["run-job", PULL_SECRET],
    "secret-for-help": ["help", PULL_SECRET],
    "secret-for-help-second": ["help", "help", PULL_SECRET],
    "secret-for-version": ["version", PULL_SECRET],
    "list-operand": ["--list", "x"], "list-option": ["--list", "--help"],
    "list-secret": ["--list", PULL_SECRET], "version-flag-operand": ["--version", "x"],
    "help-flag-unknown": ["--help", "x"], "jobs-operand": ["run-job", "--help", "x"],
    "jobs-secret": ["run-job", "-h", PULL_SECRET],
    "help-job-unknown": ["help", "run-job", "unknown"],
    "help-job-twice": ["help", "run-job", "pull-secret", "pull-secret"],
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_usage_errors(run, words):
    usage_error(run(*words))


MEANT = {
    "swapped": (["tokne"], "token"), "case": (["Version"], "version"),
    "part": (["run"], "run-job"), "underscore": (["run_job"], "run-job"),
    "flag": (["--validate"], "validate"), "for-help": (["help", "valdate"], "validate"),
    "job": (["run-job", "pullsecret"], "pull-secret"),
    "job-part": (["run-job", "delete"], "delete-pull-secret"),
    "job-for-help": (["help", "run-job", "pull_secret"], "pull-secret"),
}


@pytest.mark.parametrize("words, meant", MEANT.values(), ids=MEANT)
def test_a_near_miss_is_told_what_it_may_mean(run, words, meant):
    usage_error(run(*words), f"(did you mean {meant}?)")


def test_a_usage_error_says_what_is_wrong(run):
    assert "which applet?" in run().err
    assert "no applet unknown;" in run("unknown").err


@pytest.mark.parametrize("applet", APPLETS)
def test_a_link_named_after_an_applet_runs_it(run, tmp_path, applet):
    link = tmp_path / applet
    link.symlink_to(PROGRAM)
    done = subprocess.run([link, "--help"], env={}, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout == run(applet, "--help").out


def test_a_link_takes_its_arguments_from_the_first_on(tmp_path):
    (tmp_path / "validate").symlink_to(PROGRAM)
    (tmp_path / "secret").write_text(PULL_SECRET)
    done = subprocess.run(["./validate", "secret"], cwd=tmp_path, env={},
                          capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("valid pull secret")


def test_a_link_of_another_name_is_the_program(tmp_path):
    (tmp_path / "other").symlink_to(PROGRAM)
    done = subprocess.run([tmp_path / "other", "version"], env={},
                          capture_output=True)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["", "/", "-"])
def test_strange_names_of_the_program(name):
    done = subprocess.run([name, "version"], executable=PROGRAM, env={},
                          capture_output=True)
    assert done.returncode == 0


def test_no_name_at_all():
    done = subprocess.run([""], executable=PROGRAM, env={}, capture_output=True)
    assert done.returncode == 2


# --- output that nobody gets -----------------------------------------------------

TALKERS = {
    "version": ["version"], "help": ["help"], "list": ["--list"],
    "jobs": ["run-job"], "job-help": ["run-job", "pull-secret", "--help"],
    "validate": ["validate"],
}


def close_output():
    os.close(1)


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("words", TALKERS.values(), ids=TALKERS)
@pytest.mark.parametrize("how", ["closed", "full", "broken-pipe", "read-only"])
def test_lost_output_is_a_failure(run, words, how):
    options = {}
    if how == "closed":
        options["preexec_fn"] = close_output
    else:
        descriptor = (closed_pipe() if how == "broken-pipe" else
                      os.open("/dev/full", os.O_WRONLY) if how == "full" else
                      os.open("/dev/null", os.O_RDONLY))
        options["stdout"] = descriptor
    result = run(*words, stdin=PULL_SECRET.encode(), **options)
    if how != "closed":
        os.close(descriptor)
    assert result.code == 1
    assert "standard output" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("how", ["closed", "full", "broken-pipe"])
def test_without_a_log_nothing_is_sent(emulator, job, how):
    options = {}
    if how == "closed":
        options["preexec_fn"] = close_output
    else:
        descriptor = (closed_pipe() if how == "broken-pipe"
                      else os.open("/dev/full", os.O_WRONLY))
        options["stdout"] = descriptor
    result = job(**options)
    if how != "closed":
        os.close(descriptor)
    assert result.code == 1
    assert "standard output" in result.err
    assert result.err.count("\n") == 1
    assert emulator.connections() == []


def test_a_log_that_breaks_off_is_a_failure(emulator, job):
    """What was begun is finished and verified, and the exit status tells: no retry."""
    reader, writer = os.pipe()
    order = emulator.order("secretmanager", "addVersion", delay_before=0.5)
    process = job.start(stdout=writer)
    os.close(writer)
    while b"Adding secret version" not in os.read(reader, 65536):
        pass
    os.close(reader)
    result = process.wait()
    assert order.hits == 1
    assert result.code == 6
    assert "standard output" in result.err
    assert result.err.count("\n") == 1
    assert re.search(r"already written: projects/\d+/secrets/\S+/versions/1$", result.err)


@pytest.mark.parametrize("how", ["closed", "full", "broken-pipe"])
def test_standard_error_may_be_missing(run, how):
    options = {}
    if how == "closed":
        options["preexec_fn"] = lambda: os.close(2)
    else:
        options["stderr"] = (closed_pipe() if how == "broken-pipe"
                             else os.open("/dev/full", os.O_WRONLY))
    assert run("unknown", **options).code == 2
    assert run("version", **options).code == 0
    if "stderr" in options:
        os.close(options["stderr"])


def test_all_standard_descriptors_may_be_closed(emulator, job):
    result = job(preexec_fn=lambda: [os.close(fd) for fd in (0, 1, 2)])
    assert result.code == 1
    assert emulator.connections() == []


def test_standard_input_may_be_closed(emulator, job):
    assert job(preexec_fn=lambda: os.close(0)).code == 0
    result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-",
                 preexec_fn=lambda: os.close(0))
    assert result.code in (2, 3)


def test_an_empty_environment(run):
    result = run("run-job", "pull-secret", env={})
    assert result.code == 2
    assert "GCP_PROJECT_ID" in result.error["message"]
