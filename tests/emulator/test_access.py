"""Who may call: tokens, scopes, permissions, projects, quota."""

import pytest

from emulator import errors
from emulator.driver import SECRETS, TOKEN_PATH, Driver
from emulator.tokens import CLOUD_PLATFORM

READ_ONLY = "https://www.googleapis.com/auth/cloud-platform.read-only"


def assert_error(answer, code, status, reason=None):
    assert (answer.status, answer.error["status"]) == (code, status)
    assert answer.reason == reason


# --- tokens at the API -------------------------------------------------------------


def test_no_token(driver):
    answer = driver.send("secretmanager", "GET", SECRETS + "/s")
    assert_error(answer, 401, "UNAUTHENTICATED", "CREDENTIALS_MISSING")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="https://accounts.google.com/"')
    assert answer.error["message"].startswith("Request is missing required")
    metadata = answer.error["details"][0]["metadata"]
    assert metadata["method"].endswith("SecretManagerService.GetSecret")


@pytest.mark.parametrize("header", [
    "Bearer ya29.invented", "Bearer ", "Basic dTpw", "ya29.x", "Bearer  {token}"])
def test_bad_tokens(driver, header):
    header = header.format(token=driver.token)
    answer = driver.api("GET", "s", headers={"Authorization": header})
    assert_error(answer, 401, "UNAUTHENTICATED", "ACCESS_TOKEN_TYPE_UNSUPPORTED")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("spoil", ["revoke_all", "expire_all"])
def test_spoiled_tokens_and_their_replacement(emu, driver, spoil):
    driver.create()
    getattr(emu.tokens, spoil)()
    assert_error(driver.api("GET", "s"), 401, "UNAUTHENTICATED",
                 "ACCESS_TOKEN_EXPIRED")
    assert driver.api("GET", "s", token=driver.new_token()).status == 200


def test_scope(emu, driver):
    emu.metadata.scopes = (READ_ONLY,)
    assert_error(driver.api("GET", "s"), 403, "PERMISSION_DENIED",
                 "ACCESS_TOKEN_SCOPE_INSUFFICIENT")


# --- permissions -------------------------------------------------------------------


@pytest.mark.parametrize("method, path, permission", [
    ("GET", "", "secrets.list"), ("POST", "?secretId=t", "secrets.create"),
    ("GET", "s", "secrets.get"), ("PATCH", "s", "secrets.update"),
    ("DELETE", "s", "secrets.delete"), ("POST", "s:addVersion", "versions.add"),
    ("GET", "s/versions", "versions.list"), ("GET", "s/versions/1", "versions.get"),
    ("GET", "s/versions/1:access", "versions.access"),
    ("POST", "s/versions/1:disable", "versions.disable"),
    ("POST", "s/versions/1:enable", "versions.enable"),
    ("POST", "s/versions/1:destroy", "versions.destroy")])
def test_each_permission(emu, driver, method, path, permission):
    body = "{}" if method in ("POST", "PATCH") else None
    emu.secretmanager.put("s", b"x")
    emu.iam.deny(permission)
    answer = driver.api(method, path, body)
    assert_error(answer, 403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED")
    full = f"secretmanager.{permission}"
    detail = answer.error["details"][0]
    assert detail["domain"] == "iam.googleapis.com"
    assert detail["metadata"]["permission"] == full
    assert f"Permission '{full}' denied on resource (or it may not exist)." in (
        answer.error["message"])
    emu.iam.grant(permission)
    assert driver.api(method, path, body).status in (200, 400)


def test_permission_comes_before_existence(emu, driver):
    emu.iam.grant_only("secrets.get")
    assert driver.access("missing").status == 403
    assert driver.api("GET", "missing").status == 404


def test_the_old_denial(emu, driver):
    emu.secretmanager.denial_text = "old"
    emu.iam.deny("versions.access")
    answer = driver.access()
    assert_error(answer, 403, "PERMISSION_DENIED")
    assert answer.error["message"] == (
        "Permission 'secretmanager.versions.access' denied for resource "
        "'projects/123456789012/secrets/s/versions/1' (or it may not exist).")


def test_permissions_of_one_identity(emu, driver):
    emu.iam.deny("secrets.list", identity=emu.metadata.email)
    assert driver.api("GET", "").status == 403
    other = emu.tokens.issue("other@example.com", "service_account").value
    assert driver.api("GET", "", token=other).status == 200


def test_test_iam_permissions(emu, driver):
    asked = ["secretmanager.versions.add", "secretmanager.versions.access"]
    ask = {"permissions": asked}
    assert driver.api("POST", "s:testIamPermissions", ask).json == {}
    emu.secretmanager.put("s")
    assert driver.api("POST", "s:testIamPermissions", ask).json == ask
    emu.iam.grant_only("versions.add")
    answer = driver.api("POST", "s:testIamPermissions", ask)
    assert answer.json == {"permissions": asked[:1]}


# --- projects, service, quota ------------------------------------------------------


def test_unknown_projects(emu, driver):
    path = "/v1/projects/no-such/secrets/s"
    assert_error(driver.api("GET", path), 403, "PERMISSION_DENIED",
                 "IAM_PERMISSION_DENIED")
    emu.secretmanager.unknown_project = "not_found"
    assert_error(driver.api("GET", path), 404, "NOT_FOUND")


def test_several_projects(start):
    emu = start(projects=("one", "two"))
    emu.secretmanager.put("s", project="two")
    driver = Driver(emu)
    answer = driver.api("GET", "/v1/projects/two/secrets/s")
    assert answer.json["name"] == "projects/123456789013/secrets/s"
    assert driver.api("GET", "/v1/projects/one/secrets/s").status == 404


def test_service_disabled(emu, driver):
    emu.secretmanager.service_disabled = True
    answer = driver.api("GET", "s")
    assert_error(answer, 403, "PERMISSION_DENIED", "SERVICE_DISABLED")
    info, localized, link = answer.error["details"]
    assert info["metadata"]["containerInfo"] == "123456789012"
    assert localized["message"] == answer.error["message"]
    assert link["links"][0]["url"] == info["metadata"]["activationUrl"]


def test_quota(emu, driver):
    emu.secretmanager.quota_exceeded = True
    answer = driver.api("GET", "s")
    assert_error(answer, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    assert answer.headers["Retry-After"] is None
    emu.secretmanager.quota_retry_after = 7
    emu.secretmanager.quota_retry_delay = "1.5s"
    answer = driver.api("GET", "s")
    assert answer.headers["Retry-After"] == "7"
    assert answer.error["details"][-1] == {
        "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}


def test_quota_of_a_minute(start):
    """Reads, writes and accesses have one each, of the project that pays for the request."""
    clock = [1_800_000_000.0]  # where a minute begins
    emu = start(projects=("test-project", "other"), clock=lambda: clock[0])
    driver = Driver(emu)
    emu.secretmanager.put("s", b"one")
    emu.secretmanager.quota = {"read": 2, "write": 1}

    def statuses(times, method, path, body=None, **headers):
        return [driver.api(method, path, body, headers.items()).status for _ in range(times)]

    clock[0] += 42.5
    assert statuses(3, "GET", "s") == [200, 200, 429]
    assert statuses(2, "POST", "s:addVersion", {"payload": {"data": "eA=="}}) == [200, 429]
    assert statuses(4, "GET", "s/versions/1:access") == [200] * 4
    other = {"X-Goog-User-Project": "other"}
    assert statuses(3, "GET", "s", **other) == [200, 200, 429]
    answer = driver.api("POST", "?secretId=t", {"replication": {"automatic": {}}})
    assert_error(answer, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    info, _, retry = answer.error["details"]
    assert info["metadata"]["quota_limit"] == "WriteRequestsPerMinutePerProject"
    assert retry == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17.500s"}
    assert "'Read requests per minute'" in driver.api("GET", "s").error["message"]
    assert emu.secretmanager.payloads("s") == [b"one", b"x"]
    clock[0] += 17.5
    assert statuses(3, "GET", "s") == [200, 200, 429]


def test_quota_projects(emu, driver):
    user = emu.tokens.issue("u@example.com", "user").value
    emu.secretmanager.put("s")
    assert driver.api("GET", "s", token=user).status == 200
    emu.secretmanager.require_quota_project = True
    assert_error(driver.api("GET", "s", token=user), 403, "PERMISSION_DENIED",
                 "SERVICE_DISABLED")
    assert driver.api("GET", "s").status == 200
    good = {"X-Goog-User-Project": "test-project"}
    assert driver.api("GET", "s", headers=good, token=user).status == 200
    bad = {"X-Goog-User-Project": "no-such"}
    assert_error(driver.api("GET", "s", headers=bad, token=user), 403,
                 "PERMISSION_DENIED", "USER_PROJECT_DENIED")


def test_a_quota_project_needs_a_permission(emu, driver):
    """Whoever asks, and whichever project it is."""
    emu.secretmanager.put("s")
    header = {"X-Goog-User-Project": "test-project"}
    emu.iam.deny("serviceusage.services.use")
    for kind in ("user", "service_account"):
        token = emu.tokens.issue("u@example.com", kind).value
        assert driver.api("GET", "s", token=token).status == 200
        answer = driver.api("GET", "s", headers=header, token=token)
        assert_error(answer, 403, "PERMISSION_DENIED", "USER_PROJECT_DENIED")
    emu.iam.grant("serviceusage.services.use")
    assert driver.api("GET", "s", headers=header).status == 200


# --- metadata server ---------------------------------------------------------------


@pytest.mark.parametrize("path, text", [
    ("project/project-id", b"test-project"),
    ("project/numeric-project-id", b"123456789012"),
    ("instance/service-accounts/default/email",
     b"pull-secret@test-project.iam.gserviceaccount.com"),
    ("instance/service-accounts/default/scopes", CLOUD_PLATFORM.encode() + b"\n"),
    ("universe/universe-domain", b"googleapis.com"),
    ("universe/universe_domain", b"googleapis.com")])
def test_metadata_texts(driver, path, text):
    answer = driver.metadata("/computeMetadata/v1/" + path)
    assert (answer.status, answer.body) == (200, text)
    assert answer.headers["Metadata-Flavor"] == "Google"


def test_metadata_token_is_cached_and_ages(emu, driver):
    first = driver.metadata(TOKEN_PATH).json
    assert sorted(first) == ["access_token", "expires_in", "token_type"]
    assert first["access_token"].startswith("ya29.c.")
    assert first["token_type"] == "Bearer"
    assert 3590 < first["expires_in"] <= 3599
    token = emu.tokens.find(first["access_token"])
    token.expires_at -= 1000
    second = driver.metadata(TOKEN_PATH).json
    assert second["access_token"] == first["access_token"]
    assert second["expires_in"] < 2600
    token.expires_at -= 2400
    third = driver.metadata(TOKEN_PATH).json
    assert third["access_token"] != first["access_token"]


def test_metadata_scopes(emu, driver):
    emu.metadata.scopes = (CLOUD_PLATFORM, READ_ONLY)
    token = driver.metadata(f"{TOKEN_PATH}?scopes={READ_ONLY}").json["access_token"]
    assert emu.tokens.find(token).scopes == (READ_ONLY,)
    token = driver.metadata(TOKEN_PATH).json["access_token"]
    assert emu.tokens.find(token).scopes == (CLOUD_PLATFORM, READ_ONLY)


def test_sticky_metadata_token(emu, driver):
    first = driver.new_token()
    emu.tokens.revoke_all()
    emu.metadata.sticky = True
    assert driver.new_token() == first
    emu.metadata.forget()
    assert driver.new_token() != first


@pytest.mark.parametrize("headers, status", [
    ({}, 403), ({"Metadata-Flavor": "google"}, 403),
    ({"Metadata-Flavor": "Google", "X-Forwarded-For": "1.2.3.4"}, 403),
    ({"Metadata-Flavor": "Google"}, 200)])
def test_metadata_headers(driver, headers, status):
    answer = driver.metadata(TOKEN_PATH, headers)
    assert answer.status == status
    assert answer.headers["Metadata-Flavor"] == "Google"
    if not headers:
        assert b'Missing required header "Metadata-Flavor": "Google"' in answer.body


def test_no_service_account(emu, driver):
    emu.metadata.service_account = False
    for leaf in ("token", "email", "scopes", "?recursive=true"):
        path = f"/computeMetadata/v1/instance/service-accounts/default/{leaf}"
        assert driver.metadata(path).status == 404
    assert driver.metadata("/computeMetadata/v1/project/project-id").status == 200


def test_other_metadata_paths(emu, driver):
    assert driver.metadata("/", {}).status == 200
    recursive = driver.metadata(
        "/computeMetadata/v1/instance/service-accounts/default/?recursive=true")
    assert recursive.json["scopes"] == [CLOUD_PLATFORM]
    assert driver.metadata("/computeMetadata/v1/nonsense").status == 404
    assert driver.metadata("/computeMetadata/v1beta1/instance").status == 404
    emu.metadata.universe_domain = None
    assert driver.metadata("/computeMetadata/v1/universe/universe-domain").status == 404
    assert driver.send("metadata", "POST", TOKEN_PATH, "",
                       {"Metadata-Flavor": "Google"}).status == 405


# --- OAuth -------------------------------------------------------------------------


@pytest.fixture
def form(emu, tmp_path):
    adc = emu.make_authorized_user(tmp_path / "adc.json", quota_project_id="q")
    assert (adc["type"], adc["quota_project_id"]) == ("authorized_user", "q")
    assert (tmp_path / "adc.json").stat().st_mode & 0o777 == 0o600
    return {"client_id": adc["client_id"], "client_secret": adc["client_secret"],
            "grant_type": "refresh_token", "refresh_token": adc["refresh_token"]}


def test_refresh(emu, driver, form):
    answer = driver.oauth(form)
    assert answer.status == 200
    value = answer.json
    assert value["access_token"].startswith("ya29.a0")
    assert value["token_type"] == "Bearer" and 3590 < value["expires_in"] <= 3599
    emu.secretmanager.put("s")
    assert driver.api("GET", "s", token=value["access_token"]).status == 200
    emu.oauth.expires_in_text = True
    assert driver.oauth(form).json["expires_in"].isdigit()


@pytest.mark.parametrize("change, status, error, description", [
    ({"client_id": ""}, 400, "invalid_request",
     "Could not determine client ID from request."),
    ({"client_id": "x"}, 401, "invalid_client", "The OAuth client was not found."),
    ({"client_secret": ""}, 400, "invalid_request", "client_secret is missing."),
    ({"client_secret": "x"}, 401, "invalid_client", "Unauthorized"),
    ({"refresh_token": ""}, 400, "invalid_request",
     "Missing required parameter: refresh_token"),
    ({"refresh_token": "x"}, 400, "invalid_grant", "Bad Request"),
    ({"grant_type": ""}, 400, "unsupported_grant_type", "Invalid grant_type: "),
    ({"grant_type": "password"}, 400, "unsupported_grant_type",
     "Invalid grant_type: password")])
def test_refused_refresh(driver, form, change, status, error, description):
    answer = driver.oauth({**form, **change})
    assert answer.status == status
    assert answer.json == {"error": error, "error_description": description}


def test_malformed_forms(driver, form):
    good = "&".join(f"{name}={value}" for name, value in form.items())
    repeated = good.replace("/", "%2F") + "&client_id=x"
    answer = driver.oauth(repeated)
    assert answer.json["error_description"] == (
        "OAuth 2 parameters can only have a single value: client_id")
    assert driver.oauth(good).json["error"] == "invalid_request"  # a raw slash
    assert driver.oauth("grant_type=%zz").json["error"] == "invalid_request"
    answer = driver.oauth('{"grant_type":"refresh_token"}',
                          content_type="application/json")
    assert answer.json["error"] == "invalid_request"
    assert driver.oauth(form, path="/v1/token").status == 404
    assert driver.send("oauth", "GET", "/token").status == 404


@pytest.mark.parametrize("problem, expected", [
    (None, {"error": "invalid_grant",
            "error_description": "Token has been expired or revoked."}),
    (errors.reauth_required(), {
        "error": "invalid_grant",
        "error_description": "reauth related error (invalid_rapt)",
        "error_uri": "https://support.google.com/a/answer/9368756",
        "error_subtype": "invalid_rapt"})])
def test_spoiled_refresh_tokens(emu, driver, form, problem, expected):
    emu.oauth.refuse_refresh(problem)
    answer = driver.oauth(form)
    assert (answer.status, answer.json) == (400, expected)


def test_a_refresh_token_belongs_to_its_client(emu, driver, form):
    other, _ = emu.oauth.add_user()
    answer = driver.oauth({**form, "client_id": other.client_id,
                           "client_secret": other.client_secret})
    assert answer.json["error"] == "invalid_grant"
