"""What happens by itself: expiry, rotation, delayed destruction; and its rules."""

import pytest

from emulator import moments
from emulator.driver import Driver

NOW = 1_800_000_000
TOPIC = "projects/test-project/topics/rotate"


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def emu(start, clock):
    emulator = start(clock=lambda: clock[0])
    emulator.metadata.token_lifetime = 10**9
    emulator.secretmanager.place.topics = {TOPIC, TOPIC + "2"}
    return emulator


@pytest.fixture
def driver(emu):
    return Driver(emu)


def at(seconds):
    return moments.timestamp(NOW + seconds)


def refused(answer, status="INVALID_ARGUMENT"):
    assert answer.status == 400 and answer.error["status"] == status, answer.body
    return answer.error["message"]


@pytest.mark.parametrize("text, seconds", [
    ("1970-01-01T00:00:00Z", 0), ("2027-01-15T08:00:00Z", NOW),
    ("2027-01-15T09:00:00.5+01:00", NOW + .5), ("2027-01-15T08:00:00.000001Z", NOW + 1e-6)])
def test_timestamps(text, seconds):
    assert moments.seconds_of(text) == pytest.approx(seconds, abs=1e-6)
    assert moments.seconds_of(moments.timestamp(seconds)) == pytest.approx(seconds)
    assert moments.timestamp(NOW + .5) == "2027-01-15T08:00:00.500Z"


# --- expiry ------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [
    {"ttl": "0s"}, {"ttl": "-1s"}, {"ttl": "-0.5s"}, {"expireTime": at(0)},
    {"expireTime": at(-86400)}, {"expireTime": "2027-13-01T00:00:00Z"},
    {"ttl": "9s", "expireTime": at(9)}, {"expireTime": at(3.2e9)}])
def test_expiry_that_cannot_be(emu, driver, fields):
    refused(driver.create(**fields))
    assert emu.secretmanager.secret("s") is None
    driver.create()
    refused(driver.api("PATCH", "s?updateMask=" + ",".join(fields), fields))


def test_a_secret_expires(emu, driver, clock):
    assert driver.create(ttl="60s").json["expireTime"] == at(60)
    driver.create("t", expireTime="2027-01-15T09:02:00+01:00")
    assert driver.api("GET", "t").json["expireTime"] == at(120)
    driver.add()
    clock[0] += 59
    assert driver.access().status == 200
    clock[0] += 1
    assert driver.access().status == driver.api("GET", "s").status == 404
    assert driver.create().status == 200 and driver.api("GET", "t").status == 200
    clock[0] += 60
    assert driver.api("GET", "").json["totalSize"] == 1


def test_expiry_can_be_moved_and_taken_away(emu, driver, clock):
    driver.create(ttl="60s")
    moved = driver.api("PATCH", "s?updateMask=ttl", {"ttl": "90s"}).json
    assert moved["expireTime"] == at(90) and "ttl" not in moved
    moved = driver.api("PATCH", "s?updateMask=expire_time", {"expireTime": at(70)}).json
    assert moved["expireTime"] == at(70)
    assert "expireTime" not in driver.api("PATCH", "s?updateMask=expireTime", {}).json
    clock[0] += 1000
    assert driver.api("GET", "s").status == 200


# --- rotation ----------------------------------------------------------------------


def rotation(ahead=None, period=None):
    value = {"nextRotationTime": at(ahead)} if ahead is not None else {}
    return {**value, "rotationPeriod": period} if period else value


@pytest.mark.parametrize("value", [
    rotation(299), rotation(0), rotation(-60), rotation(None, "3600s"),
    rotation(600, "3599s"), rotation(600, "0s"), rotation(600, "-3600s"),
    rotation(600, "3600.5s"), rotation(600, "3153600001s"), rotation(3.2e9)])
def test_rotations_that_cannot_be(emu, driver, value):
    refused(driver.create(rotation=value, topics=[{"name": TOPIC}]))
    driver.create(topics=[{"name": TOPIC}])
    refused(driver.api("PATCH", "s?updateMask=rotation", {"rotation": value}))
    assert "rotation" not in driver.api("GET", "s").json


def test_rotation_needs_a_topic(emu, driver):
    good = rotation(300, "3600s")
    assert "topics" in refused(driver.create(rotation=good))
    assert driver.create(rotation=good, topics=[{"name": TOPIC}]).json["rotation"] == good
    assert "topics" in refused(driver.api("PATCH", "s?updateMask=topics", {}))
    gone = driver.api("PATCH", "s?updateMask=topics,rotation", {}).json
    assert "topics" not in gone and "rotation" not in gone


def test_rotation_goes_on_by_itself(emu, driver, clock):
    driver.create(rotation=rotation(300, "3600s"), topics=[{"name": TOPIC}])
    driver.create("once", rotation=rotation(300), topics=[{"name": TOPIC}])
    clock[0] += 300 + 7200
    value = driver.api("GET", "s").json["rotation"]
    assert value == {"rotationPeriod": "3600s", "nextRotationTime": at(300 + 3 * 3600)}
    assert driver.api("GET", "once").json.get("rotation", {}) == {}
    # What is near by now may stay; only what is set anew must be far.
    clock[0] += 3500
    assert driver.api("PATCH", "s?updateMask=labels", {"labels": {"a": "b"}}).status == 200


@pytest.mark.parametrize("names, status", [
    (["rotate"], "INVALID_ARGUMENT"), ([""], "INVALID_ARGUMENT"),
    (["projects/p/topics/9"], "INVALID_ARGUMENT"),
    (["projects/test-project/topics/no-such"], "FAILED_PRECONDITION"),
    ([TOPIC, "projects/test-project/topics/no-such"], "FAILED_PRECONDITION"),
    ([TOPIC] * 11, "INVALID_ARGUMENT")])
def test_bogus_topics(emu, driver, names, status):
    topics = [{"name": name} for name in names]
    refused(driver.create(topics=topics), status)
    driver.create()
    refused(driver.api("PATCH", "s?updateMask=topics", {"topics": topics}), status)


# --- delayed destruction -----------------------------------------------------------


@pytest.mark.parametrize("ttl, fine", [
    ("86399s", False), ("86400s", True), ("86400000s", True), ("86400001s", False),
    ("0s", False), ("-86400s", False)])
def test_how_long_destruction_may_be_delayed(emu, driver, ttl, fine):
    answer = driver.create(versionDestroyTtl=ttl)
    if fine:
        assert answer.json["versionDestroyTtl"] == ttl
    else:
        assert "version_destroy_ttl" in refused(answer)


def test_delayed_destruction_happens(emu, driver, clock):
    driver.create(versionDestroyTtl="86400s")
    for _ in range(3):
        driver.add()
    first = driver.api("POST", "s/versions/1:destroy", {}).json
    assert (first["state"], first["scheduledDestroyTime"]) == ("DISABLED", at(86400))
    assert "destroyTime" not in first
    driver.api("POST", "s/versions/2:destroy", {})
    back = driver.api("POST", "s/versions/2:enable", {"etag": driver.api(
        "GET", "s/versions/2").json["etag"]}).json
    assert back["state"] == "ENABLED" and "scheduledDestroyTime" not in back
    clock[0] += 86399
    assert emu.secretmanager.payloads("s")[0] == b"payload"
    assert driver.api("GET", "s/versions/1").json["state"] == "DISABLED"
    clock[0] += 1
    done = driver.api("GET", "s/versions/1").json
    assert (done["state"], done["destroyTime"]) == ("DESTROYED", at(86400))
    assert "scheduledDestroyTime" not in done and done["etag"] != first["etag"]
    assert emu.secretmanager.payloads("s")[0] == b""
    refused(driver.api("POST", "s/versions/1:enable", {}), "FAILED_PRECONDITION")
    assert driver.access(version="2").status == 200


def test_without_the_delay_it_is_at_once(emu, driver):
    driver.create(versionDestroyTtl="86400s")
    driver.add()
    assert "versionDestroyTtl" not in driver.api(
        "PATCH", "s?updateMask=versionDestroyTtl", {}).json
    gone = driver.api("POST", "s/versions/1:destroy", {}).json
    assert (gone["state"], gone["destroyTime"]) == ("DESTROYED", at(0))


@pytest.mark.parametrize("action, state", [
    ("disable", "DISABLED"), ("enable", "ENABLED"), ("destroy", "DESTROYED")])
def test_etags_of_versions(emu, driver, action, state):
    """Each change makes a new one; a stale one changes nothing; none is no condition."""
    emu.secretmanager.put("s", b"one", b"two")
    first = driver.api("GET", "s/versions/1").json
    other = driver.api("GET", "s/versions/2").json
    for wrong in (other["etag"], first["etag"].strip('"'), driver.api("GET", "s").json["etag"]):
        refused(driver.api("POST", f"s/versions/1:{action}", {"etag": wrong}),
                "FAILED_PRECONDITION")
    assert driver.api("GET", "s/versions/1").json == first
    body = {"name": "projects/test-project/secrets/s/versions/1", "etag": first["etag"]}
    second = driver.api("POST", f"s/versions/1:{action}", body).json
    assert second["state"] == state and second["etag"] != first["etag"]
    refused(driver.api("POST", f"s/versions/1:{action}", {"etag": first["etag"]}),
            "FAILED_PRECONDITION")
    assert driver.api("GET", "s/versions/2").json == other
