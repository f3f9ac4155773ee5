"""The applet that walks the whole way and says what to do."""

import json
import os
import re
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import (CLUSTER, PROGRAM, PULL_SECRET, UNPRIVILEGED, Runner, assert_well_formed, auth,
                      free_port, native, needs_root, pull_secret)
from nameserver import NameServer
from proxyserver import ProxyServer

from emulator import Emulator, errors

STEPS = ["configuration", "pull-secret", "result-file", "termination-log", "credentials", "dns",
         "tcp", "proxy", "tls", "token", "api", "clock", "secret", "add-version",
         "access-version", "create-secret"]
VERDICTS = ["ok", "failed", "unknown", "skipped"]
GOOGLE = "secretmanager.googleapis.com"
ROLES = ("versions.add", "versions.access")
CHANGING = {"create", "addVersion", "patch", "delete", "destroy", "disable", "enable"}


class Doctor(Runner):
    """Runs it with --json, and checks the form of what it prints."""

    def environment(self, **variables):
        return {"GCP_PROJECT_ID": self.emulator.project, "CLUSTER_ID": CLUSTER,
                "PULL_SECRET_DATA": PULL_SECRET, "SECRET_NAME": self.secret,
                **self.emulator.environment(), **variables}

    def __call__(self, *words, text=False, before=(), **variables):
        words = words if text else ("--json", *words)
        result = super().__call__("doctor", *words, before=before,
                                  env=self.environment(**variables))
        if result.out:
            assert result.err == ""
            (self.read_text if text else self.read_json)(result)
        return result

    def read_json(self, result):
        value = json.loads(result.out)
        assert list(value) == ["ok", "summary", "steps"]
        self.summary = value["summary"]
        self.steps = {step["name"]: step for step in value["steps"]}
        self.check_whole(result)
        assert value["ok"] == (result.code == 0)

    def read_text(self, result):
        """The same of the text: rows of columns, lines with hints, a sentence."""
        *lines, self.summary = result.out.splitlines()
        self.steps, step = {}, None
        for line in lines:
            if line.startswith(" "):
                mark, text = re.fullmatch(r" {35}(->|looked:) (.*)", line).groups()
                key = "hint" if mark == "->" else "searched"
                step[key] = "\n".join([step[key], text] if key in step else [text])
                continue
            row = re.fullmatch(r"(\w+) +([\w-]+) +(?:(\d+) ms +)?(\S.*)", line)
            step = {"verdict": row[1], "message": row[4]}
            self.steps[row[2]] = step
        self.check_whole(result)

    def check_whole(self, result):
        """What must hold of every run: green only if nothing is red or grey."""
        assert list(self.steps) == STEPS
        assert all(step["verdict"] in VERDICTS for step in self.steps.values())
        failed, unknown = self.verdicts("failed"), self.verdicts("unknown")
        assert (result.code == 0) == (not failed and not unknown)
        start = "Not ready: failed " if failed else "Perhaps not" if unknown else "Ready: "
        assert self.summary.startswith(start) and self.summary.endswith(".")
        for name in failed + unknown:
            assert name in self.summary
        for name in STEPS:
            assert self.steps[name]["message"]

    def verdicts(self, verdict):
        return [name for name in STEPS if self.steps[name]["verdict"] == verdict]

    @property
    def problems(self):
        """The steps that are neither ok nor skipped, with their verdict."""
        return {name: step["verdict"] for name, step in self.steps.items()
                if step["verdict"] not in ("ok", "skipped")}


@pytest.fixture(scope="module")
def shared(certificates):
    with Emulator(certificates) as emulator:
        yield emulator
        assert emulator.crashes == []
        assert_well_formed(emulator)


@pytest.fixture
def emulator(shared):
    """One for all tests here, each with a secret of its own and in a good mood."""
    yield shared
    shared.orders.clear()
    shared.iam.grant_all()
    shared.resourcemanager.disabled = False
    shared.resourcemanager.conditional.clear()
    for service in ("secretmanager", "resourcemanager"):
        shared.listen(service)


@pytest.fixture
def doctor(emulator, request):
    runner = Doctor(emulator)
    runner.secret = re.sub(r"\W+", "-", request.node.name)
    yield runner
    runner.stop()
    assert not CHANGING & {entry.operation for entry in emulator.requests()}


# --- what is well ----------------------------------------------------------------


def test_all_is_well(emulator, doctor):
    emulator.secretmanager.put(doctor.secret, b"old")
    before = len(emulator.connections("secretmanager"))
    assert doctor().code == 0
    assert doctor.verdicts("skipped") == ["result-file", "termination-log", "proxy",
                                          "create-secret"]
    assert emulator.secretmanager.payloads(doctor.secret) == [b"old"]
    assert len(emulator.connections("secretmanager")) == before + 1
    assert doctor().code == doctor(text=True).code == 0


def test_warnings_of_the_pull_secret(emulator, doctor):
    """As the job's options have it."""
    emulator.secretmanager.put(doctor.secret, b"old")
    text = pull_secret(**{"*.quay.io": auth()})
    assert doctor(PULL_SECRET_DATA=text).code == 0
    assert doctor.steps["pull-secret"]["message"].endswith("1 registry, with warnings: see validate")
    assert doctor("--profile=kubelet", PULL_SECRET_DATA=text).code == 0
    assert doctor.steps["pull-secret"]["message"].endswith("1 registry")
    assert doctor("--validate=strict", PULL_SECRET_DATA=text).code == 3


def test_what_it_found(emulator, doctor):
    """Each fact is a field, and stands in the text."""
    emulator.secretmanager.put(doctor.secret, b"old")
    assert doctor().code == 0
    steps = doctor.steps
    assert "127.0.0.1" in steps["dns"]["addresses"]
    address = f"127.0.0.1:{emulator.port('secretmanager')}"
    assert steps["tcp"]["connected_to"] == address
    assert steps["tls"]["issuer"] == "Emulator CA"
    assert 60 < steps["tls"]["days_left"] <= 84
    assert steps["tls"]["cipher_suite"].startswith("TLS_ECDHE_ECDSA_WITH_")
    assert re.fullmatch(r"\d{4}-.*Z", steps["token"]["expires_at"])
    for name in ("configuration", "credentials", "dns", "tcp", "tls", "token", "api",
                 "add-version"):
        assert steps[name]["duration_ms"] >= 0, name
    assert doctor(text=True).code == 0
    assert address in doctor.steps["tcp"]["message"]
    for fact in ("Emulator CA", "days left", steps["tls"]["cipher_suite"]):
        assert fact in doctor.steps["tls"]["message"]
    assert "127.0.0.1" in doctor.steps["dns"]["message"]


def test_before_the_first_run(emulator, doctor):
    """With all rights, and with those of the job only."""
    assert doctor().code == 0
    assert "does not exist yet" in doctor.steps["secret"]["message"]
    emulator.iam.grant_only(*ROLES, "secrets.create")
    for text in (True, False):
        assert doctor(text=text).code == 0
        assert "does not exist yet" in doctor.steps["secret"]["message"]
        for name in STEPS[-3:]:
            assert "is granted on the project" in doctor.steps[name]["message"]
    last = emulator.requests("resourcemanager")[-1]
    assert last.operation == "testIamPermissions"
    assert json.loads(last.body)["permissions"] == [
        "secretmanager.versions.add", "secretmanager.versions.access",
        "secretmanager.secrets.create"]


def test_what_the_job_does_not_need_is_no_fault(emulator, doctor):
    """The least of roles: no permission to look at the secret itself."""
    emulator.secretmanager.put(doctor.secret, b"old")
    emulator.iam.grant_only(*ROLES)
    before = len(emulator.requests("resourcemanager"))
    assert doctor().code == 0
    assert "which storing does not need" in doctor.steps["secret"]["message"]
    assert {"add-version", "access-version"} <= set(doctor.verdicts("ok"))
    assert len(emulator.requests("resourcemanager")) == before


def test_outputs_that_can_be_written(doctor, tmp_path):
    """It looks, and leaves them as they are."""
    result, note = tmp_path / "result.json", tmp_path / "termination-log"
    result.write_text("stale")
    note.write_text("old")
    given = {"RESULTS_PATH": result, "TERMINATION_LOG_PATH": note}
    assert doctor(**given).code == 0
    assert doctor.steps["result-file"]["message"] == f"{result} can be written"
    assert doctor.steps["termination-log"]["verdict"] == "ok"
    assert (result.read_text(), note.read_text()) == ("stale", "old")
    assert sorted(os.listdir(tmp_path)) == ["result.json", "termination-log"]
    result.unlink()
    assert doctor(**given).code == 0
    assert not result.exists()


def test_it_takes_every_option_of_the_job(run):
    def rows(*words):
        return set(re.findall(r"^  (--\S+|\(variable only\) \S+)", run(*words).out, re.M))
    job = rows("run-job", "pull-secret", "--help")
    assert len(job) > 20
    assert job - rows("doctor", "--help") == {  # it looks at one cluster
        "--tasks", "--tasks-folder", "--strict", "--workers", "--shards", "--rate",
        "--task-timeout", "--failed", "--journal"}


@pytest.mark.parametrize("kind", ["file", "stdin", "fake"])
def test_sources_of_the_pull_secret(doctor, tmp_path, kind):
    path = tmp_path / "pull-secret.json"
    path.write_text(PULL_SECRET + "\n")
    given = {"file": {"PULL_SECRET_FILE": path}, "stdin": {"PULL_SECRET_FILE": "-"},
             "fake": {"FAKE_PULL_SECRET": "true"}}[kind]
    env = doctor.environment(PULL_SECRET_DATA=None, **given)
    result = Runner.__call__(doctor, "doctor", "--json", env=env, stdin=PULL_SECRET.encode())
    doctor.read_json(result)
    assert result.code == 0
    assert "1 registry" in doctor.steps["pull-secret"]["message"] or kind == "fake"


def test_plain_http(start_emulator):
    doctor = Doctor(start_emulator(plain=True))
    doctor.secret = "plain"
    assert doctor().code == 0
    assert "plain http" in doctor.steps["tls"]["message"]
    assert "issuer" not in doctor.steps["tls"]


def test_where_it_really_connected(emulator, doctor):
    """Through a proxy, and to a private endpoint, both named."""
    port = emulator.port("secretmanager")
    endpoint = f"https://{GOOGLE}:{port}"
    with ProxyServer() as proxy:
        address = f"127.0.0.1:{proxy.port}"
        assert doctor(HTTPS_PROXY=address, SECRET_MANAGER_ENDPOINT=endpoint).code == 0
        assert doctor.steps["proxy"]["verdict"] == "ok"
        assert address in doctor.steps["proxy"]["message"]
        assert doctor.steps["tcp"]["connected_to"] == address
        assert doctor.steps["tcp"]["via"] == "HTTPS_PROXY"
        assert {"duration_ms"} <= set(doctor.steps["proxy"]) & set(doctor.steps["tls"])
        assert "HTTPS_PROXY" in doctor.steps["tcp"]["message"]
    assert doctor("--connect-to", f"127.0.0.1:{port}",
                  SECRET_MANAGER_ENDPOINT=f"https://{GOOGLE}").code == 0
    assert doctor.steps["tcp"]["connected_to"] == f"127.0.0.1:{port}"
    assert doctor.steps["tcp"]["via"] == "--connect-to"
    assert doctor.steps["dns"]["addresses"] == ["127.0.0.1"]


# --- broken environments ---------------------------------------------------------


@dataclass
class Broken:
    """An environment, and what doctor must say of it: the steps that are not well, the
    first of them with these words in message and hint, and the exit code.
    """

    code: int
    problems: dict
    message: str
    hint: str
    env: dict = field(default_factory=dict)
    setup: object = None  # called with emulator and doctor; may return more variables
    before: list = field(default_factory=list)

    @property
    def step(self):
        return next(iter(self.problems))


def failed(*steps):
    return dict.fromkeys(steps, "failed")


def unknown(*steps):
    return dict.fromkeys(steps, "unknown")


def broken_proxy(emulator, doctor, stack):
    proxy = stack.enter_context(ProxyServer(reply=b"HTTP/1.1 403 Forbidden\r\n\r\n"))
    return {"HTTPS_PROXY": f"127.0.0.1:{proxy.port}",
            "SECRET_MANAGER_ENDPOINT": f"https://{GOOGLE}"}


def silent_proxy(emulator, doctor, stack):
    proxy = stack.enter_context(ProxyServer(user="a:b"))
    return {"HTTPS_PROXY": f"127.0.0.1:{proxy.port}",
            "SECRET_MANAGER_ENDPOINT": f"https://{GOOGLE}"}


def expired(emulator, doctor, stack):
    other = stack.enter_context(Emulator(emulator.directory, certificate="expired"))
    return {"SECRET_MANAGER_ENDPOINT": other.secretmanager_url, "SSL_CERT_FILE": other.ca_file}


def says_it_is(date):
    def setup(emulator, doctor, stack):
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("emulator.wire.formatdate", lambda usegmt: date)
    return setup


def has_secret(*denied):
    def setup(emulator, doctor, stack):
        emulator.secretmanager.put(doctor.secret, b"old")
        emulator.iam.deny(*denied)
    return setup


def reply(service, name, match=None):
    def setup(emulator, doctor, stack):
        emulator.order(service, match, times=None, reply=errors.named(name))
    return setup


def only(*permissions, then=None):
    def setup(emulator, doctor, stack):
        emulator.iam.grant_only(*permissions)
        if then:
            then(emulator)
    return setup


def manager_off(emulator):
    emulator.resourcemanager.disabled = True


def manager_away(emulator):
    emulator.refuse("resourcemanager")


def conditional(emulator):
    emulator.resourcemanager.conditional.update(f"secretmanager.{name}" for name in ROLES)


ALL = ("secret", "add-version", "access-version", "create-secret")
BROKEN = {
    "wrong-project": Broken(4, failed(*ALL), "does not show",
                            "wrong project: gcloud projects describe no-such-project",
                            {"GCP_PROJECT_ID": "no-such-project"}),
    "no-roles": Broken(4, failed(*ALL), "nothing is granted on it, nor on the project",
                       "no roles: gcloud projects add-iam-policy-binding test-project "
                       "--member=MEMBER --role=roles/secretmanager.secretVersionAdder",
                       setup=only()),
    "not-created-yet-and-no-right-to": Broken(
        4, failed("create-secret"), "secretmanager.secrets.create is not granted",
        "gcloud projects add-iam-policy-binding test-project --member=MEMBER --role=", setup=only(*ROLES)),
    "api-off": Broken(4, failed("api"), "SERVICE_DISABLED",
                      "gcloud services enable secretmanager.googleapis.com",
                      setup=reply("secretmanager", "service_disabled", "get")),
    "billing-off": Broken(4, failed("api"), "BILLING_DISABLED", "billing",
                          setup=reply("secretmanager", "billing_disabled", "get")),
    "quota-project-refused": Broken(4, failed("api"), "USER_PROJECT_DENIED", "quota project",
                                    setup=reply("secretmanager", "user_project_denied", "get")),
    "perimeter": Broken(4, failed("api"), "SECURITY_POLICY_VIOLATED", "VPC Service Controls",
                        setup=reply("secretmanager", "service_perimeter", "get")),
    "no-credentials": Broken(4, failed("credentials"), "could not find",
                             "gcloud auth application-default login", {"NO_GCE_CHECK": "true"}),
    "port-closed": Broken(1, failed("tcp"), "Connection refused", "NetworkPolicy",
                          setup=lambda *_: {"SECRET_MANAGER_ENDPOINT":
                                            f"https://localhost:{free_port()}"}),
    "proxy-refuses": Broken(4, failed("proxy"), "HTTP 403", "NO_PROXY", setup=broken_proxy),
    "proxy-wants-a-login": Broken(4, failed("proxy"), "HTTP 407", "HTTPS_PROXY",
                                  setup=silent_proxy),
    "untrusted-root": Broken(1, failed("tls"), "leads to no trusted root", "SSL_CERT_FILE",
                             {"SSL_CERT_FILE": None}),
    "expired-certificate": Broken(1, failed("tls"), "expired at", "needs a new certificate",
                                  setup=expired),
    "clock-off": Broken(2, failed("clock"), "2029-01-01T00:00:00Z", "NTP",
                        setup=says_it_is("Mon, 01 Jan 2029 00:00:00 GMT")),
    "no-date": Broken(2, unknown("clock"), "no date", "", setup=says_it_is("today")),
    "no-token": Broken(4, failed("token"), "no access token", "roles/iam.workloadIdentityUser",
                       setup=reply("metadata", "metadata_impersonation_denied")),
    "token-refused": Broken(4, failed("api"), "HTTP 401 UNAUTHENTICATED", "",
                            setup=reply("secretmanager", "credentials_invalid", "get")),
    "result-path-unwritable": Broken(2, failed("result-file"), "cannot write into the folder", "",
                                     {"RESULTS_PATH": "/proc/result.json"}),
    "result-path-missing": Broken(2, failed("result-file"), "cannot open the folder", "",
                                  {"RESULTS_PATH": "/no-such-folder/result.json"}),
    "termination-log-missing": Broken(2, failed("termination-log"), "must be a file that is there",
                                      "", {"TERMINATION_LOG_PATH": "/no-such-file"}),
    "termination-log-is-none": Broken(2, failed("termination-log"), "cannot write to /dev/null",
                                      "", {"TERMINATION_LOG_PATH": "/dev/null"}),
    "pull-secret-invalid": Broken(3, failed("pull-secret"), "invalid pull secret", "",
                                  {"PULL_SECRET_DATA": '{"auths":{}}'}),
    "pull-secret-too-large": Broken(3, failed("pull-secret"), "more than", "",
                                    {"PULL_SECRET_DATA": " " * 70000 + "{}"}),
    "pull-secret-missing": Broken(2, failed("pull-secret"), "no pull secret", "PULL_SECRET_FILE",
                                  {"PULL_SECRET_DATA": None}),
    "pull-secret-unreadable": Broken(2, failed("pull-secret"), "No such file", "",
                                     {"PULL_SECRET_DATA": None, "PULL_SECRET_FILE": "/no/file"}),
    "configuration": Broken(2, failed("configuration"), "CLUSTER_ID", "",
                            {"CLUSTER_ID": "WRONG"}),
    "several-options": Broken(2, failed("configuration"), "KEEP_VERSIONS", "", {
        "KEEP_VERSIONS": "x", "MAX_WAIT_TIME_SECONDS": "0", "CLUSTER_ID": "WRONG"}),
    "only-the-adder": Broken(4, failed("access-version"),
                             "secretmanager.versions.access is not granted",
                             "grant it on the secret: gcloud secrets add-iam-policy-binding",
                             setup=has_secret("versions.access")),
    "only-the-accessor": Broken(4, failed("add-version"),
                                "secretmanager.versions.add is not granted",
                                "--role=roles/secretmanager.secretVersionAdder",
                                setup=has_secret("versions.add")),
    "only-the-adder-before-the-first-run": Broken(
        4, unknown("access-version"), "shows only once the secret exists",
        "grant it on the project: gcloud projects add-iam-policy-binding test-project "
        "--member=MEMBER --role=roles/secretmanager.secretAccessor",
        setup=only("versions.add", "secrets.create")),
    "grants-with-a-condition": Broken(
        4, unknown("secret", "add-version", "access-version"), "nothing is granted on it",
        "not created yet: gcloud secrets describe",
        setup=only(*ROLES, "secrets.create", then=conditional)),
    "resource-manager-off": Broken(
        4, unknown(*ALL), "nothing is granted on it", "not created yet: gcloud secrets describe",
        setup=only(*ROLES, "secrets.create", then=manager_off)),
    "resource-manager-out-of-reach": Broken(
        4, unknown("add-version", "access-version", "create-secret"), "Connection refused",
        "NetworkPolicy", setup=lambda emulator, *_: manager_away(emulator)),
    "resource-manager-is-something-else": Broken(
        4, unknown("add-version", "access-version", "create-secret"),
        "HTTP 403 without a JSON error", "proxy",
        setup=reply("resourcemanager", "proxy_forbidden")),
    "permissions-not-answered": Broken(
        4, unknown("add-version", "access-version"), "HTTP 500", "",
        setup=lambda emulator, doctor, _: (
            emulator.secretmanager.put(doctor.secret, b"old"),
            reply("secretmanager", "internal", "testIamPermissions")(emulator, doctor, _))[2:]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(emulator, doctor, name):
    """The exact steps, verdicts, words and exit code, as an object and as text."""
    broken = BROKEN[name]
    with ExitStack() as stack:
        more = broken.setup(emulator, doctor, stack) if broken.setup else None
        for text in (False, True):
            result = doctor(text=text, before=UNPRIVILEGED, **{**broken.env, **dict(more or {})})
            assert doctor.problems == broken.problems, result.out
            assert result.code == broken.code, result.out
            assert broken.message in doctor.steps[broken.step]["message"], result.out
            assert broken.hint in doctor.steps[broken.step].get("hint", ""), result.out


def test_three_causes(emulator, doctor):
    """Each with its command, whatever Cloud Resource Manager says."""
    emulator.iam.grant_only()
    for disabled in (False, True):
        emulator.resourcemanager.disabled = disabled
        assert doctor().code == 4
        lines = doctor.steps["secret"]["hint"].splitlines()
        assert [line.partition(": gcloud ")[0] for line in lines] == [
            "no roles", "wrong project", "not created yet"]
        assert f"secrets describe {doctor.secret} --project=test-project" in lines[2]


def test_what_options_ask_of_the_secret(emulator, doctor):
    """As the job would refuse it: whose it is, and whether it may be seen."""
    emulator.secretmanager.put(doctor.secret, b"old", labels={"managed-by": "others"})
    assert doctor("--require-managed").code == 2
    assert doctor.steps["secret"]["verdict"] == "failed"
    assert "its label managed-by is not hyperfleet" in doctor.steps["secret"]["message"]
    emulator.iam.grant_only("versions.add", "versions.access")
    assert doctor().code == 0
    for flag in ("--require-managed", "--dry-run"):
        assert doctor(flag).code == 4
        assert doctor.steps["secret"]["verdict"] == "failed"
        assert "secrets.get is not granted" in doctor.steps["secret"]["message"]


def test_resource_manager_is_off(emulator, doctor):
    """Unknown, why, and what to do; not the hint for Secret Manager."""
    emulator.resourcemanager.disabled = True
    assert doctor().code == 4
    step = doctor.steps["add-version"]
    assert "of Cloud Resource Manager: HTTP 403 PERMISSION_DENIED SERVICE_DISABLED" in (
        step["message"])
    assert "gcloud services enable cloudresourcemanager.googleapis.com" in step["hint"]
    assert doctor.steps["secret"]["verdict"] == "ok"


def test_an_expired_certificate_is_shown(emulator, doctor):
    with ExitStack() as stack:
        assert doctor(**expired(emulator, doctor, stack)).code == 1
    assert doctor.steps["tls"]["issuer"] == "Emulator CA"
    assert doctor.steps["tls"]["days_left"] < 0
    assert "cipher_suite" not in doctor.steps["tls"]


def test_several_problems(emulator, doctor):
    """The first one gives the exit code, and the rest is looked at all the same."""
    emulator.iam.deny("versions.access")
    emulator.secretmanager.put(doctor.secret, b"old")
    assert doctor(PULL_SECRET_DATA="{}", RESULTS_PATH="/no/where").code == 3
    assert doctor.problems == failed("pull-secret", "result-file", "access-version")
    assert doctor.summary == "Not ready: failed pull-secret, result-file, access-version."
    assert doctor(CLUSTER_ID="WRONG", PULL_SECRET_DATA="{}").code == 2
    assert doctor.problems == failed("configuration", "pull-secret")
    assert {"dns", "tcp", "tls", "token"} <= set(doctor.verdicts("ok"))
    assert {"api", "secret", "add-version"} <= set(doctor.verdicts("skipped"))


def test_an_output_that_is_an_input(emulator, doctor, tmp_path):
    """By the option that names it, or because it is opened."""
    path = shutil.copy(emulator.ca_file, tmp_path / "ca.pem")
    for name, step in (("RESULTS_PATH", "result-file"),
                       ("TERMINATION_LOG_PATH", "termination-log")):
        for given, said in (({"SSL_CERT_FILE": path}, "is the file of SSL_CERT_FILE"),
                            ({"SSL_CERT_FILE": None, "SSL_CERT_DIR": tmp_path}, str(path))):
            result = doctor(**given, **{name: path})
            assert (result.code, doctor.problems) == (2, failed(step))
            assert said in doctor.steps[step]["message"]
    assert path.read_text() == Path(emulator.ca_file).read_text()


def test_a_refused_port_stops_no_other_step(emulator, doctor):
    emulator.refuse("secretmanager")
    assert doctor().code == 1
    assert doctor.problems == failed("tcp")
    assert doctor.steps["dns"]["verdict"] == doctor.steps["token"]["verdict"] == "ok"
    assert doctor.steps["tcp"]["duration_ms"] >= 0
    assert "connected_to" not in doctor.steps["tcp"]


@needs_root
@native
@pytest.mark.parametrize("text", [False, True])
def test_dns_broken(doctor, emulator, scratch, text):
    (scratch.root / "etc").mkdir()
    (scratch.root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.53\n")
    with NameServer({}):
        result = doctor(text=text, before=["/usr/sbin/chroot", scratch.root],
                        SSL_CERT_FILE="/ca.pem",
                        SECRET_MANAGER_ENDPOINT="https://no-such.example")
    assert (result.code, doctor.problems) == (1, failed("dns"))
    assert "NXDOMAIN" in doctor.steps["dns"]["message"]
    assert "addresses" not in doctor.steps["dns"]
    assert doctor.steps["tcp"]["verdict"] == "skipped"


@needs_root
@native
def test_no_room_for_the_result(doctor, emulator, tmp_path):
    """The volume is full: seen without writing."""
    script = ('mount -t tmpfs -o size=8k none "$1" && shift && exec "$@"')
    result = doctor(before=["unshare", "-m", "sh", "-c", script, "sh", tmp_path],
                    RESULTS_PATH=tmp_path / "result.json")
    assert (result.code, doctor.problems) == (1, failed("result-file"))
    assert "no room at" in doctor.steps["result-file"]["message"]


@native
@needs_root
def test_no_room_at_the_usual_place(doctor, emulator, tmp_path):
    """The job would not do without: it does so only where the folder is not there."""
    root = tmp_path / "root"
    (root / "results").mkdir(parents=True)
    shutil.copy(PROGRAM, root / "program")
    shutil.copy(emulator.ca_file, root / "ca.pem")
    script = ('mount -t tmpfs -o size=4k none "$1/results" && '
              'head -c 4096 /dev/zero >"$1/results/x"; root=$1; shift 2; '
              'exec chroot "$root" /program "$@"')
    result = doctor(before=["unshare", "-m", "sh", "-c", script, "sh", root],
                    SSL_CERT_FILE="/ca.pem")
    assert (result.code, doctor.problems) == (1, failed("result-file"))


# --- the rest --------------------------------------------------------------------


def test_credentials(emulator, doctor, tmp_path):
    before = len(emulator.connections())
    (tmp_path / "adc.json").write_text("{")
    result = doctor(GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "adc.json"))
    assert (result.code, doctor.problems) == (2, failed("credentials"))
    assert doctor.verdicts("ok") == ["configuration", "pull-secret"]
    assert len(emulator.connections()) == before


def test_where_credentials_were_looked_for(emulator, doctor, tmp_path):
    """The variable, gcloud's file and the metadata server, each with what was found."""
    named, home = tmp_path / "adc.json", tmp_path / "home"
    own = home / ".config/gcloud/application_default_credentials.json"
    own.parent.mkdir(parents=True)
    server = ("metadata server", emulator.metadata_host, "is used")
    variable, file = "GOOGLE_APPLICATION_CREDENTIALS", "gcloud's credential file"
    emulator.make_authorized_user(named)
    rows = [
        ({"HOME": home}, [(variable, "is not set"), (file, str(own), "is not there"), server]),
        ({}, [(variable, "is not set"), (file, "gives no path"), server]),
        ({variable: named, "HOME": home},
         [(variable, str(named), "is used"), (file, "is not looked at"),
          ("metadata server", "is not looked at")]),
        ({"NO_GCE_CHECK": "true"}, [(variable, "is not set"), (file, "gives no path"),
                                    ("metadata server", "is ruled out")]),
    ]
    for given, expected in rows:
        doctor(**given)
        searched = doctor.steps["credentials"]["searched"]
        assert [tuple(place.values()) for place in searched] == expected
        doctor(text=True, **given)
        assert doctor.steps["credentials"]["searched"].splitlines() == list(
            map(" ".join, expected))
    shutil.copy(named, own)
    assert doctor(HOME=home).code == 0
    assert doctor.steps["credentials"]["message"] == f"authorized_user, {own}"


def test_the_endpoint_of_the_resource_manager(emulator, doctor):
    assert doctor(RESOURCE_MANAGER_ENDPOINT="http://example.com").code == 2
    assert doctor.problems == failed("credentials")
    assert "RESOURCE_MANAGER_ENDPOINT" in doctor.steps["credentials"]["message"]
    url = doctor.environment()["RESOURCE_MANAGER_ENDPOINT"]
    assert doctor("--resource-manager-endpoint", url, RESOURCE_MANAGER_ENDPOINT=None).code == 0


def test_options_of_the_job_are_checked(doctor):
    """Each is named; and a log that is asked for is not written here."""
    assert doctor("--keep", "x", "--log-format", "y", "--timeout", "0").code == 2
    assert doctor.problems == failed("configuration")
    for flag in ("--keep", "--log-format", "--timeout"):
        assert flag in doctor.steps["configuration"]["message"]
    assert doctor(LOG_LEVEL="debug", LOG_FORMAT="text", PERMISSION_WAIT_SECONDS="60").code == 0


def test_usage(emulator, doctor):
    before = len(emulator.connections())
    for words in (["x"], ["--nope"], ["--force"]):
        result = doctor(*words, text=True)
        assert (result.code, result.out) == (2, "")
        assert re.fullmatch(r"pull-secret: doctor: .*\n", result.err)
    assert len(emulator.connections()) == before


def test_help(run):
    result = run("doctor", "--help")
    assert result.code == 0
    assert result.out.startswith("usage: pull-secret doctor [--json]")
    said = " ".join(result.out.split())
    assert "that of the first step that failed, or else that of the failure" in said
    assert "0 only if nothing failed or is unknown" in said


def test_out_of_time(emulator, doctor):
    emulator.order("secretmanager", "get", drop="uncommitted", how="hang")
    assert doctor("--timeout", "1").code == 1
    assert doctor.problems == failed("api")
