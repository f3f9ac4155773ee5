"""The applet that prints an access token."""

import json
import re
import signal
import time
from datetime import datetime

import pytest
from conftest import Runner, until

from emulator import errors


@pytest.fixture
def token(emulator):
    """Run the applet: it prints a token, so nothing is searched for one."""
    runner = Runner()

    def run(*words, start=False, **variables):
        env = {**emulator.environment(), **variables}
        return (runner.start if start else runner)("token", *words, env=env)

    yield run
    runner.stop()


def test_the_token_alone(emulator, token):
    result = token()
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith("\n")
    assert emulator.tokens.find(result.out[:-1]).valid
    assert emulator.requests("secretmanager") == []
    assert emulator.connections("secretmanager") == []


def test_with_expiry_and_source(emulator, token):
    result = token("--json", "--show-token")
    assert result.code == 0
    value = json.loads(result.out)
    assert list(value) == ["access_token", "expires_at", "source"]
    assert emulator.tokens.find(value["access_token"]).valid
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value["expires_at"])
    left = datetime.fromisoformat(value["expires_at"]).timestamp() - time.time()
    assert 3000 < left < 3700
    assert value["source"] == f"metadata server {emulator.metadata_host}"


def test_an_object_shows_no_token_unless_asked(emulator, token):
    result = token("--json")
    assert (result.code, result.err) == (0, "")
    assert list(json.loads(result.out)) == ["expires_at", "source"]
    assert token("--json", "--show-token=false").out == result.out
    assert emulator.tokens.find(token("--show-token").out[:-1]).valid


def test_of_a_credential_file(emulator, token, tmp_path):
    emulator.make_authorized_user(tmp_path / "adc.json")
    result = token("--json", "--show-token", "--credentials-file", tmp_path / "adc.json")
    value = json.loads(result.out)
    assert value["source"] == f"authorized_user, {tmp_path}/adc.json"
    assert emulator.tokens.find(value["access_token"]).kind == "user"


def test_impersonated(emulator, token):
    target = "target@test-project.iam.gserviceaccount.com"
    emulator.federation.impersonators.add((emulator.metadata.email, target))
    result = token("--impersonate-service-account", target)
    assert emulator.tokens.find(result.out[:-1]).identity == target


USAGE = {
    "operand": (["x"], "x"), "unknown": (["--nope"], "--nope"),
    "value": (["--json=maybe"], "--json"), "timeout": (["--timeout", "x"], "--timeout=x must be"),
    "job-flag": (["--dry-run"], "--dry-run"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(emulator, token, name):
    words, part = USAGE[name]
    result = token(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("pull-secret: token")
    assert result.err.count("\n") == 1
    assert part in result.err
    assert emulator.connections() == []


def test_help(token):
    result = token("--help")
    assert result.code == 0
    assert result.out.startswith("usage: pull-secret token [--json]")
    assert "GOOGLE_APPLICATION_CREDENTIALS" in result.out
    assert "CLUSTER_ID" not in result.out
    assert not re.search(r" $", result.out, re.M)


def test_refused(emulator, token):
    emulator.order("metadata", times=None, reply=errors.metadata_impersonation_denied())
    result = token()
    assert (result.code, result.out) == (4, "")
    assert "no access token" in result.err


def test_out_of_time(emulator, token):
    emulator.order("metadata", times=None, drop="uncommitted", how="hang")
    result = token("--timeout", "1")
    assert (result.code, result.out) == (1, "")


def test_no_credentials(token):
    result = token("--no-metadata")
    assert (result.code, result.out) == (4, "")
    assert "gcloud auth application-default login" in result.err


def test_a_signal(emulator, token):
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = token(start=True)
    until(lambda: emulator.requests("metadata"))
    process.popen.send_signal(signal.SIGTERM)
    result = process.wait()
    assert (result.code, result.out) == (143, "")
    assert "SIGTERM" in result.err
