"""Secret Manager: methods, rules, and what is eventually consistent."""

import base64
import hashlib
import json
from urllib.parse import quote

import pytest

from emulator.crc32c import crc32c

NAME = "projects/123456789012/secrets/s"


def assert_error(answer, code, status, message=None):
    error = answer.error
    assert (answer.status, error["code"], error["status"]) == (code, code, status)
    if message is not None:
        assert error["message"] == message


@pytest.mark.parametrize("data, value", [
    (b"", 0), (b"a", 3251651376), (b"123456789", 3808858755),
    (bytes(32), 2324772522), (b'{"auths":{}}', 1220088780)])
def test_crc32c(data, value):
    assert crc32c(data) == value


# --- secrets -----------------------------------------------------------------------


def test_create_and_get(driver):
    labels = {"managed-by": "hyperfleet"}
    created = driver.create(labels=labels, annotations={})
    assert created.status == 200
    value = created.json
    assert list(value) == ["name", "replication", "createTime", "labels", "etag"]
    assert (value["name"], value["labels"]) == (NAME, labels)
    assert value["etag"][0] == value["etag"][-1] == '"'
    assert driver.api("GET", "s").json == value
    by_number = driver.api("GET", f"/v1/{NAME}")
    assert by_number.json == value


def test_create_twice(driver):
    driver.create()
    assert_error(driver.create(), 409, "ALREADY_EXISTS",
                 f"Secret [{NAME}] already exists.")


@pytest.mark.parametrize("secret_id, fine", [
    ("a", True), ("A_b-9", True), ("x" * 255, True), ("x" * 256, False),
    ("a.b", False), ("a%20b", False), ("%C3%A4", False), ("a%2Fb", False)])
def test_secret_ids(driver, secret_id, fine):
    answer = driver.create(secret_id)
    if fine:
        assert answer.status == 200
    else:
        assert_error(answer, 400, "INVALID_ARGUMENT")
        assert answer.error["message"].endswith("is not in a valid format.")


@pytest.mark.parametrize("path, body", [
    ("", {"replication": {"automatic": {}}}),
    ("?secretId=s", {}),
    ("?secretId=s", {"replication": {}}),
    ("?secretId=s", {"replication": {"automatic": {}, "userManaged": {}}}),
    ("?secretId=s", {"replication": {"userManaged": {}}}),
    ("?secretId=s", {"replication": {"automatic": {}}, "ttl": "9s",
                     "expireTime": "2030-01-01T00:00:00Z"}),
    ("?secretId=s", {"replication": {"automatic": {}}, "ttl": "9"}),
    ("?secretId=s&secretId=t", {"replication": {"automatic": {}}}),
])
def test_create_refused(driver, path, body):
    assert_error(driver.api("POST", path, body), 400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("labels", [
    {"a": ""}, {"a": "9-_z"}, {"é": "日本"}, {"a" * 63: "b" * 63},
    {f"k{index}": "v" for index in range(64)}])
def test_good_labels(driver, labels):
    assert driver.create(labels=labels).json["labels"] == labels


@pytest.mark.parametrize("labels", [
    {"": "v"}, {"A": "v"}, {"9a": "v"}, {"-a": "v"}, {"a.b": "v"}, {"a": "V"},
    {"a": "x.y"}, {"a": "x y"}, {"a" * 64: "v"}, {"a": "v" * 64}, {"a": "日" * 43},
    {f"k{index}": "v" for index in range(65)}])
def test_bad_labels(driver, labels):
    assert_error(driver.create(labels=labels), 400, "INVALID_ARGUMENT")


def test_the_text_of_a_bad_label(driver):
    message = driver.create(labels={"entity": "a@b"}).error["message"]
    assert message.startswith(
        'Invalid field "labels.entity"; value "a@b" does not conform to regular '
        r'expression "[\p{Ll}\p{Lo}\p{N}_-]{0,63}"; character "@" at position 1 is not')


def test_patch(driver):
    before = driver.create(labels={"a": "b", "c": "d"}).json
    answer = driver.api("PATCH", "s?updateMask=labels",
                        {"labels": {"a": "x"}, "etag": before["etag"]})
    assert answer.json["labels"] == {"a": "x"}
    assert answer.json["etag"] != before["etag"]
    stale = driver.api("PATCH", "s?updateMask=labels",
                       {"labels": {}, "etag": before["etag"]})
    assert_error(stale, 400, "FAILED_PRECONDITION")
    assert_error(driver.api("PATCH", "s", {"labels": {}}), 400, "INVALID_ARGUMENT",
                 "Field [update_mask] is required.")
    for mask in ("replication", "nonsense", "labels,", "name", "topics.name", "etag"):
        assert_error(driver.api("PATCH", f"s?updateMask={mask}", {}), 400,
                     "INVALID_ARGUMENT")
    both = driver.api("PATCH", "s?updateMask=labels%2Cannotations",
                      {"annotations": {"k": "v"}}).json
    assert "labels" not in both and both["annotations"] == {"k": "v"}


def test_delete(driver):
    etag = driver.create().json["etag"]
    assert_error(driver.api("DELETE", "s?etag=%22x%22"), 400, "FAILED_PRECONDITION")
    quoted = etag.replace('"', "%22")
    answer = driver.api("DELETE", f"s?etag={quoted}")
    assert (answer.status, answer.body) == (200, b"{}\n")
    assert_error(driver.api("DELETE", "s"), 404, "NOT_FOUND",
                 f"Secret [{NAME}] not found.")
    assert driver.create().status == 200


def test_the_etag_of_a_deletion(emu, driver):
    """It is opaque, sent percent-encoded, and that of the secret's own fields."""
    secret = emu.secretmanager.put("s", b"one", labels={"a": "b"})
    secret.etag = '"a+b/c=&d %e"'
    driver.add()
    driver.api("POST", "s/versions/1:disable", {})
    quoted = quote(secret.etag, safe="")
    for wrong in (quoted.lower() + "x", quoted[3:-3], quote(secret.etag, safe="+"),
                  quote(quoted, safe="")):
        assert_error(driver.api("DELETE", f"s?etag={wrong}"), 400, "FAILED_PRECONDITION")
    for query in (f"etag={quoted}&etag={quoted}", f"etag={quoted}&force=true"):
        assert_error(driver.api("DELETE", f"s?{query}"), 400, "INVALID_ARGUMENT")
    secret.touch()
    assert_error(driver.api("DELETE", f"s?etag={quoted}"), 400, "FAILED_PRECONDITION")
    secret.etag = '"a+b/c=&d %e"'
    assert driver.api("DELETE", f"s?etag={quoted.lower()}").json == {}
    assert emu.secretmanager.secret("s") is None


def test_a_deletion_takes_all_versions(emu, driver):
    """What is created anew under the name begins with version 1."""
    emu.secretmanager.put("s", b"one", b"two")
    emu.secretmanager.put("t", b"other")
    assert driver.api("DELETE", "s?etag=").status == 200  # empty: none was given
    assert_error(driver.access("s", "1"), 404, "NOT_FOUND")
    assert driver.access("t").status == 200
    driver.create()
    assert driver.add().json["name"] == f"{NAME}/versions/1"


def test_only_a_secret_is_deleted(emu, driver):
    """The API has no DELETE of a version, nor of a project's secrets."""
    emu.secretmanager.put("s", b"one")
    for path in ("s/versions/1", "", "s/"):
        assert driver.api("DELETE", path).status == 404
    assert emu.secretmanager.secret("s") is not None


def test_list_pages_and_filter(emu, driver):
    assert driver.api("GET", "").json == {}
    for name in "abc":
        emu.secretmanager.put(name, labels={"n": name})
    first = driver.api("GET", "?pageSize=2").json
    names = [secret["name"][-1] for secret in first["secrets"]]
    assert (names, first["totalSize"]) == (["c", "b"], 3)
    token = first["nextPageToken"]
    second = driver.api("GET", f"?pageSize=2&pageToken={token}").json
    assert [secret["name"][-1] for secret in second["secrets"]] == ["a"]
    assert "nextPageToken" not in second
    found = driver.api("GET", "?filter=labels.n%3Db").json
    assert [secret["name"][-1] for secret in found["secrets"]] == ["b"]
    assert "totalSize" not in found
    for query in ("pageToken=nonsense", "pageSize=-1", "pageSize=x", "filter=%28"):
        assert_error(driver.api("GET", f"?{query}"), 400, "INVALID_ARGUMENT")


# --- versions ----------------------------------------------------------------------


def test_add_and_access(driver):
    driver.create()
    added = driver.add(data=b'{"auths":{}}', dataCrc32c="1220088780").json
    assert added["name"] == f"{NAME}/versions/1"
    assert added["state"] == "ENABLED"
    assert added["replicationStatus"] == {"automatic": {}}
    assert added["clientSpecifiedPayloadChecksum"] is True
    value = {"name": f"{NAME}/versions/1",
             "payload": {"data": "eyJhdXRocyI6e319", "dataCrc32c": "1220088780"}}
    assert driver.access().json == value
    assert driver.access(version="latest").json == value


def test_the_checksum_flag_needs_a_checksum(driver):
    driver.create()
    assert "clientSpecifiedPayloadChecksum" not in driver.add().json
    value = driver.add(dataCrc32c=crc32c(b"payload")).json
    assert value["clientSpecifiedPayloadChecksum"] is True


def test_a_wrong_checksum_is_refused(emu, driver):
    driver.create()
    answer = driver.add(dataCrc32c="1")
    assert_error(answer, 400, "INVALID_ARGUMENT")
    assert emu.secretmanager.payloads("s") == []
    assert not emu.journal[-1].committed


@pytest.mark.parametrize("size, fine", [(0, False), (1, True), (65536, True),
                                        (65537, False)])
def test_payload_sizes(emu, driver, size, fine):
    driver.create()
    assert (driver.add(data=b"x" * size).status == 200) == fine
    assert len(emu.secretmanager.payloads("s")) == fine


@pytest.mark.parametrize("text, data", [
    ("+/+/", b"\xfb\xff\xbf"), ("-_-_", b"\xfb\xff\xbf"), ("YQ==", b"a"), ("YQ", b"a"),
    ("YQ=", None), ("+_", None), ("Y", None), ("Y Q=", None), ("YQ==\n", None),
    ("=YQ=", None), ("é", None)])
def test_base64(emu, driver, text, data):
    driver.create()
    answer = driver.api("POST", "s:addVersion", {"payload": {"data": text}})
    if data is None:
        assert_error(answer, 400, "INVALID_ARGUMENT")
        assert text in answer.error["message"]
    else:
        assert emu.secretmanager.payloads("s") == [data]


def test_versions_that_are_missing(driver):
    missing = f"Secret [{NAME}] not found or has no versions."
    for version in ("1", "latest"):
        assert_error(driver.access(version=version), 404, "NOT_FOUND", missing)
    assert_error(driver.add(), 404, "NOT_FOUND", f"Secret [{NAME}] not found.")
    driver.create()
    assert_error(driver.access(version="latest"), 404, "NOT_FOUND", missing)
    driver.add()
    assert_error(driver.access(version="9"), 404, "NOT_FOUND",
                 f"Secret Version [{NAME}/versions/9] not found.")
    for version in ("0", "01", "-1", "1.0"):
        assert_error(driver.access(version=version), 400, "INVALID_ARGUMENT")


def test_states(emu, driver):
    emu.secretmanager.put("s", b"one", b"two")
    disabled = driver.api("POST", "s/versions/2:disable", {}).json
    assert disabled["state"] == "DISABLED"
    for version in ("2", "latest"):
        assert_error(driver.access(version=version), 400, "FAILED_PRECONDITION",
                     f"Secret Version [{NAME}/versions/2] is in DISABLED state.")
    stale = driver.api("POST", "s/versions/2:enable", {"etag": '"x"'})
    assert_error(stale, 400, "FAILED_PRECONDITION")
    fresh = driver.api("POST", "s/versions/2:enable", {"etag": disabled["etag"]})
    assert fresh.json["state"] == "ENABLED"
    destroyed = driver.api("POST", "s/versions/2:destroy").json
    assert destroyed["state"] == "DESTROYED" and "destroyTime" in destroyed
    assert_error(driver.api("POST", "s/versions/2:enable"), 400, "FAILED_PRECONDITION")
    assert_error(driver.api("POST", "s/versions/latest:disable"), 400,
                 "INVALID_ARGUMENT")
    numbers = driver.api("GET", "s/versions/2?$alt=json;enum-encoding=int").json
    assert numbers["state"] == 3


def test_delayed_destruction(emu, driver):
    driver.create(versionDestroyTtl="86400s")
    driver.add()
    value = driver.api("POST", "s/versions/1:destroy").json
    assert value["state"] == "DISABLED" and "scheduledDestroyTime" in value
    assert emu.secretmanager.payloads("s") == [b"payload"]


def test_aliases(emu, driver):
    emu.secretmanager.put("s", b"one", b"two")
    patch = {"versionAliases": {"stable": "1"}}
    answer = driver.api("PATCH", "s?updateMask=versionAliases", patch)
    assert answer.json["versionAliases"] == {"stable": "1"}
    assert driver.access(version="stable").json["name"].endswith("/versions/1")
    assert_error(driver.access(version="other"), 404, "NOT_FOUND")
    patch = {"versionAliases": {"latest": "1"}}
    assert_error(driver.api("PATCH", "s?updateMask=versionAliases", patch), 400,
                 "INVALID_ARGUMENT")


def test_list_versions(emu, driver):
    emu.secretmanager.put("s", b"one", b"two", b"three")
    driver.api("POST", "s/versions/3:disable")
    value = driver.api("GET", "s/versions?pageSize=2").json
    names = [version["name"][-1] for version in value["versions"]]
    assert (names, value["totalSize"]) == (["3", "2"], 3)
    enabled = driver.api("GET", "s/versions?filter=state:ENABLED").json
    assert [version["name"][-1] for version in enabled["versions"]] == ["2", "1"]
    token = value["nextPageToken"]
    assert_error(driver.api("GET", f"?pageToken={token}"), 400, "INVALID_ARGUMENT")


def test_partial_and_compact_replies(driver):
    driver.create()
    value = driver.api("GET", "s?fields=name,replication/automatic&prettyPrint=false")
    assert value.body == (
        b'{"name":"%s","replication":{"automatic":{}}}' % NAME.encode())


@pytest.mark.parametrize("fields, left", [
    ("versions(name,state),nextPageToken", ["name", "state"]),
    ("versions/name,versions/etag", ["etag", "name"]), ("versions(name)", ["name"]),
    ("versions(replicationStatus/automatic,name)", ["name", "replicationStatus"]),
    ("*/state", ["state"])])
def test_partial_lists(emu, driver, fields, left):
    emu.secretmanager.put("s", b"1", b"2")
    value = driver.api("GET", f"s/versions?pageSize=1&fields={fields}").json
    assert set(value) <= {"versions", "nextPageToken"}
    assert [sorted(row) for row in value["versions"]] == [left]


@pytest.mark.parametrize("fields", ["nonsense", "versions/nonsense", "versions(name", ")", ",",
                                    "versions(name))"])
def test_fields_that_do_not_exist(emu, driver, fields):
    emu.secretmanager.put("s", b"1")
    assert_error(driver.api("GET", f"s/versions?fields={fields}"), 400, "INVALID_ARGUMENT")


# --- eventual consistency ----------------------------------------------------------


def test_latest_lags_behind(emu, driver):
    emu.secretmanager.put("s", b"old")
    emu.secretmanager.secret("s").versions[0].added_at -= 3600
    emu.secretmanager.latest_lag = emu.secretmanager.list_lag = 600
    assert driver.add(data=b"new").json["name"].endswith("/versions/2")
    assert driver.access(version="latest").json["name"].endswith("/versions/1")
    assert driver.access(version="2").status == 200
    assert len(driver.api("GET", "s/versions").json["versions"]) == 1


def test_not_found_right_after_create(emu, driver):
    emu.secretmanager.not_found_after_create = 2
    driver.create()
    assert [driver.add().status for _ in range(3)] == [404, 404, 200]


# --- JSON and routes ---------------------------------------------------------------


@pytest.mark.parametrize("body, message", [
    ({"payload": {"data": "YQ=="}, "foo": 1},
     'Invalid JSON payload received. Unknown name "foo": Cannot find field.'),
    ({"payload": {"data": "YQ==", "foo": 1}},
     'Invalid JSON payload received. Unknown name "foo" at \'payload\': Cannot find '
     "field."),
    ({"payload": {"data": 1}}, "Invalid value at 'payload.data' (TYPE_BYTES), 1"),
    ({"payload": {"data": "YQ==", "dataCrc32c": "x"}},
     "Invalid value at 'payload.data_crc32c' (TYPE_INT64), \"x\""),
    ({"payload": {"data": "YQ==", "dataCrc32c": True}}, None),
    ({"payload": {"data": "YQ==", "dataCrc32c": 1.5}}, None),
    ({"payload": []}, None),
    ([], None),
    ({}, "Field [payload] is required."),
    ({"payload": None}, "Field [payload] is required."),
    ({"payload": {}}, "Field [payload.data] is required."),
    ('{"payload":', None), ("{'payload': {}}", None), ('{"payload":NaN}', None),
    ('{"payload":{"data":"YQ=="},"payload":{"data":"YQ=="}}', None),
    ('{"payload":{"data":"YQ=="}} x', None), (b'{"\xff":1}', None),
    ("[" * 5000, None),
])
def test_json_that_does_not_fit(emu, driver, body, message):
    driver.create()
    assert_error(driver.api("POST", "s:addVersion", body), 400, "INVALID_ARGUMENT",
                 message)
    assert emu.secretmanager.payloads("s") == []


def test_field_violations_and_echo(driver):
    answer = driver.api("POST", "?secretId=s", {"replication": {}, "foo": 1})
    assert "\"foo\" at 'secret'" in answer.error["message"]
    violation, = answer.error["details"][0]["fieldViolations"]
    assert violation["field"] == "secret"
    broken = driver.api("POST", "s:addVersion", '{"payload":{"data":"c2VjcmV0"')
    assert "c2VjcmV0" in broken.error["message"]


def test_snake_case_names_are_understood(emu, driver):
    driver.create()
    driver.add(data_crc32c=str(crc32c(b"payload")))
    assert emu.secretmanager.secret("s").versions[0].client_checksum


def test_the_content_type_must_be_json(driver):
    answer = driver.api("POST", "s:addVersion", "{}",
                        {"Content-Type": "application/x-www-form-urlencoded"})
    assert_error(answer, 400, "INVALID_ARGUMENT")
    assert "Cannot bind query parameter" in answer.error["message"]


def test_unknown_query_parameters(driver):
    assert_error(driver.api("GET", "s?foo=1"), 400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("method, path", [
    ("GET", "/v1/secrets/s"), ("GET", "/v1/projects/test-project/secrets/s/"),
    ("GET", "/"), ("POST", "/v1/projects/test-project/secrets/s"),
    ("PUT", "/v1/projects/test-project/secrets/s"),
    ("GET", "/v1/projects/test-project/secrets/s:addVersion"),
    ("POST", "/v1/projects/test-project/secrets/s:addversion"),
    ("GET", "/v2/projects/test-project/secrets/s"),
    ("GET", "/v1/projects/test-project/secrets/s/versions/1:access/")])
def test_routes_that_do_not_exist(driver, method, path):
    answer = driver.api(method, path, "{}" if method != "GET" else None)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert b"Error 404 (Not Found)!!1" in answer.body
    assert f"<code>{path}</code>".encode() in answer.body


def test_state_file(start, tmp_path):
    state = tmp_path / "state.json"
    emu = start(state_file=state)
    assert json.loads(state.read_text()) == {"secrets": []}
    emu.secretmanager.put("s", b"very secret", labels={"a": "b"})
    secret, = json.loads(state.read_text())["secrets"]
    version, = secret["versions"]
    assert (secret["name"], secret["labels"]) == (NAME, {"a": "b"})
    assert (version["bytes"], version["sha256"]) == (
        11, hashlib.sha256(b"very secret").hexdigest())
    encoded = base64.b64encode(b"very secret").decode()
    assert "very secret" not in state.read_text()
    assert encoded not in state.read_text()
