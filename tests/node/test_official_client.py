"""Google's official Node.js client and this program, side by side against the emulator:
the emulator takes what Google's client sends, and ours means the same.

Both get the same credential file and make the same calls. Compared are method, path,
query and the meaning of the bodies; headers of telemetry and the order are not.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

TESTS = Path(__file__).resolve().parents[1]
TOP = TESTS.parent
NODE = TOP / "build/node/client"
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]

from emulator import Emulator, keys  # noqa: E402
from emulator.crc32c import crc32c  # noqa: E402
from proxyserver import ProxyServer  # noqa: E402
from test_credential_types import (IAM, MIDDLE, ROBOT, TARGET, Files,  # noqa: E402
                                   federation)

PULL_SECRET = '{"auths":{"quay.io":{"auth":"dXNlcjpwYXNzd29yZA=="}}}'
SECRET = "hyperfleet-c1-pull-secret"
LABELS = {"managed-by": "hyperfleet", "adapter": "pullsecret", "cluster-id": "c1",
          "resource-type": "pull-secret", "hyperfleet-version": "v1"}


@pytest.fixture(scope="session")
def client():
    """The client as the lock file pins it."""
    NODE.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent
    lock = (here / "package-lock.json").read_text()
    if not (NODE / "done").exists() or (NODE / "done").read_text() != lock:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            (NODE / name).write_text((here / name).read_text())
        done = subprocess.run(["npm", "ci"], cwd=NODE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (NODE / "done").write_text(lock)
    (NODE / "client.mjs").write_text((here / "client.mjs").read_text())
    return NODE


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


def addition(secret):
    """The call that adds the pull secret."""
    return ["addSecretVersion", {"parent": secret, "payload": {
        "data": PULL_SECRET, "dataCrc32c": str(crc32c(PULL_SECRET.encode()))}}]


class Side:
    """One emulator and what one of the two programs did to it."""

    def __init__(self, certificates, folder, make):
        self.emulator = Emulator(certificates).start()
        self.files = Files(self.emulator, folder)
        self.adc = make(self.files)
        self.ports = {f"{host}.googleapis.com": self.emulator.port(service) for host, service in (
            ("secretmanager", "secretmanager"), ("oauth2", "oauth"), ("sts", "federation"),
            ("iamcredentials", "federation"))}

    def environment(self, proxy):
        adc = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.adc)} if self.adc else {}
        return {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", **adc,
                "NO_PROXY": "localhost,127.0.0.1", "GCE_METADATA_HOST": self.emulator.metadata_host}

    def main_job(self):
        """addVersion, which fails, then create, add and access."""
        parent = f"projects/{self.emulator.project}"
        add = addition(f"{parent}/secrets/{SECRET}")
        create = ["createSecret", {"parent": parent, "secretId": SECRET, "secret": {
            "replication": {"automatic": {}}, "labels": LABELS}}]
        return [add, create, add, [
            "accessSecretVersion", {"name": f"{parent}/secrets/{SECRET}/versions/1"}]]

    def looks(self):
        """What a dry run and the doctor ask."""
        name = f"projects/{self.emulator.project}/secrets/{SECRET}"
        permissions = ["secretmanager.versions.add", "secretmanager.versions.access"]
        get = ["getSecret", {"name": name}]
        return [get, get, ["testIamPermissions", {"resource": name, "permissions": permissions}]]

    def official(self, client, calls):
        with ProxyServer(ports=self.ports) as proxy:
            env = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": self.emulator.ca_file,
                   "METADATA_SERVER_DETECTION": "none" if self.adc else "assume-present",
                   **self.environment(proxy)}
            words = ["node", "client.mjs",
                     json.dumps([self.emulator.port("secretmanager"), calls])]
            done = subprocess.run(words, cwd=client, env=env, capture_output=True, text=True,
                                  check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ours(self, *words, program=TOP / "bin/pull-secret"):
        with ProxyServer(ports=self.ports) as proxy:
            env = {"SSL_CERT_FILE": self.emulator.ca_file, "CLUSTER_ID": "c1",
                   "GCP_PROJECT_ID": self.emulator.project, "PULL_SECRET_DATA": PULL_SECRET,
                   **self.environment(proxy)}
            done = subprocess.run([program, *words], env=env, check=False,
                                  capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout

    def meanings(self):
        """Each request but for its time and telemetry."""
        return [meaning(self, entry) for entry in self.emulator.requests()
                if not (entry.service == "metadata" and entry.operation != "token")]


def without_empty(value):
    """proto3 JSON: an empty map, list or null says as much as none; {} for a message says
    more.
    """
    if isinstance(value, dict):
        return {key: without_empty(item) for key, item in value.items()
                if item not in ({}, [], None) or key == "automatic"}
    return value


def signed(token):
    """A JWT as what it claims; when is for the emulator to judge."""
    header, claims = keys.read(token)
    return {"claims": {key: value for key, value in claims.items() if key not in ("iat", "exp")},
            "alg": header["alg"]}


def body_of(side, entry):
    if not entry.body:
        return None
    if entry.body[:1] == b"{":
        value = without_empty(json.loads(entry.body))
        # Go's client repeats the name that the path gives.
        value = {key: item for key, item in value.items()
                 if key not in ("parent", "name", "resource") or f"/v1/{item}" not in entry.path}
        if "payload" in value:
            value["payload"]["dataCrc32c"] = str(value["payload"]["dataCrc32c"])
        return value
    form = dict(parse_qsl(entry.body.decode(), strict_parsing=True))
    for name in ("client_id", "client_secret", "refresh_token"):
        if name in form:
            assert form[name] in Path(side.adc).read_text()
            form[name] = "that of the file"
    if form.get("subject_token") == side.emulator.federation.subject:
        form["subject_token"] = "that of the file"
    if "assertion" in form:
        form["assertion"] = signed(form["assertion"])
    return form


def authority_of(side, entry):
    scheme, _, value = (entry.header("Authorization") or "").partition(" ")
    if scheme == "Bearer":
        token = side.emulator.tokens.find(value)
        return ("Bearer", token.identity, token.kind) if token else ("Bearer", "unknown")
    return (scheme, value)


def meaning(side, entry):
    # How the reply is written is no part of it, and an empty value says nothing.
    query = sorted(pair for pair in entry.query
                   if pair[0] not in ("$alt", "alt", "fields") and pair[1])
    return (entry.service, entry.method, entry.path, query, authority_of(side, entry),
            body_of(side, entry))


def user(files):
    path = files.folder / "user.json"
    files.emulator.make_authorized_user(path)
    return path


def impersonating(files):
    files.emulator.federation.impersonators.add((files.emulator.federation.identity(), TARGET))
    return files.external_account(
        service_account_impersonation_url=f"{IAM}/{TARGET}:generateAccessToken")


def delegated(files):
    files.emulator.federation.impersonators |= {(ROBOT, MIDDLE), (MIDDLE, TARGET)}
    return files.impersonated(delegates=[f"projects/-/serviceAccounts/{MIDDLE}"])


def workforce(files):
    return files.external_account(audience=federation.WORKFORCE,
                                  workforce_pool_user_project="billing-project")


TYPES = {
    "metadata": lambda files: None,
    "authorized_user": user,
    "service_account": lambda files: files.service_account(),
    "external_account": lambda files: files.external_account(),
    "external_account-impersonating": impersonating,
    "external_account-workforce": workforce,
    "external_account_authorized_user": lambda files: files.external_user(),
    "impersonated_service_account": lambda files: files.impersonated(),
    "impersonated_service_account-delegates": delegated,
}


@pytest.mark.parametrize("name", TYPES)
def test_both_mean_the_same(client, certificates, tmp_path, name):
    theirs = Side(certificates, tmp_path / "theirs", TYPES[name])
    ours = Side(certificates, tmp_path / "ours", TYPES[name])
    replies = theirs.official(client, theirs.main_job())
    assert "error" in replies[0] and [reply.get("error") for reply in replies[1:]] == [None] * 3
    assert replies[3]["data"] == PULL_SECRET
    ours.ours("run-job", "pull-secret")
    for side in (theirs, ours):
        assert side.emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]
        side.emulator.stop()
    assert api(ours) == api(theirs)
    assert tokens(ours) == tokens(theirs)


def test_both_look_in_the_same_way(client, certificates, tmp_path):
    theirs = Side(certificates, tmp_path / "theirs", TYPES["service_account"])
    ours = Side(certificates, tmp_path / "ours", TYPES["service_account"])
    for side in (theirs, ours):
        side.emulator.secretmanager.put(SECRET, b"old")
    assert [reply.get("error") for reply in theirs.official(client, theirs.looks())] == [None] * 3
    ours.ours("run-job", "pull-secret", "--dry-run")
    ours.ours("doctor")
    for side in (theirs, ours):
        side.emulator.stop()
    assert api(ours) == api(theirs)


def api(side):
    return [row for row in side.meanings() if row[0] == "secretmanager"]


def tokens(side):
    """In the order of their places; asking twice says nothing more."""
    rows = []
    for row in side.meanings():
        if row[0] != "secretmanager" and row not in rows:
            rows.append(row)
    return sorted(rows, key=repr)
