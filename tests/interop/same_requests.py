"""Our program beside each client: what both ask for must mean the same.

Both get the same credential file and store a pull secret. Compared are the method, path
and query of each request, what its JSON or form means, and whose token it carries.
"""

import base64
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import clients
from calls import KEY
from proxyserver import ProxyServer

from emulator.locations import host_of
from emulator.tokens import CLOUD_PLATFORM

# The comparison is that of the test with Node's client, which the check runs.
_spec = importlib.util.spec_from_file_location(
    "official_client", clients.TOP / "tests/node/test_official_client.py")
official = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(official)

# Where a client goes another way to its token than we do, and which.
OTHER_WAYS = {
    # Go's REST client, unlike its gRPC client, trades its JWT for a token.
    ("go", "service_account"): "exchange",
}


IAM = "https://www.googleapis.com/auth/iam"


def usual(value):
    """A token request of Python's client as the others say it.

    It asks for the narrower scope of IAM where a token is for impersonation only, and
    encodes the options of a workforce once more; Google takes both.
    """
    if isinstance(value, dict):
        return {name: unquote(item).replace(": ", ":") if name == "options"
                else usual(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(usual(item) for item in value)
    return CLOUD_PLATFORM if value == IAM else value


def encoded(request):
    """The request with its payload as JSON has it."""
    if "payload" not in request:
        return request
    data = base64.b64encode(request["payload"]["data"].encode()).decode()
    return {**request, "payload": {**request["payload"], "data": data}}


NAME = f"projects/test-project/secrets/{official.SECRET}"
ETAG, OLD_ETAG = '"1a+b/c=&d"', '"1"'
ENABLED = {"parent": NAME, "pageSize": 50, "filter": "state:ENABLED"}
# Other things that ours does to a secret that is there, and the calls that say the same.
JOBS = {
    "run-job pull-secret --dry-run": [["getSecret", {"name": NAME}]],
    "run-job delete-pull-secret --force": [
        ["getSecret", {"name": NAME}], ["deleteSecret", {"name": NAME, "etag": ETAG}]],
    "run-job pull-secret --keep 1 --keep-age 0": [
        official.addition(NAME), ["accessSecretVersion", {"name": NAME + "/versions/2"}],
        ["listSecretVersions", ENABLED], ["getSecret", {"name": NAME}],
        ["destroySecretVersion", {"name": NAME + "/versions/1", "etag": OLD_ETAG}],
        ["listSecretVersions", ENABLED]],
    "run-job pull-secret --sync-labels": [
        official.addition(NAME), ["accessSecretVersion", {"name": NAME + "/versions/2"}],
        ["getSecret", {"name": NAME}],
        ["updateSecret", {"secret": {"name": NAME, "etag": ETAG, "labels": official.LABELS},
                          "updateMask": "labels,annotations"}]],
    "versions": [["listSecretVersions", {"parent": NAME, "pageSize": 50}]],
    "access": [["accessSecretVersion", {"name": NAME + "/versions/latest"}]],
    "access --secret-version 1": [["accessSecretVersion", {"name": NAME + "/versions/1"}]],
}
LOCATION = "us-east1"
REPLICAS = [{"location": LOCATION, "customerManagedEncryption": {"kmsKeyName": KEY}}]


def first_run(place, secret):
    """The calls of the main job for a secret that is not there yet."""
    name = f"projects/test-project{place}/secrets/{official.SECRET}"
    return [official.addition(name),
            ["createSecret", {"parent": name.partition("/secrets")[0],
                              "secretId": official.SECRET,
                              "secret": {"labels": official.LABELS, **secret}}],
            official.addition(name), ["accessSecretVersion", {"name": name + "/versions/1"}]]


FIRST = {
    f"run-job pull-secret --location {LOCATION} --kms-key {KEY}": first_run(
        "", {"replication": {"userManaged": {"replicas": REPLICAS}}}),
    f"run-job pull-secret --regional {LOCATION} --kms-key {KEY}": first_run(
        f"/locations/{LOCATION}", {"customerManagedEncryption": {"kmsKeyName": KEY}}),
}


def kind_of(row):
    """The type of credentials. Python's client signs for the global host, wherever it goes."""
    return row if row in official.TYPES else \
        "authorized_user" if "--regional" in row else "service_account"


def side_of(folder, name, row):
    """An emulator with what the row needs."""
    kind = kind_of(row)
    side = official.Side(folder / "certificates", folder / name.replace("/", "-"),
                         official.TYPES[kind])
    side.ports = clients.ports(side.emulator)
    side.emulator.secretmanager.place.kms_keys = {KEY}
    if row in JOBS:
        secret = side.emulator.secretmanager.put(official.SECRET, b"{}")
        secret.etag, secret.versions[0].etag = ETAG, OLD_ETAG
    return side


def ours(folder, row, program):
    side = side_of(folder, f"ours-{row}", row)
    with side.emulator:
        side.ours(*(("run-job", "pull-secret") if row in official.TYPES else row.split()),
                  program=program)
    return side


def theirs(client, folder, row):
    """The client's side, and what went wrong."""
    side = side_of(folder, f"{client.name}-same-{row}", row)
    calls = [[method, encoded(request)]
             for method, request in {**JOBS, **FIRST}.get(row) or side.main_job()]
    options = {}
    regional = LOCATION if "--regional" in row else None
    if client.name == "node":
        side.emulator.secretmanager.location = regional
        options = {"endpoint": "localhost", "port": side.emulator.port("secretmanager")}
    elif regional:
        options = {"endpoint": host_of(LOCATION)}
    with side.emulator, ProxyServer(ports=clients.ports(side.emulator)) as proxy:
        outcomes = client.run(side.emulator, proxy, calls, side.adc, side.files.folder,
                              # Or some look for the project in other places first.
                              env={"GOOGLE_CLOUD_PROJECT": side.emulator.project},
                              **options)
    # The main job's first call is of a secret that is not there yet.
    outcomes = outcomes if row in JOBS else outcomes[1:]
    errors = [outcome["error"] for outcome in outcomes if "error" in outcome]
    return side, errors[0] if errors else None


def compared(client, row, one, other):
    """The verdict on two sides."""
    if not official.api(one) or official.api(one) != official.api(other):
        return f"asks the API for {official.api(other)}, we for {official.api(one)}"
    mine, yours = official.tokens(one), official.tokens(other)
    if client.name == "python":
        yours = usual(yours)
    kind = kind_of(row)
    if OTHER_WAYS.get((client.name, kind)) == "exchange":
        same = mine == [] and [entry[:3] for entry in yours] == [("oauth", "POST", "/token")]
    else:
        same = mine == yours
    return "ok" if same else f"asks for a token by {yours}, we by {mine}"


def fill(table, found, folder, program):
    rows = [*official.TYPES, *JOBS, *FIRST]
    mine = {row: ours(folder, row, program) for row in rows}
    pairs = [(row, client) for row in rows for client in found]
    with ThreadPoolExecutor(max_workers=3) as pool:
        sides = pool.map(lambda pair: theirs(pair[1], folder, pair[0]), pairs)
        for (row, client), (side, error) in zip(pairs, sides):
            table.put(row, client.name, error or compared(client, row, mine[row], side))
