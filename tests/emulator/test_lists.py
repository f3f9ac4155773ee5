"""Lists with pages and filters, update masks, and what clients repeat in bodies."""

import pytest

from emulator import filters


def names(value, field="secrets"):
    return [row["name"].rpartition("/")[2] for row in value.get(field, [])]


# --- filters -----------------------------------------------------------------------

ROWS = {
    "one": {"name": "projects/1/secrets/one", "labels": {"env": "prod", "team": "a"},
            "createTime": "2026-01-01T00:00:00Z", "replication": {"automatic": {}}},
    "two": {"name": "projects/1/secrets/two", "labels": {"env": "test"},
            "createTime": "2026-02-01T00:00:00.5Z", "topics": [{"name": "projects/p/topics/t"}],
            "annotations": {"example.com": "x y"}},
    "three": {"name": "projects/1/secrets/three", "createTime": "2026-03-01T00:00:00Z",
              "replication": {"userManaged": {"replicas": [{"location": "us-east1"}]}}},
}


@pytest.mark.parametrize("text, found", [
    ("", "one two three"), ("labels.env=prod", "one"), ("labels.env:PRO", "one"),
    ("labels.env:*", "one two"), ("NOT labels.env:*", "three"), ("-labels.env:*", "three"),
    ("labels:team", "one"), ("labels.env!=prod", "two three"),
    ("labels.env=prod OR labels.env=test", "one two"), ("name:tw OR name:thr", "two three"),
    ("labels.env:* AND NOT labels.team=a", "two"), ("labels.env:* labels.team:*", "one"),
    # OR binds more strongly than AND
    ("name:one AND labels.env=prod OR labels.env=test", "one"),
    ("(name:three AND createTime>2026-01-01T00:00:00Z) OR name:one", "one three"),
    ("NOT (name:one OR name:two)", "three"),
    ("create_time>=2026-02-01T00:00:00.500Z", "two three"),
    ('create_time<"2026-02-01T00:00:00Z"', "one"), ("topics.name:topics/t", "two"),
    ("replication.user_managed.replicas.location:us-east1", "three"),
    ("replication.automatic:*", "one"), ('annotations.example.com="x y"', "two"),
    ("two", "two"), ("expireTime:*", "")])
def test_filters(text, found):
    test = filters.compiled(text, ("name", "labels", "createTime", "topics", "replication",
                                   "annotations", "expireTime"))
    assert [name for name, row in ROWS.items() if test(row)] == found.split()


@pytest.mark.parametrize("text", [
    "(", ")", "(name:a", "name:", "=a", "name:a AND", "OR name:a", "NOT", "nonsense:a",
    "name==a", "name:a)", "name:a OR", 'name:"a', "x" * 2001])
def test_bad_filters(text):
    with pytest.raises(filters.BadFilter):
        filters.compiled(text, ("name",))


def test_filters_of_both_lists(emu, driver):
    emu.secretmanager.put("a", b"1", b"2", b"3", labels={"k": "v"})
    emu.secretmanager.put("b")
    driver.api("POST", "a/versions/2:disable", {})
    assert names(driver.api("GET", "?filter=NOT+labels.k:*").json) == ["b"]
    path = "a/versions?filter="
    found = driver.api("GET", path + "state:DISABLED+OR+name:versions/1").json
    assert names(found, "versions") == ["2", "1"] and "totalSize" not in found
    assert names(driver.api("GET", path + "NOT+state:enabled").json, "versions") == ["2"]
    for text in ("labels.k:v", "%28"):
        assert driver.api("GET", path + text).error["status"] == "INVALID_ARGUMENT"


# --- pages -------------------------------------------------------------------------


def pages(driver, path):
    """All pages of a list, each as the names on it."""
    found, token = [], None
    while token is None or token:
        more = f"&pageToken={token}" if token else ""
        value = driver.api("GET", path + more).json
        found.append(names(value, "versions" if "versions" in path else "secrets"))
        token = value.get("nextPageToken", "")
    return found


def test_pages_of_versions(emu, driver):
    emu.secretmanager.put("s", *[b"%d" % number for number in range(7)])
    assert pages(driver, "s/versions?pageSize=3") == [
        ["7", "6", "5"], ["4", "3", "2"], ["1"]]
    assert pages(driver, "s/versions?pageSize=7") == [["7", "6", "5", "4", "3", "2", "1"]]
    emu.secretmanager.default_page_size = 4
    assert [len(page) for page in pages(driver, "s/versions?pageSize=0")] == [4, 3]
    assert pages(driver, "s/versions?pageSize=2&filter=name:versions/3") == [["3"]]


def test_pages_may_be_empty(emu, driver):
    """An empty page with a token is not the last one (AIP-158)."""
    emu.secretmanager.put("s", b"1", b"2")
    emu.secretmanager.empty_pages = 2
    assert pages(driver, "s/versions?pageSize=1") == [[], [], ["2"], ["1"]]
    first = driver.api("GET", "s/versions").json
    assert list(first) == ["nextPageToken", "totalSize"] and first["totalSize"] == 2


def test_what_comes_between_two_pages_shifts_nothing(emu, driver):
    emu.secretmanager.put("s", b"1", b"2", b"3")
    token = driver.api("GET", "s/versions?pageSize=2").json["nextPageToken"]
    driver.add()
    second = driver.api("GET", f"s/versions?pageSize=2&pageToken={token}").json
    assert names(second, "versions") == ["1"]
    for name in "abc":
        emu.secretmanager.put(name)
    token = driver.api("GET", "?pageSize=2").json["nextPageToken"]
    driver.api("DELETE", "b")
    assert names(driver.api("GET", f"?pageToken={token}").json) == ["a", "s"]


def test_page_tokens_belong_to_their_list(emu, driver):
    for name in "ab":
        emu.secretmanager.put(name, b"1", b"2")
    token = driver.api("GET", "a/versions?pageSize=1").json["nextPageToken"]
    for path in ("b/versions?", "?", "a/versions?filter=state:ENABLED&"):
        answer = driver.api("GET", f"{path}pageToken={token}")
        assert answer.error["message"] == "The page token is invalid."


# --- what keepers of versions ask ----------------------------------------------------


def test_aliases_and_etag_are_in_the_secret(emu, driver):
    emu.secretmanager.put("s", b"1", b"2")
    before = driver.api("GET", "s").json
    assert "versionAliases" not in before and before["etag"].startswith('"')
    changed = driver.api("PATCH", "s?updateMask=versionAliases",
                         {"versionAliases": {"live": "1", "next": 2}}).json
    assert changed["versionAliases"] == {"live": "1", "next": "2"}
    assert changed["etag"] != before["etag"]
    assert driver.api("GET", "s").json == changed
    driver.add()
    driver.api("POST", "s/versions/2:disable", {})
    assert driver.api("GET", "s").json["etag"] == changed["etag"]
    for verb in ("disable", "destroy"):
        refused = driver.api("POST", f"s/versions/live:{verb}", {})
        assert refused.error["status"] == "INVALID_ARGUMENT"


# --- update masks --------------------------------------------------------------------


def test_parts_of_maps_are_patched(emu, driver):
    driver.create(labels={"a": "1", "b": "2"}, annotations={"x.y": "1"})
    body = {"labels": {"a": "9", "c": "3"}, "annotations": {"x.y": "2"}}
    one = driver.api("PATCH", "s?updateMask=labels.a", body).json
    assert one["labels"] == {"a": "9", "b": "2"}
    both = driver.api("PATCH", "s?updateMask=labels.b,labels.c,annotations.%60x.y%60",
                      body).json
    assert both["labels"] == {"a": "9", "c": "3"} and both["annotations"] == {"x.y": "2"}
    emu.secretmanager.secret("s").add(b"1")
    alias = driver.api("PATCH", "s?updateMask=version_aliases.live",
                       {"version_aliases": {"live": 1}}).json
    assert alias["versionAliases"] == {"live": "1"} and alias["labels"] == both["labels"]


@pytest.mark.parametrize("mask, body", [
    ("labels.A", {"labels": {"A": "x"}}), ("labels.a", {"labels": {"a": "X"}}),
    ("annotations.-", {"annotations": {"-": "x"}}), ("rotation.nonsense", {}),
    ("versionAliases.x", {"versionAliases": {"x": "9"}}), ("create_time", {}),
    ("secretType", {"secretType": "OTHER"}), ("labels.a.", {"labels": {"a.": "x"}})])
def test_parts_keep_the_rules(emu, driver, mask, body):
    driver.create(labels={"k": "v"})
    before = driver.api("GET", "s").json
    answer = driver.api("PATCH", f"s?updateMask={mask}", body)
    if mask == "rotation.nonsense":  # nothing is set by it
        assert "rotation" not in answer.json
        return
    assert answer.status in (400, 404)
    assert driver.api("GET", "s").json == before


def test_a_star_replaces_all(emu, driver):
    driver.create(labels={"k": "v"}, annotations={"a": "b"})
    value = driver.api("PATCH", "s?updateMask=*", {"labels": {"n": "m"}}).json
    assert value["labels"] == {"n": "m"} and "annotations" not in value
    assert value["replication"] == {"automatic": {}}


# --- names in bodies -----------------------------------------------------------------


def test_names_may_be_repeated_in_bodies(emu, driver):
    """Go's client sends the whole message."""
    name = "projects/test-project/secrets/s"
    driver.create()
    added = driver.api("POST", "s:addVersion",
                       {"parent": name, "payload": {"data": "YQ=="}})
    assert added.status == 200
    for action in ("disable", "enable", "destroy"):
        body = {"name": name + "/versions/1"}
        assert driver.api("POST", f"s/versions/1:{action}", body).status == 200
    body = {"resource": name, "permissions": ["secretmanager.versions.add"]}
    assert driver.api("POST", "s:testIamPermissions", body).status == 200
    assert driver.api("PATCH", "s?updateMask=labels", {"name": name}).status == 200


@pytest.mark.parametrize("path, body", [
    ("s:addVersion", {"parent": "projects/test-project/secrets/t",
                      "payload": {"data": "YQ=="}}),
    ("s/versions/1:destroy", {"name": "projects/test-project/secrets/s/versions/2"}),
    ("s:testIamPermissions", {"resource": "projects/test-project/secrets/t"}),
    ("s:setIamPolicy", {"resource": "s", "policy": {}})])
def test_but_no_other_names(emu, driver, path, body):
    emu.secretmanager.put("s", b"1", b"2")
    answer = driver.api("POST", path, body)
    assert "does not match the resource of the request path" in answer.error["message"]
    assert emu.secretmanager.payloads("s") == [b"1", b"2"]


# --- IAM policies ----------------------------------------------------------------------

BINDING = {"role": "roles/secretmanager.secretAccessor", "members": ["user:a@example.com"]}
CONDITION = {"title": "t", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}


def test_policies(driver):
    driver.create()
    assert driver.api("GET", "s:getIamPolicy").json == {"etag": "ACAB"}
    put = driver.api("POST", "s:setIamPolicy",
                     {"policy": {"bindings": [BINDING], "etag": "ACAB"}}).json
    assert put["bindings"] == [BINDING] and put["version"] == 1
    path = "s:getIamPolicy?options.requestedPolicyVersion=3"
    assert driver.api("GET", path).json == put
    stale = driver.api("POST", "s:setIamPolicy", {"policy": {"etag": "ACAB"}})
    assert (stale.status, stale.error["status"]) == (409, "ABORTED")
    fresh = driver.api("POST", "s:setIamPolicy", {"policy": {"etag": put["etag"]}}).json
    assert "bindings" not in fresh


def test_policies_with_conditions(driver):
    driver.create()
    row = {**BINDING, "condition": CONDITION}
    refused = driver.api("POST", "s:setIamPolicy", {"policy": {"bindings": [row]}})
    assert refused.error["status"] == "INVALID_ARGUMENT"
    put = driver.api("POST", "s:setIamPolicy", {"policy": {"bindings": [row], "version": 3}})
    assert put.json["version"] == 3 and put.json["bindings"] == [row]
    plain = driver.api("GET", "s:getIamPolicy").json
    assert plain["version"] == 1 and "condition" not in plain["bindings"][0]
    shown = driver.api("GET", "s:getIamPolicy?options.requestedPolicyVersion=3").json
    assert shown["bindings"] == [row]


@pytest.mark.parametrize("body", [
    {}, {"policy": {"bindings": [{"role": "accessor", "members": ["user:a@b"]}]}},
    {"policy": {"bindings": [{**BINDING, "members": ["a@example.com"]}]}},
    {"policy": {"version": 2}}, {"policy": {"nonsense": 1}}, {"policy": []}])
def test_policies_that_cannot_be(driver, body):
    driver.create()
    answer = driver.api("POST", "s:setIamPolicy", body)
    assert answer.error["status"] == "INVALID_ARGUMENT"


def test_who_may_see_and_set_them(emu, driver):
    driver.create()
    emu.iam.deny("secrets.getIamPolicy", "secrets.setIamPolicy")
    assert driver.api("GET", "s:getIamPolicy").status == 403
    assert driver.api("POST", "s:setIamPolicy", {"policy": {}}).status == 403
    emu.iam.grant("secrets.getIamPolicy", "secrets.setIamPolicy")
    assert driver.api("GET", "missing:getIamPolicy").status == 404


@pytest.mark.parametrize("permission", [
    "secretmanager.versions.*", "secretmanager.nonsense.get", "storage.objects.get",
    "versions.add", "serviceusage.services.use"])
def test_permissions_that_do_not_exist(driver, permission):
    driver.create()
    answer = driver.api("POST", "s:testIamPermissions", {"permissions": [permission]})
    assert answer.error["message"] == (
        f"Permission {permission} is not valid for this resource.")


def test_managed_rotation_is_for_typed_secrets(driver):
    driver.create()
    for verb in ("enableManagedRotation", "rotateSecret"):
        answer = driver.api("POST", f"s:{verb}", {})
        assert answer.error["status"] == "FAILED_PRECONDITION"
