"""Errors that Secret Manager answers: code, remedy, exit, and what was sent."""

import json

import pytest
from conftest import CLUSTER, PULL_SECRET, SECRET, Job, together

from emulator import errors
from emulator.wire import Reply

ROLES = "roles/secretmanager.secretVersionAdder"
FRONT_END = "front end or a proxy"
# Replies to the first addVersion: exit code, error_code, HTTP status, and a part
# of the message or of the hint.
REFUSALS = {
    "credentials_invalid": (4, "UNAUTHENTICATED", 401, "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
    "credentials_missing": (4, "UNAUTHENTICATED", 401, "CREDENTIALS_MISSING"),
    "token_expired": (4, "UNAUTHENTICATED", 401, "ACCESS_TOKEN_EXPIRED"),
    "scope_insufficient": (4, "PERMISSION_DENIED", 403, "access scopes"),
    "permission_denied": (4, "PERMISSION_DENIED", 403, "IAM_PERMISSION_DENIED"),
    "permission_denied_old": (4, "PERMISSION_DENIED", 403, ROLES),
    "service_disabled": (4, "PERMISSION_DENIED", 403,
                         "gcloud services enable secretmanager.googleapis.com"),
    "quota_project_required": (4, "PERMISSION_DENIED", 403,
                               "GOOGLE_CLOUD_QUOTA_PROJECT"),
    "user_project_denied": (4, "PERMISSION_DENIED", 403,
                            "roles/serviceusage.serviceUsageConsumer"),
    "billing_disabled": (4, "PERMISSION_DENIED", 403, "enable billing"),
    "consumer_invalid": (4, "PERMISSION_DENIED", 403, "CONSUMER_INVALID: "),
    "service_perimeter": (4, "PERMISSION_DENIED", 403, "VPC Service Controls"),
    "tls_policy": (4, "PERMISSION_DENIED", 403, "TLS 1.2"),
    "proxy_forbidden": (4, "PERMISSION_DENIED", 403, FRONT_END),
    "invalid_argument": (2, "INVALID_ARGUMENT", 400, "Field [payload] is required"),
    "checksum_mismatch": (2, "INVALID_ARGUMENT", 400, "data_crc32c"),
    "location_policy": (2, "FAILED_PRECONDITION", 400, "constraints/gcp."),
    "wrong_state": (2, "FAILED_PRECONDITION", 400, "DISABLED"),
    "etag_mismatch": (2, "FAILED_PRECONDITION", 400, "etag"),
    "unimplemented": (2, "UNIMPLEMENTED", 501, "not implemented"),
    "already_exists": (2, "ALREADY_EXISTS", 409, "already exists"),
    "html_400": (2, "INVALID_ARGUMENT", 400, FRONT_END),
    "html_404": (1, "UNKNOWN", 404, "does not mean that a secret is missing"),
    "html_411": (1, "UNKNOWN", 411, FRONT_END),
    "html_413": (1, "UNKNOWN", 413, FRONT_END),
    "html_431": (1, "UNKNOWN", 431, FRONT_END),
    "redirect": (1, "UNKNOWN", 302, "redirects are never followed"),
    "aborted": (1, "ABORTED", 409, "aborted"),
}
# Replies after which a later try may succeed.
OUTAGES = {
    "unavailable": ("UNAVAILABLE", 503, "currently unavailable"),
    "internal": ("INTERNAL", 500, "Internal error"),
    "deadline_exceeded": ("DEADLINE_EXCEEDED", 504, "Deadline expired"),
    "quota_exceeded": ("RESOURCE_EXHAUSTED", 429, "a quota is used up"),
    "html_429": ("RESOURCE_EXHAUSTED", 429, FRONT_END),
    "html_500": ("INTERNAL", 500, FRONT_END),
    "html_502": ("UNAVAILABLE", 502, FRONT_END),
    "html_503": ("UNAVAILABLE", 503, FRONT_END),
    "oauth_unavailable": ("UNAVAILABLE", 503, "temporarily_unavailable"),
}


def sent(emulator):
    return [entry.operation for entry in emulator.requests("secretmanager")]


def check_error(result, exit_code, code, status, part):
    assert result.code == exit_code, result.out
    error = result.error
    assert error["error_code"] == code
    assert error["http_status"] == status
    assert part in error["message"] + error.get("hint", "")
    assert result.stderr == b""


# What the hint tells to do, where that is more than a code can tell, and what the
# hint must not lead to.
REMEDIES = {
    "consumer_invalid": ("there is no such project: check the ID in GCP_PROJECT_ID", "roles/"),
    "location_policy": ("--location A,B (SECRET_LOCATIONS), or --regional LOCATION",
                        "roles/"),
    "credentials_invalid": ("the service account here may be disabled or deleted", "login"),
    "token_expired": ("set the clock", "login"),
    "captive_portal": ("a captive portal does: check the endpoint and HTTPS_PROXY", "roles/"),
    "permission_denied": (ROLES, "login"),
}


def test_remedies(emulator, job):
    """In our own words, which are never taken for a secret, whatever the payload is."""
    words = " ".join(words for words, _ in REMEDIES.values())
    secret = json.dumps({"auths": json.loads(PULL_SECRET)["auths"], "x": words})
    for name, (words, others) in REMEDIES.items():
        emulator.orders.clear()
        emulator.order("secretmanager", times=None, reply=errors.named(name))
        result = job(MAX_WAIT_TIME_SECONDS=1, PULL_SECRET_DATA=secret)
        assert words in result.error["hint"], name
        assert others not in result.error["hint"] and "*" not in result.error["hint"], name


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_version_is_the_end(emulator, job, name):
    emulator.order("secretmanager", "addVersion", times=None, reply=errors.named(name))
    result = job()
    exit_code, code, status, part = REFUSALS[name]
    check_error(result, exit_code, code, status, part)
    assert result.warnings == []
    assert result.error["operation"] == "add-secret-version"
    assert sent(emulator).count("addVersion") == (2 if status == 401 else 1)
    assert set(sent(emulator)) <= {"addVersion", "access"}


def test_an_outage_outlasts_the_time(start_emulator):
    """Where no time is left for a retry (here: the third), the failure is reported, not
    the deadline."""
    def check(name, code, status, part):
        emulator = start_emulator()
        emulator.order("secretmanager", "addVersion", times=None,
                       reply=errors.named(name))
        result = Job(emulator)(MAX_WAIT_TIME_SECONDS=5)
        check_error(result, 1, code, status, part)
        assert result.error["hint"]
        assert set(sent(emulator)) <= {"addVersion", "access"}

    together(check, {name: (name, *row) for name, row in OUTAGES.items()})


CREATE_REFUSALS = {
    "permission_denied": (4, "PERMISSION_DENIED", 403, "secretmanager.secrets.create"),
    "project_not_found": (2, "NOT_FOUND", 404, "check GCP_PROJECT_ID"),
    "location_policy": (2, "FAILED_PRECONDITION", 400, "--location A,B (SECRET_LOCATIONS)"),
    "html_404": (1, "UNKNOWN", 404, FRONT_END),
}


@pytest.mark.parametrize("name", CREATE_REFUSALS)
def test_a_refused_secret_is_the_end(emulator, job, name):
    emulator.order("secretmanager", "create", times=None, reply=errors.named(name))
    result = job()
    check_error(result, *CREATE_REFUSALS[name])
    assert result.error["operation"] == "create-secret"
    assert sent(emulator) == ["addVersion", "create"]


ACCESS_REFUSALS = {
    "permission_denied": (4, "PERMISSION_DENIED", 403,
                          "roles/secretmanager.secretAccessor"),
    "version_not_found": (1, "NOT_FOUND", 404, "written but not verified"),
    "wrong_state": (1, "FAILED_PRECONDITION", 400, "written but not verified"),
    "html_404": (1, "UNKNOWN", 404, FRONT_END),
}


@pytest.mark.parametrize("name", ACCESS_REFUSALS)
def test_a_refused_read_back_names_the_version(emulator, job, name):
    emulator.secretmanager.put(SECRET, b"old")
    emulator.order("secretmanager", "access", times=None, reply=errors.named(name))
    result = job()
    check_error(result, *ACCESS_REFUSALS[name])
    assert result.error["version"].endswith("/versions/2")
    assert "a version was already written" in result.error["message"]
    assert sent(emulator) == ["addVersion", "access"]


DRY_REFUSALS = {
    "permission_denied": (4, "PERMISSION_DENIED", 403, "IAM_PERMISSION_DENIED"),
    "html_404": (1, "UNKNOWN", 404, FRONT_END),
    "service_disabled": (4, "PERMISSION_DENIED", 403, "gcloud services enable"),
}


@pytest.mark.parametrize("name", DRY_REFUSALS)
def test_a_refused_dry_run(emulator, job, name):
    emulator.order("secretmanager", "get", times=None, reply=errors.named(name))
    result = job("--dry-run")
    check_error(result, *DRY_REFUSALS[name])
    assert sent(emulator) == ["get"]


@pytest.mark.parametrize("reply", [errors.permission_denied, errors.permission_denied_old])
def test_a_refused_dry_run_names_what_is_missing(emulator, job, reply):
    """And not the roles that the job has, and that do not hold it."""
    emulator.order("secretmanager", "get", times=None,
                   reply=reply("secretmanager.secrets.get"))
    hint = job("--dry-run").error["hint"]
    assert "secretmanager.secrets.get" in hint
    assert "roles/secretmanager.viewer" in hint
    assert ROLES not in hint and "secretAccessor" not in hint


def test_permissions_that_the_identity_lacks(start_emulator):
    """The emulator's own access control, one permission missing at a time."""
    needed = {"secretmanager.versions.add": ["addVersion"],
              "secretmanager.secrets.create": ["addVersion", "create"],
              "secretmanager.versions.access":
                  ["addVersion", "create", "addVersion", "access"]}

    def check(permission, requests):
        emulator = start_emulator()
        emulator.iam.deny(permission)
        result = Job(emulator)()
        check_error(result, 4, "PERMISSION_DENIED", 403, permission)
        assert sent(emulator) == requests

    together(check, {name: (name, value) for name, value in needed.items()})


def test_a_project_that_does_not_exist(emulator, job):
    result = job(GCP_PROJECT_ID="no-such-project")
    assert result.code in (2, 4)
    assert "no-such-project" in result.error["message"]
    assert emulator.secretmanager.payloads(SECRET) == []


def test_an_error_inside_an_array(emulator, job):
    reply = errors.wrapped(errors.permission_denied())
    emulator.order("secretmanager", "addVersion", reply=reply)
    check_error(job(), 4, "PERMISSION_DENIED", 403, "IAM_PERMISSION_DENIED")


def test_a_help_link_becomes_a_hint(emulator, job):
    link = errors.help_link("Read this", "https://cloud.example/help")
    reply = errors.api("FAILED_PRECONDITION", "No.", [link])
    emulator.order("secretmanager", "addVersion", reply=reply)
    result = job()
    check_error(result, 2, "FAILED_PRECONDITION", 400, "https://cloud.example/help")


ODD_ERRORS = {
    "status-wins-over-http": (errors.api("NOT_FOUND", "x", code=400), "create"),
    "http-without-status": (Reply(403, b'{"error": {"code": 403}}',
                                  errors.API_HEADERS), "PERMISSION_DENIED"),
    "unknown-status": (Reply(418, b'{"error": {"status": "TEAPOT"}}',
                             errors.API_HEADERS), "UNKNOWN"),
    "status-ok": (Reply(400, b'{"error": {"status": "OK"}}', errors.API_HEADERS),
                  "UNKNOWN"),
    "numbers-for-texts": (Reply(403, b'{"error": {"status": 7, "message": [1]}}',
                                errors.API_HEADERS), "PERMISSION_DENIED"),
    "details-of-any-kind": (errors.api("PERMISSION_DENIED", "x", [
        {"@type": "type.googleapis.com/some.Thing", "reason": "OTHER"}, 1, None, [],
        {"reason": "UNTYPED"}]), "PERMISSION_DENIED"),
    "empty-body": (Reply(403, b"", errors.API_HEADERS), "PERMISSION_DENIED"),
    "empty-object": (Reply(403, b"{}", errors.API_HEADERS), "PERMISSION_DENIED"),
    "broken-json": (Reply(403, b'{"error": {"status": "ABORTED"', errors.API_HEADERS),
                    "PERMISSION_DENIED"),
    "json-of-another-type": (Reply(403, b'{"error": {"status": "NOT_FOUND"}}',
                                   (("Content-Type", "text/plain"),)),
                             "PERMISSION_DENIED"),
    "larger-than-the-limit": (Reply(403, b"<" + b"x" * 200_000,
                                    errors.HTML_HEADERS), "PERMISSION_DENIED"),
}


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_odd_errors(start_emulator, framing):
    def check(reply, expected):
        emulator = start_emulator(framing=framing)
        emulator.order("secretmanager", "addVersion", reply=reply)
        result = Job(emulator)()
        if expected == "create":
            assert "create" in sent(emulator)
        else:
            assert result.error["error_code"] == expected, result.out
            assert result.error["http_status"] == reply.status
            assert sent(emulator) == ["addVersion"]

    together(check, ODD_ERRORS)


ECHOES = {
    "whole": lambda sent: sent,
    "payload": lambda sent: json.loads(sent)["payload"]["data"],
    "decoded": lambda sent: PULL_SECRET,
    "escaped": lambda sent: json.dumps(PULL_SECRET),
}


@pytest.mark.parametrize("name", ECHOES)
def test_an_error_that_echoes_the_payload_is_redacted(emulator, job, monkeypatch, name):
    """Every run is searched for the secret; here the server puts it into words."""
    def answer(request, operation):
        echo = ECHOES[name](request.body.decode())
        return errors.invalid_argument(f"Invalid value: {echo} in the payload")

    monkeypatch.setattr(emulator.secretmanager, "answer", answer)
    result = job()
    assert result.code == 2
    assert "***" in result.error["message"]


@pytest.mark.parametrize("operation", ["get", "delete"])
@pytest.mark.parametrize("name", ["service_disabled", "billing_disabled", "proxy_forbidden",
                                  "quota_project_required", "permission_denied_old"])
def test_a_deletion_names_its_permission_where_that_is_missing(emulator, run, job, name,
                                                               operation):
    """No role helps against an API that is off, or against a proxy."""
    emulator.secretmanager.put(SECRET, b"old", labels={"managed-by": "hyperfleet",
                                                       "cluster-id": CLUSTER})
    emulator.order("secretmanager", operation, reply=errors.named(name))
    result = run("run-job", "delete-pull-secret",
                 env=job.environment(PULL_SECRET_DATA=None))
    assert result.code == 4
    granted = f"secretmanager.secrets.{operation}" in result.error["hint"]
    assert granted == (name == "permission_denied_old")
    if name != "permission_denied_old":
        assert REFUSALS[name][3] in result.error["message"] + result.error["hint"]
