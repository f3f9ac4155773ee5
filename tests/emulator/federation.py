"""Security Token Service, IAM Credentials, GDCH, and a source of subject tokens."""

import base64
import json
import re
import secrets
import threading
from urllib.parse import parse_qsl, unquote

from . import aws, errors, jsonbody, keys, moments, protojson
from .oauth import read_form
from .refusal import Refusal
from .tokens import CLOUD_PLATFORM, are_scopes
from .wire import Reply, json_bytes

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SUBJECT_TYPES = ("urn:ietf:params:oauth:token-type:jwt",
                 "urn:ietf:params:oauth:token-type:id_token",
                 "urn:ietf:params:oauth:token-type:saml2")
MUTUAL = "urn:ietf:params:oauth:token-type:mtls"  # its certificate speaks for the client
POOL = ("//iam.googleapis.com/projects/123456789012/locations/global/"
        "workloadIdentityPools/pool/providers/provider")
WORKFORCE = "//iam.googleapis.com/locations/global/workforcePools/pool/providers/provider"
_ACCOUNT = re.compile(r"/v1/projects/-/serviceAccounts/([^/:]+)"
                      r"(?::(generateAccessToken|generateIdToken)|/(allowedLocations))")
_DELEGATE = re.compile(r"projects/-/serviceAccounts/([^/:]+)")
_MEANT_FOR = (CLOUD_PLATFORM, "https://www.googleapis.com/auth/iam")
HOUR = 3600
LONGEST = 12 * HOUR  # where the organization extends the lifetime for an account
_ACCESS_SCHEMA = {"name": "string", "delegates": ["string"], "scope": ["string"],
                  "lifetime": "duration"}
_ID_SCHEMA = {"name": "string", "delegates": ["string"], "audience": "string",
              "includeEmail": "bool", "organizationNumberIncluded": "bool",
              "useEmailAzp": "bool"}
_GDCH_SCHEMA = dict.fromkeys(("grant_type", "audience", "requested_token_type",
                              "subject_token", "subject_token_type"), "string")


class Federation:
    """Knobs: subject, the token that its own source gives; paths, further ones by
    method and path, and what they are; clients that must say who
    they are, id -> secret; impersonators, (caller, account) pairs that are allowed;
    aws, access keys by id, (secret, session token or None) each;
    issuers, keys (keys.key_set) of those who sign subject tokens, by "iss"; subjects, what
    the provider's condition lets in of theirs, None for all;
    long_lived, accounts whose tokens may live for 12 hours instead of one."""

    name = "federation"
    hosts = ("sts.googleapis.com", "sts.mtls.googleapis.com", "iamcredentials.googleapis.com")

    def __init__(self, tokens, directory, accounts):
        self.subject = "eyJ.subject-" + secrets.token_urlsafe(40) + ".sig"
        self.subject_headers = {}
        self.subject_reply = None
        self.paths = {}
        self.clients = {}
        self.public_clients = {"32555940559.apps.googleusercontent.com"}  # gcloud's own
        self.refresh_tokens = {}  # value -> identity
        self.impersonators = set()
        self.long_lived = set()
        self.aws = {}
        self.issuers = {}
        self.subjects = None
        self.audiences = {POOL, WORKFORCE}
        self.gdch = {}  # system:serviceaccount:PROJECT:NAME -> public key
        self._tokens = tokens
        self._accounts = accounts
        self._directory = directory
        self._lock = threading.Lock()

    # --- for tests ---------------------------------------------------------------

    def identity(self, audience=POOL, subject="me"):
        """Who the subject token stands for; "me" is that of every token but an issuer's."""
        return f"principal:{audience.rpartition('/providers/')[0]}/subject/{subject}"

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
        return (*self._known().values(), "generateAccessToken", "generateIdToken",
                "allowedLocations", "unknown")

    def operation(self, request):
        account = _ACCOUNT.fullmatch(request.path)
        if account and request.method == ("GET" if account[3] else "POST"):
            return account[2] or account[3]
        return self._known().get((request.method, request.raw_path), "unknown")

    def _known(self):
        return {("POST", "/v1/token"): "exchange",
                ("POST", "/v1/oauthtoken"): "refresh",
                ("POST", "/v1/introspect"): "introspect",
                ("POST", "/v1/revoke"): "revoke",
                ("POST", "/authenticate"): "gdch", ("GET", "/subject"): "subject",
                **self.paths}

    def answer(self, request, operation):
        if operation == "unknown":
            return errors.html_404(request.path)
        with self._lock:
            try:
                return getattr(self, f"_{operation}")(request)
            except Refusal as refusal:
                return refusal.reply

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
        if name in self.public_clients:
            return name
        if scheme.lower() != "basic" or self.clients.get(name) != secret:
            return errors.client_unauthorized()
        return name

    def _form(self, request):
        """The form and the client that sent it."""
        form, client = read_form(request), self._client(request)
        for problem in (form, client):
            if isinstance(problem, Reply):
                raise Refusal(problem)
        return form, client

    def _exchange(self, request):
        form, client = self._form(request)
        if self.clients and client is None and "options" not in form:
            return errors.oauth(401, "invalid_client", "Client authentication is needed.")
        if form.get("grant_type") != EXCHANGE:
            return errors.unsupported_grant_type(form.get("grant_type", ""))
        if form.get("requested_token_type") != ACCESS_TOKEN:
            return errors.invalid_request("Invalid requested_token_type.")
        kind = form.get("subject_token_type")
        if kind not in (*SUBJECT_TYPES, aws.TOKEN_TYPE, MUTUAL):
            return errors.invalid_request("Invalid subject_token_type.")
        scopes = form.get("scope", "").split()
        if not are_scopes(scopes):
            return errors.invalid_scope()
        audience = form.get("audience", "")
        if audience not in self.audiences:
            return errors.oauth(
                400, "invalid_target", 'The target service indicated by the "audience" '
                "parameters is invalid. This might either be because the pool or provider "
                "is disabled or deleted or because it doesn't exist.")
        if "options" in form:
            project = _user_project(form["options"])
            if project is None or client or audience != WORKFORCE:
                return errors.invalid_request("Invalid options.")
        subject = self._subject_of(form.get("subject_token", ""), kind, audience,
                                   request.certificate)
        if subject is None:
            return errors.oauth(400, "invalid_grant", "The subject token is not valid.")
        token = self._tokens.issue(self.identity(audience, subject), "federated", scopes)
        return _oauth_reply(token, issued_token_type=ACCESS_TOKEN)

    def _subject_of(self, token, kind, audience, certificate):
        """Who a subject token speaks for; None for nobody."""
        if kind == aws.TOKEN_TYPE:
            good = aws.verified(token, audience, self.aws, self._tokens.now())
        elif kind == MUTUAL:
            good = certificate is not None and _leaf_of(token) == certificate
        else:
            good = token == self.subject
        return "me" if good else self._signer(token, audience)

    def _signer(self, token, audience):
        """The subject of a JWT of an issuer that the pool trusts, such as a cluster's
        projected token, or None."""
        try:
            header, claims = keys.read(token)
            keys.verify(token, "RS256", self.issuers[claims.get("iss")][header.get("kid")])
        except (KeyError, TypeError, keys.BadToken):
            return None
        given, subject = claims.get("aud"), claims.get("sub")
        wanted = {audience, f"https:{audience}"}
        if not wanted & set(given if isinstance(given, list) else [given]) or not (
                claims.get("iat", 0) <= self._tokens.now() < claims.get("exp", 0)):
            return None
        if self.subjects is not None and subject not in self.subjects:
            raise Refusal(errors.oauth(
                400, "unauthorized_client",
                "The given credential is rejected by the attribute condition."))
        return subject

    def _introspect(self, request):
        """RFC 7662; Google asks who asks."""
        form, client = self._form(request)
        if client is None:
            return errors.client_unauthorized()
        if form.get("token_type_hint", ACCESS_TOKEN) != ACCESS_TOKEN:
            return errors.invalid_request("Invalid token_type_hint.")
        token = self._tokens.find(form.get("token", ""))
        value = {"active": False}
        if token is not None and token.valid:
            value = {"active": True, "scope": " ".join(token.scopes), "client_id": client,
                     "exp": int(token.expires_at), "sub": token.identity,
                     "username": token.identity, "iss": "https://sts.googleapis.com/"}
        return Reply(200, json_bytes(value), errors.OAUTH_HEADERS)

    def _revoke(self, request):
        """RFC 7009: what is not known counts as revoked."""
        form, client = self._form(request)
        if client is None:
            return errors.client_unauthorized()
        if not form.get("token"):
            return errors.invalid_request("Missing token.")
        self.refresh_tokens.pop(form["token"], None)
        self._tokens.revoke(form["token"])
        return Reply(200, json_bytes({}), errors.OAUTH_HEADERS)

    def _refresh(self, request):
        form, client = self._form(request)
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
        caller = self._caller(request)
        body = jsonbody.read(request, _ACCESS_SCHEMA)
        account = _ACCOUNT.fullmatch(request.path)[1]
        if not are_scopes(body.get("scope")):
            return errors.invalid_argument(
                "Invalid OAuth scope or ID token audience provided.")
        seconds = moments.length_of(body.get("lifetime", f"{HOUR}s"))
        longest = LONGEST if account in self.long_lived else HOUR
        if not 0 < seconds <= longest:
            return errors.invalid_argument(
                f"The lifetime must be positive and at most {longest}s.")
        self._allow(caller, body, account, "iam.serviceAccounts.getAccessToken")
        token = self._tokens.issue(account, "service_account", body["scope"], seconds)
        # The other services take whole seconds only.
        end = moments.timestamp(int(token.expires_at))
        return Reply(200, json_bytes({"accessToken": token.value, "expireTime": end}),
                     errors.API_HEADERS)

    def _generateIdToken(self, request):
        caller = self._caller(request)
        body = jsonbody.read(request, _ID_SCHEMA)
        account = _ACCOUNT.fullmatch(request.path)[1]
        if not body.get("audience"):
            return errors.invalid_argument(
                "Invalid OAuth scope or ID token audience provided.")
        self._allow(caller, body, account, "iam.serviceAccounts.getOpenIdToken")
        token = self._accounts.identity_token(account, body["audience"],
                                              body.get("includeEmail", False))
        return Reply(200, json_bytes({"token": token}), errors.API_HEADERS)

    def _allowedLocations(self, request):
        """The boundary of an account; this one is trusted everywhere."""
        self._caller(request)
        return Reply(200, json_bytes({"encodedLocations": "0x0"}), errors.API_HEADERS)

    def _caller(self, request):
        """The token of who calls IAM Credentials."""
        scheme, _, value = (request.header("Authorization") or "").partition(" ")
        caller = self._tokens.find(value)
        if scheme.lower() != "bearer" or caller is None or not caller.valid:
            raise Refusal(errors.credentials_invalid())
        if caller.audience not in (None, "https://iamcredentials.googleapis.com/"):
            raise Refusal(errors.credentials_invalid())
        if caller.audience is None and not set(caller.scopes) & set(_MEANT_FOR):
            raise Refusal(errors.scope_insufficient())
        return caller

    def _allow(self, caller, body, account, permission):
        """Each of the chain may act as the next."""
        identity = caller.identity
        for delegate in body.get("delegates", []):
            if not _DELEGATE.fullmatch(delegate):
                raise Refusal(errors.invalid_argument(f"Invalid delegate {delegate}"))
        chain = [_DELEGATE.fullmatch(name)[1] for name in body.get("delegates", [])]
        for acted in [*chain, account]:
            if (identity, acted) not in self.impersonators:
                raise Refusal(errors.permission_denied(permission))
            identity = acted

    def _gdch(self, request):
        if request.media_type != "application/json":
            return errors.invalid_request("Invalid content type")
        try:
            body = protojson.message(protojson.loads(request.body), _GDCH_SCHEMA)
        except (protojson.Malformed, protojson.Unfit):
            return errors.invalid_request("Malformed request body")
        try:
            issuer = str(keys.read(body.get("subject_token", ""))[1].get("iss"))
            header, claims = keys.verify(body["subject_token"], "ES256",
                                         self.gdch.get(issuer, ""))
        except keys.BadToken:
            return errors.invalid_signature()
        if header.get("kid") != "gdch-key" or claims.get("sub") != issuer or (
                not str(claims.get("aud")).endswith("/authenticate")):
            return errors.invalid_signature()
        if (body.get("grant_type") != "urn:ietf:params:oauth:token-type:token-exchange"
                or body.get("requested_token_type") != ACCESS_TOKEN
                or body.get("subject_token_type") !=
                "urn:k8s:params:oauth:token-type:serviceaccount"
                or not body.get("audience", "").startswith("https://")):
            return errors.invalid_request()
        return _oauth_reply(self._tokens.issue(issuer, "gdch"))


def _leaf_of(chain):
    """The first certificate of a JSON array of them, or None."""
    try:
        return base64.b64decode(json.loads(chain)[0], validate=True)
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _user_project(options):
    """The project that a workforce user names. Python's client encodes it once more."""
    if options.startswith("%7B"):
        options = unquote(options)
    try:
        value = json.loads(options)
    except ValueError:
        return None
    known = isinstance(value, dict) and set(value) == {"userProject"}
    return value["userProject"] if known else None


def _oauth_reply(token, **more):
    value = {"access_token": token.value, "expires_in": token.expires_in,
             "token_type": "Bearer", **more}
    return Reply(200, json_bytes(value), errors.OAUTH_HEADERS)
