"""Token services: STS, IAM Credentials, JWT grants, introspection, ID tokens."""

import base64
import http.client
import json
import ssl
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from emulator import aws, federation, keys
from emulator.accounts import TOKEN_URI
from emulator.driver import Driver
from emulator.tokens import CLOUD_PLATFORM

ROBOT = "robot@test-project.iam.gserviceaccount.com"
TARGET = "target@test-project.iam.gserviceaccount.com"
MIDDLE = "middle@test-project.iam.gserviceaccount.com"
READ_ONLY = "https://www.googleapis.com/auth/cloud-platform.read-only"
IAM = "https://www.googleapis.com/auth/iam"
JSON = {"Content-Type": "application/json"}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"client:s:ecret").decode()}


def claims_of(token):
    header, claims = keys.read(token)
    assert header["alg"] == "RS256" and claims["exp"] - claims["iat"] == 3600
    return claims


def form(**fields):
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


# --- bodies that are not what they should be ---------------------------------------

GENERATE = f"/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"
BODIES = ["{", "[]", "null", "1", '"x"', "not json", "[" * 5000, "\xff", '{"scope":"x"}',
          '{"scope":[1]}', '{"delegates":"x"}', '{"lifetime":3600}', '{"nonsense":1}', "{}",
          '{"lifetime":"1h","scope":["x"]}', '{"scope":null}', '{"scope":[],"scope":[]}']


@pytest.mark.parametrize("path", [
    GENERATE, GENERATE.replace("AccessToken", "IdToken"), "/authenticate"])
def test_bodies_that_do_not_fit(emu, driver, path):
    """They are refused and crash nothing; the emulator's fixture looks at that."""
    emu.federation.impersonators.add((emu.metadata.email, TARGET))
    headers = {**JSON, "Authorization": f"Bearer {driver.token}"}
    for body in BODIES:
        answer = driver.send("federation", "POST", path, body.encode("latin-1"), headers)
        assert answer.status == 400 and "error" in answer.json, body


def test_bodies_of_the_resource_manager(driver):
    headers = {**JSON, "Authorization": f"Bearer {driver.token}"}
    for body in ("[]", "{", "1", "null", '{"permissions":1}'):
        answer = driver.send("resourcemanager", "POST",
                             "/v3/projects/test-project:testIamPermissions", body, headers)
        assert answer.error["status"] == "INVALID_ARGUMENT", body


def test_projects_by_number(driver):
    """Python's client looks so for the project of a workload pool."""
    headers = {"Authorization": f"Bearer {driver.token}"}
    for given in ("test-project", "123456789012"):
        found = driver.send("resourcemanager", "GET", f"/v1/projects/{given}",
                            headers=headers).json
        assert (found["projectId"], found["projectNumber"]) == (
            "test-project", "123456789012")
    other = driver.send("resourcemanager", "GET", "/v1/projects/no-such", headers=headers)
    assert other.error["status"] == "PERMISSION_DENIED"


# --- IAM Credentials ----------------------------------------------------------------


@pytest.fixture
def generate(emu, driver):
    emu.federation.impersonators |= {(emu.metadata.email, TARGET), (MIDDLE, TARGET),
                                     (emu.metadata.email, MIDDLE)}

    def call(verb="generateAccessToken", token=None, account=TARGET, **body):
        headers = {**JSON, "Authorization": f"Bearer {token or driver.token}"}
        path = f"/v1/projects/-/serviceAccounts/{account}:{verb}"
        return driver.send("federation", "POST", path, json.dumps(body), headers)
    return call


def test_null_counts_as_absent(emu, generate):
    """Python's client says "delegates": null."""
    answer = generate(delegates=None, lifetime="3600s", scope=[CLOUD_PLATFORM])
    token = emu.tokens.find(answer.json["accessToken"])
    assert (token.identity, token.scopes) == (TARGET, (CLOUD_PLATFORM,))
    assert answer.json["expireTime"].endswith("Z") and len(answer.json["expireTime"]) == 20


@pytest.mark.parametrize("scopes, fine", [
    ((CLOUD_PLATFORM,), True), ((IAM,), True), ((READ_ONLY,), False), (("openid",), False)])
def test_the_callers_scopes_count(emu, generate, scopes, fine):
    token = emu.tokens.issue(emu.metadata.email, "service_account", scopes).value
    answer = generate(token=token, scope=[CLOUD_PLATFORM])
    assert answer.status == (200 if fine else 403)
    if not fine:
        assert answer.reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_the_token_has_the_scopes_that_were_asked_for(emu, driver, generate):
    token = generate(scope=[READ_ONLY]).json["accessToken"]
    assert driver.api("GET", "s", token=token).reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    for scope in (["nonsense"], ["https://attacker.example/auth/x"], [CLOUD_PLATFORM, ""]):
        assert generate(scope=scope).error["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("lifetime, fine, extended", [
    ("3600s", True, True), ("3601s", False, True), ("43200s", False, True),
    ("43201s", False, False), ("0s", False, False), ("-1s", False, False),
    ("600s", True, True)])
def test_lifetimes(emu, generate, lifetime, fine, extended):
    answer = generate(scope=[CLOUD_PLATFORM], lifetime=lifetime)
    assert (answer.status == 200) == fine
    if fine:
        token = emu.tokens.find(answer.json["accessToken"])
        assert abs(token.expires_in - int(lifetime[:-1])) <= 1
    emu.federation.long_lived.add(TARGET)
    answer = generate(scope=[CLOUD_PLATFORM], lifetime=lifetime)
    assert (answer.status == 200) == extended


def test_delegates(emu, generate):
    emu.federation.impersonators.remove((emu.metadata.email, TARGET))
    chain = [f"projects/-/serviceAccounts/{MIDDLE}"]
    assert generate(scope=[CLOUD_PLATFORM]).reason == "IAM_PERMISSION_DENIED"
    assert generate(scope=[CLOUD_PLATFORM], delegates=chain).status == 200
    assert generate(scope=[CLOUD_PLATFORM], delegates=[MIDDLE]).status == 400


def test_id_tokens_of_other_accounts(generate):
    answer = generate("generateIdToken", audience="https://a.example", includeEmail=True)
    claims = claims_of(answer.json["token"])
    assert (claims["aud"], claims["email"]) == ("https://a.example", TARGET)
    assert generate("generateIdToken").error["status"] == "INVALID_ARGUMENT"
    other = generate("generateIdToken", account=ROBOT, audience="a")
    assert other.reason == "IAM_PERMISSION_DENIED"


# --- the security token service ---------------------------------------------------------


@pytest.fixture
def exchange(emu, driver):
    def call(headers=(), **changes):
        fields = {"audience": federation.POOL, "grant_type": federation.EXCHANGE,
                  "requested_token_type": federation.ACCESS_TOKEN, "scope": CLOUD_PLATFORM,
                  "subject_token": emu.federation.subject,
                  "subject_token_type": federation.SUBJECT_TYPES[0], **changes}
        send = {"Content-Type": "application/x-www-form-urlencoded", **dict(headers)}
        return driver.send("federation", "POST", "/v1/token", form(**fields), send)
    return call


@pytest.mark.parametrize("scope", [
    CLOUD_PLATFORM, f"{CLOUD_PLATFORM} {READ_ONLY}", READ_ONLY, f"openid {CLOUD_PLATFORM}"])
def test_several_scopes(emu, exchange, scope):
    token = emu.tokens.find(exchange(scope=scope).json["access_token"])
    assert token.scopes == tuple(scope.split())


@pytest.mark.parametrize("scope", ["", " ", "nonsense", f"{CLOUD_PLATFORM},{READ_ONLY}"])
def test_no_such_scopes(exchange, scope):
    assert exchange(scope=scope).json["error"] == "invalid_scope"


@pytest.mark.parametrize("options, fine", [
    ('{"userProject":"p"}', True), (quote('{"userProject": "p"}'), True), ("{", False),
    ("[]", False), ("1", False), ('{"other":1}', False), ("", False), ("%7B", False)])
def test_the_project_of_a_workforce(exchange, options, fine):
    """Python's client encodes it twice, the others once."""
    answer = exchange(audience=federation.WORKFORCE, options=options)
    assert answer.status == (200 if fine else 400)


@pytest.mark.parametrize("changes, fine", [
    ({}, True), ({"aud": [f"https:{federation.POOL}"]}, True), ({"aud": federation.POOL}, True),
    ({"aud": "https://kubernetes.default.svc"}, False), ({"aud": None}, False),
    ({"exp": 1}, False), ({"iat": 10**10, "exp": 10**11}, False), ({"iss": "other"}, False),
    ({"iss": []}, False)])
def test_tokens_of_an_issuer(emu, exchange, changes, fine):
    """As a cluster signs them for its pods; the pool knows the public key."""
    private, now = keys.private_key(emu.directory), int(emu.tokens.now())
    emu.federation.issuers["https://cluster.example"] = {"k": keys.public_key(private)}
    claims = {"iss": "https://cluster.example", "aud": [federation.POOL], "iat": now - 1,
              "exp": now + 600, "sub": "system:serviceaccount:ns:name", **changes}
    token = keys.signed(private, "k", claims)
    assert exchange(subject_token=token).status == (200 if fine else 400)
    assert exchange(subject_token=token[:-4] + "AAAA").status == 400
    assert exchange(subject_token=keys.signed(private, "other", claims)).status == 400


def test_whom_a_token_of_an_issuer_speaks_for(emu, exchange):
    """Its subject, whom the provider's condition may keep out."""
    private, now = keys.private_key(emu.directory), int(emu.tokens.now())
    emu.federation.issuers["i"] = {"k": keys.public_key(private)}
    emu.federation.subjects = {"one"}
    claims = {"iss": "i", "aud": federation.POOL, "iat": now - 1, "exp": now + 600}
    given = exchange(subject_token=keys.signed(private, "k", {**claims, "sub": "one"}))
    assert emu.tokens.find(given.json["access_token"]).identity.endswith("/pool/subject/one")
    refused = exchange(subject_token=keys.signed(private, "k", {**claims, "sub": "two"}))
    assert (refused.status, refused.json["error"]) == (400, "unauthorized_client")


def test_keys_of_a_key_set(tmp_path):
    """As a cluster publishes them at /openid/v1/jwks; others than RSA are passed over."""
    private = keys.private_key(tmp_path)
    public = keys.public_key(private)
    words = keys.openssl("rsa", "-pubin", "-modulus", "-noout", data=public.encode()).decode()
    modulus = base64.urlsafe_b64encode(bytes.fromhex(words.strip().partition("=")[2]))
    found = keys.key_set({"keys": [
        {"kty": "EC", "kid": "e"},
        {"kty": "RSA", "kid": "k", "alg": "RS256", "n": modulus.decode().rstrip("="),
         "e": "AQAB"}]})
    assert set(found) == {"k"}
    assert keys.verify(keys.signed(private, "k", {"a": 1}), "RS256", found["k"])[1] == {"a": 1}


def test_introspection_and_revocation(emu, driver, exchange):
    emu.federation.clients["client"] = "s:ecret"
    token = exchange(BASIC.items()).json["access_token"]
    send = {"Content-Type": "application/x-www-form-urlencoded"}

    def ask(path, headers, **fields):
        return driver.send("federation", "POST", path, form(**fields), {**send, **headers})

    shown = ask("/v1/introspect", BASIC, token=token,
                token_type_hint=federation.ACCESS_TOKEN).json
    assert shown["active"] is True and shown["scope"] == CLOUD_PLATFORM
    assert shown["username"] == shown["sub"] == emu.federation.identity()
    assert ask("/v1/introspect", {}, token=token).status == 401
    assert ask("/v1/introspect", BASIC, token="x").json == {"active": False}
    assert ask("/v1/introspect", BASIC, token=token, token_type_hint="x").status == 400
    assert ask("/v1/revoke", BASIC, token=token).json == {}
    assert ask("/v1/introspect", BASIC, token=token).json == {"active": False}
    assert ask("/v1/revoke", BASIC, token="unknown").status == 200
    assert ask("/v1/revoke", BASIC).status == 400


# --- OAuth --------------------------------------------------------------------------------


@pytest.fixture
def sign(emu):
    account = emu.accounts.add(ROBOT)

    def make(**changes):
        now = int(emu.tokens.now())
        claims = {"iss": ROBOT, "aud": TOKEN_URI, "scope": CLOUD_PLATFORM, "iat": now,
                  "exp": now + 3600, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return keys.signed(account["private_key"], account["private_key_id"], claims)
    return make


def grant(driver, assertion):
    return driver.oauth({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
                         "assertion": assertion})


def test_padded_tokens_are_understood(driver, sign):
    """base64url with padding: Python's own functions make it."""
    header, claims, _ = sign().split(".")
    fill = [part + "=" * (-len(part) % 4) for part in (header, claims)]
    private = driver.emulator.accounts.add(ROBOT)["private_key"]
    text = ".".join(fill)
    signature = base64.urlsafe_b64encode(_signature(private, text)).decode()
    assert "=" in text + signature
    assert grant(driver, f"{text}.{signature}").status == 200
    wrong = grant(driver, f"{text}.{signature[:-6]}AAAA==").json
    assert wrong["error_description"] == "Invalid JWT Signature."


def _signature(private, text):
    with tempfile.NamedTemporaryFile("w") as key:
        key.write(private)
        key.flush()
        return keys.openssl("dgst", "-sha256", "-sign", key.name, data=text.encode())


def test_grants_of_id_tokens(driver, sign):
    answer = grant(driver, sign(scope=None, target_audience="https://a.example")).json
    assert list(answer) == ["id_token"]
    claims = claims_of(answer["id_token"])
    assert (claims["aud"], claims["email"]) == ("https://a.example", ROBOT)
    assert claims["iss"] == "https://accounts.google.com"


@pytest.mark.parametrize("scope", [None, "", "nonsense", 1])
def test_scopes_of_grants(driver, sign, scope):
    assert grant(driver, sign(scope=scope)).json["error"] == "invalid_scope"


@pytest.mark.parametrize("claims, host, status", [
    ({"aud": None, "sub": ROBOT}, None, 200),
    ({"scope": READ_ONLY, "aud": None, "sub": ROBOT}, None, 403),
    ({"scope": None, "aud": "https://secretmanager.googleapis.com/", "sub": ROBOT}, None, 200),
    ({"scope": None, "aud": "https://secretmanager.googleapis.com", "sub": ROBOT}, None, 401),
    ({"scope": None, "aud": "https://storage.googleapis.com/", "sub": ROBOT}, None, 401),
    ({"scope": None, "aud": "https://secretmanager.googleapis.com/", "sub": ROBOT},
     "secretmanager.us-east1.rep.googleapis.com", 401),
    ({"scope": None, "aud": "https://secretmanager.us-east1.rep.googleapis.com/",
      "sub": ROBOT}, "secretmanager.us-east1.rep.googleapis.com", 200),
    ({"aud": None}, None, 401), ({"aud": "x", "sub": ROBOT}, None, 401)])
def test_self_signed_tokens(emu, driver, sign, claims, host, status):
    """With a scope at every service, with an audience at that one (AIP-4111)."""
    emu.secretmanager.put("s", location="us-east1" if host else None)
    path = "/v1/projects/test-project/" + ("locations/us-east1/" if host else "") + "secrets/s"
    headers = {"Host": host} if host else {}
    answer = driver.api("GET", path, headers=headers, token=sign(**claims))
    assert answer.status == status


def test_refresh_cannot_widen_scopes(emu, driver, tmp_path):
    adc = emu.make_authorized_user(tmp_path / "adc.json")
    fields = {name: adc[name] for name in ("client_id", "client_secret", "refresh_token")}
    fields["grant_type"] = "refresh_token"
    assert driver.oauth({**fields, "scope": CLOUD_PLATFORM}).json["scope"] == CLOUD_PLATFORM
    wide = driver.oauth({**fields, "scope": "https://www.googleapis.com/auth/drive"})
    assert wide.json["error"] == "invalid_scope"


def test_tokeninfo_and_revoke(emu, driver, tmp_path):
    adc = emu.make_authorized_user(tmp_path / "adc.json", identity="u@example.com")
    fields = {name: adc[name] for name in ("client_id", "client_secret", "refresh_token")}
    fields["grant_type"] = "refresh_token"
    token = driver.oauth(fields).json["access_token"]
    shown = driver.send("oauth", "GET", f"/tokeninfo?access_token={token}").json
    assert (shown["email"], shown["scope"]) == ("u@example.com", CLOUD_PLATFORM)
    assert driver.send("oauth", "GET", "/tokeninfo?access_token=x").status == 400
    revoked = driver.oauth({"token": adc["refresh_token"]}, path="/revoke")
    assert revoked.json == {}
    assert driver.send("oauth", "GET", f"/tokeninfo?access_token={token}").status == 400
    assert driver.oauth(fields).json["error"] == "invalid_grant"
    assert driver.oauth({"token": token}, path="/revoke").json["error"] == "invalid_token"


# --- metadata server ----------------------------------------------------------------------

SERVICE_ACCOUNTS = "/computeMetadata/v1/instance/service-accounts/"


def test_accounts_of_the_instance(emu, driver):
    email = emu.metadata.email
    assert driver.metadata(SERVICE_ACCOUNTS).body.decode() == f"default/\n{email}/\n"
    one = driver.metadata(SERVICE_ACCOUNTS + email + "/email").body.decode()
    assert one == email
    tokens = {driver.metadata(f"{SERVICE_ACCOUNTS}{name}/token").json["access_token"]
              for name in ("default", email)}
    assert len(tokens) == 1
    assert driver.metadata(SERVICE_ACCOUNTS + "other@example.com/token").status == 404
    tree = driver.metadata(SERVICE_ACCOUNTS + "?recursive=true").json
    assert set(tree) == {"default", email} and tree["default"] == tree[email]
    assert tree["default"] == {"aliases": ["default"], "email": email,
                               "scopes": [CLOUD_PLATFORM]}
    emu.metadata.service_account = False
    assert driver.metadata(SERVICE_ACCOUNTS).body == b""


def test_folders_and_json(emu, driver):
    root = "/computeMetadata/v1/"
    assert driver.metadata(root).body == b"instance/\nproject/\nuniverse/\n"
    moved = driver.metadata(root + "instance/service-accounts")
    assert (moved.status, moved.headers["Location"]) == (301, SERVICE_ACCOUNTS)
    assert driver.metadata(root + "project/?recursive=true").json == {
        "numericProjectId": "123456789012", "projectId": "test-project"}
    scopes = driver.metadata(SERVICE_ACCOUNTS + "default/scopes?alt=json").json
    assert scopes == [CLOUD_PLATFORM]
    assert driver.metadata(root + "instance/attributes/cluster-name").body == b"cluster"
    assert driver.metadata(root + "project/project-id/").status == 404


def test_identity_tokens(emu, driver):
    path = SERVICE_ACCOUNTS + "default/identity"
    assert driver.metadata(path).status == 400
    assert driver.metadata(path + "?audience=a&format=x").status == 400
    claims = claims_of(driver.metadata(path + "?audience=https://a.example").body.decode())
    assert claims["aud"] == "https://a.example" and "email" not in claims
    full = claims_of(driver.metadata(path + "?audience=a&format=full").body.decode())
    assert full["email"] == emu.metadata.email
    emu.metadata.service_account = False
    assert driver.metadata(path + "?audience=a").status == 404


def test_the_metadata_server_has_a_limit(start):
    now = [1000.0]
    emu = start(clock=lambda: now[0])
    driver = Driver(emu)
    emu.metadata.most_a_second = 3
    path = "/computeMetadata/v1/project/project-id"
    assert [driver.metadata(path).status for _ in range(5)] == [200] * 3 + [429] * 2
    now[0] += 1
    assert driver.metadata(path).status == 200


# --- AWS ------------------------------------------------------------------------------------

KEY = ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session+token/==")
AWS_URL = "https://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"


def aws_token(now, plus=quote, **changes):
    """A subject token; changes to its members come after it was signed."""
    fields = {"host": "sts.us-east-2.amazonaws.com",
              "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)),
              "x-amz-security-token": KEY[1],
              "x-goog-cloud-target-resource": federation.POOL}
    day = fields["x-amz-date"][:8]
    names = sorted(fields)
    signature = aws.signed(KEY[0], day, "us-east-2", urlsplit(AWS_URL), names, fields)
    fields["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{day}/us-east-2/sts/aws4_request, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}")
    fields.update(changes.pop("fields", {}))
    value = {"url": AWS_URL, "method": "POST", "headers": [
        {"key": name, "value": item} for name, item in fields.items()], **changes}
    return plus(json.dumps(value), safe="")


@pytest.mark.parametrize("changes, fine", [
    ({}, True), ({"plus": quote_plus}, True), ({"method": "GET"}, False),
    ({"url": AWS_URL.replace("GetCallerIdentity", "AssumeRole")}, False),
    ({"url": AWS_URL.replace("amazonaws", "attacker")}, False), ({"headers": []}, False),
    ({"headers": 1}, False), ({"fields": {"x-amz-date": "20200101T000000Z"}}, False),
    ({"fields": {"x-amz-security-token": "other"}}, False),
    ({"fields": {"x-goog-cloud-target-resource": federation.WORKFORCE}}, False),
    ({"fields": {"Authorization": "AWS4-HMAC-SHA256 x"}}, False)])
def test_signed_requests_of_aws(emu, exchange, changes, fine):
    emu.federation.aws["AKIDEXAMPLE"] = KEY
    answer = exchange(subject_token=aws_token(emu.tokens.now(), **changes),
                      subject_token_type=aws.TOKEN_TYPE)
    assert answer.status == (200 if fine else 400)
    assert fine or answer.json["error"] == "invalid_grant"


def test_signed_requests_of_aws_age(emu, exchange):
    for late in (-1000, 1000):
        token = aws_token(emu.tokens.now() + late)
        assert exchange(subject_token=token,
                        subject_token_type=aws.TOKEN_TYPE).json["error"] == "invalid_grant"
    unknown = exchange(subject_token=aws_token(emu.tokens.now()),
                       subject_token_type=aws.TOKEN_TYPE)
    assert unknown.json["error"] == "invalid_grant"  # nobody has told of the key


# --- certificates of clients ------------------------------------------------------------------


def test_a_client_is_its_certificate(emu):
    """The subject token names it, and the connection of the exchange has shown it."""
    emu.serve_certificates()
    shown = ssl.create_default_context(cafile=emu.ca_file)
    shown.load_cert_chain(*emu.workload)
    plain = ssl.create_default_context(cafile=emu.ca_file)
    leaf = ssl.PEM_cert_to_DER_cert(Path(emu.workload[0]).read_text())
    good = json.dumps([base64.b64encode(leaf).decode()])

    def exchange(context, token, port="mtls"):
        connection = http.client.HTTPSConnection("localhost", emu.port(port), context=context)
        connection.request("POST", "/v1/token", form(
            audience=federation.POOL, grant_type=federation.EXCHANGE,
            requested_token_type=federation.ACCESS_TOKEN, scope=CLOUD_PLATFORM,
            subject_token=token, subject_token_type=federation.MUTUAL),
            {"Content-Type": "application/x-www-form-urlencoded"})
        return connection.getresponse().status

    assert exchange(shown, good) == 200
    assert exchange(plain, good) == 400 == exchange(shown, good, "federation")
    for wrong in (json.dumps([base64.b64encode(leaf[:-1]).decode()]), "[]", "{", "1", "[1]"):
        assert exchange(shown, wrong) == 400
