"""Google's official clients: set up as they are pinned, and run against an emulator."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
BUILD = TOP / "build/interop"
HOSTS = {"secretmanager": "secretmanager", "oauth2": "oauth", "sts": "federation",
         "iamcredentials": "federation", "cloudresourcemanager": "resourcemanager"}
ALLOWED = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
PATIENCE = 300


class CannotRun(Exception):
    """A client that is not here; says what it needs."""


def ports(emulator):
    """Where each of Google's host names is, for a proxy that leads there."""
    emulator.serve_certificates()
    found = {f"{name}.googleapis.com": emulator.port(service)
             for name, service in HOSTS.items()}
    found["sts.mtls.googleapis.com"] = emulator.port("mtls")
    for host in emulator.secretmanager.hosts:
        found[host] = emulator.port("secretmanager")
    return found


def _run(words, **more):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False, **more)


def _set_up(words, what, cwd=None, env=None):
    done = _run(words, cwd=cwd, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise CannotRun(f"{what}: {(done.stderr or done.stdout).strip()[-2000:]}")


def _needed(program, what):
    path = shutil.which(program)
    if path is None:
        raise CannotRun(f"needs {what}")
    return path


def _told(text):
    """The lines that name an error, or the end."""
    lines = [line.strip() for line in text.splitlines() if "rror" in line]
    return (" ".join(lines) or text.strip())[:500]


class Client:
    """One client: `versions` are those of its parts, `run` makes calls."""

    name = ""
    versions = ()
    words = ()
    cwd = None

    def environment(self, emulator, proxy, adc, home):
        env = {
            "PATH": os.environ["PATH"], "HOME": str(home),
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}",
            "NO_PROXY": "localhost,127.0.0.1", "SSL_CERT_FILE": emulator.ca_file,
            "REQUESTS_CA_BUNDLE": emulator.ca_file, "NODE_EXTRA_CA_CERTS": emulator.ca_file,
            "GCE_METADATA_HOST": emulator.metadata_host,
            "GCE_METADATA_IP": emulator.metadata_host,
            "GCE_METADATA_ROOT": emulator.metadata_host,
            "METADATA_SERVER_DETECTION": "none" if adc else "assume-present", ALLOWED: "1"}
        if adc:
            env["GOOGLE_APPLICATION_CREDENTIALS"] = str(adc)
        return env

    def run(self, emulator, proxy, calls, adc=None, home="/nonexistent", env=None, **options):
        """What came of each call, as {"reply": …} or {"error": …, "code": …}."""
        task = json.dumps({"calls": calls, **options})
        done = _run([*self.words, task], cwd=self.cwd, timeout=PATIENCE,
                    env={**self.environment(emulator, proxy, adc, home), **(env or {})})
        if done.returncode != 0:
            return [{"error": _told(done.stderr)} for _ in calls]
        return json.loads(done.stdout.splitlines()[-1])


class Go(Client):
    name = "go"

    def __init__(self):
        _needed("go", "Go 1.26")
        BUILD.mkdir(parents=True, exist_ok=True)
        program = BUILD / "go-client"
        _set_up(["go", "build", "-mod=readonly", "-trimpath", "-o", program, "."],
                "go build", HERE / "go", {"GOTOOLCHAIN": "local", "CGO_ENABLED": "0"})
        self.words = [program]
        text = (HERE / "go/go.mod").read_text()
        self.versions = re.findall(
            r"(cloud\.google\.com/go/(?:secretmanager|auth) v\S+)\n", text)


class Python(Client):
    name = "python"

    def __init__(self):
        python = _needed("python3", "Python 3.11 to 3.13 with venv")
        folder, pins = BUILD / "python", HERE / "python/requirements.txt"
        done = folder / "done"
        if not done.exists() or done.read_text() != pins.read_text():
            shutil.rmtree(folder, ignore_errors=True)
            _set_up([python, "-m", "venv", folder], "python3 -m venv")
            _set_up([folder / "bin/pip", "install", "--quiet", "--require-hashes",
                     "--no-deps", "--only-binary=:all:", "-r", pins], "pip install")
            done.write_text(pins.read_text())
        self.words = [folder / "bin/python", HERE / "python/client.py"]
        self.versions = [line.split()[0] for line in pins.read_text().splitlines()
                         if line.startswith("google-")]


class Node(Client):
    name = "node"

    def __init__(self):
        _needed("node", "Node.js 18")
        _needed("npm", "npm")
        pins, self.cwd = TOP / "tests/node", TOP / "build/node/client"
        self.cwd.mkdir(parents=True, exist_ok=True)
        lock, done = (pins / "package-lock.json").read_text(), self.cwd / "done"
        if not done.exists() or done.read_text() != lock:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(pins / name, self.cwd / name)
            _set_up(["npm", "ci"], "npm ci", self.cwd)
            done.write_text(lock)
        shutil.copy(HERE / "node/client.mjs", self.cwd / "interop.mjs")
        self.words = ["node", "interop.mjs"]
        wanted = json.loads((pins / "package.json").read_text())["dependencies"]
        self.versions = [f"{name}@{version}" for name, version in wanted.items()]


CLIENTS = (Go, Python, Node)


class Gcloud(Client):
    """The command line of Google's SDK, where it is installed; not set up here."""

    name = "gcloud"

    def __init__(self):
        self.program = _needed("gcloud", "the Google Cloud SDK")

    def command(self, words, emulator, proxy, adc, home, endpoint=None, env=None):
        """One command: its reply as JSON, or text where it prints that."""
        env = {**self.environment(emulator, proxy, None, home), **(env or {})}
        env.update({
            "CLOUDSDK_CONFIG": f"{home}/gcloud", "CLOUDSDK_CORE_PROJECT": emulator.project,
            "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": emulator.ca_file,
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1"})
        if adc:
            env["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"] = str(adc)
        if endpoint:
            env["CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"] = f"https://{endpoint}/"
        done = _run([self.program, "--quiet", *words], env=env, timeout=PATIENCE)
        if done.returncode != 0:
            return {"error": _told(done.stderr)}
        try:
            return {"reply": json.loads(done.stdout)}
        except ValueError:
            return {"reply": done.stdout}
