"""The metadata server of GCE and GKE, in clear text."""

import re
import threading

from . import errors
from .tokens import CLOUD_PLATFORM
from .wire import Reply, json_bytes

ROOT = "/computeMetadata/v1/"
TOKEN_KEPT_UNTIL = 240  # a token with less life left is replaced
_ACCOUNT = re.compile(ROOT + r"instance/service-accounts/([^/]+)/(.*)")


class Metadata:
    """Knobs are plain attributes; a test sets them before the request.

    service_account  False: no account is attached, its paths are 404
    scopes           what tokens may be good for
    token_lifetime   seconds of life of a new token
    sticky           hand out a cached token even if the API has been told that it
                     is revoked, as the real server does
    universe_domain  None: the path does not exist
    attributes       of the instance, such as the cluster's name
    most_a_second    requests that are answered within a second, others get 429; None:
                     all
    """

    name = "metadata"
    hosts = ("169.254.169.254", "metadata.google.internal",
             "metadata.google.internal.")

    def __init__(self, tokens, project, number, accounts):
        self.service_account = True
        self.email = f"pull-secret@{project}.iam.gserviceaccount.com"
        self.scopes = (CLOUD_PLATFORM,)
        self.token_lifetime = 3599
        self.sticky = False
        self.universe_domain = "googleapis.com"
        self.attributes = {"cluster-name": "cluster", "cluster-location": "us-east1"}
        self.most_a_second = None
        self.project = project
        self.number = number
        self._tokens = tokens
        self._accounts = accounts
        self._lock = threading.Lock()
        self._cache = {}
        self._answered = []

    def forget(self):
        """Drop cached tokens; the next request gets a new one."""
        with self._lock:
            self._cache.clear()

    def operations(self):
        return (*_OPERATIONS, "unknown")

    def operation(self, request):
        """The last part of the path, where there is such a thing."""
        path = request.raw_path
        if path in ("/", ROOT):
            return "root"
        account = _ACCOUNT.fullmatch(path)
        if account and account[1] in ("default", self.email):
            name = account[2] or "account"
        else:
            name = path.removesuffix("/").rpartition("/")[2]
            if not path.startswith(ROOT) or self._find(path) is None:
                name = "unknown"
        return name if name in _OPERATIONS else "unknown"

    def answer(self, request, operation):
        path = request.raw_path
        if request.header("X-Forwarded-For") is not None:
            return errors.metadata_forwarded()
        if request.method != "GET":
            return errors.front_end(405, "Method Not Allowed", "Only GET is allowed.")
        if path == "/":
            return _text("0.1/\ncomputeMetadata/\n")
        if request.header("Metadata-Flavor") != "Google":
            return errors.metadata_header_missing(path)
        if self._too_many():
            return errors.metadata_throttled()
        if operation == "token":
            return self._token(request)
        if operation == "identity":
            return self._identity(request)
        found = self._find(path) if path.startswith(ROOT) else None
        if found is None:
            return errors.metadata_not_found(path)
        return self._show(request, found)

    def _too_many(self):
        if self.most_a_second is None:
            return False
        now = self._tokens.now()
        with self._lock:
            self._answered = [when for when in self._answered if now - when < 1]
            full = len(self._answered) >= self.most_a_second
            if not full:
                self._answered.append(now)
            return full

    # --- the tree ----------------------------------------------------------------

    def _tree(self):
        account = {"aliases": ["default"], "email": self.email, "identity": None,
                   "scopes": list(self.scopes), "token": None}
        accounts = {"default": account, self.email: account}
        tree = {
            "instance": {
                "attributes": dict(self.attributes),
                "id": "4520031799277581759",
                "service-accounts": accounts if self.service_account else {},
                "zone": f"projects/{self.number}/zones/us-east1-b"},
            "project": {"numeric-project-id": str(self.number),
                        "project-id": self.project},
            "universe": {}}
        if self.universe_domain:
            tree["universe"] = dict.fromkeys(("universe-domain", "universe_domain"),
                                             self.universe_domain)
        return tree

    def _find(self, path):
        """What is at a path: a folder, a text, a list, or None."""
        found = self._tree()
        for part in path[len(ROOT):].split("/"):
            if part == "":
                continue
            found = found.get(part) if isinstance(found, dict) else None
            if found is None:
                return None
        if not isinstance(found, dict) and path.endswith("/"):
            return None
        return found

    def _show(self, request, found):
        query = dict(request.query)
        if isinstance(found, dict):
            if not request.raw_path.endswith("/"):
                return errors.redirect(request.raw_path + "/", 301)
            if query.get("recursive", "").lower() == "true":
                return _json(_without_secrets(found))
            return _text("".join(f"{name}{'/' if isinstance(item, dict) else ''}\n"
                                 for name, item in found.items()))
        if query.get("alt") == "json":
            return _json(found)
        if isinstance(found, list):
            return _text("".join(f"{item}\n" for item in found))
        return _text(found)

    # --- tokens ------------------------------------------------------------------

    def _token(self, request):
        if not self.service_account:
            return errors.metadata_not_found(request.raw_path)
        wanted = dict(request.query).get("scopes", "")
        asked = [scope for scope in wanted.split(",") if scope]
        granted = tuple(scope for scope in asked if scope in self.scopes)
        token = self._cached(granted or tuple(self.scopes))
        return _json({"access_token": token.value, "expires_in": token.expires_in,
                      "token_type": "Bearer"}, pretty=False)

    def _identity(self, request):
        if not self.service_account:
            return errors.metadata_not_found(request.raw_path)
        query = dict(request.query)
        if not query.get("audience"):
            return errors.metadata_text(400, "non-empty audience parameter required\n")
        if query.get("format", "standard") not in ("standard", "full"):
            return errors.metadata_text(400, "invalid format parameter\n")
        return _text(self._accounts.identity_token(
            self.email, query["audience"], query.get("format") == "full"))

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


_OPERATIONS = ("root", "account", "token", "identity", "aliases", "email", "scopes",
               "project-id", "numeric-project-id", "zone", "id", "universe-domain",
               "universe_domain", "service-accounts", "instance", "project", "universe",
               "attributes", "cluster-name", "cluster-location")


def _without_secrets(tree):
    """A folder as JSON: names in camelCase, and nothing that is made on demand."""
    if not isinstance(tree, dict):
        return tree
    return {name if "@" in name else re.sub("-(.)", lambda match: match[1].upper(), name):
            _without_secrets(item) for name, item in tree.items() if item is not None}


def _text(text):
    headers = errors.METADATA_HEADERS + (("Content-Type", "application/text"),)
    return Reply(200, text.encode(), headers)


def _json(value, pretty=True):
    headers = errors.METADATA_HEADERS + (("Content-Type", "application/json"),)
    return Reply(200, json_bytes(value, pretty), headers)
