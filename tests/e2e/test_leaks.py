"""No secret and no token is left anywhere: a matrix of failure paths and of the channels
that something could leak through, printed at the end. All runs are at the level debug,
which says everything that the others do, in either format, to either output.
"""

import base64
import json
import os
import re
import resource
import signal
from collections import Counter
from dataclasses import replace
from urllib.parse import parse_qsl, quote

import pytest
from conftest import CANARY, LABELS, PULL_SECRET, SECRET, Job, auth, contents, native, together
from leaks import leaked
from proxyserver import ProxyServer
from test_credential_types import Files
from test_consumers import FOLDER, VERDICTS
from test_validation import REFUSED, text_bytes
from tracer import StoppedAtExit, trace_me

from emulator import Reply, errors

x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64",
                            reason="the tracer knows x86-64")


def traced(function):
    """A test that looks into the process at its end."""
    return native(x86_64(function))


CHANNELS = ("stdout", "stderr", "result", "note", "files", "cmdline", "environ", "memory")
SOON = {"MAX_WAIT_TIME_SECONDS": "1"}

# --- the search itself -----------------------------------------------------------


def each(form):
    """An encoding that writes every byte in that form."""
    return lambda text: "".join(form % byte for byte in text).encode()


ENCODINGS = {
    "raw": bytes,
    "json": lambda text: json.dumps(text.decode(), ensure_ascii=False)[1:-1].encode(),
    "json-u": each("\\u%04x"), "json-U": each("\\u%04X"),
    "base64": base64.b64encode, "base64url": base64.urlsafe_b64encode,
    "percent": lambda text: quote(text, safe="").encode(),
    "percent-all": each("%%%02x"),
    "hex": each("%02x"), "HEX": each("%02X"),
}


ECHOED = [name for name in ENCODINGS if name not in ("json-U", "HEX")]


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("before", range(3))
def test_every_part_is_found(name, before):
    """Every 8 bytes at every alignment; not 5 of them, nor what is harmless."""
    encode, word = ENCODINGS[name], b'Pa"ss\\word/+>?~y{tail}'
    for at in range(len(word) - 7):
        said = b"f" + encode(b"<" * before + word[at:at + 8] + b"!!") + b"0"
        assert leaked([b"harmless", word], said) == [word], said
        assert leaked([word], said.replace(b"\\", b"\\\\")) == [word]  # in our own log
        assert leaked([word], encode(b"<" * before + word[at:at + 5] + b"!!")) == []
    assert leaked([word], encode(b"invalid pull secret: line 1, column 7")) == []


# --- the matrix ------------------------------------------------------------------


class Matrix:
    """How many runs of a path there were, and which channels leaked; "may" stands for
    those that a run of the path may show something in.
    """

    def __init__(self):
        self.runs = Counter()
        self.leaks = set()
        self.may = set()

    def cell(self, where):
        return "LEAK" if where in self.leaks else "may" if where in self.may else "clean"

    def rows(self):
        rows = [("leak matrix", "runs", *CHANNELS)]
        rows += [(path, runs, *(self.cell((path, channel)) for channel in CHANNELS))
                 for path, runs in self.runs.items()]
        for path, runs, *cells in rows:
            yield f"{path:41} {runs:>4} " + " ".join(f"{cell:7}" for cell in cells).rstrip()


@pytest.fixture(scope="module")
def matrix(request):
    made = Matrix()
    yield made
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("", *made.rows(), sep="\n")


class Watched(Job):
    """Runs the program on one path, and looks at every channel."""

    def __init__(self, emulator, matrix, folder, path):
        super().__init__(emulator)
        self.matrix, self.folder, self.path = matrix, folder, path
        self.words = {CANARY, auth()}  # and more that may not be seen
        folder.mkdir()

    def __call__(self, *applet, code=None, may=(), **variables):
        """Run the job or an applet. may: pairs of a channel and a word that it may hold,
        or None for every word.
        """
        self.matrix.runs[self.path] += 1
        note, result = self.folder / "note", self.folder / "result"
        note.touch()
        runs = self.matrix.runs[self.path]
        variables = {"RESULTS_PATH": result, "TERMINATION_LOG_PATH": note,
                     "LOG_LEVEL": "debug", "LOG_FORMAT": ("text", "json")[runs % 2],
                     "LOG_OUTPUT": ("stdout", "stderr")[runs // 2 % 2], **variables}
        start = super(Job, self).start if applet else super().start
        self.process = start(*applet, env=self.environment(**variables), cwd=self.folder,
                             preexec_fn=_prepare)
        ending = StoppedAtExit(self.process.pid)
        memory = ending.at_exit()
        done = self.process.wait()
        assert code is None or done.code == code, done
        assert b"GCP_PROJECT_ID" in memory  # it is the right memory
        self._look({"stdout": done.stdout, "stderr": done.stderr,
                    "result": contents(result), "note": contents(note),
                    "cmdline": ending.cmdline,
                    "environ": ending.environ,
                    "memory": memory.replace(ending.environ, b"")}, may)
        return done

    def _secrets(self):
        return []  # all is looked at here

    def _look(self, channels, may):
        words = self.words | set(_issued(self.emulator))
        if left := set(os.listdir(self.folder)) - {"note", "result"}:
            self.matrix.leaks.add((self.path, "files"))
            print(f"{self.path}: left {left}")  # a core, or half a result
        for channel, said in channels.items():
            allowed = {word for where, word in may if where == channel}
            self.matrix.may |= {(self.path, channel)} if allowed else set()
            found = leaked(words - allowed, said) if None not in allowed else []
            if found:
                self.matrix.leaks.add((self.path, channel))
                print(f"{self.path}: {channel} shows {found}")

    def verdict(self):
        bad = [channel for path, channel in self.matrix.leaks if path == self.path]
        assert not bad, f"{self.path}: {', '.join(bad)}"


def _prepare():
    """In the child: a core could be written, were it not for the program itself."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    trace_me()


def _issued(emulator):
    """All that the emulator gave out to be kept secret."""
    yield from (token.value for token in emulator.tokens.all())
    yield from (refresh.value for refresh in emulator.oauth.refresh_tokens())
    yield from emulator.federation.refresh_tokens
    yield emulator.federation.subject


@pytest.fixture
def watch(start_emulator, matrix, tmp_path):
    """Make a Watched for a path; its emulator's tokens are short, to be echoed whole."""
    made = []

    def make(path):
        emulator = start_emulator()
        emulator.tokens.service_account_bytes = 24
        made.append(Watched(emulator, matrix, tmp_path / f"cwd{len(made)}", path))
        return made[-1]

    yield make
    for watched in made:
        watched.stop()
        watched.verdict()


# --- ends of a run ---------------------------------------------------------------


def always(service, operation, **fault):
    return lambda emulator: emulator.order(service, operation, times=None, **fault)


KEEP = {"KEEP_VERSIONS": "1", "KEEP_AGE": "0"}
# What is ordered of the emulator, variables, and the exit code.
ENDS = {
    "success": (None, {}, 0),
    "largest": (None, {"PULL_SECRET_DATA": None, "PULL_SECRET_FILE": "../largest"}, 0),
    "dry run": (None, {"DRY_RUN": "true"}, 0),
    "unchanged": (lambda emulator: emulator.secretmanager.put(SECRET, PULL_SECRET.encode()),
                  {"SKIP_UNCHANGED": "true"}, 0),
    "quiet": (None, {"LOG_QUIET": "true"}, 0),
    "info": (None, {"LOG_LEVEL": "info"}, 0),
    "refused, info": (always("secretmanager", "addVersion", reply=errors.permission_denied()),
                      {"LOG_LEVEL": "info"}, 4),
    "keep": (lambda emulator: emulator.secretmanager.put(SECRET, b"old"), KEEP, 0),
    "usage": (None, {"CLUSTER_ID": "WRONG"}, 2),
    "invalid": (None, {"PULL_SECRET_DATA": PULL_SECRET[:-1]}, 3),
    "twice given": (None, {"PULL_SECRET_FILE": "/x"}, 2),
    "no token": (always("metadata", None, reply=errors.metadata_impersonation_denied()),
                 {}, 4),
    "refused": (always("secretmanager", "addVersion", reply=errors.permission_denied()),
                {}, 4),
    "read back": (always("secretmanager", "access", tamper="flip"), {}, 5),
    "reply lost": (lambda emulator: emulator.order("secretmanager", "addVersion",
                                                   drop="committed"), {}, 0),
    "outage": (always("secretmanager", "addVersion", reply=errors.html_503()), SOON, 1),
    "deadline": (always("secretmanager", "access", how="hang", drop="committed"), SOON, 1),
    "garbage": (always("secretmanager", "access", garbage=4000), SOON, 1),
}


@traced
def test_ends(watch, tmp_path):
    (tmp_path / "largest").write_text(PULL_SECRET + " " * 4096)

    def end(watched, order, variables, code):
        if order:
            order(watched.emulator)
        watched(code=code, **variables)

    together(end, {name: (watch(f"end: {name}"), *row) for name, row in ENDS.items()})


@traced
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT],
                         ids=lambda number: number.name)
@pytest.mark.parametrize("service, operation", [
    ("metadata", None), ("secretmanager", "addVersion"), ("secretmanager", "access")])
def test_signals(watch, number, service, operation):
    """While the secret is on its way, or the token in use; a crash wipes, too."""
    watched = watch(f"{number.name} in {operation or service}")
    watched.emulator.order(service, operation, drop="committed", how="hang",
                           reply=lambda _: os.kill(watched.process.pid, number))
    assert watched().code in (128 + signal.SIGTERM, -number)


@traced
def test_invalid_pull_secrets(watch, tmp_path):
    job, validate = watch("invalid pull secret"), watch("validate: invalid")
    path = tmp_path / "secret"
    for text in REFUSED.values():
        path.write_bytes(text_bytes(text))
        job(code=3, PULL_SECRET_DATA=None, PULL_SECRET_FILE=path)
        validate("validate", path, code=3, PULL_SECRET_DATA=None)
    warned = watch("validate: warnings")
    for name, verdict in VERDICTS.items():
        if verdict[0] == "w":
            path.write_bytes((FOLDER / f"{name}.json").read_bytes())
            warned("validate", path, code=0, PULL_SECRET_DATA=None)


@traced
def test_a_secret_in_the_wrong_variable(watch):
    """It stays where the caller put it, but is shown nowhere."""
    watched = watch("secret in a wrong variable")
    for name in ("PULL_SECRET_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "CLUSTER_ID",
                 "GCP_PROJECT_ID", "SECRET_NAME", "SSL_CERT_FILE", "SSL_CERT_DIR",
                 "HTTPS_PROXY", "GCE_METADATA_HOST", "SECRET_MANAGER_ENDPOINT",
                 "SECRET_MANAGER_CONNECT_TO", "MAX_WAIT_TIME_SECONDS", "DRY_RUN",
                 "GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
                 "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", "TERMINATION_LOG_PATH",
                 "LOG_LEVEL", "HYPERFLEET_LOG_FORMAT", "LOG_QUIET"):
        given = None if name == "PULL_SECRET_FILE" else PULL_SECRET
        watched(may=[("environ", None), ("memory", None)],
                **{"PULL_SECRET_DATA": given, name: PULL_SECRET})


@traced
def test_applets(watch):
    """The token alone is printed, by the one applet that is for it."""
    for words in (["token"], ["token", "--json"]):
        watch(" ".join(words))(*words, code=0, may=[("stdout", None)], PULL_SECRET_DATA=None)
    watched = watch("access")
    watched.emulator.secretmanager.put(SECRET, PULL_SECRET.encode())
    watched("access", code=0, may=[("stdout", None)], PULL_SECRET_DATA=None)
    watched("access", "--secret-version", "2", code=2, PULL_SECRET_DATA=None)
    watched.emulator.order("secretmanager", "access", times=None, tamper="flip")
    watched("access", code=5, PULL_SECRET_DATA=None)
    for words in (["doctor"], ["doctor", "--json"]):
        watched = watch(" ".join(words))
        watched(*words, code=0)
        watched(*words, code=3, PULL_SECRET_DATA=PULL_SECRET[:-1])


@traced
def test_rollback(watch):
    """What is read of an older version is a secret, too."""
    for name, code in (("success", 0), ("read back", 5), ("outage", 1)):
        watched = watch(f"rollback-pull-secret: {name}")
        secret = watched.emulator.secretmanager.put(SECRET, PULL_SECRET.encode(), b"bad")
        if name == "read back":
            watched.emulator.order("secretmanager", "access", nth=4, tamper="flip")
        if name == "outage":
            watched.emulator.order("secretmanager", "addVersion", reply=errors.html_503(),
                                   times=None)
        watched("run-job", "rollback-pull-secret", "--secret-version=1", code=code,
                PULL_SECRET_DATA=None, MAX_WAIT_TIME_SECONDS=2)
        assert len(secret.versions) == (2 if code == 1 else 3)


@traced
def test_versions(watch, tmp_path):
    (tmp_path / "file").write_text(PULL_SECRET)
    for words, code in (([], 0), (["--json"], 0), (["--compare", tmp_path / "file"], 5)):
        watched = watch(f"versions {' '.join(map(str, words[:1]))}".rstrip())
        watched.emulator.secretmanager.put(SECRET, b"other", PULL_SECRET.encode())
        if code:
            watched("versions", *words, code=0, PULL_SECRET_DATA=None)
            watched.emulator.order("secretmanager", "access", times=None, tamper="flip")
        watched("versions", *words, code=code, PULL_SECRET_DATA=None)


@traced
def test_deletion(watch):
    """The token, and what it does not need, are shown nowhere."""
    watched = watch("delete-pull-secret")
    for words, code in (([], 0), (["--dry-run"], 0), (["--force"], 0), ([], 2)):
        labels = LABELS if code == 0 else None
        watched.emulator.secretmanager.put(SECRET, PULL_SECRET.encode(), labels=labels)
        watched("run-job", "delete-pull-secret", *words, code=code, PULL_SECRET_DATA=None)


# --- credential files ------------------------------------------------------------

PATHS = ("file", "ca_cert_path")  # names of files may be shown
PEM_LINE = re.compile(r"[0-9A-Za-z+/]{64}").fullmatch
SECRETS = ("client_secret", "refresh_token", "private_key")


def write_file(watched, kind):
    """A credential file of that kind, whose secrets may not be seen."""
    files = Files(watched.emulator, watched.folder.parent / "files")
    make = {
        "user": lambda: files.write(
            watched.emulator.make_authorized_user(files.folder / "adc.json")),
        "external_account": lambda: files.external_account(
            client_id="client", client_secret="s:ecret-of-client"),
        "external_url": lambda: files.external_account(credential_source={
            "url": f"{watched.emulator.federation_url}/subject?key=query%2Dof+source-9zK",
            "headers": {"X-Key": "key-of-the-source"}}),
    }
    path = make.get(kind, getattr(files, kind, None))()
    value = json.loads(path.read_text())
    watched.words |= {"query-of source-9zK", "query%2Dof+source-9zK"}
    value = value.get("source_credentials", value)
    watched.words.update(value[name] for name in ("client_secret", "refresh_token")
                         if len(value.get(name, "")) >= 8)
    # Not its first line, which all keys and certificates share.
    for line in filter(PEM_LINE, value.get("private_key", "").splitlines()[2:]):
        watched.words |= {line, base64.b64decode(line)}
    return path


def with_canaries(value):
    """Pairs of a member's name, and the value with a canary there, in several ways."""
    for name, member in value.items():
        if isinstance(member, dict):
            yield from ((at, {**value, name: inner}) for at, inner in with_canaries(member))
        if name not in PATHS:
            yield name, {**value, name: CANARY}
            yield name, {**value, name: [{CANARY: CANARY}]}
            yield name, {**value, name: f"{member}{CANARY}" if name in SECRETS else {}}


@traced
@pytest.mark.parametrize("kind", ["user", "service_account", "external_account",
                                  "external_user", "impersonated", "gdch"])
def test_canaries_in_credential_files(watch, kind):
    """Memory may hold names, as of the client, but not secrets."""
    secret, other = watch(f"{kind} file: secrets"), watch(f"{kind} file: other members")
    path = write_file(secret, kind)
    for name, value in with_canaries(json.loads(path.read_text())):
        path.write_text(json.dumps(value))
        watched, may = (secret, []) if name in SECRETS else (other, [("memory", CANARY)])
        watched(GOOGLE_APPLICATION_CREDENTIALS=path, may=may, **SOON)
    path.write_text(json.dumps({"type": "user", CANARY: CANARY, "x": CANARY})[:-1])
    secret(GOOGLE_APPLICATION_CREDENTIALS=path, code=2)


# --- servers that echo what they got ---------------------------------------------

PAYLOAD = json.dumps({"auths": {"q": {"auth": auth()}}}, separators=(",", ":"))
PLAIN = (("Content-Type", "text/plain"),)
SENT = ("assertion", "client_secret", "refresh_token", "subject_token")


def secrets_in(request):
    """The secrets of a request, as its server reads them."""
    scheme, _, value = (request.header("Authorization") or "").partition(" ")
    body = request.body.decode()
    given = json.loads(body or "{}") if body[:1] in ("", "{") else dict(parse_qsl(body))
    found = [value, request.header("X-Key") or "", dict(request.query).get("key", ""),
             request.query_string.partition("key=")[2],
             *(given[name] for name in SENT if name in given)]
    if scheme == "Basic":
        found.append(base64.b64decode(value).decode().partition(":")[2])
    return [word for word in found if len(word) >= 8]


# Error replies with a text in one place. Messages show these, in whatever encoding.
SHOWN = {
    "message": lambda text: errors.api("INVALID_ARGUMENT", text),
    "link": lambda text: errors.api("UNAUTHENTICATED", "See there.", [
        errors.help_link(text, "https://x.example/?q=" + text)]),
    "description": lambda text: errors.oauth(400, "invalid_grant", text),
}
OTHERS = {
    "escapes": lambda text: escaped(errors.api("INVALID_ARGUMENT", text)),
    "details": lambda text: errors.api("PERMISSION_DENIED", "Denied.", [
        errors.error_info(text[:63], {text: text}), errors.retry_info(text),
        errors.bad_request(text, text), errors.localized(text)]),
    "status": lambda text: Reply(400, json.dumps({"error": {
        "code": text, "message": [text], "status": text, text: text}}).encode(),
        errors.API_HEADERS),
    "code": lambda text: errors.oauth(400, text[:63], error_uri=text),
    "subtype": lambda text: errors.oauth(400, "x", error_subtype=text[:63]),
    "phrase": lambda text: Reply(400, b"{}", PLAIN, reason=text),
    "header": lambda text: Reply(400, b"{}", (
        ("Content-Type", text), ("Retry-After", text), ("X-Echo", text), ("Location", text),
        ("WWW-Authenticate", f'Bearer realm="{text}"'))),
    "text": lambda text: Reply(400, text.encode(), PLAIN),
    "no-json": lambda text: Reply(400, b'{"error": ' + text.encode(), errors.API_HEADERS),
    "redirect": lambda text: errors.redirect(f"https://attacker.example/?t={text}"),
}


def escaped(reply):
    """The same with escapes in its strings that JSON does not need."""
    return replace(reply, body=re.sub(rb"(?<=[A-Za-z])[A-Za-z](?=\w)", lambda match:
                                      b"\\u%04x" % ord(match[0]), reply.body))


def echo(watched, make, encoding, known=()):
    """A function that makes the reply of a request; the server knows more than it says."""
    def reply(request):
        words = secrets_in(request)
        watched.words.update(words)
        text = " ".join([*(word[-80:] for word in words), *known])
        return make(ENCODINGS[encoding](text.encode()).decode())
    return reply


def look_at_echoes(watched, service, operation, *applet, **variables):
    """Each place in each encoding; Secret Manager knows what was stored, too."""
    known = [PAYLOAD] if service == "secretmanager" and not applet else []
    rows = [(make, encoding) for make in SHOWN.values() for encoding in ECHOED]
    for make, encoding in rows + [(make, "raw") for make in OTHERS.values()]:
        watched.emulator.orders.clear()
        if operation == "create":
            watched.emulator.order("secretmanager", "addVersion",
                                   reply=errors.secret_not_found())
        watched.emulator.order(service, operation, times=None,
                               reply=echo(watched, make, encoding, known))
        watched(*applet, PULL_SECRET_DATA=None if applet else PAYLOAD, **variables, **SOON)


@traced
@pytest.mark.parametrize("operation, variables", [
    ("addVersion", {}), ("create", {}), ("access", {}), ("get", {"DRY_RUN": "true"}),
    ("destroy", KEEP), ("patch", {"SYNC_LABELS": "true"}),
    pytest.param("listVersions", KEEP, marks=pytest.mark.soak)])
def test_secret_manager_echoes(watch, operation, variables):
    watched = watch(f"echo of {operation}")
    watched.emulator.secretmanager.put(SECRET, *([b"old"] if variables == KEEP else []))
    look_at_echoes(watched, "secretmanager", operation, **variables)


@traced
@pytest.mark.parametrize("kind, service, operation", [
    ("user", "oauth", "token"), ("impersonated", "oauth", "token"),
    ("external_account", "federation", "exchange"),
    ("external_url", "federation", "subject"),
    ("external_user", "federation", "refresh"), ("gdch", "federation", "gdch"),
    ("impersonated", "federation", "generateAccessToken")])
def test_token_endpoints_echo(watch, kind, service, operation):
    watched = watch(f"echo of {operation}: {kind}")
    look_at_echoes(watched, service, operation,
                   GOOGLE_APPLICATION_CREDENTIALS=write_file(watched, kind))


@traced
@pytest.mark.parametrize("words, service, operation", [
    ("token", "oauth", "token"), ("doctor", "secretmanager", "get"),
    ("doctor", "secretmanager", "testIamPermissions"),
    ("doctor", "resourcemanager", "testIamPermissions"), ("access", "secretmanager", "access"),
    ("run-job delete-pull-secret", "secretmanager", "delete"),
    ("run-job rollback-pull-secret --secret-version=1", "secretmanager", "addVersion"),
    pytest.param("versions", "secretmanager", "listVersions", marks=pytest.mark.soak)])
def test_applets_echo(watch, words, service, operation):
    """What other applets, and another job, say of a refusal."""
    name = words.replace("run-job ", "").split()[0]
    watched = watch(f"{name}: echo of {service} {operation}")
    if service != "resourcemanager":
        watched.emulator.secretmanager.put(SECRET, b"old", b"new", labels=LABELS)
    look_at_echoes(watched, service, operation, *words.split(), GOOGLE_APPLICATION_CREDENTIALS=(
        write_file(watched, "user") if service == "oauth" else None))


@traced
def test_a_version_whose_name_is_the_token(watch):
    watched = watch("echo in the name of a version")
    watched.emulator.order("secretmanager", "addVersion", reply=echo(
        watched, lambda text: Reply(200, json.dumps({
            "name": f"projects/{text[:45]}/secrets/{SECRET}/versions/1"}).encode(),
            errors.API_HEADERS), "raw"))
    watched(**SOON)


@traced
@pytest.mark.parametrize("status", [200, 302, 403, 407, 502])
def test_proxies_echo(watch, status):
    """The environment holds the password, for there its user put it."""
    watched, user = watch(f"proxy: {status}"), "user:proxyCanary-77xQ"
    sent = base64.b64encode(user.encode()).decode()
    watched.words.update({user, sent})
    url = f"https://secretmanager.googleapis.com:{watched.emulator.port('secretmanager')}"
    for text in (sent, f"Basic {sent} {user}"):
        reply = (f"HTTP/1.1 {status} {text}\r\nProxy-Authorization: Basic {text}\r\n"
                 f"Location: https://{text}/\r\n\r\n{text}\r\n").encode()
        with ProxyServer(reply=reply) as proxy:
            watched(HTTPS_PROXY=f"http://{user}@127.0.0.1:{proxy.port}",
                    SECRET_MANAGER_ENDPOINT=url, **SOON)


@traced
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_password_of_a_proxy(watch, name):
    """Behind a proxy that opens TLS a server may know it, and quote it."""
    watched, user = watch(f"{name}: echo of its password"), "user:proxyCanary-77xQ"
    watched.words.update({user, base64.b64encode(user.encode()).decode()})
    port = watched.emulator.port("secretmanager")
    with ProxyServer(ports={"secretmanager.googleapis.com": port}) as proxy:
        for encoding in ECHOED:
            watched.emulator.orders.clear()
            watched.emulator.order("secretmanager", times=None, reply=errors.api(
                "INVALID_ARGUMENT", ENCODINGS[encoding](user.encode()).decode()))
            watched(**{name: f"http://{user}@127.0.0.1:{proxy.port}"}, code=2,
                    SECRET_MANAGER_ENDPOINT=f"https://secretmanager.googleapis.com:{port}")
        watched.emulator.orders.clear()
        watched.emulator.order("secretmanager", drop="committed", how="hang", reply=lambda _:
                               os.kill(watched.process.pid, signal.SIGSEGV))
        watched(**{name: f"http://{user}@127.0.0.1:{proxy.port}"}, code=-signal.SIGSEGV,
                SECRET_MANAGER_ENDPOINT=f"https://secretmanager.googleapis.com:{port}")
        watched(**{name: f"http://{user}@127.0.0.1:x"}, code=2)
        watched(**{name: f"http://{user}@127.0.0.1:1"}, CLUSTER_ID="WRONG", code=2)
