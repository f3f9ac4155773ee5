"""Where secrets are: regional hosts, locations, keys, organization policy."""

import ssl

import pytest

from emulator.driver import SECRETS, Driver
from emulator.locations import LOCATIONS, host_of

NAME = "projects/123456789012/locations/us-east1/secrets/s"
REGIONAL = SECRETS.replace("/secrets", "/locations/us-east1/secrets")
KEYS = "projects/p/locations/{}/keyRings/r/cryptoKeys/k"


def assert_error(answer, status="INVALID_ARGUMENT", message=None):
    assert answer.error["status"] == status
    if message:
        assert message in answer.error["message"]


def automatic(key=None):
    return {"automatic": {"customerManagedEncryption": {"kmsKeyName": key}} if key else {}}


def replicas(*places):
    """User-managed replication; a place is a location or (location, key)."""
    rows = []
    for place in places:
        location, key = place if isinstance(place, tuple) else (place, None)
        more = {"customerManagedEncryption": {"kmsKeyName": key}} if key else {}
        rows.append({"location": location, **more})
    return {"userManaged": {"replicas": rows}}


# --- hosts -------------------------------------------------------------------------


def test_regional_secrets_at_their_own_host(emu, driver):
    created = driver.regional("POST", "?secretId=s", {}).json
    assert created["name"] == NAME and "replication" not in created
    added = driver.regional("POST", "s:addVersion", {"payload": {"data": "YQ=="}}).json
    assert added["name"] == NAME + "/versions/1" and "replicationStatus" not in added
    assert driver.regional("GET", "s/versions/1:access").json["payload"]["data"] == "YQ=="
    assert driver.regional("GET", "").json["totalSize"] == 1
    assert driver.api("GET", "").json == {}
    assert emu.secretmanager.secret("s") is None
    assert emu.secretmanager.secret("s", location="us-east1") is not None
    assert emu.requests("secretmanager")[0].problems == []


@pytest.mark.parametrize("body", [
    {"replication": {"automatic": {}}}, {"replication": {}},
    {"replication": replicas("us-east1")}])
def test_a_regional_secret_has_no_replication(driver, body):
    assert_error(driver.regional("POST", "?secretId=s", body),
                 message="Secret.replication should not be provided")


@pytest.mark.parametrize("method, path, body, shown, expected", [
    ("GET", "s/versions/latest:access", None, "secrets/s/versions/latest",
     "projects/*/secrets/*/versions/*"),
    ("GET", "s", None, "secrets/s", "projects/*/secrets/*"),
    ("GET", "s/versions", None, "secrets/s", "projects/*/secrets/*"),
    ("POST", "s:addVersion", {}, "secrets/s", "projects/*/secrets/*"),
    ("POST", "?secretId=t", {}, "", "projects/*"), ("GET", "", None, "", "projects/*")])
def test_the_global_host_has_none_of_them(emu, driver, method, path, body, shown, expected):
    emu.secretmanager.put("s", b"x", location="us-east1")
    answer = driver.api(method, f"{REGIONAL}{'/' if path[:1] not in ('?', '') else ''}"
                        f"{path}", body)
    given = "projects/test-project/locations/us-east1" + ("/" + shown if shown else "")
    assert_error(answer, message=f"[{given}] does not match the expected format "
                 f"[{expected}]")


def test_a_regional_host_has_no_others(emu, driver):
    emu.secretmanager.put("s", b"x")
    assert_error(driver.regional("GET", SECRETS + "/s"),
                 message="[projects/*/locations/us-east1/secrets/*]")
    elsewhere = REGIONAL.replace("us-east1", "us-west1") + "/s"
    assert_error(driver.regional("GET", elsewhere), message="does not match")
    assert driver.api("GET", "s", headers={"Host": host_of("mars-1")}).status == 404


def test_localhost_can_stand_for_a_location(emu, driver):
    emu.secretmanager.location = "us-east1"
    assert driver.api("POST", REGIONAL + "?secretId=s", {}).json["name"] == NAME
    assert_error(driver.api("GET", "s"), message="does not match")
    named = driver.api("GET", "s", headers={"Host": "secretmanager.googleapis.com"})
    assert named.error["status"] == "NOT_FOUND"


def test_a_regional_host_has_a_certificate_of_its_own(emu):
    driver = Driver(emu)
    for name in ("us-east1", "europe-west12"):
        driver.socket("secretmanager", server_name=host_of(name)).close()
    with pytest.raises(ssl.SSLCertVerificationError):
        driver.socket("secretmanager", server_name="x.us-east1.rep.googleapis.com")


# --- locations ---------------------------------------------------------------------


def test_locations_that_exist(emu, driver):
    parent = "/v1/projects/test-project/locations"
    first = driver.api("GET", parent + "?pageSize=40").json
    second = driver.api("GET", f"{parent}?pageToken={first['nextPageToken']}").json
    found = [row["locationId"] for row in first["locations"] + second["locations"]]
    assert found == list(LOCATIONS)
    one = driver.api("GET", parent + "/us-east1").json
    assert one == {"name": "projects/123456789012/locations/us-east1",
                   "locationId": "us-east1"}
    assert_error(driver.api("GET", parent + "/mars-1"), "NOT_FOUND")
    emu.iam.deny("locations.get", "locations.list")
    assert driver.api("GET", parent).status == 403
    assert driver.api("GET", parent + "/us-east1").status == 403


@pytest.mark.parametrize("places", [
    ["mars-1"], ["us-east1", "mars-1"], ["us-east1", "us-east1"], ["global"], [""], []])
def test_replicas_that_cannot_be(emu, driver, places):
    assert_error(driver.create(replication=replicas(*places)))
    assert emu.secretmanager.secret("s") is None


def test_replicas(driver):
    value = driver.create(replication=replicas("us-east1", "us-west1")).json
    assert value["replication"] == replicas("us-east1", "us-west1")
    assert driver.add().json["replicationStatus"] == {
        "userManaged": {"replicas": [{"location": "us-east1"}, {"location": "us-west1"}]}}


@pytest.mark.parametrize("allowed, replication, place", [
    ([], automatic(), "global"), (["us-east1"], automatic(), "global"),
    (["us-east1"], replicas("us-east1", "us-west1"), "us-west1"),
    (["us-east1", "global"], automatic(), None), (None, automatic(), None),
    (["us-east1"], replicas("us-east1"), None)])
def test_what_the_organization_allows(emu, driver, allowed, replication, place):
    emu.secretmanager.place.allowed_locations = allowed
    answer = driver.create(replication=replication)
    if place is None:
        assert answer.status == 200
    else:
        assert answer.status == 400
        assert_error(answer, "FAILED_PRECONDITION", (
            "Constraint constraints/gcp.resourceLocations violated for "
            "[orgpolicy:projects/123456789012] attempting to create a secret in "
            f"[{place}]."))


def test_it_allows_regional_secrets_too(emu, driver):
    emu.secretmanager.place.allowed_locations = ["us-east1"]
    assert driver.regional("POST", "?secretId=s", {}).status == 200
    refused = driver.regional("POST", "?secretId=s", {}, location="us-west1")
    assert_error(refused, "FAILED_PRECONDITION", "in [us-west1].")


# --- keys --------------------------------------------------------------------------


def test_keys_of_each_shape(emu, driver):
    world, east, west = (KEYS.format(place) for place in ("global", "us-east1", "us-west1"))
    emu.secretmanager.place.kms_keys = {world, east, west}
    driver.create("a", replication=automatic(world))
    status = driver.add("a").json["replicationStatus"]
    used = {"kmsKeyVersionName": world + "/cryptoKeyVersions/1"}
    assert status == {"automatic": {"customerManagedEncryption": used}}
    driver.create("b", replication=replicas(("us-east1", east), ("us-west1", west)))
    rows = driver.add("b").json["replicationStatus"]["userManaged"]["replicas"]
    assert [row["customerManagedEncryption"]["kmsKeyVersionName"][:-20] for row in rows
            ] == [east, west]
    driver.regional("POST", "?secretId=c",
                    {"customerManagedEncryption": {"kmsKeyName": east}})
    added = driver.regional("POST", "c:addVersion", {"payload": {"data": "YQ=="}}).json
    assert added["customerManagedEncryption"] == {
        "kmsKeyVersionName": east + "/cryptoKeyVersions/1"}


@pytest.mark.parametrize("replication, message", [
    (automatic(KEYS.format("us-east1")),
     "Automatic replication policy can only be configured with Cloud KMS keys in location "
     "[global]."),
    (replicas(("us-east1", KEYS.format("global"))), "keys in location [us-east1]."),
    (automatic("projects/p/locations/global/keyRings/r"), "kms_key_name"),
    (automatic(KEYS.format("global") + "/cryptoKeyVersions/1"), "kms_key_name")])
def test_keys_in_the_wrong_place(emu, driver, replication, message):
    emu.secretmanager.place.kms_keys = {KEYS.format("us-east1"), KEYS.format("global")}
    assert_error(driver.create(replication=replication), message=message)


def test_keys_that_do_not_exist(emu, driver):
    key = KEYS.format("global")
    assert_error(driver.create(replication=automatic(key)), "FAILED_PRECONDITION",
                 f"on resource '{key}' (or it may not exist)")
    emu.secretmanager.place.kms_keys = {key}
    driver.create(replication=automatic(key))
    driver.add()
    emu.secretmanager.place.kms_keys = set()
    assert_error(driver.add(), "FAILED_PRECONDITION")
    assert_error(driver.access(), "FAILED_PRECONDITION")


def test_a_global_secret_has_its_keys_in_the_replication(emu, driver):
    emu.secretmanager.place.kms_keys = {KEYS.format("us-east1")}
    encryption = {"kmsKeyName": KEYS.format("us-east1")}
    assert_error(driver.create(customerManagedEncryption=encryption),
                 message="regional secrets only")
    misplaced = driver.regional("POST", "?secretId=s", {
        "customerManagedEncryption": {"kmsKeyName": KEYS.format("us-west1")}})
    assert_error(misplaced, message="keys in location [us-east1].")


def test_keys_can_be_changed_and_places_cannot(emu, driver):
    emu.secretmanager.place.kms_keys = {KEYS.format("global")}
    driver.create()
    driver.add()
    changed = driver.api("PATCH", "s?updateMask=replication",
                         {"replication": automatic(KEYS.format("global"))})
    assert changed.json["replication"] == automatic(KEYS.format("global"))
    assert driver.api("GET", "s/versions/1").json["replicationStatus"] == {"automatic": {}}
    assert driver.add().json["replicationStatus"] != {"automatic": {}}
    moved = driver.api("PATCH", "s?updateMask=replication",
                       {"replication": replicas("us-east1")})
    assert_error(moved, message="immutable")
