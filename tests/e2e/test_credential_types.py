"""Credential files of every type: what they send, and what is refused in them."""

import base64
import fcntl
import json
import os
from urllib.parse import parse_qsl

import pytest
from conftest import PULL_SECRET, SECRET, Job, together

from emulator import errors, federation, keys
from emulator.accounts import OLD_TOKEN_URI, TOKEN_URI, write_json
from emulator.wire import Reply

ROBOT = "robot@test-project.iam.gserviceaccount.com"
TARGET = "target@test-project.iam.gserviceaccount.com"
MIDDLE = "middle@test-project.iam.gserviceaccount.com"
IAM = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
SUBJECT_TYPE = federation.SUBJECT_TYPES[0]


def stored(emulator):
    return emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def operations(emulator, service):
    return [entry.operation for entry in emulator.requests(service)]


def form_of(entry):
    return dict(parse_qsl(entry.body.decode(), keep_blank_values=True,
                          strict_parsing=True))


def bearer_of(emulator):
    [*_, last] = emulator.requests("secretmanager")
    return last.header("Authorization").removeprefix("Bearer ")


class Files:
    """Credential files for an emulator, in a folder."""

    def __init__(self, emulator, folder):
        self.emulator = emulator
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def write(self, value, **changes):
        """Write the file; a change to None leaves a member out."""
        value = {**value, **changes}
        value = {key: item for key, item in value.items() if item is not None}
        write_json(self.folder / "adc.json", value)
        return self.folder / "adc.json"

    def service_account(self, **changes):
        return self.write(self.emulator.accounts.add(ROBOT), **changes)

    def external_account(self, **changes):
        (self.folder / "token").write_text(self.emulator.federation.subject)
        return self.write({
            "type": "external_account", "audience": federation.POOL,
            "subject_token_type": SUBJECT_TYPE,
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"file": str(self.folder / "token")},
            "universe_domain": "googleapis.com"}, **changes)

    def external_user(self, **changes):
        self.emulator.federation.clients["client"] = "s:ecret"
        return self.write({
            "type": "external_account_authorized_user", "client_id": "client",
            "client_secret": "s:ecret", "audience": federation.WORKFORCE,
            "refresh_token": self.emulator.federation.add_refresh_token(),
            "token_url": "https://sts.googleapis.com/v1/oauthtoken"}, **changes)

    def impersonated(self, source=None, **changes):
        self.emulator.federation.impersonators |= {
            (ROBOT, TARGET), ("user@example.com", TARGET),
            (self.emulator.federation.identity(), TARGET),
            (self.emulator.federation.identity(federation.WORKFORCE), TARGET)}
        source = source or self.service_account()
        return self.write({
            "type": "impersonated_service_account",
            "service_account_impersonation_url": f"{IAM}/{TARGET}:generateAccessToken",
            "source_credentials": json.loads(source.read_text())}, **changes)

    def gdch(self, **changes):
        account = self.emulator.federation.add_gdch(self.emulator.federation_url)
        return self.write({**account, "ca_cert_path": self.emulator.ca_file}, **changes)


@pytest.fixture
def files(emulator, tmp_path):
    return Files(emulator, tmp_path / "files")


# --- service_account -------------------------------------------------------------


def test_a_service_account_signs_its_own_token(emulator, job, files):
    """As Go's client does: no token is asked for anywhere (AIP-4111)."""
    result = job(GOOGLE_APPLICATION_CREDENTIALS=files.service_account())
    assert result.code == 0, result.out
    assert stored(emulator)
    assert operations(emulator, "oauth") == operations(emulator, "metadata") == []
    header, claims = keys.read(bearer_of(emulator))
    assert header == {"alg": "RS256", "kid": "0123456789abcdef", "typ": "JWT"}
    assert claims["iss"] == claims["sub"] == ROBOT
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert claims["exp"] - claims["iat"] == 3600
    assert "aud" not in claims


KEY_FORMS = {
    "pkcs-1": ["rsa", "-traditional"],
    "pkcs-8": ["pkcs8", "-topk8", "-nocrypt"],
}


@pytest.mark.parametrize("name", KEY_FORMS)
@pytest.mark.parametrize("crlf", [False, True], ids=["lf", "crlf"])
def test_forms_of_the_private_key(emulator, job, files, name, crlf):
    value = emulator.accounts.add(ROBOT)
    pem = keys.openssl(*KEY_FORMS[name], data=value["private_key"].encode()).decode()
    pem = pem.replace("\n", "\r\n") if crlf else pem
    assert job(GOOGLE_APPLICATION_CREDENTIALS=files.write(value, private_key=pem)).code == 0


def generated(*words):
    return keys.openssl("genpkey", *words).decode()


BAD_KEYS = {
    "empty": lambda pem: "",
    "words": lambda pem: "no key",
    "certificate": lambda pem: pem.replace("PRIVATE KEY", "CERTIFICATE"),
    "public": keys.public_key,
    "cut": lambda pem: pem[:400] + "\n-----END PRIVATE KEY-----\n",
    "no-end": lambda pem: pem.split("-----END")[0],
    "damaged": lambda pem: pem[:60] + "AAAAAAAA" + pem[68:],
    "encrypted": lambda pem: keys.openssl(
        "pkcs8", "-topk8", "-passout", "pass:x", data=pem.encode()).decode(),
    "rsa-1024": lambda pem: generated("-algorithm", "RSA", "-pkeyopt",
                                      "rsa_keygen_bits:1024"),
    "rsa-8192-like": lambda pem: keys_of_8192(),
    "p-256": lambda pem: generated("-algorithm", "EC", "-pkeyopt",
                                   "ec_paramgen_curve:P-256"),
    "ed25519": lambda pem: generated("-algorithm", "ED25519"),
    "ec-of-100000-bytes": lambda pem: key_of_100000_bytes(),
    "bytes-behind": lambda pem: armoured("PRIVATE KEY", der_of(pem) + bytes(600)),
}


def der_of(pem):
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


def armoured(label, der):
    """A PEM block (RFC 7468)."""
    return (f"-----BEGIN {label}-----\n" + base64.encodebytes(der).decode()
            + f"-----END {label}-----\n")


def tlv(tag, content):
    """An element of DER with a length of three bytes, which decoders bear."""
    return bytes([tag, 0x83]) + len(content).to_bytes(3, "big") + content


def keys_of_8192():
    """The structure of a key of 8192 bits (RFC 8017 A.1.2); its numbers do not matter."""
    def number(bits):
        return tlv(2, b"\0" + b"\xff" * (bits // 8))

    return armoured("RSA PRIVATE KEY", tlv(
        0x30, tlv(2, b"\0") + number(8192) + tlv(2, b"\1\0\1") + number(8192)
        + number(4096) * 5))


def key_of_100000_bytes():
    """The structure of a key on P-256 (RFC 5915 section 3), far too long."""
    p256 = bytes.fromhex("06082a8648ce3d030107")
    return armoured("EC PRIVATE KEY", tlv(
        0x30, tlv(2, b"\1") + tlv(4, bytes([255]) * 100000) + tlv(0xA0, p256)))


def refused(emulator, result, *parts):
    """A wrong file: one clear line, before anything is sent."""
    assert result.code == 2, result.out
    assert result.error["operation"] == "validate-config"
    for part in parts:
        assert part in result.error["message"], result.error["message"]
    assert emulator.connections() == []


@pytest.mark.parametrize("name", BAD_KEYS)
def test_bad_private_keys(emulator, job, files, name):
    value = emulator.accounts.add(ROBOT)
    path = files.write(value, private_key=BAD_KEYS[name](value["private_key"]))
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    refused(emulator, result, str(path), "private_key")


def test_a_key_with_the_old_token_endpoint(emulator, job, files):
    """It signs its own token; before an impersonation the old endpoint is asked."""
    path = files.service_account(token_uri=OLD_TOKEN_URI)
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    assert emulator.requests("oauth") == []
    assert job(GOOGLE_APPLICATION_CREDENTIALS=files.impersonated(path)).code == 0
    [entry] = emulator.requests("oauth")
    assert entry.path == "/o/oauth2/token"
    assert keys.read(form_of(entry)["assertion"])[1]["aud"] == OLD_TOKEN_URI


def test_a_deleted_account(emulator, job, files):
    path = files.service_account()
    emulator.accounts.remove(ROBOT)
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    assert result.code == 4
    assert result.error["error_code"] == "UNAUTHENTICATED"


# --- external_account ------------------------------------------------------------


def check_exchange(emulator, **more):
    [entry] = emulator.requests("federation", operation="exchange")
    assert entry.method == "POST" and entry.path == "/v1/token"
    assert form_of(entry) == {
        "audience": federation.POOL, "grant_type": federation.EXCHANGE,
        "requested_token_type": federation.ACCESS_TOKEN,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "subject_token": emulator.federation.subject,
        "subject_token_type": SUBJECT_TYPE, **more}
    return entry


def test_workload_identity_federation_with_a_file(emulator, job, files):
    result = job(GOOGLE_APPLICATION_CREDENTIALS=files.external_account())
    assert result.code == 0, result.out
    assert stored(emulator)
    entry = check_exchange(emulator)
    assert entry.header("Authorization") is None
    assert operations(emulator, "federation") == ["exchange"]
    assert emulator.tokens.find(bearer_of(emulator)).kind == "federated"


SOURCES = {
    "file-with-newline": ({"file": "F"}, lambda token: f"{token}\n"),
    "file-text": ({"file": "F", "format": {"type": "text"}}, str),
    "file-json": ({"file": "F", "format": {"type": "json",
                                           "subject_token_field_name": "id_token"}},
                  lambda token: json.dumps({"x": [1], "id_token": token})),
    "file-json-escaped": (
        {"file": "F", "format": {"type": "json", "subject_token_field_name": "t"}},
        lambda token: '{"t": "\\u0065%s"}' % token[1:]),
    "url": ({"url": "U/subject"}, str),
    "url-json": ({"url": "U/subject?format=json&x=%20y",
                  "headers": {"Metadata": "True", "X-Other": "a b"},
                  "format": {"type": "json",
                             "subject_token_field_name": "access_token"}}, str),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_of_the_subject_token(emulator, job, files, name):
    source, content = SOURCES[name]
    path = files.folder / "subject"
    path.write_text(content(emulator.federation.subject))
    source = json.loads(json.dumps(source).replace('"F"', json.dumps(str(path)))
                        .replace("U/", f"{emulator.federation_url}/"))
    if "headers" in source:
        emulator.federation.subject_headers = source["headers"]
    result = job(GOOGLE_APPLICATION_CREDENTIALS=files.external_account(
        credential_source=source))
    assert result.code == 0, result.out
    check_exchange(emulator)


LONG = "eyJ." + "long-subject-token" * 1700  # with a claim for each group of its user


@pytest.mark.parametrize("name", SOURCES)
def test_long_subject_tokens(emulator, job, files, name):
    emulator.federation.subject = LONG
    test_sources_of_the_subject_token(emulator, job, files, name)


def test_long_and_many_fields_of_a_source(emulator, job, files):
    headers = {f"X-Field-{n}": f"value {n}" for n in range(31)}
    headers["Authorization"] = "bearer " + "t" * 14_000
    emulator.federation.subject_headers = headers
    path = files.external_account(credential_source={
        "url": f"{emulator.federation_url}/subject?audience={'a' * 900}",
        "headers": headers})
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    assert result.code == 0, result.out
    check_exchange(emulator)


def test_fields_of_a_source_that_are_too_long(emulator, job, files):
    path = files.external_account(credential_source={
        "url": f"{emulator.federation_url}/subject", "headers": {"X": "t" * 17_000}})
    refused(emulator, job(GOOGLE_APPLICATION_CREDENTIALS=path), "headers")


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_urls_are_requested_as_they_stand(emulator, job, files, slash):
    emulator.federation.paths |= {("GET", f"/subject{slash}"): "subject",
                                  ("POST", f"/v1/token{slash}"): "exchange"}
    path = files.external_account(
        credential_source={"url": f"{emulator.federation_url}/subject{slash}?a=/"},
        token_url=f"https://sts.googleapis.com/v1/token{slash}")
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    assert [entry.target for entry in emulator.requests("federation")] == [
        f"/subject{slash}?a=/", f"/v1/token{slash}"]


def test_a_url_without_a_path(emulator, job, files):
    emulator.federation.paths |= {("GET", "/"): "subject"}
    path = files.external_account(credential_source={"url": emulator.federation_url})
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0


def test_zero_values_count_as_absent(emulator, job, files):
    """A struct of Go that was marshalled holds every member, set or not."""
    path = files.external_account(
        credential_source={
            "file": str(files.folder / "token"), "url": None, "headers": None,
            "environment_id": "", "region_url": "", "regional_cred_verification_url": "",
            "imdsv2_session_token_url": "", "executable": None, "certificate": None,
            "format": {"type": "", "subject_token_field_name": ""}},
        service_account_impersonation_url="", client_id="", client_secret="",
        service_account_impersonation={"token_lifetime_seconds": 0},
        workforce_pool_user_project="", quota_project_id="", private_key="",
        delegates=[], scopes=[], source_credentials={})
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    assert result.code == 0, result.out
    check_exchange(emulator)


def test_zero_values_of_a_url_source(emulator, job, files):
    emulator.federation.impersonators.add((emulator.federation.identity(), TARGET))
    path = files.external_account(
        credential_source={
            "file": "", "url": f"{emulator.federation_url}/subject", "headers": {},
            "environment_id": None, "format": {},
            "executable": {"command": "", "timeout_millis": 0, "output_file": ""}},
        service_account_impersonation_url=f"{IAM}/{TARGET}:generateAccessToken",
        service_account_impersonation={"token_lifetime_seconds": 0})
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    check_generated(emulator)


@pytest.mark.parametrize("refusals", [0, 1])
def test_a_subject_token_from_a_pipe(emulator, job, files, refusals):
    """It can be read only once, so it is kept for a second exchange."""
    reader, writer = os.pipe()
    os.write(writer, emulator.federation.subject.encode() + b"\n")
    os.close(writer)
    path = files.external_account(credential_source={"file": f"/dev/fd/{reader}"})
    if refusals:
        emulator.order("secretmanager", reply=errors.token_expired())
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path, pass_fds=[reader])
    os.close(reader)
    assert result.code == 0, result.out
    assert operations(emulator, "federation") == ["exchange"] * (1 + refusals)


def test_a_pipe_that_holds_too_much(emulator, job, files):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 18)
    os.write(writer, b"x" * 70_000)
    os.close(writer)
    path = files.external_account(credential_source={"file": f"/dev/fd/{reader}"})
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path, pass_fds=[reader])
    os.close(reader)
    refused(emulator, result, "credential_source.file", "larger than 65536 bytes")


SAML = "PHNhbWxwOlJlc3BvbnNl+/x=\r\nSUQ9Il8x\n\tIj4="


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_saml_assertion_has_lines(emulator, job, files, form):
    """It is sent as it is, as Google's libraries do."""
    emulator.federation.subject = SAML
    source = {"file": str(files.folder / "saml")}
    if form == "json":
        source["format"] = {"type": "json", "subject_token_field_name": "s"}
    (files.folder / "saml").write_text(
        SAML if form == "text" else json.dumps({"s": SAML}), newline="")
    path = files.external_account(subject_token_type=federation.SUBJECT_TYPES[2],
                                  credential_source=source)
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    [entry] = emulator.requests("federation")
    assert form_of(entry)["subject_token"] == SAML


def test_a_subject_token_behind_a_link(emulator, job, files, tmp_path):
    """The confined process reads it where the link leads to."""
    (tmp_path / "elsewhere").write_text(emulator.federation.subject)
    link = files.folder / "link"
    link.symlink_to(tmp_path / "elsewhere")
    assert job(GOOGLE_APPLICATION_CREDENTIALS=files.external_account(
        credential_source={"file": str(link)})).code == 0
    check_exchange(emulator)


def test_the_subject_token_is_read_anew_for_each_exchange(emulator, job, files):
    """Kubernetes has renewed it before the API refuses the first token: it mounts new
    folders and turns a link."""
    volume = files.folder / "volume"
    for name in ("first", "second"):
        (volume / name).mkdir(parents=True)
    (volume / "first" / "token").write_text(emulator.federation.subject)
    (volume / "..data").symlink_to("first")
    (volume / "token").symlink_to("..data/token")
    path = files.external_account(credential_source={"file": str(volume / "token")})

    def renew(_):
        emulator.federation.subject = "renewed.subject.token"
        (volume / "second" / "token").write_text(emulator.federation.subject)
        (volume / "..new").symlink_to("second")
        (volume / "..new").rename(volume / "..data")
        return True

    emulator.order("secretmanager", renew, reply=errors.token_expired())
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    first, second = emulator.requests("federation", operation="exchange")
    assert form_of(first)["subject_token"] != form_of(second)["subject_token"]


def test_a_client_of_the_pool(emulator, job, files):
    emulator.federation.clients["id"] = "sec:ret"
    path = files.external_account(client_id="id", client_secret="sec:ret")
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    entry = check_exchange(emulator)
    expected = base64.b64encode(b"id:sec:ret").decode()
    assert entry.header("Authorization") == f"Basic {expected}"


def test_a_workforce_pool(emulator, job, files):
    path = files.external_account(audience=federation.WORKFORCE,
                                  workforce_pool_user_project="billing-project")
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    check_exchange(emulator, audience=federation.WORKFORCE,
                   options='{"userProject":"billing-project"}')


def check_generated(emulator, lifetime="3600s", target=TARGET, **more):
    [entry] = emulator.requests("federation", operation="generateAccessToken")
    assert entry.path == f"/v1/projects/-/serviceAccounts/{target}:generateAccessToken"
    assert entry.json == {
        "lifetime": lifetime, "scope": ["https://www.googleapis.com/auth/cloud-platform"],
        **more}
    assert emulator.tokens.find(bearer_of(emulator)).identity == target


def test_federation_with_impersonation(emulator, job, files):
    emulator.federation.impersonators.add((emulator.federation.identity(), TARGET))
    path = files.external_account(
        service_account_impersonation_url=f"{IAM}/{TARGET}:generateAccessToken",
        service_account_impersonation={"token_lifetime_seconds": 1200})
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    check_exchange(emulator)
    check_generated(emulator, lifetime="1200s")


# --- external_account_authorized_user --------------------------------------------


def test_a_workforce_user(emulator, job, files):
    path = files.external_user()
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    [entry] = emulator.requests("federation")
    assert entry.operation == "refresh"
    assert form_of(entry) == {"grant_type": "refresh_token", "refresh_token":
                              json.loads(path.read_text())["refresh_token"]}
    expected = base64.b64encode(b"client:s:ecret").decode()
    assert entry.header("Authorization") == f"Basic {expected}"


# --- impersonation ---------------------------------------------------------------


def test_an_impersonated_account(emulator, job, files):
    """The service account behind it needs a real token: the JWT grant (RFC 7523)."""
    assert job(GOOGLE_APPLICATION_CREDENTIALS=files.impersonated()).code == 0
    [entry] = emulator.requests("oauth")
    form = form_of(entry)
    assert set(form) == {"assertion", "grant_type"}
    _, claims = keys.read(form["assertion"])
    assert claims["aud"] == TOKEN_URI and claims["iss"] == ROBOT
    assert "sub" not in claims
    check_generated(emulator)


@pytest.mark.parametrize("kind", ["user", "external_account", "external_user"])
def test_sources_of_an_impersonated_account(emulator, job, files, kind):
    if kind == "user":
        source = files.folder / "user.json"
        emulator.make_authorized_user(source)
    else:
        source = getattr(files, kind)()
    assert job(GOOGLE_APPLICATION_CREDENTIALS=files.impersonated(source)).code == 0
    check_generated(emulator)


def test_delegates(emulator, job, files):
    emulator.federation.impersonators |= {(ROBOT, MIDDLE), (MIDDLE, TARGET)}
    path = files.impersonated(delegates=[f"projects/-/serviceAccounts/{MIDDLE}"])
    assert job(GOOGLE_APPLICATION_CREDENTIALS=path).code == 0
    check_generated(emulator, delegates=[f"projects/-/serviceAccounts/{MIDDLE}"])


@pytest.mark.parametrize("member", [{"expireTime": "2020-01-01T00:00:00Z"},
                                    {"accessToken": "a b"}, {"accessToken": None}])
def test_a_useless_token_does_not_replace_its_source(emulator, job, files, member):
    """The next try speaks as the source again."""
    reply = {"accessToken": "ya29.useless", "expireTime": "2199-01-01T00:00:00Z", **member}
    emulator.order("federation", "generateAccessToken", reply=Reply(
        200, json.dumps(reply).encode(), errors.API_HEADERS))
    result = job(GOOGLE_APPLICATION_CREDENTIALS=files.impersonated())
    assert result.code == 0, result.out
    assert len(result.warnings) == 1
    first, second = emulator.requests("federation", operation="generateAccessToken")
    assert first.header("Authorization") == second.header("Authorization")


@pytest.mark.parametrize("delegated", [False, True], ids=["one", "delegates"])
def test_impersonation_by_flag(emulator, job, delegated):
    """For any credentials, here those of the metadata server."""
    robot = emulator.metadata.email
    emulator.federation.impersonators |= {(robot, TARGET), (robot, MIDDLE),
                                          (MIDDLE, TARGET)}
    accounts = f"{MIDDLE},{TARGET}" if delegated else TARGET
    more = {"delegates": [f"projects/-/serviceAccounts/{MIDDLE}"]} if delegated else {}
    assert job("--impersonate-service-account", accounts).code == 0
    check_generated(emulator, **more)


@pytest.mark.parametrize("text", ["x y@z", "a@b,", ",a@b", "a/../b@c", "a@b,,c@d",
                                  "A@B", "%", "x" * 600])
def test_bad_lists_of_accounts(emulator, job, text):
    result = job("--impersonate-service-account", text)
    refused(emulator, result, "--impersonate-service-account")


def test_impersonation_denied(emulator, job):
    result = job(CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT=TARGET)
    assert result.code == 4
    assert "iam.serviceAccounts.getAccessToken" in result.error["message"]
    assert "roles/iam.serviceAccountTokenCreator" in result.error["hint"]
    assert emulator.requests("secretmanager") == []


# --- gdch_service_account --------------------------------------------------------


def test_google_distributed_cloud(emulator, job, files):
    result = job(GOOGLE_APPLICATION_CREDENTIALS=files.gdch())
    assert result.code == 0, result.out
    [entry] = emulator.requests("federation")
    body = entry.json
    _, claims = keys.read(body.pop("subject_token"))
    assert body == {
        "audience": emulator.secretmanager_url,
        "grant_type": "urn:ietf:params:oauth:token-type:token-exchange",
        "requested_token_type": federation.ACCESS_TOKEN,
        "subject_token_type": "urn:k8s:params:oauth:token-type:serviceaccount"}
    assert claims["iss"] == claims["sub"] == "system:serviceaccount:p:n"
    assert claims["aud"] == f"{emulator.federation_url}/authenticate"


def test_gdch_trusts_its_own_ca_only(emulator, job, files, start_emulator, tmp_path):
    path = files.gdch(ca_cert_path=None)
    result = job(GOOGLE_APPLICATION_CREDENTIALS=path)
    assert result.code == 1
    assert "leads to no trusted root" in result.error["message"]


# --- what is refused -------------------------------------------------------------

# Type, changes to a right file, and parts of the message.
WRONG = {
    "sa-no-email": ("service_account", {"client_email": None}, ["lacks client_email"]),
    "sa-email-number": ("service_account", {"client_email": 1}, ["client_email"]),
    "sa-no-key": ("service_account", {"private_key": None}, ["lacks private_key"]),
    "sa-key-number": ("service_account", {"private_key": 7}, ["private_key"]),
    "sa-uri-http": ("service_account", {"token_uri": "http://oauth2.googleapis.com/token"},
                    ["token_uri", "https"]),
    "sa-uri-elsewhere": ("service_account", {"token_uri": "https://evil.example/token"},
                         ["token_uri", "not Google's"]),
    "sa-uri-lookalike": ("service_account", {"token_uri": "https://xgoogleapis.com/"},
                         ["token_uri", "not Google's"]),
    "sa-universe": ("service_account", {"universe_domain": "example.goog"},
                    ["universe domain example.goog", "googleapis.com"]),
    "ext-no-audience": ("external_account", {"audience": None}, ["lacks audience"]),
    "ext-no-type": ("external_account", {"subject_token_type": None},
                    ["lacks subject_token_type"]),
    "ext-no-source": ("external_account", {"credential_source": None},
                      ["credential_source"]),
    "ext-empty-source": ("external_account", {"credential_source": {}},
                         ["neither file nor url"]),
    "ext-both": ("external_account", {"credential_source": {"file": "/x", "url": "y"}},
                 ["both file and url"]),
    "ext-executable": ("external_account", {"credential_source": {
        "executable": {"command": "/bin/x"}}}, ["executable", "not supported"]),
    "ext-aws": ("external_account", {"credential_source": {
        "environment_id": "aws1", "url": "http://169.254.169.254/x"}},
        ["AWS", "not supported"]),
    "ext-certificate": ("external_account", {"credential_source": {
        "certificate": {"use_default_certificate_config": True}}},
        ["certificate", "not supported"]),
    "ext-url-http": ("external_account", {"credential_source": {
        "url": "http://tokens.example/x"}}, ["credential_source.url", "https"]),
    "ext-format": ("external_account", {"credential_source": {
        "file": "/x", "format": {"type": "xml"}}}, ["neither text nor json"]),
    "ext-no-field": ("external_account", {"credential_source": {
        "file": "/x", "format": {"type": "json"}}}, ["subject_token_field_name"]),
    "ext-headers": ("external_account", {"credential_source": {
        "url": "https://localhost/x", "headers": {"A": 1}}}, ["headers"]),
    "ext-many-headers": ("external_account", {"credential_source": {
        "url": "https://localhost/x", "headers": {f"A{n}": "x" for n in range(33)}}},
        ["headers"]),
    "ext-sts-elsewhere": ("external_account", {"token_url": "https://sts.evil.example/"},
                          ["token_url", "not Google's"]),
    "ext-user-project": ("external_account", {"workforce_pool_user_project": "p"},
                         ["workforce_pool_user_project"]),
    "ext-lifetime": ("external_account", {
        "service_account_impersonation_url": f"{IAM}/{TARGET}:generateAccessToken",
        "service_account_impersonation": {"token_lifetime_seconds": 60}},
        ["token_lifetime_seconds"]),
    "ext-control": ("external_account", {"audience": "a\nb"}, ["audience"]),
    "user-no-secret": ("external_user", {"client_secret": None}, ["lacks client_secret"]),
    "imp-no-source": ("impersonated", {"source_credentials": None},
                      ["source_credentials"]),
    "imp-source-text": ("impersonated", {"source_credentials": "x"},
                        ["source_credentials"]),
    "imp-source-type": ("impersonated", {"source_credentials": {"type": "x"}},
                        ["unknown type"]),
    "imp-nested": ("impersonated", {"source_credentials": {
        "type": "impersonated_service_account"}}, ["unknown type"]),
    "imp-no-url": ("impersonated", {"service_account_impersonation_url": None},
                   ["service_account_impersonation_url"]),
    "imp-url-path": ("impersonated", {"service_account_impersonation_url":
                                      "https://iamcredentials.googleapis.com/v1/x"},
                     ["generateAccessToken"]),
    "imp-url-elsewhere": ("impersonated", {
        "service_account_impersonation_url":
            f"https://iam.example/v1/projects/-/serviceAccounts/{TARGET}"
            ":generateAccessToken"}, ["not Google's"]),
    "imp-delegates": ("impersonated", {"delegates": [1]}, ["delegates"]),
    "gdch-version": ("gdch", {"format_version": "2"}, ["format_version"]),
    "gdch-no-name": ("gdch", {"name": None}, ["lacks name"]),
    "gdch-http": ("gdch", {"token_uri": "http://gdch.example/x"}, ["token_uri", "https"]),
    "gdch-ca": ("gdch", {"ca_cert_path": "/missing.pem"}, ["ca_cert_path: ", "/missing.pem"]),
    "gdch-ca-zeros": ("gdch", {"ca_cert_path": "/dev/zero"},
                      ["ca_cert_path: ", "more than 16 MiB"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_files(emulator, job, files, name):
    kind, changes, parts = WRONG[name]
    path = getattr(files, kind)(**changes)
    refused(emulator, job(GOOGLE_APPLICATION_CREDENTIALS=path), *parts)


def test_gdch_without_endpoint(emulator, job, files):
    result = job(GOOGLE_APPLICATION_CREDENTIALS=files.gdch(),
                 SECRET_MANAGER_ENDPOINT=None)
    refused(emulator, result, "needs to know the API's URL")


def test_another_universe(emulator, job, files):
    path = files.service_account(universe_domain="example.goog")
    result = job("--universe-domain", "example.goog",
                 GOOGLE_APPLICATION_CREDENTIALS=path)
    assert result.code == 0, result.out


def test_the_endpoint_of_another_universe(job, files):
    path = files.service_account(universe_domain="example.invalid")
    result = job(GOOGLE_CLOUD_UNIVERSE_DOMAIN="example.invalid", MAX_WAIT_TIME_SECONDS=2,
                 SECRET_MANAGER_ENDPOINT=None, GOOGLE_APPLICATION_CREDENTIALS=path,
                 before=["unshare", "-n"])
    assert result.code == 1
    assert "secretmanager.example.invalid" in result.error["message"]


SUBJECTS = {
    "missing": (None, 2, "cannot open"), "empty": ("", 2, "is empty"),
    "white-space": (" \n", 2, "is empty"), "control": ("a\x01b", 2, "control character"),
    "another": ("eyJ.other.token", 4, "invalid_grant"),
    "too-large": ("x" * 200_000, 2, "larger than"),
}


def test_subject_tokens_that_fail(start_emulator, tmp_path):
    def check(name, content, code, part):
        emulator = start_emulator()
        files = Files(emulator, tmp_path / name)
        path = files.external_account()
        if content is None:
            (files.folder / "token").unlink()
        else:
            (files.folder / "token").write_text(content)
        result = Job(emulator)(GOOGLE_APPLICATION_CREDENTIALS=path)
        assert result.code == code, result.out
        assert part in result.error["message"]
        assert ("mount the token where credential_source says" in result.error["hint"]
                or code == 4)
        assert emulator.requests("secretmanager") == []

    together(check, {name: (name, *row) for name, row in SUBJECTS.items()})


# Service, operation, reply: exit code and part of message or hint.
FAILURES = {
    "exchange-target": ("exchange", errors.oauth(400, "invalid_target", "No."), 4,
                        "invalid_target"),
    "exchange-disabled": ("exchange", errors.service_disabled(), 4, "SERVICE_DISABLED"),
    "exchange-html": ("exchange", errors.html_404(), 1, "without a JSON error"),
    "exchange-no-token": ("exchange", Reply(200, b"{}", errors.OAUTH_HEADERS), 1,
                          "no usable access_token"),
    "generate-denied": ("generateAccessToken", errors.permission_denied(), 4,
                        "roles/iam.serviceAccountTokenCreator"),
    "generate-no-time": ("generateAccessToken",
                         Reply(200, b'{"accessToken": "x"}', errors.API_HEADERS), 1,
                         "expireTime"),
    "generate-old": ("generateAccessToken",
                     Reply(200, b'{"accessToken": "x", "expireTime": '
                           b'"2020-01-01T00:00:00Z"}', errors.API_HEADERS), 1,
                     "the token expires in"),
    "subject-403": ("subject", Reply(403, b"no"), 4, "source of the subject token"),
    "subject-redirect": ("subject", errors.redirect(), 1, "never followed"),
}


PROVIDER = ("//iam.googleapis.com/projects/123456789012/locations/global/"
            "workloadIdentityPools/pool/providers/provider")
# Type of the file, operation, reply: parts of message and hint, as they must be shown.
REMEDIES = {
    "audience": ("external_account", "exchange", errors.oauth(
        400, "invalid_grant", "The audience in ID Token [https://kubernetes.default.svc] "
        f"does not match the expected audience {PROVIDER}."), PROVIDER, "--allowed-audiences"),
    "issuer": ("external_account", "exchange", errors.oauth(
        400, "invalid_grant", "The issuer in ID Token https://a.example does not match the "
        "expected ones: https://b.example"), "https://b.example", "--issuer-uri"),
    "condition": ("external_account", "exchange", errors.oauth(
        400, "unauthorized_client", "The given credential is rejected by the attribute "
        "condition."), "attribute condition.", "condition refuses the token"),
    "stale": ("external_account", "exchange", errors.oauth(
        400, "invalid_grant", "ID Token issued at 1713260741 is stale to sign-in."),
        "is stale", "serviceAccountToken"),
    "pool": ("external_account", "exchange", errors.oauth(
        400, "invalid_target", 'The target service indicated by the "audience" parameters is '
        "invalid. This might either be because the pool or provider is disabled or deleted "
        "or because it doesn't exist."), 'by the "audience" parameters is invalid.',
        "the file's audience names was deleted, disabled or misspelt"),
    "grant-type": ("external_account", "exchange", errors.oauth(
        400, "unsupported_grant_type", f"Invalid grant_type: {federation.EXCHANGE}"),
        federation.EXCHANGE, ""),
    "user": ("external_user", "refresh", errors.token_revoked(), "expired or revoked",
             "login --login-config=FILE"),
    "gdch": ("gdch", "gdch", errors.invalid_signature(), "Invalid JWT Signature",
             "private_key_id of the credential file"),
    "account": ("impersonated", "generateAccessToken", errors.api(
        "NOT_FOUND", f"Not found; Gaia id not found for email {TARGET}"), TARGET,
        "no such service account"),
    "impersonation": ("impersonated", "generateAccessToken", errors.permission_denied_old(
        "iam.serviceAccounts.getAccessToken"), "getAccessToken",
        "roles/iam.serviceAccountTokenCreator"),
    "clock": ("impersonated", "token", errors.invalid_timeframe(), "reasonable timeframe",
              "set the clock"),
    "key": ("impersonated", "token", errors.invalid_signature(), "Invalid JWT Signature",
            "gcloud iam service-accounts keys list"),
    "refused-key": ("service_account", "addVersion", errors.credentials_invalid(),
                    "HTTP 401 UNAUTHENTICATED", "gcloud iam service-accounts keys list"),
    "refused-pool": ("external_account", "addVersion", errors.credentials_invalid(),
                     "HTTP 401 UNAUTHENTICATED", "the pool or its provider"),
    "refused-account": ("impersonated", "addVersion", errors.credentials_invalid(),
                        "HTTP 401 UNAUTHENTICATED", "the impersonated service account"),
}
SERVICES = {"token": "oauth", "addVersion": "secretmanager"}


def test_every_type_has_its_own_remedies(emulator, job, files):
    """No star hides a name or one of our own words; only users are told to log in."""
    for name, (kind, operation, reply, message, hint) in REMEDIES.items():
        emulator.orders.clear()
        emulator.federation.clients.clear()
        emulator.order(SERVICES.get(operation, "federation"), operation, times=None,
                       reply=reply)
        error = job(GOOGLE_APPLICATION_CREDENTIALS=getattr(files, kind)()).error
        assert message in error["message"] and hint in error.get("hint", ""), (name, error)
        assert "*" not in error["message"] + error.get("hint", ""), error
        assert kind == "external_user" or "application-default" not in str(error), error


def test_names_that_are_no_secrets(emulator, job, files):
    """The name of a service that cannot be found, though a form holds parts of it."""
    error = job(GOOGLE_APPLICATION_CREDENTIALS=files.external_account(), STS_ENDPOINT=None,
                MAX_WAIT_TIME_SECONDS=1).error
    assert "cannot resolve sts.googleapis.com: " in error["message"]
    error = job(GOOGLE_APPLICATION_CREDENTIALS=files.external_account(client_id="client")).error
    assert error["hint"] == "client_id or client_secret of the credential file is wrong"


def test_a_subject_token_that_is_quoted(emulator, job, files):
    """As it was before its encoding, which base64 of SAML needs."""
    emulator.federation.subject = "PHNhbWwgY2FuYXJ5+/+/+secret+/of/the/+subject=="
    for quoted in (emulator.federation.subject, emulator.federation.subject[12:24]):
        emulator.orders.clear()
        emulator.order("federation", "exchange", reply=errors.oauth(
            400, "invalid_grant", f"Bad token <{quoted}> of {federation.SUBJECT_TYPES[2]}."))
        result = job(GOOGLE_APPLICATION_CREDENTIALS=files.external_account(
            subject_token_type=federation.SUBJECT_TYPES[2]))
        hidden = "*" * len(quoted)
        assert f"Bad token <{hidden}> of {federation.SUBJECT_TYPES[2]}." in (
            result.error["message"])


def test_failures_on_the_way(start_emulator, tmp_path):
    def check(name, operation, reply, code, part):
        emulator = start_emulator()
        emulator.federation.impersonators.add((emulator.federation.identity(), TARGET))
        files = Files(emulator, tmp_path / name)
        path = files.external_account(
            credential_source={"url": f"{emulator.federation_url}/subject"},
            service_account_impersonation_url=f"{IAM}/{TARGET}:generateAccessToken")
        emulator.order("federation", operation, times=None, reply=reply)
        result = Job(emulator)(GOOGLE_APPLICATION_CREDENTIALS=path,
                               MAX_WAIT_TIME_SECONDS=2)
        assert result.code == code, result.out
        assert part in result.error["message"] + result.error.get("hint", "")
        assert emulator.federation.subject not in result.out
        assert emulator.requests("secretmanager") == []

    together(check, {name: (name, *row) for name, row in FAILURES.items()})


def test_every_step_is_retried(start_emulator, tmp_path):
    def check(name, operation):
        emulator = start_emulator()
        emulator.federation.impersonators.add((emulator.federation.identity(), TARGET))
        files = Files(emulator, tmp_path / name)
        path = files.external_account(
            credential_source={"url": f"{emulator.federation_url}/subject"},
            service_account_impersonation_url=f"{IAM}/{TARGET}:generateAccessToken")
        emulator.order("federation", operation, reply=errors.html_503())
        result = Job(emulator)(GOOGLE_APPLICATION_CREDENTIALS=path)
        assert result.code == 0, result.out
        assert len(result.warnings) == 1

    together(check, {name: (name, name)
                     for name in ("subject", "exchange", "generateAccessToken")})
