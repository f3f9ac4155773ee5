"""Google's OAuth token endpoint, with room for further grants."""

import json
import os
import re
import secrets
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl

from . import errors
from .tokens import CLOUD_PLATFORM
from .wire import Reply, json_bytes

_FORM = re.compile(r"[A-Za-z0-9\-_.~*!'()+%&=]*")
_OPENID = ("openid", "https://www.googleapis.com/auth/userinfo.email")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass
class Client:
    """One registered OAuth client."""

    client_id: str
    client_secret: str


@dataclass
class RefreshToken:
    """One refresh token; problem is an error reply it gives instead of a token."""

    value: str
    client_id: str
    identity: str
    problem: Reply = None


class OAuth:
    """Knobs: token_lifetime; scopes of new tokens; expires_in_text for "3599"."""

    name = "oauth"
    hosts = ("oauth2.googleapis.com", "accounts.google.com")

    def __init__(self, tokens, accounts):
        self.accounts = accounts
        self.token_lifetime = 3599
        self.scopes = (CLOUD_PLATFORM,)
        self.expires_in_text = False
        self._tokens = tokens
        self._lock = threading.Lock()
        self._clients = {}
        self._refresh_tokens = {}
        # Path -> (name of the operation, grants that the path knows).
        token = ("token", {
            "refresh_token": self._refresh,
            "urn:ietf:params:oauth:grant-type:jwt-bearer": self._signed})
        self._endpoints = {"/token": token, "/o/oauth2/token": token}
        # What has a form of its own, or none.
        self._others = {"/revoke": ("revoke", ("POST",)),
                        "/tokeninfo": ("tokeninfo", ("GET", "POST"))}

    def add_user(self, identity="user@example.com"):
        """Register a client and a refresh token; returns both."""
        client = Client(
            f"{secrets.randbelow(10**12):012d}-{secrets.token_hex(16)}"
            ".apps.googleusercontent.com",
            "GOCSPX-" + secrets.token_urlsafe(21))
        refresh = RefreshToken("1//0" + secrets.token_urlsafe(74), client.client_id,
                               identity)
        with self._lock:
            self._clients[client.client_id] = client
            self._refresh_tokens[refresh.value] = refresh
        return client, refresh

    def refresh_tokens(self):
        return list(self._refresh_tokens.values())

    def refuse_refresh(self, problem=None):
        """Let every refresh token give an error: revoked, unless told otherwise."""
        for refresh in self.refresh_tokens():
            refresh.problem = problem or errors.token_revoked()

    def operations(self):
        return ("unknown", *(name for name, _ in (
            *self._endpoints.values(), *self._others.values())))

    def operation(self, request):
        other = self._others.get(request.raw_path)
        if other and request.method in other[1]:
            return other[0]
        endpoint = self._endpoints.get(request.raw_path)
        if endpoint is None or request.method != "POST":
            return "unknown"
        return endpoint[0]

    def answer(self, request, operation):
        if operation == "unknown":
            return errors.html_404(request.path)
        if operation in ("revoke", "tokeninfo"):
            return getattr(self, f"_{operation}")(request)
        form = read_form(request)
        if isinstance(form, Reply):
            return form
        grants = self._endpoints[request.raw_path][1]
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return errors.unsupported_grant_type(form.get("grant_type", ""))
        with self._lock:
            return grant(form)

    def _refresh(self, form):
        if not form.get("client_id"):
            return errors.invalid_request("Could not determine client ID from request.")
        client = self._clients.get(form["client_id"])
        if client is None:
            return errors.client_not_found()
        if not form.get("client_secret"):
            return errors.invalid_request("client_secret is missing.")
        if form["client_secret"] != client.client_secret:
            return errors.client_unauthorized()
        if not form.get("refresh_token"):
            return errors.invalid_request("Missing required parameter: refresh_token")
        refresh = self._refresh_tokens.get(form["refresh_token"])
        if refresh is None or refresh.client_id != client.client_id:
            return errors.grant_bad_request()
        if refresh.problem:
            return refresh.problem
        scopes = tuple(form.get("scope", "").split()) or tuple(self.scopes)
        if not set(scopes) <= {*self.scopes, *_OPENID}:
            return errors.invalid_scope()
        token = self._tokens.issue(refresh.identity, "user", scopes, self.token_lifetime)
        return _token_reply(token, self.expires_in_text)

    def _signed(self, form):
        granted = self.accounts.grant(form)
        if isinstance(granted, Reply):
            return granted
        if isinstance(granted, str):
            return Reply(200, json_bytes({"id_token": granted}), errors.OAUTH_HEADERS)
        return _token_reply(granted, self.expires_in_text)

    def _revoke(self, request):
        """Access and refresh tokens; with a refresh token go its access tokens."""
        value = _parameter(request, "token")
        refresh = self._refresh_tokens.pop(value, None)
        if refresh is None and not self._tokens.revoke(value):
            return errors.oauth(400, "invalid_token", "Token expired or revoked")
        for token in self._tokens.all():
            if refresh and token.kind == "user" and token.identity == refresh.identity:
                token.revoked = True
        return Reply(200, json_bytes({}), errors.OAUTH_HEADERS)

    def _tokeninfo(self, request):
        token = self._tokens.find(_parameter(request, "access_token"))
        if token is None or not token.valid:
            return errors.oauth(400, "invalid_token", "Invalid Value")
        return Reply(200, json_bytes({
            "azp": token.identity, "aud": token.identity, "scope": " ".join(token.scopes),
            "exp": str(int(token.expires_at)), "expires_in": str(token.expires_in),
            "email": token.identity, "email_verified": "true",
            "access_type": "online"}), errors.OAUTH_HEADERS)


def write_authorized_user(path, client, refresh, quota_project_id=None):
    """Write an ADC file as gcloud does, readable by its owner only."""
    value = {
        "account": "",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "refresh_token": refresh.value,
        "type": "authorized_user",
        "universe_domain": "googleapis.com",
    }
    if quota_project_id is not None:
        value["quota_project_id"] = quota_project_id
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(value, out, indent=2, sort_keys=True)
    return value


def read_form(request):
    """Return the form as a dictionary, or the error reply it deserves."""
    if request.media_type != "application/x-www-form-urlencoded":
        return errors.invalid_request("Invalid content type: must be "
                                      "application/x-www-form-urlencoded")
    text = request.body.decode("latin-1")
    if not _FORM.fullmatch(text) or _BAD_ESCAPE.search(text):
        return errors.invalid_request("Malformed request body")
    pairs = parse_qsl(text, keep_blank_values=True)
    form = dict(pairs)
    if len(form) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        return errors.invalid_request(
            f"OAuth 2 parameters can only have a single value: {repeated}")
    return form


def _parameter(request, name):
    """A parameter of the query or the form; the latter wins."""
    form = read_form(request) if request.body else {}
    given = {} if isinstance(form, Reply) else form
    return {**dict(request.query), **given}.get(name, "")


def _token_reply(token, expires_in_text):
    expires_in = str(token.expires_in) if expires_in_text else token.expires_in
    value = {"access_token": token.value, "expires_in": expires_in,
             "scope": " ".join(token.scopes), "token_type": "Bearer"}
    return Reply(200, json_bytes(value), errors.OAUTH_HEADERS)
