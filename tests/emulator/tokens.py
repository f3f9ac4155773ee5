"""Access tokens that were really issued, and what they allow."""

import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
_SCOPE = re.compile(r"https://www\.googleapis\.com/auth/[a-z0-9._-]+|openid|email|profile")


def are_scopes(names):
    """Whether there is a scope, and each looks like one of Google's."""
    return bool(names) and all(_SCOPE.fullmatch(name) for name in names)


@dataclass
class Token:
    """One issued access token."""

    value: str
    identity: str
    kind: str  # "service_account" or "user"
    scopes: tuple
    expires_at: float
    now: Callable[[], float] = time.time
    revoked: bool = False
    audience: str = None  # the only service that takes it; None: any

    @property
    def expires_in(self):
        return int(self.expires_at - self.now())

    @property
    def valid(self):
        return not self.revoked and self.expires_at > self.now()


class Tokens:
    """The registry that the token services write and the API reads.

    service_account_bytes: randomness in such a token; a real one has about 1 KiB.
    now: the clock, in seconds since 1970.
    """

    def __init__(self, now=time.time):
        self.now = now
        self.service_account_bytes = 768
        self._lock = threading.Lock()
        self._tokens = {}
        self.signed = lambda value: None  # what a token that nobody issued stands for

    def issue(self, identity, kind, scopes=(CLOUD_PLATFORM,), lifetime=3599):
        """Make a token shaped like Google's: service accounts' end in dots."""
        if kind == "user":
            value = "ya29.a0" + secrets.token_urlsafe(156)
        else:
            middle = secrets.token_urlsafe(self.service_account_bytes)
            value = f"ya29.c.{middle}......"
        token = Token(value, identity, kind, tuple(scopes), self.now() + lifetime,
                      self.now)
        with self._lock:
            self._tokens[value] = token
        return token

    def find(self, value):
        return self._tokens.get(value) or self.signed(value)

    def all(self):
        return list(self._tokens.values())

    def revoke(self, value):
        """Revoke one; tells whether it was issued here and still good."""
        token = self._tokens.get(value)
        if token is None or not token.valid:
            return False
        token.revoked = True
        return True

    def revoke_all(self):
        """Make every token issued so far unknown to the API."""
        for token in self.all():
            token.revoked = True

    def expire_all(self):
        """Make every token issued so far expired."""
        for token in self.all():
            token.expires_at = self.now() - 1
