"""The metadata server of GCE and GKE, in clear text."""

import threading

from . import errors
from .tokens import CLOUD_PLATFORM
from .wire import Reply, json_bytes

ROOT = "/computeMetadata/v1/"
ACCOUNT = ROOT + "instance/service-accounts/default/"
TOKEN_KEPT_UNTIL = 240  # a token with less life left is replaced


class Metadata:
    """Knobs are plain attributes; a test sets them before the request.

    service_account  False: no account is attached, its paths are 404
    scopes           what tokens may be good for
    token_lifetime   seconds of life of a new token
    sticky           hand out a cached token even if the API has been told that it
                     is revoked, as the real server does
    universe_domain  None: the path does not exist
    """

    name = "metadata"
    hosts = ("169.254.169.254", "metadata.google.internal",
             "metadata.google.internal.")

    def __init__(self, tokens, project, number):
        self.service_account = True
        self.email = f"pull-secret@{project}.iam.gserviceaccount.com"
        self.scopes = (CLOUD_PLATFORM,)
        self.token_lifetime = 3599
        self.sticky = False
        self.universe_domain = "googleapis.com"
        self.project = project
        self.number = number
        self._tokens = tokens
        self._lock = threading.Lock()
        self._cache = {}

    def forget(self):
        """Drop cached tokens; the next request gets a new one."""
        with self._lock:
            self._cache.clear()

    def operations(self):
        leaves = (path.rpartition("/")[2] for path in self._texts())
        return ("token", "root", "account", *leaves, "unknown")

    def operation(self, request):
        path = request.raw_path
        if path == ACCOUNT + "token":
            return "token"
        if path in ("/", ROOT):
            return "root"
        if path == ACCOUNT:
            return "account"
        if path in self._texts():
            return path.rpartition("/")[2]
        return "unknown"

    def answer(self, request, operation):
        path = request.raw_path
        if request.header("X-Forwarded-For") is not None:
            return errors.metadata_forwarded()
        if request.method != "GET":
            return errors.front_end(405, "Method Not Allowed", "Only GET is allowed.")
        if operation == "root" and path == "/":
            return _text("0.1/\ncomputeMetadata/\n")
        if request.header("Metadata-Flavor") != "Google":
            return errors.metadata_header_missing(path)
        if path.startswith(ACCOUNT) and not self.service_account:
            return errors.metadata_not_found(path)
        if operation == "token":
            return self._token(request)
        if operation == "root":
            return _text("instance/\nproject/\nuniverse/\n")
        if operation == "account":
            return self._account(request)
        text = self._texts().get(path)
        if text is None:
            return errors.metadata_not_found(path)
        return _text(text)

    def _texts(self):
        texts = {
            ROOT + "project/project-id": self.project,
            ROOT + "project/numeric-project-id": str(self.number),
            ROOT + "instance/zone": f"projects/{self.number}/zones/us-east1-b",
            ACCOUNT + "email": self.email,
            ACCOUNT + "scopes": "".join(f"{scope}\n" for scope in self.scopes),
        }
        if self.universe_domain:
            texts[ROOT + "universe/universe-domain"] = self.universe_domain
            texts[ROOT + "universe/universe_domain"] = self.universe_domain
        return texts

    def _account(self, request):
        if dict(request.query).get("recursive", "").lower() != "true":
            return _text("aliases\nemail\nidentity\nscopes\ntoken\n")
        return _json({"aliases": ["default"], "email": self.email,
                      "scopes": list(self.scopes)})

    def _token(self, request):
        wanted = dict(request.query).get("scopes", "")
        asked = [scope for scope in wanted.split(",") if scope]
        granted = tuple(scope for scope in asked if scope in self.scopes)
        token = self._cached(granted or tuple(self.scopes))
        return _json({"access_token": token.value, "expires_in": token.expires_in,
                      "token_type": "Bearer"}, pretty=False)

    def _cached(self, scopes):
        """One token for everybody until shortly before it expires."""
        with self._lock:
            token = self._cache.get(scopes)
            fresh = token and token.expires_at - self._tokens.now() > TOKEN_KEPT_UNTIL
            if not fresh or (token.revoked and not self.sticky):
                token = self._tokens.issue(self.email, "service_account", scopes,
                                           self.token_lifetime)
                self._cache[scopes] = token
            return token


def _text(text):
    headers = errors.METADATA_HEADERS + (("Content-Type", "application/text"),)
    return Reply(200, text.encode(), headers)


def _json(value, pretty=True):
    headers = errors.METADATA_HEADERS + (("Content-Type", "application/json"),)
    return Reply(200, json_bytes(value, pretty), headers)
