"""The methods of Secret Manager v1: paths, permissions, messages, parameters."""

import re
from dataclasses import dataclass

_PARENT = r"/v1/projects/(?P<project>[^/]+?)(?:/locations/(?P<location>[^/:]+))?"
_SECRET = _PARENT + r"/secrets/(?P<secret>[^/:]+)"
_VERSION = _SECRET + r"/versions/(?P<version>[^/:]+)"
_LOCATIONS = r"/v1/projects/(?P<project>[^/]+?)/locations"

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
# Clients that send whole messages repeat the name that stands in the path.
ADD_SCHEMA = {"parent": "string", "payload": {"data": "bytes", "dataCrc32c": "int64"}}
STATE_SCHEMA = {"name": "string", "etag": "string"}
TEST_SCHEMA = {"resource": "string", "permissions": ["string"]}
ROTATE_SCHEMA = {"parent": "string"}
ENABLE_SCHEMA = {"parent": "string", "cloudSqlSingleUserCredentials": {
    "instanceId": "string", "username": "string", "password": "string"}}
POLICY_SCHEMA = {"resource": "string", "updateMask": "string", "policy": {
    "version": "int64", "etag": "bytes",
    "bindings": [{"role": "string", "members": ["string"], "condition": {
        "expression": "string", "title": "string", "description": "string",
        "location": "string"}}],
    "auditConfigs": [{"service": "string", "auditLogConfigs": [
        {"logType": "enum", "exemptedMembers": ["string"]}]}]}}
BOUND = ("name", "parent", "resource")  # members that the path gives, too

UPDATABLE = ("labels", "annotations", "topics", "expireTime", "ttl", "rotation",
             "versionAliases", "versionDestroyTtl", "customerManagedEncryption")
OUTPUT_ONLY = ("name", "createTime", "etag", "policyMember")

# Parameters that every Google API takes.
SYSTEM_PARAMETERS = ("alt", "$alt", "fields", "$fields", "prettyPrint", "$prettyPrint",
                     "quotaUser", "uploadType", "upload_protocol", "$.xgafv", "key")
_PAGES = ("pageSize", "pageToken", "filter")


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

    @property
    def quota(self):
        """The kind of request that it counts as."""
        if self.operation == "access":
            return "access"
        return "read" if self.verb == "GET" or self.operation.startswith("test") else "write"


def _method(operation, verb, path, rpc, permission=None, **more):
    full = f"secretmanager.{permission}" if permission else None
    return Method(operation, verb, re.compile(path), rpc, full, **more)


METHODS = (
    _method("list", "GET", _PARENT + "/secrets", "ListSecrets", "secrets.list",
            query=_PAGES),
    _method("create", "POST", _PARENT + "/secrets", "CreateSecret", "secrets.create",
            schema=SECRET_SCHEMA, body_path="secret", query=("secretId",)),
    _method("get", "GET", _SECRET, "GetSecret", "secrets.get"),
    _method("patch", "PATCH", _SECRET, "UpdateSecret", "secrets.update",
            schema=SECRET_SCHEMA, body_path="secret", query=("updateMask",)),
    _method("delete", "DELETE", _SECRET, "DeleteSecret", "secrets.delete",
            query=("etag",)),
    _method("addVersion", "POST", _SECRET + ":addVersion", "AddSecretVersion",
            "versions.add", schema=ADD_SCHEMA),
    _method("getIamPolicy", "GET", _SECRET + ":getIamPolicy", "GetIamPolicy",
            "secrets.getIamPolicy", query=("options.requestedPolicyVersion",)),
    _method("setIamPolicy", "POST", _SECRET + ":setIamPolicy", "SetIamPolicy",
            "secrets.setIamPolicy", schema=POLICY_SCHEMA),
    _method("testIamPermissions", "POST", _SECRET + ":testIamPermissions",
            "TestIamPermissions", schema=TEST_SCHEMA),
    _method("enableManagedRotation", "POST", _SECRET + ":enableManagedRotation",
            "EnableManagedRotation", "secrets.update", schema=ENABLE_SCHEMA),
    _method("rotateSecret", "POST", _SECRET + ":rotateSecret", "RotateSecret",
            "secrets.update", schema=ROTATE_SCHEMA),
    _method("listVersions", "GET", _SECRET + "/versions", "ListSecretVersions",
            "versions.list", query=_PAGES),
    _method("getVersion", "GET", _VERSION, "GetSecretVersion", "versions.get"),
    _method("access", "GET", _VERSION + ":access", "AccessSecretVersion",
            "versions.access"),
    _method("disable", "POST", _VERSION + ":disable", "DisableSecretVersion",
            "versions.disable", schema=STATE_SCHEMA),
    _method("enable", "POST", _VERSION + ":enable", "EnableSecretVersion",
            "versions.enable", schema=STATE_SCHEMA),
    _method("destroy", "POST", _VERSION + ":destroy", "DestroySecretVersion",
            "versions.destroy", schema=STATE_SCHEMA),
    _method("listLocations", "GET", _LOCATIONS, "ListLocations", "locations.list",
            query=_PAGES),
    _method("getLocation", "GET", _LOCATIONS + r"/(?P<place>[^/:]+)", "GetLocation",
            "locations.get"),
)
BY_OPERATION = {method.operation: method for method in METHODS}
