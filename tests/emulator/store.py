"""The secrets themselves: plain state without HTTP."""

import hashlib
import itertools
import secrets as randomness
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone

from . import moments
from .crc32c import crc32c

_serial = itertools.count()


def now():
    """A timestamp as Google writes it, with microseconds."""
    moment = datetime.now(timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_etag():
    """Etag values contain their quotes. The serial keeps them distinct."""
    return f'"{time.time_ns() // 1000 + next(_serial):x}"'


@dataclass
class Version:
    """One secret version."""

    number: int
    data: bytes
    client_checksum: bool
    state: str = "ENABLED"
    create_time: str = field(default_factory=now)
    destroy_time: str = None
    scheduled_destroy_time: str = None
    etag: str = field(default_factory=new_etag)
    added_at: float = field(default_factory=time.monotonic)
    keys: list = field(default_factory=list)  # that encrypt it, in order of replicas

    def __post_init__(self):
        self.crc32c = crc32c(self.data)

    def destroy(self, moment):
        self.state = "DESTROYED"
        self.destroy_time = moment
        self.scheduled_destroy_time = None
        self.data = b""


@dataclass
class Secret:
    """One secret with its versions, oldest first."""

    name: str
    secret_id: str
    fields: dict  # replication, labels, annotations … as given in JSON
    create_time: str = field(default_factory=now)
    etag: str = field(default_factory=new_etag)
    versions: list = field(default_factory=list)
    hidden_adds: int = 0  # so many addVersions still see NOT_FOUND
    policy: dict = None
    serial: int = field(default_factory=lambda: next(_serial))  # the order of creation

    @property
    def labels(self):
        return self.fields.get("labels", {})

    def touch(self):
        self.etag = new_etag()

    @property
    def timed(self):
        """Whether something becomes due without a request."""
        return bool(self.fields.keys() & {"expireTime", "rotation"}) or any(
            version.scheduled_destroy_time for version in self.versions)

    def expired(self, now):
        return "expireTime" in self.fields and (
            moments.seconds_of(self.fields["expireTime"]) <= now)

    def pass_time(self, now):
        """Do what was due by now; tells whether anything was."""
        changed = False
        for version in self.versions:
            due = version.scheduled_destroy_time
            if due and moments.seconds_of(due) <= now:
                version.destroy(due)
                version.etag = new_etag()
                changed = True
        rotation = self.fields.get("rotation", {})
        while "nextRotationTime" in rotation and (
                moments.seconds_of(rotation["nextRotationTime"]) <= now):
            changed = True
            due = moments.seconds_of(rotation.pop("nextRotationTime"))
            if "rotationPeriod" in rotation:
                rotation["nextRotationTime"] = moments.timestamp(
                    due + moments.length_of(rotation["rotationPeriod"]))
        return changed

    def add(self, data, client_checksum=False, moment=None):
        version = Version(len(self.versions) + 1, data, client_checksum,
                          create_time=moment or now(), keys=self._keys())
        self.versions.append(version)
        return version

    def version(self, number):
        if 1 <= number <= len(self.versions):
            return self.versions[number - 1]
        return None

    def version_name(self, version):
        return f"{self.name}/versions/{version.number}"

    def _keys(self):
        """The key of each place, None where it has none."""
        replication = self.fields.get("replication", {})
        holders = replication.get("userManaged", {}).get("replicas") or [
            replication.get("automatic", self.fields)]
        return [holder.get("customerManagedEncryption", {}).get("kmsKeyName")
                for holder in holders]

    def replication_status(self, version):
        replication = self.fields.get("replication", {})
        statuses = [_encryption(key) for key in version.keys]
        if "userManaged" in replication:
            replicas = replication["userManaged"]["replicas"]
            places = [{"location": replica["location"], **status}
                      for replica, status in zip(replicas, statuses)]
            return {"userManaged": {"replicas": places}}
        return {"automatic": statuses[0]}

    def to_json(self):
        value = {"name": self.name}
        if "replication" in self.fields:
            value["replication"] = self.fields["replication"]
        value["createTime"] = self.create_time
        rest = {name: item for name, item in self.fields.items()
                if name != "replication" and item not in ({}, [], "")}
        return {**value, **rest, "etag": self.etag}

    def version_to_json(self, version):
        value = {"name": self.version_name(version),
                 "createTime": version.create_time}
        if version.destroy_time:
            value["destroyTime"] = version.destroy_time
        value["state"] = version.state
        if "replication" in self.fields:
            value["replicationStatus"] = self.replication_status(version)
        else:
            value.update(_encryption(version.keys[0]))
        value["etag"] = version.etag
        if version.client_checksum:
            value["clientSpecifiedPayloadChecksum"] = True
        if version.scheduled_destroy_time:
            value["scheduledDestroyTime"] = version.scheduled_destroy_time
        return value


def _encryption(key):
    if key is None:
        return {}
    return {"customerManagedEncryption": {"kmsKeyVersionName": f"{key}/cryptoKeyVersions/1"}}


class Store:
    """All secrets by resource name; on_change is called after every change.

    timed holds those that change by themselves: every request looks at them.
    """

    def __init__(self):
        self.secrets = {}
        self.timed = {}
        self.on_change = None

    def find(self, name):
        return self.secrets.get(name)

    def put(self, secret):
        self.secrets[secret.name] = secret

    def remove(self, name):
        del self.secrets[name]
        self.timed.pop(name, None)

    def under(self, parent):
        """The secrets of one parent, newest first."""
        start = parent + "/secrets/"
        found = [secret for name, secret in self.secrets.items()
                 if name.startswith(start)]
        return found[::-1]

    def changed(self, secret=None):
        if secret and secret.timed:
            self.timed[secret.name] = secret
        if self.on_change:
            self.on_change()

    def summary(self):
        """What is stored, without any payload."""
        return {"secrets": [self._summary_of(secret)
                            for secret in self.secrets.values()]}

    @staticmethod
    def _summary_of(secret):
        return {
            "name": secret.name,
            "createTime": secret.create_time,
            "labels": secret.labels,
            "replication": secret.fields.get("replication"),
            "versions": [{
                "version": version.number,
                "state": version.state,
                "bytes": len(version.data),
                "sha256": hashlib.sha256(version.data).hexdigest(),
                "crc32c": version.crc32c,
                "createTime": version.create_time,
            } for version in secret.versions],
        }


def page_token():
    return randomness.token_urlsafe(24)
