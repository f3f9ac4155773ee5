"""Where a secret is placed: at one location, at some, everywhere; with which keys."""

import json

import pytest
from conftest import LABELS, PULL_SECRET, SECRET, DeleteJob, Job, native, together
from test_access_applet import Access
from test_credential_types import Files
from test_doctor import Doctor
from test_rollback import Rollback
from test_unanswered_add import sent
from test_versions import Versions

from emulator import errors
from emulator.wire import Reply

PLACE = "us-east1"
HOST = f"secretmanager.{PLACE}.rep.googleapis.com"


def at_google(emulator):
    """Google's own endpoints, as the emulator's certificates have them."""
    return {"SECRET_MANAGER_ENDPOINT": None,
            "SECRET_MANAGER_CONNECT_TO": f"127.0.0.1:{emulator.port('secretmanager')}"}


def asked(emulator):
    """Hosts and parents of all requests to Secret Manager."""
    return {(entry.header("Host"), entry.path.partition("/secrets")[0])
            for entry in emulator.requests("secretmanager")}


# --- regional secrets -----------------------------------------------------------------


def test_regional_secrets(start_emulator):
    """Everything that takes a secret's name takes its location, and asks that host only."""
    emulator = start_emulator()
    parent = f"/v1/projects/{emulator.project}/locations/{PLACE}"
    regional = {"SECRET_REGION": PLACE, **at_google(emulator)}
    result = Job(emulator)("--regional", PLACE, **at_google(emulator))
    assert result.code == 0, result.out
    assert sent(emulator) == ["addVersion", "create", "addVersion", "access"]
    secret = emulator.secretmanager.secret(SECRET, location=PLACE)
    assert secret.fields == {"labels": LABELS}  # no replication
    assert result.log[-2]["operation"] == "completed"
    assert f"/locations/{PLACE}/secrets/{SECRET}/versions/1" in result.out

    secret.add(b"other")
    assert Rollback(emulator)("--secret-version=1", **regional).code == 0
    assert [version.data for version in secret.versions] == [
        PULL_SECRET.encode(), b"other", PULL_SECRET.encode()]
    name = f"projects/{emulator.project}/locations/{PLACE}/secrets/{SECRET}"
    assert Access(emulator)(SECRET, "--secret-version=2", **regional).stdout == b"other"
    assert Access(emulator)(f"{name}/versions/2", **at_google(emulator)).stdout == b"other"
    assert Versions(emulator)(name, **at_google(emulator)).out.count("ENABLED") == 3
    assert Versions(emulator)(name, "--regional", PLACE, **at_google(emulator)).code == 0
    assert DeleteJob(emulator)(**regional).code == 0
    assert emulator.secretmanager.secret(SECRET, location=PLACE) is None
    assert asked(emulator) == {(HOST, parent)}


def test_a_full_name_is_stronger_than_the_location(emulator):
    emulator.secretmanager.put(SECRET, b"global")
    name = f"projects/{emulator.project}/secrets/{SECRET}"
    result = Access(emulator)(name, SECRET_REGION=PLACE)
    assert result.stdout == b"global", result.err


@pytest.mark.parametrize("place", ["", f"/locations/{PLACE}x"])
def test_a_full_name_that_contradicts_the_flag(emulator, place):
    name = f"projects/{emulator.project}{place}/secrets/{SECRET}"
    for applet in (Access, Versions):
        result = applet(emulator)(name, "--regional", PLACE)
        assert result.code == 2
        assert f"--regional={PLACE} is not the place of {name}" in result.err
    assert emulator.requests() == []


@pytest.mark.parametrize("name", ["projects/p/locations/a/b/secrets/s", "projects/p/locations/a",
                                  "projects/p/secrets/s/locations/a", "locations/a/secrets/s",
                                  "projects/p/locations//secrets/s"])
def test_no_names_of_secrets(emulator, name):
    result = Access(emulator)(name)
    assert result.code == 2
    assert "with locations/L/ after P/" in result.err


def test_the_doctor_at_a_location(emulator):
    """Its commands for gcloud name the location, too."""
    emulator.secretmanager.put(SECRET, location=PLACE)
    emulator.iam.grant_only("versions.add")
    doctor = Doctor(emulator)
    doctor.secret = SECRET
    assert doctor("--regional", PLACE, **at_google(emulator)).code == 4
    assert doctor.steps["add-version"]["verdict"] == "ok", doctor.steps
    assert f"--project={emulator.project} --location={PLACE} " in str(
        doctor.steps["access-version"])
    assert asked(emulator) == {
        (HOST, f"/v1/projects/{emulator.project}/locations/{PLACE}")}


@pytest.mark.parametrize("place", ["", "/locations/us-west1"])
def test_a_reply_from_elsewhere(emulator, place):
    """A version's name has the location that was asked for, or it is none of ours."""
    name = f"projects/1{place}/secrets/{SECRET}/versions/1"
    emulator.order("secretmanager", "access", times=None, reply=Reply(
        200, json.dumps({"name": name, "payload": {"data": "eA=="}}).encode(),
        errors.API_HEADERS))
    result = Access(emulator)(SECRET, SECRET_REGION=PLACE, **at_google(emulator),
                              MAX_WAIT_TIME_SECONDS=1)
    assert result.code == 1
    assert result.stdout == b""
    assert f"does not name a version of {SECRET}" in result.err


@native
def test_the_regional_endpoint_of_another_universe(emulator, tmp_path):
    path = Files(emulator, tmp_path).service_account(universe_domain="example.invalid")
    result = Job(emulator)("--regional", PLACE, GOOGLE_CLOUD_UNIVERSE_DOMAIN="example.invalid",
                           MAX_WAIT_TIME_SECONDS=2, SECRET_MANAGER_ENDPOINT=None,
                           GOOGLE_APPLICATION_CREDENTIALS=path, before=["unshare", "-n"])
    assert result.code == 1
    assert f"secretmanager.{PLACE}.rep.example.invalid" in result.error["message"]


@pytest.mark.parametrize("place", ["US", "a.b", "-a", "a-", "a" * 48, "a/b"])
def test_wrong_locations(emulator, place):
    result = Job(emulator)("--regional", place)
    assert result.code == 2
    assert f"--regional={place} must be a location" in result.error["message"]
    assert emulator.requests("secretmanager") == []


# --- locations and keys of a new secret -----------------------------------------------


def key(place, name="k"):
    return f"projects/p/locations/{place}/keyRings/r/cryptoKeys/{name}"


def encrypted(place):
    return {"customerManagedEncryption": {"kmsKeyName": key(place)}}


TWO = "us-east1,us-west1"
KEYS = f"{key('us-west1')},{key('us-east1')}"  # in any order
SHAPES = {  # flags, and what of the secret they make, beside its labels
    "automatic-key": (["--kms-key", key("global")],
                      {"replication": {"automatic": encrypted("global")}}),
    "one": (["--location", "us-east1"],
            {"replication": {"userManaged": {"replicas": [{"location": "us-east1"}]}}}),
    "two": (["--location", TWO], {"replication": {"userManaged": {"replicas": [
        {"location": "us-east1"}, {"location": "us-west1"}]}}}),
    "two-keys": (["--location", TWO, "--kms-key", KEYS],
                 {"replication": {"userManaged": {"replicas": [
                     {"location": place, **encrypted(place)} for place in TWO.split(",")]}}}),
    "regional-key": (["--regional", PLACE, "--kms-key", key(PLACE)], encrypted(PLACE)),
}


def with_keys(emulator):
    emulator.secretmanager.place.kms_keys.update(
        map(key, ("global", "us-east1", "us-west1")))
    return emulator


def variables_of(flags):
    names = {"--location": "SECRET_LOCATIONS", "--kms-key": "SECRET_KMS_KEYS",
             "--regional": "SECRET_REGION"}
    return {names[flag]: value for flag, value in zip(flags[::2], flags[1::2])}


def test_shapes_of_a_new_secret(start_emulator):
    """With the permissions and in the order of a run without these flags."""
    def check(flags, fields):
        emulator = with_keys(start_emulator())
        emulator.iam.grant_only("secrets.create", "versions.add", "versions.access")
        result = Job(emulator)(**variables_of(flags), **at_google(emulator))
        assert result.code == 0, result.out
        place = PLACE if "--regional" in flags else None
        assert emulator.secretmanager.secret(SECRET, location=place).fields == {
            **fields, "labels": LABELS}
        assert sent(emulator) == ["addVersion", "create", "addVersion", "access"]
        assert result.warnings == []

    together(check, SHAPES)


def test_what_an_organization_allows(start_emulator):
    """The hint names the flags that mend it, and they do."""
    emulator = start_emulator()
    emulator.secretmanager.place.allowed_locations = ["us-east1", "us-west1"]
    for flags in ([], ["--location", "us-east1,us-east4"]):
        result = Job(emulator)(*flags)
        assert result.code == 2
        assert "gcp.resourceLocations" in result.error["message"]
        assert "--location A,B" in result.error["hint"]
        assert "--regional LOCATION" in result.error["hint"]
    assert Job(emulator)("--location", TWO).code == 0
    assert Job(emulator)("--regional", PLACE, **at_google(emulator)).code == 0


def test_a_key_that_may_not_be_used(emulator, job):
    result = job("--kms-key", key("global"))
    assert result.code == 2
    assert "cryptoKeyEncrypterDecrypter" in result.error["hint"]


@pytest.mark.parametrize("flags, said", [
    (["--location", "us-east1,"], "--location=us-east1, must be locations"),
    (["--location", "a,b,a"], "must be locations, each once"),
    (["--location", "us east1"], "must be locations"),
    (["--location", "a", "--regional", "a"], "a regional secret has one location"),
    (["--kms-key", "k"], "must be one key in each of global, as projects/P/"),
    (["--kms-key", key("us-east1")], "in each of global"),
    (["--kms-key", key("global") + "/cryptoKeyVersions/1"], "in each of global"),
    (["--kms-key", key("global") + "," + key("global", "other")], "in each of global"),
    (["--kms-key", key("global"), "--regional", "us-east1"], "in each of us-east1"),
    (["--kms-key", key("us-east1"), "--location", TWO], f"in each of {TWO}"),
    (["--kms-key", KEYS, "--location", "us-east1"], "in each of us-east1"),
])
def test_wrong_places(emulator, job, flags, said):
    result = job(*flags)
    assert result.code == 2
    assert said in result.error["message"]
    assert emulator.requests("secretmanager") == []


# --- a secret that exists -------------------------------------------------------------


def replicas(*places):
    return {"replication": {"userManaged": {"replicas": [
        {"location": place} for place in places]}}}


KEYED = {"replication": {"automatic": encrypted("global")}}


def test_another_placement_is_a_warning(start_emulator):
    """Rows: what there is, flags, and of the warning what it has; "": it fits."""
    def check(fields, flags, has):
        emulator = with_keys(start_emulator())
        emulator.iam.grant_only("versions.add", "versions.access", "secrets.get")
        place = PLACE if "--regional" in flags else None
        secret = emulator.secretmanager.put(SECRET, b"old", location=place)
        secret.fields = {**secret.fields, **fields}
        result = Job(emulator)(*flags, **at_google(emulator))
        assert result.code == 0, result.out
        assert len(secret.versions) == 2
        assert [line["message"] for line in result.warnings] == ([
            f"the secret has another placement, which stays: {has}"] if has else [])
        assert sent(emulator) == ["addVersion", "access", "get"]

    two = ["--location", TWO]
    together(check, {
        "automatic": ({}, two, "global"),
        "automatic-key": (KEYED, two, f"global with {key('global')}"),
        "less": (replicas("us-east1"), two, "us-east1"),
        "more": (replicas("us-east1", "us-west1", "us-east4"), two,
                 "us-east1, us-west1, us-east4"),
        "same": (replicas("us-west1", "us-east1"), two, ""),
        "key": (KEYED, ["--kms-key", key("global")], ""),
        "another-key": (KEYED, ["--kms-key", key("global", "other")],
                        f"global with {key('global')}"),
        "no-keys": (replicas(*TWO.split(",")), [*two, "--kms-key", KEYS],
                    "us-east1 without a key, us-west1 without a key"),
        "regional-key": (encrypted(PLACE), ["--regional", PLACE, "--kms-key", key(PLACE)], ""),
        "regional-no-key": ({}, ["--regional", PLACE, "--kms-key", key(PLACE)],
                            f"{PLACE} without a key"),
    })


def test_a_placement_that_cannot_be_checked(emulator, job):
    emulator.secretmanager.put(SECRET, b"old")
    emulator.iam.grant_only("versions.add", "versions.access")
    result = job("--location", "us-east1")
    assert result.code == 0
    assert "the placement could not be checked" in result.warnings[0]["message"]
    assert "secretmanager.secrets.get" in result.warnings[0]["hint"]


def test_a_dry_run_says_where_it_is(emulator, job):
    emulator.secretmanager.put(SECRET, b"old")
    result = job("--location", "us-east1", "--dry-run")
    assert result.code == 0
    assert result.warnings[0]["message"].endswith("which stays: global")
    assert sent(emulator) == ["get"]
