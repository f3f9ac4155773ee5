"""Secret Manager v1 over REST: routing, access control, and the methods."""

import base64
import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

from . import errors, protojson, rules, store
from .crc32c import crc32c
from .tokens import CLOUD_PLATFORM
from .wire import Reply, json_bytes

_PARENT = r"/v1/projects/(?P<project>[^/]+?)(?:/locations/(?P<location>[^/:]+))?"
_SECRET = _PARENT + r"/secrets/(?P<secret>[^/:]+)"
_VERSION = _SECRET + r"/versions/(?P<version>[^/:]+)"

_KMS = {"kmsKeyName": "string"}
SECRET_SCHEMA = {
    "name": "string", "createTime": "timestamp", "etag": "string",
    "replication": {
        "automatic": {"customerManagedEncryption": _KMS},
        "userManaged": {"replicas": [
            {"location": "string", "customerManagedEncryption": _KMS}]},
    },
    "labels": {"*": "string"}, "annotations": {"*": "string"},
    "topics": [{"name": "string"}], "expireTime": "timestamp", "ttl": "duration",
    "rotation": {"nextRotationTime": "timestamp", "rotationPeriod": "duration"},
    "versionAliases": {"*": "int64"}, "versionDestroyTtl": "duration",
    "customerManagedEncryption": _KMS, "tags": {"*": "string"}, "secretType": "enum",
    "policyMember": {"iamPolicyUidPrincipal": "string",
                     "iamPolicyNamePrincipal": "string"},
}
ADD_SCHEMA = {"payload": {"data": "bytes", "dataCrc32c": "int64"}}
STATE_SCHEMA = {"etag": "string"}
TEST_SCHEMA = {"permissions": ["string"]}

UPDATABLE = ("labels", "annotations", "topics", "expireTime", "ttl", "rotation",
             "versionAliases", "versionDestroyTtl", "customerManagedEncryption")
IMMUTABLE = ("name", "createTime", "replication", "tags", "secretType", "etag",
             "policyMember")
OUTPUT_ONLY = ("name", "createTime", "etag", "policyMember")

# Parameters that every Google API takes.
SYSTEM_PARAMETERS = ("alt", "$alt", "fields", "$fields", "prettyPrint", "$prettyPrint",
                     "quotaUser", "uploadType", "upload_protocol", "$.xgafv", "key")
MAX_PAGE = 25000


@dataclass(frozen=True)
class Method:
    """One method: where it lives, and who may call it."""

    operation: str
    verb: str
    path: re.Pattern
    rpc: str
    permission: str = None
    schema: dict = None  # of the request body; None: no body
    body_path: str = ""  # the field that the body fills
    query: tuple = ()


def _method(operation, verb, path, rpc, permission=None, **more):
    full = f"secretmanager.{permission}" if permission else None
    return Method(operation, verb, re.compile(path), rpc, full, **more)


METHODS = (
    _method("list", "GET", _PARENT + "/secrets", "ListSecrets", "secrets.list",
            query=("pageSize", "pageToken", "filter")),
    _method("create", "POST", _PARENT + "/secrets", "CreateSecret", "secrets.create",
            schema=SECRET_SCHEMA, body_path="secret", query=("secretId",)),
    _method("get", "GET", _SECRET, "GetSecret", "secrets.get"),
    _method("patch", "PATCH", _SECRET, "UpdateSecret", "secrets.update",
            schema=SECRET_SCHEMA, body_path="secret", query=("updateMask",)),
    _method("delete", "DELETE", _SECRET, "DeleteSecret", "secrets.delete",
            query=("etag",)),
    _method("addVersion", "POST", _SECRET + ":addVersion", "AddSecretVersion",
            "versions.add", schema=ADD_SCHEMA),
    _method("testIamPermissions", "POST", _SECRET + ":testIamPermissions",
            "TestIamPermissions", schema=TEST_SCHEMA),
    _method("listVersions", "GET", _SECRET + "/versions", "ListSecretVersions",
            "versions.list", query=("pageSize", "pageToken", "filter")),
    _method("getVersion", "GET", _VERSION, "GetSecretVersion", "versions.get"),
    _method("access", "GET", _VERSION + ":access", "AccessSecretVersion",
            "versions.access"),
    _method("disable", "POST", _VERSION + ":disable", "DisableSecretVersion",
            "versions.disable", schema=STATE_SCHEMA),
    _method("enable", "POST", _VERSION + ":enable", "EnableSecretVersion",
            "versions.enable", schema=STATE_SCHEMA),
    _method("destroy", "POST", _VERSION + ":destroy", "DestroySecretVersion",
            "versions.destroy", schema=STATE_SCHEMA),
)
BY_OPERATION = {method.operation: method for method in METHODS}


class Refusal(Exception):
    """Ends a request with an error reply."""

    def __init__(self, reply):
        super().__init__(reply.status)
        self.reply = reply


@dataclass
class Call:
    """One routed request: names with the project number, query, body."""

    project: str
    number: str
    parent: str
    secret_id: str
    version_id: str
    query: dict
    body: dict
    identity: str

    @property
    def secret_name(self):
        return f"{self.parent}/secrets/{self.secret_id}"

    @property
    def version_name(self):
        return f"{self.secret_name}/versions/{self.version_id}"


class SecretManager:
    """Knobs are plain attributes; a test sets them before the request.

    unknown_project        "denied" (403) or "not_found" (404)
    denial_text            "new" (2026, with ErrorInfo) or "old"
    service_disabled       every call gives SERVICE_DISABLED
    quota_exceeded         every call gives 429; with quota_retry_after (header) and
                           quota_retry_delay (RetryInfo, such as "1.5s")
    require_quota_project  user credentials need X-Goog-User-Project
    not_found_after_create so many addVersions after a create see NOT_FOUND
    latest_lag             seconds until a new version is "latest"
    list_lag               seconds until a new version is listed
    default_page_size      versions or secrets on a page if none is asked for
    """

    name = "secretmanager"
    hosts = ("secretmanager.googleapis.com",)

    def __init__(self, tokens, iam, projects):
        self.projects = projects  # id -> number
        self.store = store.Store()
        self.unknown_project = "denied"
        self.denial_text = "new"
        self.service_disabled = False
        self.quota_exceeded = False
        self.quota_retry_after = None
        self.quota_retry_delay = None
        self.require_quota_project = False
        self.not_found_after_create = 0
        self.latest_lag = 0
        self.list_lag = 0
        self.default_page_size = 100
        self._tokens = tokens
        self._iam = iam
        self._lock = threading.RLock()
        self._pages = {}

    # --- for tests ---------------------------------------------------------------

    def secret(self, secret_id, project=None, location=None):
        """Return a stored secret, or None."""
        return self.store.find(self._name(secret_id, project, location))

    def payloads(self, secret_id, project=None):
        """Return the payloads of all versions, oldest first."""
        secret = self.secret(secret_id, project)
        return [version.data for version in secret.versions] if secret else []

    def put(self, secret_id, *payloads, labels=None, project=None, location=None):
        """Store a secret with versions, without a request."""
        fields = {} if location else {"replication": {"automatic": {}}}
        if labels:
            fields["labels"] = dict(labels)
        with self._lock:
            name = self._name(secret_id, project, location)
            secret = store.Secret(name, secret_id, fields)
            for data in payloads:
                secret.add(data)
            self.store.put(secret)
            self.store.changed()
            return secret

    def _name(self, secret_id, project, location):
        number = self.projects[project or next(iter(self.projects))]
        place = f"/locations/{location}" if location else ""
        return f"projects/{number}{place}/secrets/{secret_id}"

    # --- the service interface ---------------------------------------------------

    def operations(self):
        return (*BY_OPERATION, "unknown")

    def operation(self, request):
        for method in METHODS:
            if method.verb == request.method and method.path.fullmatch(
                    request.raw_path):
                return method.operation
        return "unknown"

    def answer(self, request, operation):
        method = BY_OPERATION.get(operation)
        if method is None:
            return errors.html_404(request.path)
        with self._lock:
            try:
                identity = self._authenticate(request, method)
                call = self._call(request, method, identity)
                self._authorize(method, call)
                value = getattr(self, "_" + protojson.snake(operation))(call)
            except Refusal as refusal:
                return refusal.reply
        return _reply(value, request)

    # --- access control ----------------------------------------------------------

    def _authenticate(self, request, method):
        rpc = errors.METHOD + method.rpc
        header = request.header("Authorization")
        if header is None:
            raise Refusal(errors.credentials_missing(rpc))
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal(errors.credentials_invalid(method=rpc))
        token = self._tokens.find(value)
        if token is None:
            raise Refusal(errors.credentials_invalid(method=rpc))
        if not token.valid:
            raise Refusal(errors.token_expired(rpc))
        if CLOUD_PLATFORM not in token.scopes:
            raise Refusal(errors.scope_insufficient(rpc))
        self._check_quota_project(request, token)
        return token.identity

    def _check_quota_project(self, request, token):
        project = request.header("X-Goog-User-Project")
        if project is not None:
            if self._number(project) is None:
                raise Refusal(errors.user_project_denied(project))
        elif token.kind == "user" and self.require_quota_project:
            raise Refusal(errors.quota_project_required())

    def _authorize(self, method, call):
        """Permission comes before existence, of the project as of the secret."""
        permission = method.permission
        if call.number is None and self.unknown_project == "not_found":
            raise Refusal(errors.project_not_found(call.project))
        allowed = permission is None or (
            call.number is not None and self._iam.allows(call.identity, permission))
        if allowed:
            return
        if self.denial_text == "old":
            resource = call.parent if call.secret_id is None else call.secret_name
            if call.version_id is not None:
                resource = call.version_name
            raise Refusal(errors.permission_denied_old(permission, resource))
        raise Refusal(errors.permission_denied(permission))

    def _number(self, project):
        """Projects are known by id and by number."""
        if project in self.projects:
            return self.projects[project]
        return project if project in self.projects.values() else None

    # --- from HTTP to a call -----------------------------------------------------

    def _call(self, request, method, identity):
        found = method.path.fullmatch(request.raw_path).groupdict()
        parts = {name: part and unquote(part) for name, part in found.items()}
        project, location = parts["project"], parts["location"]
        number = self._number(project)
        if self.service_disabled:
            raise Refusal(errors.service_disabled(number or errors.NUMBER))
        if self.quota_exceeded:
            raise Refusal(errors.quota_exceeded(
                number or errors.NUMBER, self.quota_retry_after,
                self.quota_retry_delay))
        parent = f"projects/{number or project}"
        if location:
            parent += f"/locations/{location}"
        return Call(project, number, parent, parts.get("secret"), parts.get("version"),
                    _read_query(request, method), _read_body(request, method), identity)

    # --- secrets -----------------------------------------------------------------

    def _create(self, call):
        secret_id = call.query.get("secretId", "")
        if not secret_id:
            raise Refusal(errors.invalid_argument("Field [secret_id] is required."))
        _raise_if(rules.check_secret_id(secret_id))
        regional = "/locations/" in call.parent
        fields = _checked_fields(call.body)
        _check_replication(fields, regional)
        name = f"{call.parent}/secrets/{secret_id}"
        if self.store.find(name):
            raise Refusal(errors.already_exists(name))
        secret = store.Secret(name, secret_id, fields)
        secret.hidden_adds = self.not_found_after_create
        self.store.put(secret)
        self.store.changed()
        return secret.to_json()

    def _get(self, call):
        return self._existing(call).to_json()

    def _list(self, call):
        found = self.store.under(call.parent)
        wanted = _secret_filter(call.query.get("filter", ""))
        return self._page(call, "secrets", [
            secret.to_json() for secret in found if wanted(secret)])

    def _patch(self, call):
        mask = call.query.get("updateMask", "")
        if not mask:
            raise Refusal(errors.invalid_argument("Field [update_mask] is required."))
        paths = [protojson.camel(path.strip()) for path in mask.split(",")]
        for path in paths:
            if path in IMMUTABLE:
                raise Refusal(errors.invalid_argument(
                    f"Field [{protojson.snake(path)}] is immutable."))
            if path not in UPDATABLE:
                raise Refusal(errors.invalid_argument(
                    f"Invalid field path [{path}] in update_mask."))
        fields = _checked_fields(call.body)
        secret = self._existing(call)
        _check_etag(call.body.get("etag"), secret.etag)
        if "versionAliases" in paths:
            _check_aliases(fields.get("versionAliases", {}), secret)
        for path in paths:
            path = "expireTime" if path == "ttl" else path
            secret.fields.pop(path, None)
            if path in fields:
                secret.fields[path] = fields[path]
        secret.touch()
        self.store.changed()
        return secret.to_json()

    def _delete(self, call):
        secret = self._existing(call)
        _check_etag(call.query.get("etag"), secret.etag)
        self.store.remove(secret.name)
        self.store.changed()
        return {}

    def _test_iam_permissions(self, call):
        """No permission is needed, and a missing secret gives an empty set."""
        asked = call.body.get("permissions", [])
        for permission in asked:
            if "*" in permission:
                raise Refusal(errors.invalid_argument(
                    f"Permission {permission} is not valid for this resource."))
        if call.number is None or not self.store.find(call.secret_name):
            return {}
        granted = [permission for permission in asked
                   if self._iam.allows(call.identity, permission)]
        return {"permissions": granted} if granted else {}

    def _existing(self, call):
        _raise_if(rules.check_secret_id(call.secret_id))
        secret = self.store.find(call.secret_name)
        if secret is None:
            raise Refusal(errors.secret_not_found(call.secret_name))
        return secret

    # --- versions ----------------------------------------------------------------

    def _add_version(self, call):
        payload = call.body.get("payload")
        if payload is None:
            raise Refusal(errors.invalid_argument("Field [payload] is required."))
        data = payload.get("data", b"")
        if not data:
            raise Refusal(errors.invalid_argument(
                "Field [payload.data] is required."))
        if len(data) > rules.MAX_PAYLOAD:
            raise Refusal(errors.invalid_argument(
                "The payload is too large: the maximum size is 65536 bytes."))
        checksum = payload.get("dataCrc32c")
        if checksum is not None and checksum != crc32c(data):
            raise Refusal(errors.checksum_mismatch())
        secret = self._existing(call)
        if secret.hidden_adds > 0:
            secret.hidden_adds -= 1
            raise Refusal(errors.secret_not_found(call.secret_name))
        version = secret.add(data, checksum is not None)
        self.store.changed()
        return secret.version_to_json(version)

    def _access(self, call):
        secret, version = self._existing_version(call)
        if version.state != "ENABLED":
            raise Refusal(errors.wrong_state(secret.version_name(version),
                                             version.state))
        return {"name": secret.version_name(version), "payload": {
            "data": base64.b64encode(version.data).decode(),
            "dataCrc32c": str(version.crc32c)}}

    def _get_version(self, call):
        secret, version = self._existing_version(call)
        return secret.version_to_json(version)

    def _list_versions(self, call):
        secret = self._existing(call)
        visible = _visible(secret, self.list_lag)
        wanted = _version_filter(call.query.get("filter", ""), secret)
        return self._page(call, "versions", [
            secret.version_to_json(version) for version in reversed(visible)
            if wanted(version)])

    def _disable(self, call):
        return self._change_state(call, "DISABLED")

    def _enable(self, call):
        return self._change_state(call, "ENABLED")

    def _destroy(self, call):
        return self._change_state(call, "DESTROYED")

    def _change_state(self, call, state):
        if not rules.VERSION_NUMBER.fullmatch(call.version_id):
            raise Refusal(_bad_name(call.version_name))
        secret, version = self._existing_version(call)
        _check_etag(call.body.get("etag"), version.etag)
        if version.state == "DESTROYED":
            raise Refusal(errors.wrong_state(secret.version_name(version), "DESTROYED"))
        delay = secret.fields.get("versionDestroyTtl")
        if state == "DESTROYED" and delay:
            version.state = "DISABLED"
            version.scheduled_destroy_time = _in_seconds(float(delay[:-1]))
        else:
            version.state = state
            version.scheduled_destroy_time = None
        if version.state == "DESTROYED":
            version.destroy_time = store.now()
            version.data = b""
        version.etag = store.new_etag()
        self.store.changed()
        return secret.version_to_json(version)

    def _existing_version(self, call):
        """Resolve a number, latest or an alias."""
        _raise_if(rules.check_secret_id(call.secret_id))
        secret = self.store.find(call.secret_name)
        wanted = call.version_id
        if wanted == "latest":
            visible = _visible(secret, self.latest_lag) if secret else []
            if not visible:
                raise Refusal(errors.no_versions(call.secret_name))
            return secret, visible[-1]
        numeric = rules.VERSION_NUMBER.fullmatch(wanted)
        if not numeric and not rules.ALIAS.fullmatch(wanted):
            raise Refusal(_bad_name(call.version_name))
        if secret is None or not secret.versions:
            raise Refusal(errors.no_versions(call.secret_name))
        number = wanted if numeric else (
            secret.fields.get("versionAliases", {}).get(wanted, 0))
        version = secret.version(int(number))
        if version is None:
            raise Refusal(errors.version_not_found(call.version_name))
        return secret, version

    # --- pages -------------------------------------------------------------------

    def _page(self, call, field, items):
        start = self._page_start(call)
        size = _page_size(call) or self.default_page_size
        page = items[start:start + size]
        value = {field: page} if page else {}
        if start + size < len(items):
            token = store.page_token()
            self._pages[token] = (call.parent, call.secret_id,
                                  call.query.get("filter"), start + size)
            value["nextPageToken"] = token
        if items and not call.query.get("filter"):
            value["totalSize"] = len(items)
        return value

    def _page_start(self, call):
        """A page token is good only for the same list with the same filter."""
        token = call.query.get("pageToken")
        if not token:
            return 0
        key = (call.parent, call.secret_id, call.query.get("filter"))
        page = self._pages.get(token)
        if page is None or page[:3] != key:
            raise Refusal(errors.invalid_argument("The page token is invalid."))
        return page[3]


def _reply(value, request):
    query = dict(request.query)
    alt = query.get("$alt", query.get("alt", "json"))
    if alt.endswith("enum-encoding=int"):
        value = _numbered(value)
    fields = query.get("fields", query.get("$fields"))
    if fields:
        value = _masked(value, [path.split("/") for path in fields.split(",")])
    pretty = query.get("prettyPrint", query.get("$prettyPrint", "true")) != "false"
    return Reply(200, json_bytes(value, pretty), errors.API_HEADERS)


def _numbered(value):
    """Enums as numbers, for clients that ask for enum-encoding=int."""
    states = {"ENABLED": 1, "DISABLED": 2, "DESTROYED": 3}
    if isinstance(value, list):
        return [_numbered(item) for item in value]
    if isinstance(value, dict):
        return {name: states.get(item, item) if name == "state" else _numbered(item)
                for name, item in value.items()}
    return value


def _masked(value, paths):
    """A partial response: fields=name,payload/dataCrc32c. No parentheses."""
    if isinstance(value, list):
        return [_masked(item, paths) for item in value]
    result = {}
    for name, item in value.items():
        below = [path[1:] for path in paths if path[0] in (name, "*")]
        if below:
            whole = [] in below or not isinstance(item, (dict, list))
            result[name] = item if whole else _masked(item, below)
    return result


def _read_query(request, method):
    values = {}
    for given, value in request.query:
        if given in SYSTEM_PARAMETERS:
            continue
        name = protojson.camel(given)
        if name not in method.query:
            raise Refusal(errors.invalid_json(
                f'Invalid JSON payload received. Unknown name "{given}": Cannot bind '
                f"query parameter. Field '{given}' could not be found in request "
                "message."))
        if name in values:
            raise Refusal(errors.invalid_argument(
                f"Invalid value at '{protojson.snake(name)}', given twice."))
        values[name] = value
    return values


def _read_body(request, method):
    if method.schema is None:
        return {}
    if not request.body:
        return {}
    if request.media_type != "application/json":
        raise Refusal(errors.invalid_json(
            "Invalid JSON payload received. Unknown name "
            f'"{request.body[:20].decode("latin-1")}": Cannot bind query parameter. '
            "Field could not be found in request message."))
    try:
        value = protojson.loads(request.body)
        return protojson.message(value, method.schema, method.body_path)
    except protojson.Malformed as problem:
        raise Refusal(errors.malformed_json(problem.snippet)) from None
    except protojson.Unfit as problem:
        reply = errors.invalid_json(problem.message, problem.field)
        raise Refusal(reply) from None


def _checked_fields(body):
    """The fields of a Secret that are kept, after the rules have been checked."""
    fields = {name: value for name, value in body.items() if name not in OUTPUT_ONLY}
    _raise_if(rules.check_labels(fields.get("labels", {})))
    _raise_if(rules.check_annotations(fields.get("annotations", {})))
    if "ttl" in fields and "expireTime" in fields:
        raise Refusal(errors.invalid_argument(
            "Only one of [ttl] and [expire_time] may be set."))
    if "ttl" in fields:
        fields["expireTime"] = _in_seconds(float(fields.pop("ttl")[:-1]))
    if "versionDestroyTtl" in fields:
        seconds = float(fields["versionDestroyTtl"][:-1])
        if not 86400 <= seconds <= 86400 * 1000:
            raise Refusal(errors.invalid_argument(
                "Field [version_destroy_ttl] must be between 24 hours and 1000 days."))
    if "versionAliases" in fields:
        fields["versionAliases"] = {
            alias: str(number) for alias, number in fields["versionAliases"].items()}
    fields.pop("tags", None)
    return fields


def _check_replication(fields, regional):
    replication = fields.get("replication")
    if regional:
        if replication is not None:
            raise Refusal(errors.invalid_argument(
                "Field [secret.replication] must not be set for regional secrets."))
        return
    if not replication:
        raise Refusal(errors.invalid_argument(
            "Field [secret.replication] is required."))
    if len(replication) > 1:
        raise Refusal(errors.invalid_argument(
            "Only one of [automatic] and [user_managed] may be set."))
    replicas = replication.get("userManaged", {}).get("replicas", [])
    places = [replica.get("location", "") for replica in replicas]
    if "userManaged" in replication and (
            not places or not all(places) or len(set(places)) != len(places)):
        raise Refusal(errors.invalid_argument(
            "Field [secret.replication.user_managed.replicas] must name at least one "
            "location, and each location once."))


def _check_aliases(aliases, secret):
    for alias, number in aliases.items():
        reserved = alias in ("latest", "NEW")
        if reserved or not rules.ALIAS.fullmatch(alias) or len(aliases) > 50:
            raise Refusal(errors.invalid_argument(
                f"Version alias [{alias}] is not in a valid format."))
        if secret.version(int(number)) is None:
            raise Refusal(errors.version_not_found(
                f"{secret.name}/versions/{number}"))


def _check_etag(given, current):
    if given and given != current:
        raise Refusal(errors.etag_mismatch())


def _visible(secret, lag):
    """The versions that an eventually consistent reader sees."""
    horizon = time.monotonic() - lag
    return [version for version in secret.versions if version.added_at <= horizon]


def _page_size(call):
    text = call.query.get("pageSize", "0")
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise Refusal(errors.invalid_json(
            f"Invalid value at 'page_size' (TYPE_INT32), \"{text}\"", "page_size"))
    if int(text) < 0:
        raise Refusal(errors.invalid_argument("Field [page_size] is negative."))
    return min(int(text), MAX_PAGE)


def _version_filter(text, secret):
    """Understands state:X and state=X, joined by AND."""
    def test(version, term):
        field, value = term
        if field == "state":
            return version.state == value
        if field == "name":
            return value in secret.version_name(version)
        raise Refusal(_bad_filter(text))
    terms = _terms(text)
    return lambda version: all(test(version, term) for term in terms)


def _secret_filter(text):
    """Understands labels.k=v, labels.k:v and name:x, joined by AND."""
    def test(secret, term):
        field, value = term
        if field.startswith("labels."):
            have = secret.labels.get(field[len("labels."):])
            return have is not None and (value == "*" or have == value)
        if field == "name":
            return value in secret.name
        raise Refusal(_bad_filter(text))
    terms = _terms(text)
    return lambda secret: all(test(secret, term) for term in terms)


def _terms(text):
    terms = []
    for part in re.split(r"\s+AND\s+", text.strip()) if text.strip() else []:
        match = re.fullmatch(r'([A-Za-z][A-Za-z0-9_.-]*)\s*[:=]\s*"?([^"\s]+)"?', part)
        if not match:
            raise Refusal(_bad_filter(text))
        terms.append((match[1], match[2]))
    return terms


def _bad_filter(text):
    return errors.invalid_argument(f"Invalid filter [{text}].")


def _bad_name(name):
    return errors.invalid_argument(f"Resource name [{name}] is not in a valid format.")


def _in_seconds(seconds):
    moment = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _raise_if(reply):
    if reply is not None:
        raise Refusal(reply)
