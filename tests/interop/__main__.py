"""make interop: Google's official clients against the emulator, and against pull-secret.

Prints a table of client, call and verdict; a missing client is skipped by name.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(HERE), str(TESTS), str(TESTS / "e2e")]

import clients  # noqa: E402
import credential_types  # noqa: E402
import same_requests  # noqa: E402
from calls import CALLS, KEY, TOPIC  # noqa: E402
from proxyserver import ProxyServer  # noqa: E402

from emulator import Emulator  # noqa: E402
from emulator.locations import host_of  # noqa: E402

LOCATION = "us-east1"
ABSENT = ("no such call", "is not a function", "has no attribute")


class Table:
    """Verdicts by row and client: ok, none (the client has no such call), or why not."""

    def __init__(self, title):
        self.title = title
        self.rows = {}

    def put(self, row, client, verdict):
        self.rows.setdefault(row, {})[client] = verdict

    def show(self, names):
        width = max(map(len, self.rows)) + 2
        print(f"\n{self.title:{width}}" + "".join(f"{name:10}" for name in names))
        for row, verdicts in self.rows.items():
            words = (verdicts.get(name, "none") for name in names)
            print(f"{row:{width}}" + "".join(
                f"{word if word in ('ok', 'none') else 'FAILED':10}" for word in words))
        for row, verdicts in self.rows.items():
            for name, word in verdicts.items():
                if word not in ("ok", "none"):
                    print(f"  {name}, {row}: {word}")

    def counted(self):
        words = [word for verdicts in self.rows.values() for word in verdicts.values()]
        good, none = words.count("ok"), words.count("none")
        return good, len(words) - good - none, none


def judged(call, outcome):
    """The verdict on what came of a call."""
    error = outcome.get("error")
    if error is not None and any(part in error for part in ABSENT):
        return "none"
    if call.code is not None:
        if error is None:
            return f"must be refused with {call.code}, and was not"
        # Some clients make an own number of it, and gcloud tells none.
        return "ok" if call.said in error else f"refused with other words: {error}"
    if error is not None:
        return error
    try:
        return "ok" if call.check(outcome["reply"]) else f"replied {outcome['reply']}"
    except (AttributeError, IndexError, KeyError, TypeError) as problem:
        return f"replied {outcome['reply']}: {problem!r}"


def prepared(folder):
    emulator = Emulator(folder / "certificates")
    emulator.secretmanager.place.topics = {TOPIC}
    emulator.secretmanager.place.kms_keys = {KEY}
    return emulator.start()


def run_calls(client, folder):
    """The outcome of each call, in their order."""
    home = folder / client.name
    home.mkdir()
    (home / "data").write_text("a")
    outcomes = {}
    emulator = prepared(folder)
    with emulator, ProxyServer(ports=clients.ports(emulator)) as proxy:
        for regional in (False, True):
            batch = [call for call in CALLS if call.regional == regional]
            outcomes.update(zip(
                (call.name for call in batch),
                _batch(client, emulator, proxy, home, batch, regional)))
        problems = [f"{entry.method} {entry.target}: {entry.problems}"
                    for entry in emulator.requests() if entry.problems]
        problems += map(repr, emulator.crashes)
    return outcomes, problems


def _batch(client, emulator, proxy, home, batch, regional):
    endpoint = host_of(LOCATION) if regional else None
    if client.name == "gcloud":
        words = [call.gcloud and [word.format(data=home / "data") for word in call.gcloud]
                 for call in batch]
        return [client.command(row, emulator, proxy, None, home, endpoint) if row
                else {"error": ABSENT[0]} for row in words]
    options = {"endpoint": endpoint}
    if client.name == "node":  # whose calls of the API pass by the proxy
        emulator.secretmanager.location = LOCATION if regional else None
        options = {"endpoint": "localhost", "port": emulator.port("secretmanager")}
    return client.run(emulator, proxy, [[call.method, call.request] for call in batch],
                      home=home, **options)


def set_up():
    found, missing = [], []
    for kind in (*clients.CLIENTS, clients.Gcloud):
        try:
            found.append(kind())
        except clients.CannotRun as problem:
            missing.append(kind.name)
            print(f"{kind.name}: {problem}")
        else:
            print(f"{kind.name}: {', '.join(found[-1].versions) or 'as installed'}")
    return found, missing


def build():
    """The program itself, if nobody says which."""
    program = os.environ.get("PULL_SECRET", clients.TOP / "bin/pull-secret")
    if not Path(program).exists():
        subprocess.run(["make", "-C", clients.TOP, "build"], check=True)
    return Path(program).resolve()


def main():
    program = build()
    found, missing = set_up()
    names = [client.name for client in found]
    tables = [Table("calls"), Table("credential types"), Table("same requests as ours")]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepared(folder).stop()  # makes the certificates
        with ThreadPoolExecutor() as pool:
            done = list(pool.map(lambda client: run_calls(client, folder), found))
        for client, (outcomes, problems) in zip(found, done):
            for call in CALLS:
                tables[0].put(call.name, client.name, judged(call, outcomes[call.name]))
            tables[0].put("well-formed HTTP", client.name, "; ".join(problems) or "ok")
        credential_types.fill(tables[1], found, folder)
        same_requests.fill(tables[2], [client for client in found
                                       if client.name != "gcloud"], folder, program)
    for table in tables:
        table.show(names)
    passed, failed, skipped = (sum(column) for column in zip(*(
        table.counted() for table in tables)))
    if missing:
        print(f"\nnot here: {', '.join(missing)}")
    # A client that could not be set up is no success, but for gcloud.
    failed += len(set(missing) - {"gcloud"})
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


sys.exit(main())
