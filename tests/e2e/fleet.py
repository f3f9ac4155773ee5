"""Fleets: lists of many tasks, what happens to their secrets, and their processes."""

import json
import zlib
from collections import Counter
from pathlib import Path

from conftest import CANARY, Job, auth, pull_secret

from emulator import Fault, errors

FAST = ("--rate", 100000)  # nothing here is about the pace
SINGLE = {  # every kind of fault, each of which strikes one request of a secret
    "503": {"reply": errors.unavailable()},
    "503-committed": {"reply": errors.unavailable(), "commit": True},
    "500-committed": {"reply": errors.internal(), "commit": True},
    "504-committed": {"reply": errors.deadline_exceeded(), "commit": True},
    "html-502-committed": {"reply": errors.html_502(), "commit": True},
    "429": {"reply": errors.quota_exceeded(retry_delay="0.5s")},
    "401": {"reply": errors.token_expired()},
    "403": {"reply": errors.permission_denied()},
    "400": {"reply": errors.invalid_argument()},
    "lost-request-close": {"drop": "uncommitted"},
    "lost-request-reset": {"drop": "uncommitted", "how": "rst"},
    "lost-reply-close": {"drop": "committed"},
    "lost-reply-fin": {"drop": "committed", "how": "fin"},
    "lost-reply-reset": {"drop": "committed", "how": "rst"},
    "cut-17": {"drop": "cut", "cut_at": 17},
    "cut-200-reset": {"drop": "cut", "cut_at": 200, "how": "rst"},
    "cut-last": {"drop": "cut", "cut_at": -1},
    "goes-after": {"drop": "idle"},
    "garbage": {"garbage": 300},
    "garbage-committed": {"garbage": 300, "commit": True},
    "portal": {"reply": errors.captive_portal(), "commit": True},
    "chunked": {"framing": "chunked"},
    "flip": {"tamper": lambda value: _flipped(value)},
}


def _flipped(value):
    """Another payload where there is one: what a broken store gives back."""
    data = value.get("payload", {}).get("data")
    if data:
        value["payload"] = {"data": data[:8] + ("A" if data[8] != "A" else "B") + data[9:]}
    return value


class Sprinkle:
    """Faults for about one secret of `every`, by the checksum of its name: which kind, and
    which of the secret's first four requests. Each strikes once.
    """

    def __init__(self, every, kinds=SINGLE):
        self.every = every
        self.kinds = [(name, Fault(**fields)) for name, fields in kinds.items()]
        self.seen = Counter()
        self.hits = Counter()

    def __call__(self, service, _operation, request):
        if service != "secretmanager":
            return None
        name = secret_of(request)
        number = zlib.crc32(name.encode())
        if number % self.every:
            return None
        self.seen[name] += 1
        kind, nth = divmod(number // self.every % (4 * len(self.kinds)), 4)
        if self.seen[name] != nth + 1:
            return None
        name, fault = self.kinds[kind]
        self.hits[name] += 1
        return fault


def secret_of(request):
    """The id of the secret that a request is about."""
    path = request.target.partition("?")
    if path[0].endswith("/secrets"):
        return path[2].partition("secretId=")[2].partition("&")[0]
    return path[0].partition("/secrets/")[2].partition("/")[0].partition(":")[0]


def cluster(number):
    return f"c{number}"


def secret(number):
    return f"hyperfleet-{cluster(number)}-pull-secret"


def payload(number):
    """A pull secret of its own for each task, all of the same length."""
    return pull_secret(**{"quay.io": auth(user=f"user{number:08}")})


def task(number, **members):
    """A task that brings its pull secret."""
    return {"cluster_id": cluster(number), "pull_secret_data": payload(number), **members}


def write_list(path, tasks):
    """One task a line: each an object, or text that stands as it is."""
    with open(path, "w", encoding="utf-8") as out:
        for row in tasks:
            out.write((row if isinstance(row, str) else json.dumps(row)) + "\n")
    return path


def stored(emulator, project=None):
    """The payloads of all versions of each secret, by the secret's id."""
    return {secret.secret_id: [version.data for version in secret.versions]
            for secret in emulator.secretmanager.store.secrets.values()
            if project is None or f"/{emulator.projects[project]}/" in secret.name}


def exactly(numbers):
    """What is stored if each task added its one version."""
    return {secret(number): [payload(number).encode()] for number in numbers}


class Fleet(Job):
    """Starts the main job on a list."""

    def __init__(self, emulator, folder):
        super().__init__(emulator)
        self.folder = Path(folder)

    def environment(self, **variables):
        return super().environment(**{"CLUSTER_ID": None, "PULL_SECRET_DATA": None, **variables})

    def start(self, *flags, tasks=None, **more):
        """tasks: rows of a list that is written first; flags name one otherwise."""
        if tasks is not None:
            flags = ("--tasks", write_list(self.folder / "tasks.ndjson", tasks), *flags)
        pace = () if "--rate" in flags or "RATE" in more else FAST
        return super().start(*pace, *flags, **more)

    def aside(self, *flags, name="log", **more):
        """Start it with its output in a file, which is too long to search it as a whole."""
        out = open(self.folder / name, "wb")
        process = self.start(*flags, stdout=out, **more)
        out.close()
        return process

    def log(self, name="log"):
        """The lines of that file."""
        text = (self.folder / name).read_text()
        assert CANARY not in text and auth()[:12] not in text
        return [json.loads(line) for line in text.splitlines()]


def counts(log):
    """The members of the summary."""
    line = log[-1]
    assert line["operation"] == "summary", line
    return {name.removeprefix("task_"): line[name] for name in line
            if name.startswith("task_") or name == "failed_by_code"}


def clusters(log, operation="completed"):
    """Whose lines of an operation there are, in their order."""
    return [line["cluster_id"] for line in log if line["operation"] == operation]


def children(pid):
    """The processes whose parent it is."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return sorted(found)


class Processes:
    """Those of one run: the launcher, the spawner and its workers."""

    def __init__(self, launcher):
        self.launcher = launcher
        self.spawner, = children(launcher)

    @property
    def workers(self):
        return children(self.spawner)

    def everyone(self):
        return [self.launcher, self.spawner, *self.workers]


def alive(pid):
    """Whether it still runs: not gone, nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def memory(pid):
    """Resident KiB now, and at most so far."""
    fields = dict(line.split(":", 1) for line in
                  Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM"))
