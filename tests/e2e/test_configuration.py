"""Variables and flags: what each may be, which wins, where the secret comes from."""

import os
import re
import threading

import pytest
from conftest import CLUSTER, PULL_SECRET, SECRET, TESTS, UNPRIVILEGED


def refused(result, emulator, word, operation="validate-config"):
    """Exit 2 with one line that names the culprit, and no connection at all."""
    assert result.code == 2, result.out + result.err
    assert result.error["operation"] == operation
    assert word in result.error["message"], result.error
    assert result.error["error_code"] == "INVALID_ARGUMENT"
    assert result.stderr == b""
    assert emulator.connections() == []


def usage_error(result, word=""):
    assert result.code == 2, result.out + result.err
    assert result.stdout == b""
    assert result.err.count("\n") == 1 and result.err.endswith("\n")
    assert word in result.err


NAMES = {
    "project-missing": ("GCP_PROJECT_ID", None),
    "project-empty": ("GCP_PROJECT_ID", ""),
    "project-upper": ("GCP_PROJECT_ID", "Test-project"),
    "project-slash": ("GCP_PROJECT_ID", "a/b"),
    "project-space": ("GCP_PROJECT_ID", "a b"),
    "project-percent": ("GCP_PROJECT_ID", "a%2fb"),
    "project-question": ("GCP_PROJECT_ID", "a?b"),
    "project-crlf": ("GCP_PROJECT_ID", "a\r\nX-Evil: 1"),
    "project-utf8": ("GCP_PROJECT_ID", "prøject"),
    "project-dots": ("GCP_PROJECT_ID", ".."),
    "project-huge": ("GCP_PROJECT_ID", "p" * 50_000),
    "project-long": ("GCP_PROJECT_ID", "p" * 101),
    "cluster-missing": ("CLUSTER_ID", None),
    "cluster-empty": ("CLUSTER_ID", ""),
    "cluster-upper": ("CLUSTER_ID", "Cluster"),
    "cluster-dot": ("CLUSTER_ID", "a.b"),
    "cluster-slash": ("CLUSTER_ID", "a/b"),
    "cluster-space": ("CLUSTER_ID", " a"),
    "cluster-newline": ("CLUSTER_ID", "a\n"),
    "cluster-quote": ("CLUSTER_ID", 'a"b'),
    "cluster-utf8": ("CLUSTER_ID", "clüster"),
    "cluster-huge": ("CLUSTER_ID", "ü" * 50_000),
    "cluster-latin-1": ("CLUSTER_ID", "cl\udcfcster"),
    "cluster-secret": ("CLUSTER_ID", PULL_SECRET),
    "cluster-long": ("CLUSTER_ID", "c" * 64),
    "name-dot": ("SECRET_NAME", "a.b"),
    "name-slash": ("SECRET_NAME", "a/b"),
    "name-colon": ("SECRET_NAME", "a:access"),
    "name-space": ("SECRET_NAME", "a b"),
    "name-percent": ("SECRET_NAME", "a%41"),
    "name-utf8": ("SECRET_NAME", "geheimniß"),
    "name-long": ("SECRET_NAME", "s" * 256),
}


@pytest.mark.parametrize("name, value", NAMES.values(), ids=NAMES)
def test_names_refused(emulator, job, name, value):
    result = job(**{name: value})
    refused(result, emulator, name)
    assert result.operations == ["start", "validate-config", "summary"]


GOOD_NAMES = {
    "cluster-63": ("CLUSTER_ID", "c" * 63),
    "cluster-all": ("CLUSTER_ID", "0_a-9"),
    "name-255": ("SECRET_NAME", "s" * 255),
    "name-all": ("SECRET_NAME", "Az_09-"),
    "name-one": ("SECRET_NAME", "s"),
}


@pytest.mark.parametrize("name, value", GOOD_NAMES.values(), ids=GOOD_NAMES)
def test_names_accepted(emulator, job, name, value):
    assert job(**{name: value}).code == 0
    secret_id = value if name == "SECRET_NAME" else f"hyperfleet-{value}-pull-secret"
    secret = emulator.secretmanager.secret(secret_id)
    assert len(secret.versions) == 1
    if name == "CLUSTER_ID":
        assert secret.labels["cluster-id"] == value


def test_an_empty_secret_name_is_the_default(emulator, job):
    assert job(SECRET_NAME="").code == 0
    assert emulator.secretmanager.payloads(SECRET)


def test_project_by_number_or_domain(start_emulator, start_job):
    for project in ("example.com:my-project", "p-1"):
        emulator = start_emulator(projects=(project,))
        assert start_job(emulator)().code == 0
        assert emulator.secretmanager.payloads(SECRET)


# --- time ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [
    "0", "-1", "1.5", "1e2", "x", "10d", "10ms", "0s", "10s5m", "5 m", "25h", "m", " 5", "5 ", "+5", "0x10", "86401",
    "99999999999999999999", "18446744073709551617",
])
def test_timeout_refused(emulator, job, value):
    refused(job(MAX_WAIT_TIME_SECONDS=value), emulator, "MAX_WAIT_TIME_SECONDS")


@pytest.mark.parametrize("value", ["1", "280", "86400", "", "90s", "5m", "24h", "1h30m"])
def test_timeout_accepted(job, value):
    assert job(MAX_WAIT_TIME_SECONDS=value).code == 0


def test_timeout_ends_the_run(emulator, job):
    """Its own time, not that of one reply, which is longer."""
    emulator.order("secretmanager", "addVersion", times=None, drop="uncommitted", how="hang")
    result = job(MAX_WAIT_TIME_SECONDS=1)
    assert result.code == 1
    assert result.error["error_code"] == "DEADLINE_EXCEEDED"
    assert "the time for the whole run is over" in result.error["message"]
    assert "MAX_WAIT_TIME_SECONDS" in result.error["hint"]


# --- endpoint --------------------------------------------------------------------

ENDPOINTS = {
    "http-elsewhere": "http://example.com",
    "http-other-address": "http://10.0.0.1:8080",
    "http-like-loopback": "http://127.0.0.1.example.com",
    "http-like-localhost": "http://localhost.example.com",
    "ftp": "ftp://localhost",
    "no-scheme": "localhost:8080",
    "nonsense": "nonsense",
    "no-host": "https://",
    "no-host-port": "https://:443",
    "port-0": "https://localhost:0",
    "port-65536": "https://localhost:65536",
    "port-text": "https://localhost:https",
    "user": "https://me@localhost",
    "query": "https://localhost/?a=b",
    "fragment": "https://localhost/#a",
    "space": "https://local host",
    "crlf": "https://localhost/\r\nX-Evil: 1",
    "utf8": "https://exämple.com",
    "bad-ipv4": "https://127.0.0.256",
    "bad-ipv6": "https://[::1",
    "label-63": "https://" + "a" * 64 + ".com",
}


@pytest.mark.parametrize("url", ENDPOINTS.values(), ids=ENDPOINTS)
def test_endpoint_refused(emulator, job, url):
    refused(job(SECRET_MANAGER_ENDPOINT=url), emulator, "SECRET_MANAGER_ENDPOINT")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST"])
def test_plain_http_on_the_loopback(start_emulator, start_job, host):
    emulator = start_emulator(plain=True)
    url = f"http://{host}:{emulator.port('secretmanager')}"
    assert start_job(emulator)(SECRET_MANAGER_ENDPOINT=url).code == 0


@pytest.mark.parametrize("place", ["192.0.2.1", "[2001:db8::1]", "example.com",
                                   "localhost.example.com", "[::]", "0.0.0.0"])
def test_plain_http_is_never_connected_elsewhere(start_emulator, start_job, place):
    """Not even to a machine that there is."""
    emulator = start_emulator(plain=True)
    url = f"http://localhost:{emulator.port('secretmanager')}"
    refused(start_job(emulator)(SECRET_MANAGER_ENDPOINT=url,
                                SECRET_MANAGER_CONNECT_TO=place),
            emulator, "SECRET_MANAGER_CONNECT_TO")


@pytest.mark.parametrize("place", ["127.0.0.1", "localhost", "::1"])
def test_plain_http_connected_on_the_loopback(start_emulator, start_job, place):
    emulator = start_emulator(plain=True, ipv6=place == "::1")
    url = f"http://localhost:{emulator.port('secretmanager')}"
    assert start_job(emulator)(SECRET_MANAGER_ENDPOINT=url,
                               SECRET_MANAGER_CONNECT_TO=place).code == 0


def test_plain_http_on_the_ipv6_loopback(start_emulator, start_job):
    emulator = start_emulator(plain=True, ipv6=True)
    url = f"http://[::1]:{emulator.port('secretmanager')}/"
    assert start_job(emulator)(SECRET_MANAGER_ENDPOINT=url).code == 0


def test_a_path_of_the_endpoint_comes_first(emulator, job):
    url = emulator.secretmanager_url + "/proxy/"
    assert job(SECRET_MANAGER_ENDPOINT=url).code != 0
    path = emulator.requests("secretmanager")[0].path
    assert path.startswith("/proxy/v1/projects/")


# --- flags -----------------------------------------------------------------------


@pytest.fixture
def flags(emulator, tmp_path):
    """Each flag with its variable, its right value and a wrong one."""
    adc = tmp_path / "adc.json"
    emulator.make_authorized_user(adc)
    path = tmp_path / "pull-secret"
    path.write_text(PULL_SECRET)
    results = tmp_path / "result.json"
    note = tmp_path / "note"
    note.touch()
    url = emulator.secretmanager_url
    return {
        "gcp-project-id": ("GCP_PROJECT_ID", emulator.project, "WRONG"),
        "cluster-id": ("CLUSTER_ID", CLUSTER, "WRONG"),
        "secret-name": ("SECRET_NAME", SECRET, "wrong/name"),
        "pull-secret-file": ("PULL_SECRET_FILE", path, "/wrong"),
        "timeout": ("MAX_WAIT_TIME_SECONDS", "20", "wrong"),
        "results-path": ("RESULTS_PATH", results, "/wrong/folder/x"),
        "termination-log": ("TERMINATION_LOG_PATH", note, "/wrong"),
        "credentials-file": ("GOOGLE_APPLICATION_CREDENTIALS", adc, "/wrong"),
        "quota-project": ("GOOGLE_CLOUD_QUOTA_PROJECT", emulator.project, "x" * 200),
        "metadata-host": ("GCE_METADATA_HOST", emulator.metadata_host, "wrong:host"),
        "endpoint": ("SECRET_MANAGER_ENDPOINT", url, "wrong"),
        "oauth2-endpoint": ("OAUTH2_ENDPOINT", emulator.oauth2_url, "wrong"),
        "ca-file": ("SSL_CERT_FILE", emulator.ca_file, "/wrong"),
    }


FLAGS = ("gcp-project-id", "cluster-id", "secret-name", "pull-secret-file", "timeout",
         "results-path", "termination-log", "credentials-file", "quota-project",
         "metadata-host", "endpoint", "oauth2-endpoint", "ca-file")


def test_every_flag_of_the_help_is_tested(run):
    text = run("run-job", "pull-secret", "--help").out
    shown = dict(re.findall(r"^  --(\S+) .*?(\w+)$", text, re.M))
    assert set(shown) >= set(FLAGS)
    tests = "".join(path.read_text() for path in TESTS.glob("e*/*.py")
                    if path.name != "test_options.py")
    for flag in set(shown) - set(FLAGS):
        assert re.search(rf"--{flag}\b(?!-)|\b{shown[flag]}\b", tests), flag


def everything(flags, without=()):
    return {variable: value for name, (variable, value, _) in flags.items()
            if name not in without}


def test_all_by_variable(emulator, run, flags):
    env = everything(flags)
    assert run("run-job", "pull-secret", env=env).code == 0
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


@pytest.mark.parametrize("joined", [True, False], ids=["equals", "space"])
def test_all_by_flag(emulator, run, flags, joined):
    words = []
    for name, (_, value, _) in flags.items():
        words += [f"--{name}={value}"] if joined else [f"--{name}", value]
    assert run("run-job", "pull-secret", *words).code == 0
    assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_wins_over_its_variable(emulator, run, flags, name):
    variable, right, wrong = flags[name]
    env = everything(flags, without=["credentials-file"]
                     if name == "metadata-host" else ())
    env[variable] = wrong
    # The wrong value alone fails, so the variable is read …
    assert run("run-job", "pull-secret", env=env).code == 2
    assert emulator.connections() == []
    # … and the flag replaces it.
    assert run("run-job", "pull-secret", f"--{name}", right, env=env).code == 0


# What each wrong value is called, and whether the value is shown.
NAMED = {
    "gcp-project-id": "=WRONG: ", "cluster-id": "=WRONG: ", "secret-name": "=wrong/name: ",
    "pull-secret-file": ": cannot open /wrong", "timeout": "=wrong must be from 1 to 86400 s",
    "results-path": ": cannot open the folder of /wrong/folder/x",
    "termination-log": ": cannot write to /wrong", "credentials-file": ": cannot open /wrong",
    "quota-project": "=xxxx", "metadata-host": "=wrong:host: ", "endpoint": "=wrong: ",
    "oauth2-endpoint": "=wrong: ", "ca-file": ": cannot open /wrong",
}


@pytest.mark.parametrize("name", FLAGS)
def test_a_wrong_value_is_named_as_it_was_given(emulator, run, flags, name):
    """By the flag or the variable that was really used, and with the value."""
    variable, _, wrong = flags[name]
    env = everything(flags, without=["credentials-file"]
                     if name == "metadata-host" else ())
    by_flag = run("run-job", "pull-secret", f"--{name}", wrong, env=env)
    env[variable] = wrong
    by_variable = run("run-job", "pull-secret", env=env)
    for result, used in ((by_flag, f"--{name}"), (by_variable, variable)):
        told = result.error["message"] if result.out else result.err
        assert f"{used}{NAMED[name]}" in told
    assert emulator.connections() == []


def test_a_value_that_may_hold_a_password_is_not_shown(emulator, job):
    for words, env in ((["--https-proxy", "http://me:hunter22@[::1"], {}),
                       ([], {"https_proxy": "http://hunter22:x"}),
                       (["--endpoint", "https://me:hunter22@localhost"], {}),
                       ([], {"CLUSTER_ID": PULL_SECRET})):
        result = job(*words, **env)
        assert result.code == 2
        name = words[0] if words else next(iter(env))
        assert name in result.error["message"]
        assert "hunter22" not in result.out and "quay.io" not in result.out
    assert emulator.connections() == []


@pytest.mark.parametrize("words, name", [
    (["--universe-domain", "a..b"], "--universe-domain=a..b: "),
    (["--ca-dir", "/wrong"], "--ca-dir: /wrong: no such folder"),
    (["--connect-to", "a:b"], "--connect-to=a:b: "),
    (["--impersonate-service-account", "A"], "--impersonate-service-account=A: "),
    (["--no-metadata=maybe"], "--no-metadata=maybe must be true or false"),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_other_wrong_values_are_named_too(emulator, job, words, name):
    env = dict(SECRET_MANAGER_ENDPOINT=None, SSL_CERT_FILE=None) if "universe" in words[0] else {}
    result = job(*words, **env)
    assert result.code == 2
    assert name in (result.error["message"] if result.out else result.err)
    assert emulator.connections() == []


def test_all_that_is_missing_comes_at_once(emulator, run):
    result = run("run-job", "pull-secret", "--timeout", "never", env={})
    assert result.code == 2
    told = result.error["message"]
    for part in ("--timeout=never must be", "GCP_PROJECT_ID (--gcp-project-id) is missing",
                 "CLUSTER_ID (--cluster-id) is missing", "no pull secret: "):
        assert part in told
    assert "--fake-pull-secret" in result.error["hint"]
    assert run("access", env={}).err.count("missing") == 2


MEANT = {
    "underscores": ("--cluster_id", "--cluster-id"), "case": ("--Dry-Run", "--dry-run"),
    "one-dash": ("-dry-run", "--dry-run"), "abbreviated": ("--gcp-project=x", "--gcp-project-id"),
    "part": ("--project", "--gcp-project-id"), "swapped": ("--tiemout", "--timeout"),
    "by-variable": ("--max-wait-time-seconds=5", "--timeout"),
    "only-a-variable": ("--pull-secret-data", "PULL_SECRET_DATA"),
}


@pytest.mark.parametrize("word, meant", MEANT.values(), ids=MEANT)
def test_a_near_miss_is_told_what_it_may_mean(job, word, meant):
    result = job(word)
    usage_error(result, f"unknown option {word.partition('=')[0]} (did you mean {meant}?)")


def test_a_flag_like_none_is_told_nothing(job):
    assert job("--xyzzy").err.endswith("unknown option --xyzzy\n")


def test_dry_run_by_variable(emulator, job):
    assert job(DRY_RUN="true").operations[-2] == "dry-run"
    assert job("--dry-run=false", DRY_RUN="true").operations[-2] == "completed"
    assert job("--dry-run", DRY_RUN="0").operations[-2] == "dry-run"
    assert job(DRY_RUN="No").operations[-2] == "completed"


def test_no_gce_check(emulator, job):
    for words, env, name in (([], {"NO_GCE_CHECK": "true"}, "NO_GCE_CHECK"),
                             (["--no-metadata"], {}, "--no-metadata")):
        result = job(*words, **env)
        assert result.code == 4
        assert f"{name} rules out" in result.error["message"]
    assert emulator.connections() == []


@pytest.mark.parametrize("variable", ["DRY_RUN", "NO_GCE_CHECK", "FAKE_PULL_SECRET"])
@pytest.mark.parametrize("value", ["maybe", "2", " true", "on!"])
def test_switches_take_only_known_words(emulator, job, variable, value):
    usage_error(job(**{variable: value}), variable)
    assert emulator.connections() == []


USAGE = {
    "unknown": ["--unknown"],
    "unknown-with-value": ["--unknown=1"],
    "abbreviated": ["--gcp-project=x"],
    "wrong-case": ["--Dry-Run"],
    "one-dash": ["-dry-run"],
    "short": ["-x"],
    "twice": ["--cluster-id=a", "--cluster-id=a"],
    "twice-mixed": ["--timeout", "5", "--timeout=5"],
    "twice-switch": ["--dry-run", "--dry-run"],
    "argument-missing": ["--cluster-id"],
    "argument-empty": ["--cluster-id="],
    "argument-empty-word": ["--cluster-id", ""],
    "switch-with-nonsense": ["--dry-run=perhaps"],
    "operand": ["operand"],
    "operand-after-dashes": ["--", "--dry-run"],
    "lone-dash": ["-"],
    "empty-operand": [""],
    "no-name": ["--=x"],
    "secret-by-flag": ["--pull-secret-data", PULL_SECRET],
    "secret-by-flag-joined": [f"--pull-secret-data={PULL_SECRET}"],
    "secret-as-operand": [PULL_SECRET],
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_usage_errors(emulator, job, words):
    result = job(*words)
    usage_error(result)
    assert "quay.io" not in result.err
    assert emulator.connections() == []


# --- where the pull secret comes from --------------------------------------------


@pytest.mark.parametrize("given", [
    {"PULL_SECRET_DATA": None},
    {"PULL_SECRET_DATA": "", "PULL_SECRET_FILE": ""},
], ids=["none", "empty"])
def test_no_source_names_the_remedies(emulator, job, given):
    result = job(**given)
    refused(result, emulator, "no pull secret")
    for word in ("PULL_SECRET_FILE", "PULL_SECRET_DATA", "--fake-pull-secret"):
        assert word in result.error["hint"]


def test_two_sources_are_one_too_many(emulator, job, tmp_path):
    path = tmp_path / "secret"
    path.write_text(PULL_SECRET)
    for words, env in (
            ([], {"PULL_SECRET_FILE": path}),
            (["--pull-secret-file", path], {}),
            (["--fake-pull-secret"], {}),
            (["--fake-pull-secret"], {"PULL_SECRET_DATA": None,
                                      "PULL_SECRET_FILE": path}),
            (["--fake-pull-secret", "--pull-secret-file", "-"], {})):
        refused(job(*words, **env), emulator, "more than one source")


def test_the_fake(emulator, job):
    for words, env in ((["--fake-pull-secret"], {}), ([], {"FAKE_PULL_SECRET": "1"})):
        assert job(*words, PULL_SECRET_DATA=None, **env).code == 0
    payloads = emulator.secretmanager.payloads(SECRET)
    assert len(payloads) == 2 and payloads[0] == payloads[1]
    assert b"fake" in payloads[0]


class TestFile:
    """PULL_SECRET_FILE: files, pipes and what cannot be read."""

    def stored(self, emulator):
        return emulator.secretmanager.payloads(SECRET)

    def test_file(self, emulator, job, tmp_path):
        path = tmp_path / "secret"
        path.write_text(PULL_SECRET + "\n")
        assert job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=path).code == 0
        assert self.stored(emulator) == [PULL_SECRET.encode()]

    def test_link_as_kubernetes_mounts_it(self, emulator, job, tmp_path):
        (tmp_path / "..data").mkdir()
        (tmp_path / "..data" / "secret").write_text(PULL_SECRET)
        (tmp_path / "secret").symlink_to("..data/secret")
        assert job(PULL_SECRET_DATA=None,
                   PULL_SECRET_FILE=tmp_path / "secret").code == 0
        assert self.stored(emulator) == [PULL_SECRET.encode()]

    def test_standard_input(self, emulator, job):
        assert job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-",
                   stdin=PULL_SECRET.encode()).code == 0
        assert job("--pull-secret-file", "-", PULL_SECRET_DATA=None,
                   stdin=PULL_SECRET.encode()).code == 0
        assert self.stored(emulator) == [PULL_SECRET.encode()] * 2

    def test_standard_input_in_pieces(self, emulator, job):
        reader, writer = os.pipe()
        process = job.start(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-", stdin=reader)
        os.close(reader)
        for byte in PULL_SECRET.encode():
            os.write(writer, bytes([byte]))
        os.close(writer)
        assert process.wait().code == 0
        assert self.stored(emulator) == [PULL_SECRET.encode()]

    def test_named_pipe(self, emulator, job, tmp_path):
        """As in <(command): it must wait for a writer that comes late."""
        path = tmp_path / "pipe"
        os.mkfifo(path)
        timer = threading.Timer(0.3, lambda: path.write_text(PULL_SECRET))
        timer.start()
        result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=path)
        timer.join()
        assert result.code == 0, result.out
        assert self.stored(emulator) == [PULL_SECRET.encode()]

    def test_dev_fd(self, emulator, job):
        reader, writer = os.pipe()
        os.write(writer, PULL_SECRET.encode())
        os.close(writer)
        result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=f"/dev/fd/{reader}",
                     pass_fds=[reader])
        os.close(reader)
        assert result.code == 0, result.out
        assert self.stored(emulator) == [PULL_SECRET.encode()]

    def test_dev_null_is_invalid(self, emulator, job):
        assert job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="/dev/null").code == 3
        assert emulator.connections() == []

    @pytest.mark.parametrize("name, why", [
        ("missing", "No such file"), ("folder", "is a directory"),
        ("file/below", "Not a directory"), ("n" * 300, "too long"),
        ("loop", "ymbolic link"),
    ], ids=["missing", "folder", "below-a-file", "long-name", "loop"])
    def test_cannot_be_read(self, emulator, job, tmp_path, name, why):
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        (tmp_path / "loop").symlink_to("loop")
        result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=tmp_path / name)
        refused(result, emulator, why, "validate-pull-secret")
        assert "PULL_SECRET_FILE" in result.error["message"]

    def test_endless(self, emulator, job):
        result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="/dev/zero")
        assert result.code == 3
        assert emulator.connections() == []

    def test_the_secret_itself_in_place_of_a_path(self, emulator, job):
        result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=PULL_SECRET)
        refused(result, emulator, "PULL_SECRET_FILE", "validate-pull-secret")
        assert "quay.io" not in result.out
        assert "PULL_SECRET_DATA" in result.error["hint"]

    def test_not_permitted(self, emulator, job, tmp_path):
        path = tmp_path / "secret"
        path.write_text(PULL_SECRET)
        path.chmod(0)
        result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=path, before=UNPRIVILEGED)
        refused(result, emulator, "Permission denied", "validate-pull-secret")
