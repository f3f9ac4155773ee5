"""Every call of Secret Manager: what is asked, and what must come back."""

from dataclasses import dataclass

PARENT = "projects/test-project"
SECRET = f"{PARENT}/secrets/s"
REGIONAL = f"{PARENT}/locations/us-east1"
TOPIC = f"{PARENT}/topics/events"
KEY = f"{PARENT}/locations/us-east1/keyRings/r/cryptoKeys/k"
ROLE = "roles/secretmanager.secretAccessor"
ADD = "secretmanager.versions.add"


@dataclass
class Call:
    """One call. check judges the reply; code is that of the error that must come."""

    name: str
    method: str
    request: dict
    check: object = None
    code: int = None
    gcloud: tuple = None  # the words of the command; None: it has none
    said: str = ""  # part of the error's text
    regional: bool = False


def rows(reply, field=None):
    """The rows of a list, whichever way the client gives them."""
    return reply if isinstance(reply, list) else reply.get(field, [])


def names(reply):
    return [row["name"].rpartition("/")[2] for row in rows(reply)]


def is_state(reply, number, name):
    return reply.get("state") in (number, name)


def holds(reply, text, encoded):
    return text == reply or (isinstance(reply, dict) and (
        reply["payload"]["data"].rstrip("=") == encoded.rstrip("=")))


FULL = {
    "replication": {"userManaged": {"replicas": [
        {"location": "us-east1", "customerManagedEncryption": {"kmsKeyName": KEY}}]}},
    "labels": {"k": "v"}, "annotations": {"a.b": "c"}, "ttl": "86400s",
    "topics": [{"name": TOPIC}], "versionDestroyTtl": "90000s",
    "rotation": {"nextRotationTime": "2099-01-01T00:00:00Z", "rotationPeriod": "7200s"}}


def whole(reply):
    return (reply["labels"] == {"k": "v"} and reply["topics"][0]["name"] == TOPIC
            and reply["annotations"] == {"a.b": "c"} and "expireTime" in reply
            and "rotation" in reply and "versionDestroyTtl" in reply)


def payload(data, crc):
    return {"payload": {"data": data, "dataCrc32c": crc}}


CALLS = (
    Call("create", "createSecret", {
        "parent": PARENT, "secretId": "s", "secret": {
            "replication": {"automatic": {}}, "labels": {"a": "b"}}},
        lambda r: r["name"] == "projects/123456789012/secrets/s",
        gcloud=("secrets", "create", "s", "--replication-policy=automatic",
                "--labels=a=b", "--format=json")),
    Call("create, every field", "createSecret",
         {"parent": PARENT, "secretId": "full", "secret": FULL}, whole,
         gcloud=("secrets", "create", "full", "--replication-policy=user-managed",
                 "--locations=us-east1", "--labels=k=v",
                 "--set-annotations=a.b=c", "--ttl=86400s", f"--topics={TOPIC}",
                 "--version-destroy-ttl=90000s", "--rotation-period=7200s",
                 "--next-rotation-time=2099-01-01T00:00:00Z", "--format=json")),
    Call("create again", "createSecret", {"parent": PARENT, "secretId": "s", "secret": {
        "replication": {"automatic": {}}}}, code=409, said="already exists",
        gcloud=("secrets", "create", "s", "--replication-policy=automatic")),
    Call("create, rotation without topic", "createSecret", {
        "parent": PARENT, "secretId": "t", "secret": {
            "replication": {"automatic": {}}, "rotation": FULL["rotation"]}},
        code=400, said="must be set to configure rotation",
        gcloud=("secrets", "create", "t", "--replication-policy=automatic",
                "--rotation-period=7200s", "--next-rotation-time=2099-01-01T00:00:00Z")),
    Call("get", "getSecret", {"name": SECRET}, lambda r: r["labels"] == {"a": "b"},
         gcloud=("secrets", "describe", "s", "--format=json")),
    Call("get, missing", "getSecret", {"name": SECRET + "-"}, code=404, said="not found",
         gcloud=("secrets", "describe", "s-")),
    Call("list, pages", "listSecrets", {"parent": PARENT, "pageSize": 1},
         lambda r: names(r) == ["full", "s"],
         gcloud=("secrets", "list", "--page-size=1", "--format=json")),
    Call("list, filter", "listSecrets", {
        "parent": PARENT, "filter": "labels.a:* OR NOT name:full"},
        lambda r: names(r) == ["s"],
        gcloud=("secrets", "list", "--filter=labels.a=b", "--format=json")),
    Call("update", "updateSecret", {
        "secret": {"name": SECRET, "labels": {"a": "c"}, "annotations": {"x": "y"}},
        "updateMask": "labels,annotations"}, lambda r: r["labels"] == {"a": "c"},
        gcloud=("secrets", "update", "s", "--update-labels=a=c", "--format=json")),
    Call("update, one label", "updateSecret", {
        "secret": {"name": SECRET, "labels": {"d": "e"}}, "updateMask": "labels.d"},
        lambda r: r["labels"] == {"a": "c", "d": "e"}),
    Call("addVersion", "addSecretVersion", {
        "parent": SECRET, **payload("YQ==", "3251651376")},
        lambda r: r["name"].endswith("/versions/1") and r[
            "clientSpecifiedPayloadChecksum"] is True and is_state(r, 1, "ENABLED"),
        gcloud=("secrets", "versions", "add", "s", "--data-file={data}", "--format=json")),
    Call("addVersion, wrong checksum", "addSecretVersion", {
        "parent": SECRET, **payload("YQ==", "1")}, code=400, said="CRC32C"),
    Call("addVersion, second", "addSecretVersion", {
        "parent": SECRET, **payload("YQ==", "3251651376")},
        lambda r: r["name"].endswith("/versions/2"),
        gcloud=("secrets", "versions", "add", "s", "--data-file={data}", "--format=json")),
    Call("update, aliases", "updateSecret", {
        "secret": {"name": SECRET, "versionAliases": {"live": "1"}},
        "updateMask": "versionAliases"}, lambda r: str(r["versionAliases"]["live"]) == "1",
        gcloud=("secrets", "update", "s", "--update-version-aliases=live=1",
                "--format=json")),
    Call("access by number", "accessSecretVersion", {"name": SECRET + "/versions/2"},
         lambda r: holds(r, "a", "YQ=="),
         gcloud=("secrets", "versions", "access", "2", "--secret=s")),
    Call("access latest", "accessSecretVersion", {"name": SECRET + "/versions/latest"},
         lambda r: holds(r, "a", "YQ=="),
         gcloud=("secrets", "versions", "access", "latest", "--secret=s")),
    Call("access by alias", "accessSecretVersion", {"name": SECRET + "/versions/live"},
         lambda r: holds(r, "a", "YQ=="),
         gcloud=("secrets", "versions", "access", "live", "--secret=s")),
    Call("getVersion", "getSecretVersion", {"name": SECRET + "/versions/live"},
         lambda r: r["name"].endswith("/versions/1") and is_state(r, 1, "ENABLED"),
         gcloud=("secrets", "versions", "describe", "live", "--secret=s",
                 "--format=json")),
    Call("listVersions, pages", "listSecretVersions", {"parent": SECRET, "pageSize": 1},
         lambda r: names(r) == ["2", "1"],
         gcloud=("secrets", "versions", "list", "s", "--page-size=1", "--format=json")),
    Call("disable", "disableSecretVersion", {"name": SECRET + "/versions/2"},
         lambda r: is_state(r, 2, "DISABLED"),
         gcloud=("secrets", "versions", "disable", "2", "--secret=s", "--format=json")),
    Call("listVersions, filter", "listSecretVersions", {
        "parent": SECRET, "filter": "state:DISABLED"}, lambda r: names(r) == ["2"],
        gcloud=("secrets", "versions", "list", "s", "--filter=state=DISABLED",
                "--format=json")),
    Call("access, disabled", "accessSecretVersion", {"name": SECRET + "/versions/2"},
         code=400, said="is in DISABLED state",
         gcloud=("secrets", "versions", "access", "2", "--secret=s")),
    Call("enable", "enableSecretVersion", {"name": SECRET + "/versions/2"},
         lambda r: is_state(r, 1, "ENABLED"),
         gcloud=("secrets", "versions", "enable", "2", "--secret=s", "--format=json")),
    Call("destroy, stale etag", "destroySecretVersion", {
        "name": SECRET + "/versions/2", "etag": '"stale"'}, code=400, said="etag",
        gcloud=("secrets", "versions", "destroy", "2", "--secret=s", '--etag="stale"')),
    Call("destroy", "destroySecretVersion", {"name": SECRET + "/versions/2"},
         lambda r: is_state(r, 3, "DESTROYED") and "destroyTime" in r,
         gcloud=("secrets", "versions", "destroy", "2", "--secret=s", "--format=json")),
    Call("getIamPolicy", "getIamPolicy", {
        "resource": SECRET, "options": {"requestedPolicyVersion": 3}},
        lambda r: not r.get("bindings"),
        gcloud=("secrets", "get-iam-policy", "s", "--format=json")),
    Call("setIamPolicy", "setIamPolicy", {"resource": SECRET, "policy": {
        "bindings": [{"role": ROLE, "members": ["user:a@example.com"]}]}},
        lambda r: r["bindings"][0]["role"] == ROLE,
        gcloud=("secrets", "add-iam-policy-binding", "s", f"--role={ROLE}",
                "--member=user:a@example.com", "--format=json")),
    Call("testIamPermissions", "testIamPermissions", {
        "resource": SECRET, "permissions": [ADD]}, lambda r: r["permissions"] == [ADD]),
    Call("enableManagedRotation", "enableManagedRotation", {"parent": SECRET}, code=400,
         said="Managed rotation"),
    Call("rotateSecret", "rotateSecret", {"parent": SECRET}, code=400,
         said="Managed rotation"),
    Call("listLocations, pages", "listLocations", {"name": PARENT, "pageSize": 20},
         lambda r: len(rows(r, "locations")) == 42,
         gcloud=("secrets", "locations", "list", "--format=json")),
    Call("getLocation", "getLocation", {"name": PARENT + "/locations/us-east1"},
         lambda r: r["locationId"] == "us-east1",
         gcloud=("secrets", "locations", "describe", "us-east1", "--format=json")),
    Call("delete, stale etag", "deleteSecret", {"name": SECRET, "etag": '"stale"'},
         code=400, said="etag", gcloud=("secrets", "delete", "s", '--etag="stale"')),
    Call("delete", "deleteSecret", {"name": SECRET}, lambda r: True,
         gcloud=("secrets", "delete", "s")),
    Call("regional: create", "createSecret", {
        "parent": REGIONAL, "secretId": "r", "secret": {"labels": {"a": "b"}}},
        lambda r: "/locations/us-east1/" in r["name"], regional=True,
        gcloud=("secrets", "create", "r", "--location=us-east1", "--labels=a=b",
                "--format=json")),
    Call("regional: with replication", "createSecret", {
        "parent": REGIONAL, "secretId": "q", "secret": {"replication": {"automatic": {}}}},
        code=400, said="Secret.replication should not be provided", regional=True),
    Call("regional: addVersion", "addSecretVersion", {
        "parent": REGIONAL + "/secrets/r", **payload("YQ==", "3251651376")},
        lambda r: r["name"].endswith("/versions/1"), regional=True,
        gcloud=("secrets", "versions", "add", "r", "--location=us-east1",
                "--data-file={data}", "--format=json")),
    Call("regional: access", "accessSecretVersion", {
        "name": REGIONAL + "/secrets/r/versions/1"}, lambda r: holds(r, "a", "YQ=="),
        regional=True,
        gcloud=("secrets", "versions", "access", "1", "--secret=r",
                "--location=us-east1")),
    Call("regional: list", "listSecrets", {"parent": REGIONAL},
         lambda r: names(r) == ["r"], regional=True,
         gcloud=("secrets", "list", "--location=us-east1", "--format=json")),
    Call("regional: at the global host", "getSecret", {
        "name": REGIONAL + "/secrets/r"}, code=400, said="expected format"),
)
