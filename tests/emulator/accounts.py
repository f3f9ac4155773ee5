"""Service accounts with keys, and the tokens that they sign themselves."""

import json
import threading
from dataclasses import dataclass

from . import errors, keys
from .tokens import Token, are_scopes

TOKEN_URI = "https://oauth2.googleapis.com/token"
OLD_TOKEN_URI = "https://accounts.google.com/o/oauth2/token"  # of keys before 2016
GOOGLE_KEY = "google-key"  # the id of that which signs ID tokens
LIFE = 3600
SKEW = 300


@dataclass
class Account:
    """One account and its one key."""

    email: str
    key_id: str
    public_key: str
    deleted: bool = False


class Accounts:
    """The registry of service accounts."""

    def __init__(self, directory, tokens):
        self._directory = directory
        self._tokens = tokens
        self._lock = threading.Lock()
        self._accounts = {}
        tokens.signed = self.bearer

    def add(self, email, project="test-project"):
        """Register an account; returns its credential file as a dictionary."""
        private = keys.private_key(self._directory)
        account = Account(email, "0123456789abcdef", keys.public_key(private))
        with self._lock:
            self._accounts[email] = account
        return {
            "type": "service_account", "project_id": project,
            "private_key_id": account.key_id, "private_key": private,
            "client_email": email, "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": TOKEN_URI, "universe_domain": "googleapis.com",
        }

    def find(self, email):
        account = self._accounts.get(email)
        return None if account is None or account.deleted else account

    def remove(self, email):
        self._accounts[email].deleted = True

    def verified(self, token):
        """The claims of a token, or the reply that it deserves."""
        try:
            account = self.find(keys.read(token)[1].get("iss"))
            if account is None:
                return errors.account_not_found()
            header, claims = keys.verify(token, "RS256", account.public_key)
        except keys.BadToken:
            return errors.invalid_signature()
        # Google's Node.js client names no key, and is understood.
        if header.get("kid", account.key_id) != account.key_id:
            return errors.invalid_signature()
        now = self._tokens.now()
        issued, expires = claims.get("iat"), claims.get("exp")
        if (not isinstance(issued, int) or not isinstance(expires, int)
                or expires - issued > LIFE or issued > now + SKEW
                or expires < now - SKEW):
            return errors.invalid_timeframe()
        return claims

    def grant(self, form):
        """The JWT bearer grant of the OAuth endpoint (RFC 7523)."""
        claims = self.verified(form.get("assertion", ""))
        if not isinstance(claims, dict):
            return claims
        if claims.get("aud") not in (TOKEN_URI, OLD_TOKEN_URI):
            return errors.oauth(400, "invalid_grant", "Invalid JWT: bad audience.")
        if claims.get("target_audience"):
            return self.identity_token(claims["iss"], claims["target_audience"])
        scopes = str(claims.get("scope") or "").split()
        if not are_scopes(scopes):
            return errors.oauth(400, "invalid_scope",
                                "Invalid OAuth scope or ID token audience provided.")
        return self._tokens.issue(claims["iss"], "service_account", scopes)

    def identity_token(self, email, audience, with_email=True):
        """An ID token of Google's for an account, good for an hour (OpenID Connect)."""
        now = int(self._tokens.now())
        about = {"email": email, "email_verified": True} if with_email else {}
        return keys.signed(keys.private_key(self._directory), GOOGLE_KEY, {
            "iss": "https://accounts.google.com", "aud": audience, "azp": email,
            "sub": "100000000000000000001", "iat": now, "exp": now + LIFE, **about})

    def bearer(self, value):
        """The token that a self-signed JWT stands for (AIP-4111), or None."""
        claims = self.verified(value) if value.count(".") == 2 else None
        if not isinstance(claims, dict) or claims.get("sub") != claims["iss"]:
            return None
        scope, audience = claims.get("scope") or "", claims.get("aud") or None
        if bool(scope) == bool(audience) or not isinstance(scope, str):
            return None
        return Token(value, claims["iss"], "service_account", tuple(scope.split()),
                     claims["exp"], self._tokens.now, audience=audience)


def write_json(path, value):
    with open(path, "w", encoding="utf-8") as out:
        json.dump(value, out, indent=2)
    return value
