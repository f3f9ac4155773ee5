"""The applet that walks the whole way and says what to do."""

import json
import re
import subprocess

import pytest
from conftest import CLUSTER, PROGRAM, SECRET, Runner, native, needs_root
from nameserver import NameServer
from proxyserver import ProxyServer

from emulator import errors

STEPS = ["configuration", "credentials", "dns", "tcp", "proxy", "tls", "token", "api",
         "clock", "add-version", "access-version", "create-secret"]
GOOGLE = "secretmanager.googleapis.com"


class Doctor(Runner):
    """Runs it with --json, and checks the form of what it prints."""

    def __call__(self, *words, text=False, **variables):
        env = {"GCP_PROJECT_ID": self.emulator.project, "CLUSTER_ID": CLUSTER,
               **self.emulator.environment(), **variables}
        words = words if text else ("--json", *words)
        result = super().__call__("doctor", *words, env=env)
        if not text and result.code != 2 or result.out:
            assert result.err == ""
        if text:
            return result
        value = json.loads(result.out)
        assert list(value) == ["ok", "steps"]
        assert value["ok"] == (result.code == 0)
        assert [step["name"] for step in value["steps"]] == STEPS
        self.steps = {step["name"]: step for step in value["steps"]}
        return result

    def verdicts(self, verdict):
        return [name for name, step in self.steps.items() if step["verdict"] == verdict]

    def check(self, result, code, failed, part, hint):
        """One step has failed, and those that need it were not taken."""
        assert result.code == code, result.out
        assert self.verdicts("failed") == [failed]
        step = self.steps[failed]
        assert part in step["message"]
        assert hint in step.get("hint", "")


@pytest.fixture
def doctor(emulator):
    runner = Doctor(emulator)
    yield runner
    runner.stop()
    changing = {"create", "addVersion", "patch", "delete", "destroy", "disable", "enable"}
    assert not changing & {entry.operation for entry in emulator.requests()}


def test_all_is_well(emulator, doctor):
    emulator.secretmanager.put(SECRET, b"old")
    assert doctor().code == 0
    assert doctor.verdicts("skipped") == ["proxy", "create-secret"]
    assert doctor.verdicts("failed") == []
    assert emulator.secretmanager.payloads(SECRET) == [b"old"]
    assert len(emulator.connections("secretmanager")) == 1


def test_before_the_first_run(emulator, doctor):
    assert doctor().code == 0
    assert "does not exist yet" in doctor.steps["api"]["message"]
    assert doctor.verdicts("failed") == []
    assert "secretmanager.secrets.create" in doctor.steps["create-secret"]["message"]


def test_text_for_people(emulator, doctor):
    emulator.secretmanager.put(SECRET, b"old")
    emulator.iam.deny("versions.access")
    result = doctor(text=True)
    lines = result.out.splitlines()
    assert [line[9:25].strip() for line in lines if not line.startswith(" ")] == STEPS
    assert {line.split()[0] for line in lines if not line.startswith(" ")} == {
        "ok", "failed", "skipped"}
    assert "-> grant roles/secretmanager.secretAccessor" in result.out
    assert result.code == 4


@pytest.mark.parametrize("permission", ["versions.add", "versions.access"])
def test_a_permission_that_lacks(emulator, doctor, permission):
    emulator.secretmanager.put(SECRET, b"old")
    emulator.iam.deny(permission)
    step = "add-version" if permission.endswith("add") else "access-version"
    doctor.check(doctor(), 4, step, f"secretmanager.{permission} is not granted",
                 "grant roles/secretmanager.")


def test_what_the_job_does_not_need_is_no_fault(emulator, doctor):
    """The least of roles: no permission to look at the secret itself."""
    emulator.secretmanager.put(SECRET, b"old")
    emulator.iam.grant_only("versions.add", "versions.access")
    assert doctor().code == 0
    assert "not needed" in doctor.steps["api"]["message"]
    assert {"add-version", "access-version"} <= set(doctor.verdicts("ok"))


def test_configuration(emulator, doctor):
    doctor.check(doctor(CLUSTER_ID="WRONG"), 2, "configuration", "CLUSTER_ID", "")
    assert {"dns", "tcp", "tls", "token"} <= set(doctor.verdicts("ok"))
    assert "api" in doctor.verdicts("skipped")


def test_credentials(emulator, doctor, tmp_path):
    (tmp_path / "adc.json").write_text("{")
    result = doctor(GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "adc.json"))
    assert result.code == 2
    assert doctor.verdicts("failed") == ["credentials"]
    assert doctor.verdicts("ok") == ["configuration"]
    assert emulator.connections() == []


def test_no_credentials(doctor):
    doctor.check(doctor("--no-metadata"), 4, "credentials", "could not find",
                 "gcloud auth application-default login")


def test_the_source_of_credentials(emulator, doctor, tmp_path):
    emulator.make_authorized_user(tmp_path / "adc.json")
    assert doctor(GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "adc.json")).code == 0
    assert doctor.steps["credentials"]["message"].startswith("authorized_user, ")


def test_refused(emulator, doctor):
    emulator.refuse("secretmanager")
    doctor.check(doctor(), 1, "tcp", "Connection refused", "NetworkPolicy")
    assert doctor.verdicts("ok") == ["configuration", "credentials", "dns", "token"]


@needs_root
@native
def test_a_name_that_does_not_resolve(emulator, scratch):
    (scratch.root / "etc").mkdir()
    (scratch.root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.53\n")
    env = {**scratch.environment(), "SSL_CERT_FILE": "/ca.pem",
           "SECRET_MANAGER_ENDPOINT": "https://no-such.example"}
    with NameServer({}):
        done = subprocess.run(["/usr/sbin/chroot", scratch.root, PROGRAM, "doctor", "--json"],
                              env=env, capture_output=True, check=False)
    steps = {step["name"]: step for step in json.loads(done.stdout)["steps"]}
    assert done.returncode == 1
    assert steps["dns"]["verdict"] == "failed"
    assert "NXDOMAIN" in steps["dns"]["message"]
    assert steps["tcp"]["verdict"] == "skipped"


def test_a_certificate_that_is_not_trusted(doctor):
    doctor.check(doctor(SSL_CERT_FILE=""), 1, "tls", "leads to no trusted root",
                 "SSL_CERT_FILE")


def test_plain_http(start_emulator):
    emulator = start_emulator(plain=True)
    doctor = Doctor(emulator)
    assert doctor().code == 0
    assert "plain http" in doctor.steps["tls"]["message"]


def test_through_a_proxy(emulator, doctor):
    endpoint = f"https://{GOOGLE}:{emulator.port('secretmanager')}"
    with ProxyServer() as proxy:
        result = doctor(HTTPS_PROXY=f"127.0.0.1:{proxy.port}",
                        SECRET_MANAGER_ENDPOINT=endpoint)
        assert result.code == 0
        assert doctor.steps["proxy"]["verdict"] == "ok"
        assert f"127.0.0.1:{proxy.port}" in doctor.steps["proxy"]["message"]
    with ProxyServer(user="a:b") as proxy:
        result = doctor(HTTPS_PROXY=f"127.0.0.1:{proxy.port}",
                        SECRET_MANAGER_ENDPOINT=endpoint)
        doctor.check(result, 4, "proxy", "HTTP 407", "HTTPS_PROXY")


def test_the_token(emulator, doctor):
    emulator.order("metadata", times=None, reply=errors.metadata_impersonation_denied())
    doctor.check(doctor(), 4, "token", "no access token", "roles/iam.workloadIdentityUser")
    assert "tls" in doctor.verdicts("ok")


@pytest.mark.parametrize("name", ["service_disabled", "billing_disabled",
                                  "user_project_denied", "service_perimeter"])
def test_the_api(emulator, doctor, name):
    emulator.order("secretmanager", "get", reply=errors.named(name))
    result = doctor()
    assert result.code == 4
    assert doctor.verdicts("failed") == ["api"]
    assert doctor.steps["api"]["hint"]
    assert doctor.steps["add-version"]["verdict"] == "skipped"


def test_a_clock_that_is_wrong(emulator, doctor, monkeypatch):
    monkeypatch.setattr("emulator.wire.formatdate",
                        lambda usegmt: "Mon, 01 Jan 2029 00:00:00 GMT")
    doctor.check(doctor(), 2, "clock", "2029-01-01T00:00:00Z", "NTP")


def test_usage(emulator, doctor):
    for words in (["x"], ["--nope"], ["--dry-run"]):
        result = doctor(*words, text=True)
        assert (result.code, result.out) == (2, "")
        assert re.fullmatch(r"pull-secret: doctor: .*\n", result.err)
    assert emulator.connections() == []


def test_help(doctor):
    result = doctor("--help", text=True)
    assert result.code == 0
    assert result.out.startswith("usage: pull-secret doctor [--json]")


def test_out_of_time(emulator, doctor):
    emulator.order("secretmanager", "get", drop="uncommitted", how="hang")
    result = doctor("--timeout", "1")
    assert result.code == 1
    assert doctor.verdicts("failed") == ["api"]
