"""The secrets themselves: plain state without HTTP."""

import hashlib
import itertools
import secrets as randomness
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone

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

    def __post_init__(self):
        self.crc32c = crc32c(self.data)


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

    @property
    def labels(self):
        return self.fields.get("labels", {})

    def touch(self):
        self.etag = new_etag()

    def add(self, data, client_checksum=False):
        version = Version(len(self.versions) + 1, data, client_checksum)
        self.versions.append(version)
        return version

    def version(self, number):
        if 1 <= number <= len(self.versions):
            return self.versions[number - 1]
        return None

    def version_name(self, version):
        return f"{self.name}/versions/{version.number}"

    def replication_status(self):
        replication = self.fields.get("replication", {})
        if "userManaged" in replication:
            replicas = replication["userManaged"]["replicas"]
            places = [{"location": replica["location"]} for replica in replicas]
            return {"userManaged": {"replicas": places}}
        return {"automatic": {}}

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
            value["replicationStatus"] = self.replication_status()
        value["etag"] = version.etag
        if version.client_checksum:
            value["clientSpecifiedPayloadChecksum"] = True
        if version.scheduled_destroy_time:
            value["scheduledDestroyTime"] = version.scheduled_destroy_time
        return value


class Store:
    """All secrets by resource name; on_change is called after every change."""

    def __init__(self):
        self.secrets = {}
        self.on_change = None

    def find(self, name):
        return self.secrets.get(name)

    def put(self, secret):
        self.secrets[secret.name] = secret

    def remove(self, name):
        del self.secrets[name]

    def under(self, parent):
        """The secrets of one parent, newest first."""
        start = parent + "/secrets/"
        found = [secret for name, secret in self.secrets.items()
                 if name.startswith(start)]
        return found[::-1]

    def changed(self):
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
