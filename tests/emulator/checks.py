"""What Secret Manager checks in a secret before it keeps it."""

import re

from . import errors, moments, rules
from .locations import LOCATIONS
from .methods import OUTPUT_ONLY
from .refusal import Refusal, raise_if

_KEY = re.compile(r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")
_TOPIC = re.compile(r"projects/[^/]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
MAX_TOPICS = 10
SOONEST_ROTATION = 300
SHORTEST_PERIOD = 3600
CENTURY = 3153600000
DAY = 86400


class Place:
    """What exists around the secrets, and what the organization allows.

    kms_keys           names of the keys that the service may use
    topics             names of the topics that it may publish to
    allowed_locations  what constraints/gcp.resourceLocations allows, "global" for
                       automatic replication; None: all
    """

    def __init__(self):
        self.kms_keys = set()
        self.topics = set()
        self.allowed_locations = None

    def check(self, fields, number, location):
        """The placement of a new secret; location is None for a global one."""
        if location:
            places = _check_regional(fields, location)
        else:
            places = _check_replication(fields)
        for key in keys_of(fields):
            self.check_key(key)
        for place in places:
            if self.allowed_locations is not None and place not in self.allowed_locations:
                raise Refusal(errors.location_policy(number, place))

    def check_key(self, key):
        if key not in self.kms_keys:
            raise Refusal(errors.kms_key_unusable(key))

    def check_topics(self, topics):
        names = [topic.get("name", "") for topic in topics]
        if len(names) > MAX_TOPICS:
            _refuse("topics", f"must have at most {MAX_TOPICS} entries")
        for name in names:
            if not _TOPIC.fullmatch(name):
                _refuse("topics", f"has the malformed name [{name}]")
            if name not in self.topics:
                raise Refusal(errors.topic_unusable(name))


def keys_of(fields):
    """The names of all keys in a secret."""
    return [holder["customerManagedEncryption"].get("kmsKeyName", "")
            for holder, _, _ in _holders(fields) if "customerManagedEncryption" in holder]


def _holders(fields):
    """What may have a key, the location of that key, and the kind of policy."""
    replication = fields.get("replication", {})
    yield fields, None, "Regional"
    if "automatic" in replication:
        yield replication["automatic"], "global", "Automatic"
    for replica in replication.get("userManaged", {}).get("replicas", []):
        yield replica, replica.get("location", ""), "UserManaged"


def check_keys(fields, location):
    """Names and locations of keys; location is that of a regional secret."""
    for holder, place, kind in _holders(fields):
        encryption = holder.get("customerManagedEncryption")
        if encryption is None:
            continue
        if place is None and location is None:
            _refuse("customer_managed_encryption", "is for regional secrets only")
        name = encryption.get("kmsKeyName", "")
        match = _KEY.fullmatch(name)
        if not match:
            _refuse("customer_managed_encryption.kms_key_name",
                    f"[{name}] does not match the expected format "
                    "[projects/*/locations/*/keyRings/*/cryptoKeys/*]")
        if match[1] != (place or location):
            raise Refusal(errors.kms_location(kind, place or location))


def _check_regional(fields, location):
    if "replication" in fields:
        raise Refusal(errors.invalid_argument(
            "Secret.replication should not be provided for regional secrets."))
    check_keys(fields, location)
    return [location]


def _check_replication(fields):
    replication = fields.get("replication")
    if not replication:
        raise Refusal(errors.invalid_argument("Field [secret.replication] is required."))
    if len(replication) > 1:
        raise Refusal(errors.invalid_argument(
            "Only one of [automatic] and [user_managed] may be set."))
    replicas = replication.get("userManaged", {}).get("replicas", [])
    places = [replica.get("location", "") for replica in replicas]
    if "userManaged" in replication and (
            not places or not all(places) or len(set(places)) != len(places)):
        _refuse("replication.user_managed.replicas",
                "must name at least one location, and each location once")
    for place in places:
        if place not in LOCATIONS:
            _refuse("replication.user_managed.replicas",
                    f"has the location [{place}], which is not supported")
    check_keys(fields, None)
    return places or ["global"]


def same_places(one, other):
    """Whether two replications differ in nothing but their keys."""
    return _without_keys(one) == _without_keys(other)


def _without_keys(value):
    if isinstance(value, list):
        return [_without_keys(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_keys(item) for name, item in value.items()
                if name != "customerManagedEncryption"}
    return value


def kept(body):
    """The members of a secret that are kept, as they were given."""
    fields = {name: value for name, value in body.items()
              if name not in OUTPUT_ONLY and name != "tags"}
    if "versionAliases" in fields:
        fields["versionAliases"] = {
            alias: str(number) for alias, number in fields["versionAliases"].items()}
    return fields


def check_fields(fields, changed, place, now):
    """Check all but the placement, and give the members the form that is shown.

    changed are the names of the members that the request sets: times that were good
    once need not be so for ever.
    """
    raise_if(rules.check_labels(fields.get("labels", {})))
    raise_if(rules.check_annotations(fields.get("annotations", {})))
    _check_expiration(fields, changed, now)
    if "topics" in changed:
        place.check_topics(fields.get("topics", []))
    _check_rotation(fields, changed, now)
    if "versionDestroyTtl" in changed and "versionDestroyTtl" in fields:
        if not DAY <= moments.length_of(fields["versionDestroyTtl"]) <= 1000 * DAY:
            _refuse("version_destroy_ttl", "must be between 24 hours and 1000 days")


def _check_expiration(fields, changed, now):
    if "ttl" in fields and "expireTime" in fields and {"ttl", "expireTime"} & changed:
        if "ttl" in changed and "expireTime" in changed:
            raise Refusal(errors.invalid_argument(
                "Only one of [ttl] and [expire_time] may be set."))
        del fields["expireTime" if "ttl" in changed else "ttl"]
    if "ttl" in fields:
        seconds = moments.length_of(fields.pop("ttl"))
        if seconds <= 0:
            _refuse("ttl", "must be positive")
        fields["expireTime"] = moments.timestamp(now + seconds)
    elif "expireTime" in fields and "expireTime" in changed:
        _check_future("expire_time", fields["expireTime"], now, 0)
        fields["expireTime"] = _normal(fields["expireTime"])


def _check_rotation(fields, changed, now):
    rotation = fields.get("rotation")
    if not rotation:
        fields.pop("rotation", None)
        return
    if not fields.get("topics"):
        _refuse("topics", "must be set to configure rotation")
    if "rotationPeriod" in rotation:
        if "nextRotationTime" not in rotation:
            _refuse("rotation.next_rotation_time",
                    "must be set if rotation_period is set")
        period = moments.length_of(rotation["rotationPeriod"])
        if period != int(period) or not SHORTEST_PERIOD <= period <= CENTURY:
            _refuse("rotation.rotation_period", f"must be whole seconds from "
                    f"{SHORTEST_PERIOD}s to {CENTURY}s")
    if "rotation" in changed and "nextRotationTime" in rotation:
        _check_future("rotation.next_rotation_time", rotation["nextRotationTime"], now,
                      SOONEST_ROTATION)
        rotation["nextRotationTime"] = _normal(rotation["nextRotationTime"])


def _check_future(name, timestamp, now, least):
    try:
        ahead = moments.seconds_of(timestamp) - now
    except ValueError:
        _refuse(name, f"[{timestamp}] is not a time")
    if ahead <= 0 or ahead < least:
        _refuse(name, f"must be {f'at least {least}s ' if least else ''}in the future")
    if ahead > CENTURY:
        _refuse(name, f"must be at most {CENTURY}s in the future")


def _normal(timestamp):
    return moments.timestamp(moments.seconds_of(timestamp))


def check_aliases(aliases, secret):
    for alias, number in aliases.items():
        reserved = alias in ("latest", "NEW")
        if reserved or not rules.ALIAS.fullmatch(alias) or len(aliases) > 50:
            raise Refusal(errors.invalid_argument(
                f"Version alias [{alias}] is not in a valid format."))
        if secret.version(int(number)) is None:
            raise Refusal(errors.version_not_found(f"{secret.name}/versions/{number}"))


def _refuse(name, why):
    raise Refusal(errors.invalid_argument(f"Field [secret.{name}] {why}."))
