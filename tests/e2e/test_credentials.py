"""Where the token comes from: ADC files, the metadata server, OAuth."""

import json
import os
from urllib.parse import parse_qsl

import pytest
from conftest import SECRET, UNPRIVILEGED, Job, together

from emulator import Reply, errors
from emulator.errors import METADATA_HEADERS

REQUIRED = ("client_id", "client_secret", "refresh_token")
GCLOUD_FILE = "application_default_credentials.json"
TOKEN = "ya29.canary-token-that-nobody-may-see"


@pytest.fixture
def adc(emulator, tmp_path):
    """Write an ADC file; keywords change members, None removes one."""
    def write(path=None, **changes):
        path = path or tmp_path / "adc.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        value = {**emulator.make_authorized_user(path), **changes}
        path.write_text(json.dumps({name: item for name, item in value.items()
                                    if item is not None}))
        return path
    return write


def refused(emulator, result, *words):
    """Exit 2, one error line with these words, nothing sent anywhere."""
    assert result.code == 2, result.out
    assert result.error["operation"] == "validate-config"
    for word in words:
        assert str(word) in result.error["message"], result.error
    assert emulator.connections() == []


# --- the file --------------------------------------------------------------------

NOT_JSON = {
    "empty": b"", "blank": b" \n", "text": b"hello", "truncated": b'{"type": "auth',
    "trailing-comma": b'{"type": "authorized_user",}', "nul": b'{}\0',
    "invalid-utf8": b'{"type": "\xff"}', "twin": b'{"type": "a", "type": "b"}',
}


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_not_json(emulator, job, tmp_path, content):
    path = tmp_path / "adc.json"
    path.write_bytes(content)
    refused(emulator, job(GOOGLE_APPLICATION_CREDENTIALS=path), path, "is not JSON")


NOT_CREDENTIALS = {
    "array": ("[]", "not an object"), "string": ('"authorized_user"', "not an object"),
    "null": ("null", "not an object"), "empty-object": ("{}", "lacks type"),
    "oauth-client": ('{"installed": {"client_id": "x"}}', "lacks type"),
    "unknown": ('{"type": "canary"}', "unknown type"),
    "empty-type": ('{"type": ""}', "type"), "number": ('{"type": 1}', "type"),
    "null-type": ('{"type": null}', "type"),
    "wrong-case": ('{"type": "Authorized_User"}', "unknown type"),
    "nul-after": (r'{"type": "authorized_user\u0000"}', "type"),
}


@pytest.mark.parametrize("content, word", NOT_CREDENTIALS.values(), ids=NOT_CREDENTIALS)
def test_not_credentials(emulator, job, tmp_path, content, word):
    path = tmp_path / "adc.json"
    path.write_text(content)
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    refused(emulator, result, path, word)
    if word == "unknown type":
        assert "the types are authorized_user, external_account," in result.error["hint"]
        assert "canary" not in result.out.replace(str(tmp_path), "")


@pytest.mark.parametrize("member", REQUIRED)
@pytest.mark.parametrize("value", [None, "", 1, ["x"], {}, True, "a\0b", "x" * 20_000],
                         ids=["missing", "empty", "number", "array", "object", "true",
                              "nul", "long"])
def test_required_members(emulator, job, adc, member, value):
    path = adc(**{member: value})
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    refused(emulator, result, path, member)


def test_a_null_member(emulator, job, adc):
    path = adc()
    path.write_text(path.read_text().replace('"refresh_token": "', '"refresh_token": '
                                             'null, "x": "'))
    refused(emulator, job(GOOGLE_APPLICATION_CREDENTIALS=path), "refresh_token")


UNREADABLE = {"missing": "No such file", "folder": "is a directory",
              "file/below": "Not a directory"}


@pytest.mark.parametrize("name, why", UNREADABLE.items(), ids=UNREADABLE)
def test_a_named_file_that_cannot_be_read(emulator, job, tmp_path, name, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / name
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    refused(emulator, result, "GOOGLE_APPLICATION_CREDENTIALS", path, why)
    assert "mount the file there" in result.error["hint"]


def test_a_named_file_without_permission(emulator, job, adc):
    path = adc()
    path.chmod(0)
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path, before=UNPRIVILEGED)
    refused(emulator, result, path, "Permission denied")


def test_a_huge_file(emulator, job, tmp_path):
    path = tmp_path / "adc.json"
    path.write_text(" " * 10_000_000)
    refused(emulator, job(GOOGLE_APPLICATION_CREDENTIALS=path), path)


# --- the search ------------------------------------------------------------------


def source(emulator):
    """Which of the services was asked for a token."""
    return [entry.service for entry in emulator.requests()
            if entry.service != "secretmanager"]


def test_order_of_the_search(emulator, job, adc, tmp_path):
    """Each place is used when those before it are not there."""
    home, config = tmp_path / "home", tmp_path / "config"
    named = adc(tmp_path / "named.json")
    adc(config / GCLOUD_FILE)
    adc(home / ".config" / "gcloud" / GCLOUD_FILE)
    places = {"GOOGLE_APPLICATION_CREDENTIALS": named, "CLOUDSDK_CONFIG": config,
              "HOME": home}
    files = (named, config / GCLOUD_FILE, home / ".config" / "gcloud" / GCLOUD_FILE)
    for name, path in zip(list(places), files):
        emulator.journal.clear()
        result = job(**places)
        assert result.code == 0, result.out
        form = dict(parse_qsl(emulator.requests("oauth")[0].body.decode()))
        token = json.loads(path.read_text())["refresh_token"]
        assert form["refresh_token"] == token, name
        del places[name]
    emulator.journal.clear()
    assert job().code == 0
    assert source(emulator) == ["metadata"]


def test_a_gcloud_folder_hides_the_one_in_home(emulator, job, adc, tmp_path):
    adc(tmp_path / ".config" / "gcloud" / GCLOUD_FILE)
    (tmp_path / "config").mkdir()
    assert job(CLOUDSDK_CONFIG=tmp_path / "config", HOME=tmp_path).code == 0
    assert source(emulator) == ["metadata"]


@pytest.mark.parametrize("name", ["CLOUDSDK_CONFIG", "HOME",
                                  "GOOGLE_APPLICATION_CREDENTIALS"])
def test_empty_variables_do_not_count(emulator, job, name):
    assert job(**{name: ""}).code == 0
    assert source(emulator) == ["metadata"]


def test_a_wrong_gcloud_file_is_not_passed_over(emulator, job, adc, tmp_path):
    path = adc(tmp_path / GCLOUD_FILE, refresh_token=None)
    refused(emulator, job(CLOUDSDK_CONFIG=tmp_path), path, "refresh_token")


def test_a_named_file_that_is_missing_is_not_passed_over(emulator, job, adc, tmp_path):
    adc(tmp_path / GCLOUD_FILE)
    result = job(CLOUDSDK_CONFIG=tmp_path, GOOGLE_APPLICATION_CREDENTIALS="/missing")
    refused(emulator, result, "/missing")


def test_no_gce_check_leaves_files_alone(emulator, job, adc):
    assert job(GOOGLE_APPLICATION_CREDENTIALS=adc(), NO_GCE_CHECK="true").code == 0
    assert source(emulator) == ["oauth"]


def test_no_credentials_at_all(emulator, job):
    result = job(NO_GCE_CHECK="true")
    assert result.code == 4
    assert result.error["error_code"] == "UNAUTHENTICATED"
    assert "gcloud auth application-default login" in result.error["hint"]
    assert emulator.connections() == []


# --- the quota project -----------------------------------------------------------


def quota_projects(emulator):
    return {entry.header("X-Goog-User-Project")
            for entry in emulator.requests("secretmanager")}


def test_quota_project(emulator, job, adc):
    path = adc(quota_project_id="test-project")
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    assert quota_projects(emulator) == {"test-project"}


def test_quota_project_of_the_variable_wins(emulator, job, adc):
    path = adc(quota_project_id="billing-elsewhere")
    job(GOOGLE_APPLICATION_CREDENTIALS=path, GOOGLE_CLOUD_QUOTA_PROJECT="test-project")
    assert quota_projects(emulator) == {"test-project"}


def test_no_quota_project(emulator, job, adc):
    assert job(GOOGLE_APPLICATION_CREDENTIALS=adc()).code == 0
    assert quota_projects(emulator) == {None}


def test_the_quota_project_is_not_for_the_token_endpoint(emulator, job, adc):
    job(GOOGLE_APPLICATION_CREDENTIALS=adc(quota_project_id="test-project"))
    assert emulator.requests("oauth")[0].header("X-Goog-User-Project") is None


BAD_QUOTA = {"crlf": "a\r\nX-Evil: 1", "nul": "a\0b", "utf8": "pröject",
             "space": "a b", "long": "p" * 200}


@pytest.mark.parametrize("value", BAD_QUOTA.values(), ids=BAD_QUOTA)
def test_quota_project_that_no_header_may_hold(emulator, job, adc, value):
    result = job(GOOGLE_APPLICATION_CREDENTIALS=adc(quota_project_id=value))
    refused(emulator, result, "quota_project_id")
    if "\0" not in value:
        result = job(GOOGLE_CLOUD_QUOTA_PROJECT=value)
        refused(emulator, result, "GOOGLE_CLOUD_QUOTA_PROJECT")


# --- the metadata server ---------------------------------------------------------


def token_reply(status=200, flavor=METADATA_HEADERS, **members):
    """A reply of the metadata server; members given as None are left out."""
    value = {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer",
             **members}
    value = {name: item for name, item in value.items() if item is not None}
    headers = (*flavor, ("Content-Type", "application/json"))
    return Reply(status, json.dumps(value).encode(), headers)


def test_the_request_to_the_metadata_server(emulator, job):
    job()
    entry, = emulator.requests("metadata")
    assert entry.method == "GET"
    assert entry.path == ("/computeMetadata/v1/instance/service-accounts/default/"
                          "token")
    assert entry.query == [("scopes",
                            "https://www.googleapis.com/auth/cloud-platform")]
    assert entry.header("Metadata-Flavor") == "Google"
    assert entry.header("Host") == emulator.metadata_host
    assert entry.body == b""
    names = {name.lower() for name, _ in entry.headers}
    assert names <= {"host", "metadata-flavor", "user-agent", "accept", "connection",
                     "accept-encoding"}


def test_the_metadata_server_by_name(emulator, job):
    port = emulator.port("metadata")
    assert job(GCE_METADATA_HOST=f"localhost:{port}").code == 0
    assert emulator.requests("metadata")[0].header("Host") == f"localhost:{port}"


@pytest.mark.parametrize("host", [
    "http://127.0.0.1", "127.0.0.1/x", "a b", "[::1", ":80", "127.0.0.1:0", "h:99999",
    "user@host",
])
def test_metadata_hosts_refused(emulator, job, host):
    refused(emulator, job(GCE_METADATA_HOST=host), "GCE_METADATA_HOST")


def test_the_bearer_token_is_the_one_that_was_given(emulator, job):
    job()
    token, = emulator.tokens.all()
    assert {entry.header("Authorization")
            for entry in emulator.requests("secretmanager")} == {
                f"Bearer {token.value}"}


FLAVORS = {"none": (), "other": (("Metadata-Flavor", "Amazon"),),
           "empty": (("Metadata-Flavor", ""),),
           "case": (("Metadata-Flavor", "google"),)}


def test_a_reply_that_is_not_of_a_metadata_server(start_emulator):
    """It has the patience of a 404, then it is certain. Its words count for nothing."""
    def check(reply):
        emulator = start_emulator()
        emulator.order("metadata", times=None, reply=reply)
        result = Job(emulator)()
        assert result.code == 4
        assert result.error["error_code"] == "UNAUTHENTICATED"
        assert "Metadata-Flavor" in result.error["message"]
        assert "something else" in result.error["hint"]
        assert sum(line["retry_in_ms"] for line in result.warnings) >= 4000
        assert len(emulator.requests("metadata")) == len(result.warnings) + 1
        assert emulator.requests("secretmanager") == []
        assert TOKEN not in result.out

    rows = {f"{name}-{status}": (token_reply(status, flavor),)
            for name, flavor in FLAVORS.items() for status in (200, 302, 403, 404, 503)}
    together(check, {"captive-portal": (errors.captive_portal(),), **rows})


NOT_YET_UP = {
    "refused": None,
    "hung": {"drop": "uncommitted", "how": "hang"},
    "reset": {"connection": "reset"},
    "closed": {"drop": "unread"},
    "cut": {"drop": "cut", "cut_at": 40},
    "garbage": {"garbage": 50},
    "not-json": {"reply": errors.metadata_text(200, "starting")},
    "500": {"reply": errors.metadata_internal()},
    "500-bare": {"reply": Reply(500)},
    "502-html": {"reply": errors.html_502()},
    "503": {"reply": errors.metadata_unavailable()},
    "429": {"reply": errors.metadata_throttled()},
    "404": {"reply": errors.metadata_not_found()},
}


def test_a_metadata_server_that_is_not_up_yet(start_emulator):
    """Every shape of failure passes; each retry is logged."""
    def check(name, fields):
        emulator = start_emulator()
        if fields is None:
            emulator.refuse("metadata", seconds=2)
        else:
            emulator.order("metadata", times=1 if name == "hung" else 3, **fields)
        result = Job(emulator)()
        assert result.code == 0, result.out
        assert emulator.secretmanager.secret(SECRET)
        if name != "refused":
            assert len(result.warnings) == (1 if name == "hung" else 3)
        for number, line in enumerate(result.warnings, 1):
            assert line["attempt"] == number
            assert line["retry_in_ms"] > 0
        assert result.errors == []
        assert len(emulator.connections("secretmanager")) == 1

    together(check, {name: (name, fields) for name, fields in NOT_YET_UP.items()})


def test_no_service_account_is_given_up_soon(start_emulator):
    """A 404 gets 5 s; only then is it certain."""
    def check(limit, code, error_code, least):
        emulator = start_emulator()
        emulator.metadata.service_account = False
        result = Job(emulator)(MAX_WAIT_TIME_SECONDS=limit)
        assert result.code == code, result.out
        assert result.error["error_code"] == error_code
        assert "Workload Identity" in result.error["hint"]
        assert least < result.seconds
        # No wait begins once its time is over.
        waits = [line["retry_in_ms"] for line in result.warnings]
        assert sum(waits[:-1]) < min(limit, 5) * 1000
        assert len(emulator.requests("metadata")) > 1
        assert emulator.requests("secretmanager") == []

    together(check, {"patient": (60, 4, "UNAUTHENTICATED", 4.5),
                     "in-a-hurry": (2, 1, "UNAVAILABLE", 0.5)})


def sidecar(status, *headers):
    """What a service mesh's sidecar says before it is configured."""
    return Reply(status, b"no healthy upstream", (("Server", "envoy"), *headers))


def later(seconds):
    return errors.metadata_unavailable().with_headers(("Retry-After", str(seconds)))


# What is answered for ever, more variables, and how many waits there are at least.
SLOW = {
    "31": (later(31), {}, 1),
    "16-and-16": (later(16), {}, 2),
    "beyond-the-deadline": (later(999), {}, 1),
    "ours": (errors.metadata_unavailable(), {}, 9),
    "sidecar-404": (sidecar(404), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, 9),
    "sidecar-503": (sidecar(503), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, 9),
}


def test_the_metadata_server_has_30_seconds(start_emulator):
    """At least; then Google has refused nothing. Waits are read from the log."""
    def check(reply, variables, waits):
        emulator = start_emulator()
        emulator.order("metadata", times=None, reply=reply)
        result = Job(emulator)(**variables)
        assert result.code == 1, result.out
        assert result.error["error_code"] == "UNAVAILABLE"
        waited = [line["retry_in_ms"] for line in result.warnings]
        assert len(waited) >= waits
        # What the tries themselves took is not in the log.
        assert sum(waited) >= 29_000
        assert len(emulator.requests("metadata")) == len(waited) + 1

    def check_recovery(*_):
        """The last wait was not in vain."""
        emulator = start_emulator()
        emulator.order("metadata", reply=later(31))
        assert Job(emulator)().code == 0

    together(lambda *row: (check if row else check_recovery)(*row),
             {**SLOW, "recovers": ()})


def test_a_sidecar_that_is_configured_in_time(start_emulator):
    def check(variables):
        emulator = start_emulator()
        emulator.order("metadata", times=3, reply=sidecar(404))
        assert Job(emulator)(**variables).code == 0

    together(check, {"kubernetes": ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"},),
                     "elsewhere": ({},)})


def test_impersonation_denied_is_not_retried(emulator, job):
    emulator.order("metadata", times=None,
                   reply=errors.metadata_impersonation_denied())
    result = job()
    assert result.code == 4
    assert result.error["error_code"] == "PERMISSION_DENIED"
    assert "iam.workloadIdentityUser" in result.error["hint"]
    assert len(emulator.requests("metadata")) == 1


# The metadata server's reply, and parts of the message and of the hint.
TEXTS = {
    "403": (errors.metadata_impersonation_denied(), "HTTP 403: Unable to generate access "
            "token; IAM returned 403 Forbidden", "grant the Kubernetes service account"),
    "404": (errors.metadata_text(404, "Not Found\n"), "HTTP 404: Not Found", "attached"),
    "404-of-iam": (errors.metadata_impersonation_denied(404), "HTTP 404: Unable to",
                   "grant the Kubernetes service account"),
    "500": (errors.metadata_internal(), "HTTP 500: GKE Metadata Server: Internal Server Error",
            "k8s-app=gke-metadata-server"),
    "page": (errors.metadata_not_found(), "the metadata server: HTTP 404", "attached"),
    "controls": (errors.metadata_text(403, "a\n\tb\x1b[1m" + 2000 * "c"),
                 "HTTP 403: a  b?[1mccc", ""),
}


def test_the_text_of_a_metadata_server_is_shown(emulator, job):
    """It is the reason itself: on one line, not all of a long one, and no proxy's."""
    for name, (reply, message, hint) in TEXTS.items():
        emulator.orders.clear()
        emulator.order("metadata", times=None, reply=reply)
        error = job(MAX_WAIT_TIME_SECONDS=1).error
        assert message in error["message"] and len(error["message"]) < 700, name
        assert hint in error.get("hint", ""), name
        assert "proxy" not in error["message"] + error.get("hint", ""), name


BAD_TOKENS = {
    "empty": {"access_token": ""},
    "missing": {"access_token": None},
    "number": {"access_token": 1},
    "object": {"access_token": {"token": TOKEN}},
    "line-feed": {"access_token": TOKEN + "\nX-Evil: 1"},
    "nul": {"access_token": TOKEN + "\0"},
    "escape": {"access_token": TOKEN + "\x1b[0m"},
    "space": {"access_token": TOKEN + " x"},
    "delete": {"access_token": TOKEN + "\x7f"},
    "utf8": {"access_token": TOKEN + "é"},
    "huge": {"access_token": TOKEN * 1000},
    "life-zero": {"expires_in": 0},
    "life-negative": {"expires_in": -1},
    "life-float": {"expires_in": 3599.5},
    "life-text": {"expires_in": "soon"},
    "life-null": {"expires_in": [3599]},
    "life-over-64-bits": {"expires_in": 2 ** 70},
}
GOOD_TOKENS = {
    "life-missing": {"expires_in": None},
    "life-as-text": {"expires_in": "3599"},
    "life-of-a-century": {"expires_in": 3_000_000_000},
    "further-members": {"refresh_token": "x", "scope": "y"},
    "type-missing": {"token_type": None},
}


def test_bad_tokens_are_not_used(start_emulator):
    def check(members):
        emulator = start_emulator()
        emulator.order("metadata", times=None, reply=token_reply(**members))
        result = Job(emulator)(MAX_WAIT_TIME_SECONDS=3)
        assert result.code == 1, result.out
        assert result.error["error_code"] == "UNAVAILABLE"
        assert emulator.requests("secretmanager") == []
        assert "canary" not in result.out

    together(check, {name: (members,) for name, members in BAD_TOKENS.items()})


@pytest.mark.parametrize("members", GOOD_TOKENS.values(), ids=GOOD_TOKENS)
def test_good_tokens_are_used(emulator, job, members):
    emulator.order("metadata", reply=token_reply(**members))
    job()
    used = emulator.requests("secretmanager")[0].header("Authorization")
    assert used == f"Bearer {TOKEN}"


@pytest.mark.parametrize("size", [8190, 8191, 8192, 12_288, 16_000])
def test_long_tokens(emulator, job, size):
    """The Security Token Service gives up to 12,288 bytes."""
    token = "ya29.d." + "canary-token" * 1400
    emulator.order("metadata", reply=token_reply(access_token=token[:size]))
    job()
    used = emulator.requests("secretmanager")[0].header("Authorization")
    assert used == f"Bearer {token[:size]}"


def test_a_long_token_all_the_way(emulator, job):
    emulator.tokens.service_account_bytes = 9200
    assert job().code == 0
    assert len(emulator.tokens.all()[0].value) > 12_000


def test_a_long_refresh_token(emulator, job, adc):
    refresh = "1//0" + "r" * 12_288
    emulator.order("oauth", reply=errors.grant_bad_request())
    job(GOOGLE_APPLICATION_CREDENTIALS=adc(refresh_token=refresh))
    form = dict(parse_qsl(emulator.requests("oauth")[0].body.decode()))
    assert form["refresh_token"] == refresh


# --- OAuth -----------------------------------------------------------------------


def test_the_request_to_the_token_endpoint(emulator, job, adc):
    path = adc()
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    value = json.loads(path.read_text())
    entry, = emulator.requests("oauth")
    assert (entry.method, entry.target) == ("POST", "/token")
    assert entry.header("Content-Type") == "application/x-www-form-urlencoded"
    assert entry.header("Content-Length") == str(len(entry.body))
    assert entry.header("Authorization") is None
    assert parse_qsl(entry.body.decode(), strict_parsing=True) == [
        ("client_id", value["client_id"]), ("client_secret", value["client_secret"]),
        ("grant_type", "refresh_token"), ("refresh_token", value["refresh_token"])]


def test_the_form_is_encoded(emulator, job, adc):
    strange = "a+b&c=d %zé;?#/\u20ac"
    emulator.order("oauth", reply=errors.grant_bad_request())
    job(GOOGLE_APPLICATION_CREDENTIALS=adc(client_secret=strange))
    entry, = emulator.requests("oauth")
    assert dict(parse_qsl(entry.body.decode("ascii")))["client_secret"] == strange


def test_metadata_is_not_asked_beside_a_file(emulator, job, adc):
    job(GOOGLE_APPLICATION_CREDENTIALS=adc())
    assert emulator.connections("metadata") == []


REFUSALS = {name: getattr(errors, name)() for name in (
    "token_revoked", "grant_bad_request", "reauth_required", "account_not_found",
    "client_not_found", "client_unauthorized", "unauthorized_client",
    "client_deleted")}


@pytest.mark.parametrize("reply", REFUSALS.values(), ids=REFUSALS)
def test_refused_by_the_token_endpoint(emulator, job, adc, reply):
    emulator.order("oauth", times=None, reply=reply)
    result = job(GOOGLE_APPLICATION_CREDENTIALS=adc())
    assert result.code == 4, result.out
    assert "gcloud auth application-default login" in result.error["hint"]
    assert len(emulator.requests("oauth")) == 1
    assert emulator.requests("secretmanager") == []


def test_a_wrong_secret_in_the_file(emulator, job, adc):
    path = adc(client_secret="canary-client-secret")
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    assert result.code == 4
    assert "canary" not in result.out


def test_an_error_that_echoes_secrets_is_redacted(emulator, job, adc):
    path = adc()
    value = json.loads(path.read_text())
    told = f"bad {value['refresh_token']} and {value['client_secret']}"
    emulator.order("oauth", reply=errors.oauth(400, "invalid_grant", told))
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    assert result.code == 4
    assert value["client_secret"] not in result.out
    assert value["refresh_token"] not in result.out


def test_an_error_in_a_success_is_a_failure(emulator, job, adc):
    emulator.order("oauth", times=None, reply=errors.error_in_success())
    result = job(GOOGLE_APPLICATION_CREDENTIALS=adc())
    assert result.code == 4
    assert ("the reply of the OAuth token endpoint: HTTP 200 invalid_grant: Token has been "
            "expired or revoked.") in result.error["message"]
    assert "gcloud auth application-default login" in result.error["hint"]
    assert result.warnings == []
    assert emulator.requests("secretmanager") == []


@pytest.mark.parametrize("url", ["http://example.com", "x", "https://a:b@c", ""])
def test_oauth2_endpoint(emulator, job, adc, url):
    path = adc()
    if url:
        result = job(GOOGLE_APPLICATION_CREDENTIALS=path, OAUTH2_ENDPOINT=url)
        refused(emulator, result, "OAUTH2_ENDPOINT")


def test_the_token_endpoint_is_retried(start_emulator, tmp_path):
    def check(name, reply):
        emulator = start_emulator()
        path = tmp_path / name
        emulator.make_authorized_user(path)
        emulator.order("oauth", reply=reply)
        result = Job(emulator)(GOOGLE_APPLICATION_CREDENTIALS=path)
        assert result.code == 0, result.out
        assert len(result.warnings) == 1
        assert len(emulator.requests("oauth")) == 2

    together(check, {name: (name, reply) for name, reply in {
        "500": errors.oauth_internal_failure(), "503": errors.oauth_unavailable(),
        "502-html": errors.html_502(), "429-html": errors.html_429()}.items()})


# --- a token that the API refuses ------------------------------------------------


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_refused_token_is_replaced_once(emulator, job, nth):
    emulator.order("secretmanager", nth=nth, reply=errors.credentials_invalid())
    result = job()
    assert result.code == 0, result.out
    assert len(emulator.requests("metadata")) == 2
    assert len(emulator.requests("secretmanager")) == 5
    assert len(emulator.secretmanager.payloads(SECRET)) == 1


def test_a_token_refused_twice_is_the_end(emulator, job):
    emulator.order("secretmanager", times=None, reply=errors.credentials_invalid())
    result = job()
    assert result.code == 4
    assert result.error["error_code"] == "UNAUTHENTICATED"
    assert result.error["http_status"] == 401
    assert len(emulator.requests("metadata")) == 2
    assert len(emulator.requests("secretmanager")) == 2


def test_a_revoked_token_that_the_metadata_server_repeats(emulator, job):
    emulator.metadata.sticky = True
    job("--dry-run")
    emulator.tokens.revoke_all()
    emulator.journal.clear()
    assert job().code == 4
    assert len(emulator.requests("secretmanager")) == 2


def test_two_refusals_in_one_run_each_get_one_new_token(emulator, job):
    """Refused, replaced, used, refused again: the second time still counts."""
    emulator.order("secretmanager", nth=1, reply=errors.credentials_invalid())
    emulator.order("secretmanager", "access", reply=errors.credentials_invalid())
    assert job().code == 0
    assert len(emulator.requests("metadata")) == 3


def test_credentials_are_read_before_standard_input(emulator, job):
    """So that an invalid file is reported at once, not after the secret was typed."""
    reader, writer = os.pipe()
    result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-", stdin=reader,
                 GOOGLE_APPLICATION_CREDENTIALS="/missing")
    os.close(writer)
    os.close(reader)
    refused(emulator, result, "/missing")
