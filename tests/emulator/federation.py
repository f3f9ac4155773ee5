"""Security Token Service, IAM Credentials, GDCH, and a source of subject tokens."""

import base64
import json
import re
import secrets
import threading
from datetime import datetime, timezone
from urllib.parse import parse_qsl

from . import errors, keys
from .oauth import read_form
from .tokens import CLOUD_PLATFORM
from .wire import Reply, json_bytes

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SUBJECT_TYPES = ("urn:ietf:params:oauth:token-type:jwt",
                 "urn:ietf:params:oauth:token-type:id_token",
                 "urn:ietf:params:oauth:token-type:saml2")
POOL = ("//iam.googleapis.com/projects/123456789012/locations/global/"
        "workloadIdentityPools/pool/providers/provider")
WORKFORCE = "//iam.googleapis.com/locations/global/workforcePools/pool/providers/provider"
_GENERATE = re.compile(r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken")


class Federation:
    """Knobs: subject, the token that its own source gives; paths, further ones by
    method and path, and what they are; clients that must say who
    they are, id -> secret; impersonators, (caller, account) pairs that are allowed."""

    name = "federation"
    hosts = ("sts.googleapis.com", "iamcredentials.googleapis.com")

    def __init__(self, tokens, directory):
        self.subject = "eyJ.subject-" + secrets.token_urlsafe(40) + ".sig"
        self.subject_headers = {}
        self.subject_reply = None
        self.paths = {}
        self.clients = {}
        self.refresh_tokens = {}  # value -> identity
        self.impersonators = set()
        self.audiences = {POOL, WORKFORCE}
        self.gdch = {}  # system:serviceaccount:PROJECT:NAME -> public key
        self._tokens = tokens
        self._directory = directory
        self._lock = threading.Lock()

    # --- for tests ---------------------------------------------------------------

    def identity(self, audience=POOL):
        """Who the subject token stands for."""
        return f"principal:{audience.rpartition('/providers/')[0]}/subject/me"

    def add_refresh_token(self):
        value = "ext-" + secrets.token_urlsafe(40)
        self.refresh_tokens[value] = self.identity(WORKFORCE)
        return value

    def add_gdch(self, url, project="p", name="n"):
        """Register a GDCH account; returns its credential file as a dictionary."""
        private = keys.private_key(self._directory, "ES256")
        issuer = f"system:serviceaccount:{project}:{name}"
        self.gdch[issuer] = keys.public_key(private)
        return {"type": "gdch_service_account", "format_version": "1",
                "project": project, "name": name, "private_key_id": "gdch-key",
                "private_key": private, "token_uri": f"{url}/authenticate"}

    # --- the service interface ---------------------------------------------------

    def operations(self):
        return (*self._known().values(), "generateAccessToken", "unknown")

    def operation(self, request):
        if request.method == "POST" and _GENERATE.fullmatch(request.path):
            return "generateAccessToken"
        return self._known().get((request.method, request.raw_path), "unknown")

    def _known(self):
        return {("POST", "/v1/token"): "exchange",
                ("POST", "/v1/oauthtoken"): "refresh",
                ("POST", "/authenticate"): "gdch", ("GET", "/subject"): "subject",
                **self.paths}

    def answer(self, request, operation):
        if operation == "unknown":
            return errors.html_404(request.path)
        with self._lock:
            return getattr(self, f"_{operation}")(request)

    def _subject(self, request):
        if self.subject_reply is not None:
            return self.subject_reply
        for name, value in self.subject_headers.items():
            if request.header(name) != value:
                return Reply(403, b"missing header")
        if dict(parse_qsl(request.query_string)).get("format") == "json":
            body = json_bytes({"nested": 1, "access_token": self.subject})
            return Reply(200, body, (("Content-Type", "application/json"),))
        return Reply(200, self.subject.encode(), (("Content-Type", "text/plain"),))

    def _client(self, request):
        """The client of an Authorization field, or the reply that it deserves."""
        header = request.header("Authorization")
        if header is None:
            return None
        scheme, _, value = header.partition(" ")
        try:
            name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return errors.invalid_request("Malformed Authorization")
        if scheme != "Basic" or self.clients.get(name) != secret:
            return errors.client_unauthorized()
        return name

    def _exchange(self, request):
        form, client = read_form(request), self._client(request)
        for problem in (form, client):
            if isinstance(problem, Reply):
                return problem
        if self.clients and client is None and "options" not in form:
            return errors.oauth(401, "invalid_client", "Client authentication is needed.")
        if form.get("grant_type") != EXCHANGE:
            return errors.unsupported_grant_type(form.get("grant_type", ""))
        if form.get("requested_token_type") != ACCESS_TOKEN:
            return errors.invalid_request("Invalid requested_token_type.")
        if form.get("subject_token_type") not in SUBJECT_TYPES:
            return errors.invalid_request("Invalid subject_token_type.")
        if form.get("scope") != CLOUD_PLATFORM:
            return errors.invalid_scope()
        audience = form.get("audience", "")
        if audience not in self.audiences:
            return errors.oauth(
                400, "invalid_target", 'The target service indicated by the "audience" '
                "parameters is invalid. This might either be because the pool or provider "
                "is disabled or deleted or because it doesn't exist.")
        if "options" in form and (client or audience != WORKFORCE or set(
                json.loads(form["options"])) != {"userProject"}):
            return errors.invalid_request("Invalid options.")
        if form.get("subject_token") != self.subject:
            return errors.oauth(400, "invalid_grant", "The subject token is not valid.")
        token = self._tokens.issue(self.identity(audience), "federated")
        return _oauth_reply(token, issued_token_type=ACCESS_TOKEN)

    def _refresh(self, request):
        form, client = read_form(request), self._client(request)
        for problem in (form, client):
            if isinstance(problem, Reply):
                return problem
        if client is None:
            return errors.client_unauthorized()
        if form.get("grant_type") != "refresh_token" or set(form) != {
                "grant_type", "refresh_token"}:
            return errors.unsupported_grant_type(form.get("grant_type", ""))
        identity = self.refresh_tokens.get(form["refresh_token"])
        if identity is None:
            return errors.token_revoked()
        return _oauth_reply(self._tokens.issue(identity, "federated"))

    def _generateAccessToken(self, request):
        scheme, _, value = (request.header("Authorization") or "").partition(" ")
        caller = self._tokens.find(value)
        if scheme != "Bearer" or caller is None or not caller.valid:
            return errors.credentials_invalid()
        if request.media_type != "application/json":
            return errors.invalid_argument("Unsupported content type")
        body = json.loads(request.body)
        seconds = re.fullmatch(r"(\d+)s", body.get("lifetime", "3600s"))
        if set(body) - {"delegates", "lifetime", "scope"} or not body.get("scope"):
            return errors.invalid_argument("Invalid body")
        if not seconds or not 0 < int(seconds[1]) <= 43200:
            return errors.invalid_argument("Invalid lifetime")
        chain = [name.rpartition("/")[2] for name in body.get("delegates", [])]
        chain.append(_GENERATE.fullmatch(request.path)[1])
        for account in chain:
            if (caller.identity, account) not in self.impersonators:
                return errors.permission_denied("iam.serviceAccounts.getAccessToken")
            caller = self._tokens.issue(account, "service_account", body["scope"])
        caller.expires_at = caller.expires_at - 3599 + int(seconds[1])
        end = datetime.fromtimestamp(self._tokens.now() + int(seconds[1]), timezone.utc)
        value = {"accessToken": caller.value, "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return Reply(200, json_bytes(value), errors.API_HEADERS)

    def _gdch(self, request):
        if request.media_type != "application/json":
            return errors.invalid_request("Invalid content type")
        body = json.loads(request.body)
        try:
            issuer = keys.read(body["subject_token"])[1]["iss"]
            header, claims = keys.verify(body["subject_token"], "ES256",
                                         self.gdch.get(issuer, ""))
        except (KeyError, keys.BadToken):
            return errors.invalid_signature()
        if header.get("kid") != "gdch-key" or claims["sub"] != issuer or (
                not claims["aud"].endswith("/authenticate")):
            return errors.invalid_signature()
        if (body.get("grant_type") != "urn:ietf:params:oauth:token-type:token-exchange"
                or body.get("requested_token_type") != ACCESS_TOKEN
                or body.get("subject_token_type") !=
                "urn:k8s:params:oauth:token-type:serviceaccount"
                or not body.get("audience", "").startswith("https://")):
            return errors.invalid_request()
        return _oauth_reply(self._tokens.issue(issuer, "gdch"))


def _oauth_reply(token, **more):
    value = {"access_token": token.value, "expires_in": token.expires_in,
             "token_type": "Bearer", **more}
    return Reply(200, json_bytes(value), errors.OAUTH_HEADERS)
