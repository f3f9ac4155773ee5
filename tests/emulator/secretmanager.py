"""Secret Manager v1 over REST: routing, access control, and the methods."""

import base64
import re
import threading
import time
from dataclasses import dataclass
from urllib.parse import unquote

from . import (checks, errors, filters, iam, jsonbody, masks, moments, policies, protojson,
               rules, store)
from .crc32c import crc32c
from .locations import GLOBAL_HOST, LOCATIONS, REGIONAL_HOSTS, host_of, location_of
from .methods import (BOUND, BY_OPERATION, METHODS, SECRET_SCHEMA, SYSTEM_PARAMETERS,
                      UPDATABLE)
from .refusal import Refusal, raise_if
from .tokens import CLOUD_PLATFORM
from .wire import Reply, json_bytes

MAX_PAGE = 25000
SECRET_FIELDS = tuple(SECRET_SCHEMA)
VERSION_FIELDS = ("name", "createTime", "destroyTime", "state", "replicationStatus", "etag",
                  "clientSpecifiedPayloadChecksum", "scheduledDestroyTime")
REPLY_FIELDS = {  # for partial responses
    "*", *SECRET_FIELDS, *VERSION_FIELDS, "secrets", "versions", "nextPageToken",
    "totalSize", "payload", "data", "dataCrc32c", "automatic", "userManaged", "replicas",
    "location", "locations", "locationId", "kmsKeyVersionName", "permissions", "bindings",
    "role", "members", "version"}
LOCATION_FIELDS = ("name", "locationId", "displayName", "labels")


@dataclass
class Call:
    """One routed request: names with the project number, query, body."""

    project: str
    number: str
    parent: str
    secret_id: str
    version_id: str
    location: str
    place: str  # a location that is asked about
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
    quota                  {"write": 600, "read": 600}: so many requests of a kind in
                           quota_seconds for a project, then 429 until these are over
    require_quota_project  user credentials need X-Goog-User-Project
    not_found_after_create so many addVersions after a create see NOT_FOUND
    latest_lag             seconds until a new version is "latest"
    list_lag               seconds until a new version is listed
    default_page_size      versions or secrets on a page if none is asked for
    empty_pages            so many pages without anything come before the first
    place                  keys, topics and allowed locations (checks.Place)
    location               what localhost stands for: None for the global host, or the
                           location of a regional one
    """

    name = "secretmanager"
    hosts = (GLOBAL_HOST, *REGIONAL_HOSTS)

    def __init__(self, tokens, iam, projects):
        self.projects = projects  # id -> number
        self.store = store.Store()
        self.unknown_project = "denied"
        self.denial_text = "new"
        self.service_disabled = False
        self.quota_exceeded = False
        self.quota_retry_after = None
        self.quota_retry_delay = None
        self.quota = {}
        self.quota_seconds = 60
        self.require_quota_project = False
        self.not_found_after_create = 0
        self.latest_lag = 0
        self.list_lag = 0
        self.default_page_size = 100
        self.empty_pages = 0
        self.place = checks.Place()
        self.location = None
        self._tokens = tokens
        self._iam = iam
        self._lock = threading.RLock()
        self._pages = {}
        self._spent = {}

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
        location = location_of(request.header("Host"), self.location)
        if method is None or not (location is None or location in LOCATIONS):
            return errors.html_404(request.path)
        with self._lock:
            self._pass_time()
            try:
                identity = self._authenticate(request, method)
                call = self._call(request, method, identity)
                if call.place is None:
                    _check_host(call, request, location)
                self._authorize(method, call)
                value = getattr(self, "_" + protojson.snake(operation))(call)
            except Refusal as refusal:
                return refusal.reply
        try:
            return _reply(value, request)
        except Refusal as refusal:
            return refusal.reply

    def _pass_time(self):
        """Do what was due by now: expire secrets, destroy versions, rotate."""
        now = self._tokens.now()
        gone = [name for name, secret in self.store.timed.items() if secret.expired(now)]
        for name in gone:
            self.store.remove(name)
        changed = [secret.pass_time(now) for secret in self.store.timed.values()]
        if gone or any(changed):
            self.store.changed()

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
        if not _is_for(token, request, self.location):
            raise Refusal(errors.credentials_invalid(method=rpc))
        if token.audience is None and CLOUD_PLATFORM not in token.scopes:
            raise Refusal(errors.scope_insufficient(rpc))
        self._check_quota_project(request, token)
        return token.identity

    def _check_quota_project(self, request, token):
        project = request.header("X-Goog-User-Project")
        if project is not None:
            if self._number(project) is None or not self._iam.allows(
                    token.identity, "serviceusage.services.use"):
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

    def _spend(self, project, method):
        """Count the request against the quota of its kind in this stretch of time."""
        kind = method.quota
        window, passed = divmod(self._tokens.now(), self.quota_seconds)
        key = self._number(project), kind
        start, spent = self._spent.get(key, (window, 0))
        spent = spent if start == window else 0
        if spent >= self.quota.get(kind, spent + 1):
            raise Refusal(errors.quota_exceeded(
                key[0] or errors.NUMBER, self.quota_retry_after,
                self.quota_retry_delay or f"{self.quota_seconds - passed:.3f}s", kind))
        self._spent[key] = window, spent + 1

    # --- from HTTP to a call -----------------------------------------------------

    def _call(self, request, method, identity):
        found = method.path.fullmatch(request.raw_path).groupdict()
        parts = {name: part and unquote(part) for name, part in found.items()}
        project, location = parts["project"], parts.get("location")
        number = self._number(project)
        if self.service_disabled:
            raise Refusal(errors.service_disabled(number or errors.NUMBER))
        if self.quota_exceeded:
            raise Refusal(errors.quota_exceeded(
                number or errors.NUMBER, self.quota_retry_after,
                self.quota_retry_delay))
        if self.quota:
            self._spend(request.header("X-Goog-User-Project") or project, method)
        parent = f"projects/{number or project}"
        if location:
            parent += f"/locations/{location}"
        return Call(project, number, parent, parts.get("secret"), parts.get("version"),
                    location, parts.get("place"), _read_query(request, method),
                    _read_body(request, method), identity)

    # --- secrets -----------------------------------------------------------------

    def _create(self, call):
        secret_id = call.query.get("secretId", "")
        if not secret_id:
            raise Refusal(errors.invalid_argument("Field [secret_id] is required."))
        raise_if(rules.check_secret_id(secret_id))
        fields = checks.kept(call.body)
        if fields.get("versionAliases"):
            raise Refusal(errors.version_not_found(
                f"{call.parent}/secrets/{secret_id}/versions/"
                f"{next(iter(fields['versionAliases'].values()))}"))
        self.place.check(fields, call.number, call.location)
        checks.check_fields(fields, set(fields), self.place, self._tokens.now())
        name = f"{call.parent}/secrets/{secret_id}"
        if self.store.find(name):
            raise Refusal(errors.already_exists(name))
        secret = store.Secret(name, secret_id, fields, self._now())
        secret.hidden_adds = self.not_found_after_create
        self.store.put(secret)
        self.store.changed(secret)
        return secret.to_json()

    def _now(self):
        return moments.timestamp(self._tokens.now())

    def _get(self, call):
        return self._existing(call).to_json()

    def _list(self, call):
        return self._page(call, "secrets", SECRET_FIELDS, [
            (secret.serial, secret.to_json()) for secret in self.store.under(call.parent)])

    def _patch(self, call):
        mask = call.query.get("updateMask", "")
        if not mask:
            raise Refusal(errors.invalid_argument("Field [update_mask] is required."))
        paths = masks.paths_of(mask, UPDATABLE)
        secret = self._existing(call)
        new = checks.kept(call.body)
        for path in paths:
            if path[0] == "replication" and "replication" in new and checks.same_places(
                    new["replication"], secret.fields.get("replication")):
                continue  # its keys may change
            if path[0] in SECRET_FIELDS and path[0] not in UPDATABLE:
                raise Refusal(errors.invalid_argument(
                    f"Field [{protojson.snake(path[0])}] is immutable."))
            if path[0] not in UPDATABLE:
                raise Refusal(_bad_path(".".join(path)))
        _check_etag(call.body.get("etag"), secret.etag)
        try:
            fields = masks.patched(secret.fields, new, paths)
        except masks.BadPath as problem:
            raise Refusal(_bad_path(str(problem))) from None
        self._check_patch(fields, paths, secret, call)
        secret.fields = fields
        secret.touch()
        self.store.changed(secret)
        return secret.to_json()

    def _check_patch(self, fields, paths, secret, call):
        message = {name: item for name, item in fields.items() if name != "versionAliases"}
        try:
            protojson.message(message, SECRET_SCHEMA, "secret")
        except protojson.Unfit as problem:
            raise Refusal(errors.invalid_json(problem.message, problem.field)) from None
        changed = {path[0] for path in paths}
        checks.check_fields(fields, changed, self.place, self._tokens.now())
        checks.check_keys(fields, call.location)
        if {"replication", "customerManagedEncryption"} & changed:
            for key in checks.keys_of(fields):
                self.place.check_key(key)
        if "versionAliases" in changed:
            checks.check_aliases(fields.get("versionAliases", {}), secret)

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
            if permission not in iam.ALL or "services" in permission:
                raise Refusal(errors.invalid_argument(
                    f"Permission {permission} is not valid for this resource."))
        if call.number is None or not self.store.find(call.secret_name):
            return {}
        granted = [permission for permission in asked
                   if self._iam.allows(call.identity, permission)]
        return {"permissions": granted} if granted else {}

    def _get_iam_policy(self, call):
        asked = call.query.get("options.requestedPolicyVersion", "0")
        secret = self._existing(call)
        return policies.shown(secret.policy, _int32(asked, "options"))

    def _set_iam_policy(self, call):
        if "policy" not in call.body:
            raise Refusal(errors.invalid_argument("Field [policy] is required."))
        secret = self._existing(call)
        secret.policy = policies.replaced(secret.policy, call.body["policy"])
        self.store.changed()
        return policies.shown(secret.policy, 3)

    def _enable_managed_rotation(self, call):
        """For secrets with a type, which this emulator does not know."""
        raise Refusal(errors.managed_rotation_impossible(self._existing(call).name))

    _rotate_secret = _enable_managed_rotation

    # --- locations ---------------------------------------------------------------

    def _list_locations(self, call):
        return self._page(call, "locations", LOCATION_FIELDS, [
            (-number, _location(call, place)) for number, place in enumerate(LOCATIONS)])

    def _get_location(self, call):
        if call.place not in LOCATIONS:
            raise Refusal(errors.api(
                "NOT_FOUND", f"Location [{call.parent}/locations/{call.place}] not found."))
        return _location(call, call.place)

    def _existing(self, call):
        raise_if(rules.check_secret_id(call.secret_id))
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
        for key in checks.keys_of(secret.fields):
            self.place.check_key(key)
        version = secret.add(data, checksum is not None, self._now())
        self.store.changed()
        return secret.version_to_json(version)

    def _access(self, call):
        secret, version = self._existing_version(call)
        if version.state != "ENABLED":
            raise Refusal(errors.wrong_state(secret.version_name(version),
                                             version.state))
        for key in filter(None, version.keys):
            self.place.check_key(key)
        return {"name": secret.version_name(version), "payload": {
            "data": base64.b64encode(version.data).decode(),
            "dataCrc32c": str(version.crc32c)}}

    def _get_version(self, call):
        secret, version = self._existing_version(call)
        return secret.version_to_json(version)

    def _list_versions(self, call):
        secret = self._existing(call)
        return self._page(call, "versions", VERSION_FIELDS, [
            (version.number, secret.version_to_json(version))
            for version in reversed(_visible(secret, self.list_lag))])

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
        version.scheduled_destroy_time = None
        if state == "DESTROYED" and delay:
            version.state = "DISABLED"
            version.scheduled_destroy_time = moments.timestamp(
                self._tokens.now() + moments.length_of(delay))
        elif state == "DESTROYED":
            version.destroy(self._now())
        else:
            version.state = state
        version.etag = store.new_etag()
        self.store.changed(secret)
        return secret.version_to_json(version)

    def _existing_version(self, call):
        """Resolve a number, latest or an alias."""
        raise_if(rules.check_secret_id(call.secret_id))
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

    def _page(self, call, field, names, items):
        """One page of what the filter takes of items, (key, resource), highest key
        first: what comes and goes between two pages shifts nothing."""
        text = call.query.get("filter", "")
        try:
            wanted = filters.compiled(text, names)
        except filters.BadFilter:
            raise Refusal(errors.invalid_argument(f"Invalid filter [{text}].")) from None
        found = [(key, value) for key, value in items if wanted(value)]
        below, empty = self._page_start(call)
        rest = [(key, value) for key, value in found if below is None or key < below]
        size = 0 if empty else _page_size(call) or self.default_page_size
        page, more = rest[:size], rest[size:]
        value = {field: [item for _, item in page]} if page else {}
        if more:
            token = store.page_token()
            self._pages[token] = (call.parent, call.secret_id, text,
                                  page[-1][0] if page else below, max(0, empty - 1))
            value["nextPageToken"] = token
        if found and not text and field != "locations":
            value["totalSize"] = len(found)
        return value

    def _page_start(self, call):
        """A page token is good only for the same list with the same filter."""
        token = call.query.get("pageToken")
        if not token:
            return None, self.empty_pages
        key = (call.parent, call.secret_id, call.query.get("filter", ""))
        page = self._pages.get(token)
        if page is None or page[:3] != key:
            raise Refusal(errors.invalid_argument("The page token is invalid."))
        return page[3:]


def _is_for(token, request, otherwise):
    """A token that was signed for an audience is good at that host only (AIP-4111)."""
    location = location_of(request.header("Host"), otherwise)
    host = host_of(location) if location else GLOBAL_HOST
    return token.audience in (None, f"https://{host}/")


def _check_host(call, request, location):
    """Regional secrets are at the host of their location, global ones at their own."""
    if call.location == location or request.raw_path.rstrip("/").endswith("/locations"):
        return
    given = unquote(request.raw_path)[len("/v1/"):]
    given = given.removesuffix("/secrets").removesuffix("/versions")
    given = given.rpartition(":")[0] or given
    below = "".join(f"/{kind}/*" for kind, part in (
        ("secrets", call.secret_id), ("versions", call.version_id)) if part is not None)
    raise Refusal(errors.wrong_host(
        "Secret ID" if call.secret_id else "Parent", given,
        f"projects/*{'/locations/' + location if location else ''}{below}"))


def _location(call, place):
    return {"name": f"{call.parent}/locations/{place}", "locationId": place}


def _reply(value, request):
    query = dict(request.query)
    alt = query.get("$alt", query.get("alt", "json"))
    if alt.endswith("enum-encoding=int"):
        value = _numbered(value)
    fields = query.get("fields", query.get("$fields"))
    if fields:
        value = _masked(value, _field_paths(fields))
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
    """What is left of a reply by a partial response."""
    if isinstance(value, list):
        return [_masked(item, paths) for item in value if isinstance(item, dict)]
    result = {}
    for name, item in value.items():
        below = [path[1:] for path in paths if path[0] in (name, "*")]
        if [] in below:
            result[name] = item
        elif below and isinstance(item, (dict, list)):
            result[name] = _masked(item, below)
    return result


def _field_paths(text):
    """The paths of fields=a,b/c,d(e,f/g), as lists of names.

    Names that no reply has are refused; which has which is not looked at.
    """
    paths, starts, here, word = [], [[]], [], ""

    def end():
        if word:
            if word not in REPLY_FIELDS:
                raise Refusal(errors.invalid_argument(
                    "Error expanding 'fields' parameter. Cannot find matching fields for "
                    f"path '{word}'."))
            here.append(word)

    for character in text + ",":
        if character not in ",/()":
            word += character
            continue
        end()
        word = ""
        if character == "(":
            starts.append(list(here))
        elif character != "/":
            if here != starts[-1]:
                paths.append(here)
            if character == ")":
                if len(starts) == 1:
                    raise Refusal(errors.invalid_argument("Invalid field mask."))
                starts.pop()
            here = list(starts[-1])
    if len(starts) > 1 or not paths:
        raise Refusal(errors.invalid_argument("Invalid field mask."))
    return paths


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
    value = jsonbody.read(request, method.schema, method.body_path)
    _check_bound(value, request, method)
    return value


def _check_bound(value, request, method):
    """Names that stand in the path and in the body must be the same."""
    path = unquote(request.raw_path)[len("/v1/"):]
    if method.operation != "patch":
        path = path.rpartition(":")[0]
    for name in BOUND:
        if value.get(name) and method.operation != "create" and value[name] != path:
            raise Refusal(errors.invalid_argument(
                f"Field [{name}] does not match the resource of the request path."))


def _check_etag(given, current):
    if given and given != current:
        raise Refusal(errors.etag_mismatch())


def _visible(secret, lag):
    """The versions that an eventually consistent reader sees."""
    horizon = time.monotonic() - lag
    return [version for version in secret.versions if version.added_at <= horizon]


def _page_size(call):
    size = _int32(call.query.get("pageSize", "0"), "page_size")
    if size < 0:
        raise Refusal(errors.invalid_argument("Field [page_size] is negative."))
    return min(size, MAX_PAGE)


def _int32(text, field):
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise Refusal(errors.invalid_json(
            f"Invalid value at '{field}' (TYPE_INT32), \"{text}\"", field))
    return int(text)


def _bad_path(path):
    return errors.invalid_argument(f"Invalid field path [{path}] in update_mask.")


def _bad_name(name):
    return errors.invalid_argument(f"Resource name [{name}] is not in a valid format.")
