"""Runs the real program against the emulator, with a clean environment.

Every run is searched for the secrets that it knew: none may ever be in its output.
"""

import base64
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from leaks import leaked

TESTS = Path(__file__).resolve().parent.parent
PROGRAM = os.path.abspath(os.environ.get("PULL_SECRET")
                          or TESTS.parent / "bin" / "pull-secret")
sys.path.insert(0, str(TESTS))

from emulator import Emulator  # noqa: E402

PATIENCE = 60  # seconds after which a run counts as hung
# Words before the program that make modes of files count for root, too.
UNPRIVILEGED = (["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
                if os.geteuid() == 0 else [])
CLUSTER = "cluster-1"
SECRET = f"hyperfleet-{CLUSTER}-pull-secret"
LABELS = {  # of what the job creates
    "managed-by": "hyperfleet", "adapter": "pullsecret", "cluster-id": CLUSTER,
    "resource-type": "pull-secret", "hyperfleet-version": "v1",
}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
# What a program for another machine under qemu does not show.
native = pytest.mark.native
CANARY = "canary7f3aQx"  # a password; base64 of it is searched for, too


def pytest_configure(config):
    """Names our marks."""
    config.addinivalue_line("markers", "native: tests what is between the program "
                            "and its kernel, or moves its file")
    config.addinivalue_line("markers", "soak: takes long; `make soak` runs it")
    own_network()


CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def own_network():
    """Leave for a network namespace that has a loopback only.

    Some tests need fixed addresses and ports, those of name servers above all: so
    two checkouts can test at the same time. Only root may, and only root needs it:
    nobody else has ports below 1024.
    """
    if os.geteuid() != 0 or ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


def auth(user="user", password=CANARY):
    """The value of "auth" of one registry."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def pull_secret(**registries):
    """A pull secret as text; registries by name, quay.io if none is given."""
    registries = registries or {"quay.io": auth()}
    return json.dumps({"auths": {name: {"auth": value, "email": "a@example.com"}
                                 for name, value in registries.items()}})


def pull_secret_of(size):
    """A valid pull secret of exactly so many bytes."""
    frame = json.dumps({"auths": {"quay.io": {"auth": auth()}}, "x": ""})
    return frame[:-2] + "p" * (size - len(frame)) + frame[-2:]


PULL_SECRET = pull_secret()


@dataclass
class Result:
    """What one run of the program did."""

    code: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def out(self):
        return self.stdout.decode()

    @property
    def err(self):
        return self.stderr.decode()

    @property
    def log(self):
        """The log lines as dictionaries, each checked to be in canonical form."""
        return [log_line(line) for line in self.out.splitlines()]

    @property
    def operations(self):
        return [line["operation"] for line in self.log]

    @property
    def messages(self):
        return [line["message"] for line in self.log]

    @property
    def errors(self):
        """The error lines but for the summary."""
        return [line for line in self.log
                if line["level"] == "error" and line["operation"] != "summary"]

    @property
    def warnings(self):
        return [line for line in self.log if line["level"] == "warning"]

    @property
    def error(self):
        """The only error line."""
        assert len(self.errors) == 1, self.out
        return self.errors[0]

    def line(self, operation):
        """The only log line of an operation."""
        found = [line for line in self.log if line["operation"] == operation]
        assert len(found) == 1, self.out
        return found[0]


def log_line(text):
    """Read one log line: an object, keys unique and sorted, nothing around it."""
    def pairs(items):
        keys = [key for key, _ in items]
        assert keys == sorted(set(keys)), text
        return dict(items)
    assert text == text.strip(), text
    value = json.loads(text, object_pairs_hook=pairs)
    assert isinstance(value, dict), text
    return value


def contents(path):
    """The content of a file, if it is one."""
    try:
        return Path(path).read_bytes() if os.path.isfile(path) else b""
    except OSError:
        return b""


class Process:
    """One running program."""

    def __init__(self, words, env, stdin, secrets, **options):
        self.started = time.monotonic()
        self._files = [env[name] for name in ("RESULTS_PATH", "TERMINATION_LOG_PATH")
                       if env.get(name)]
        self._secrets = secrets
        self._input = stdin if isinstance(stdin, bytes) else None
        given = subprocess.PIPE if self._input is not None else stdin
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        self.popen = subprocess.Popen(words, env=env, stdin=given, **options)

    @property
    def pid(self):
        return self.popen.pid

    def wait(self, patience=PATIENCE):
        """Wait for its end and look for secrets in what it wrote."""
        try:
            out, err = self.popen.communicate(self._input, timeout=patience)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            out, err = self.popen.communicate()
            pytest.fail(f"hung: {out!r} {err!r}")
        result = Result(self.popen.returncode, out or b"", err or b"",
                        time.monotonic() - self.started)
        said = result.stdout + result.stderr + b"".join(map(contents, self._files))
        assert not leaked(self._secrets(), said)
        return result


class Runner:
    """Starts the program with nothing inherited but what is given."""

    def __init__(self, emulator=None):
        self.emulator = emulator
        self.started = []

    def start(self, *arguments, env=None, stdin=subprocess.DEVNULL, before=(),
              **options):
        """Start it; before holds words ahead of the program, such as unshare."""
        words = [*before, PROGRAM, *(word if isinstance(word, bytes) else str(word)
                                   for word in arguments)]
        clean = {name: str(value) for name, value in (env or {}).items()
                 if value is not None}
        process = Process(words, clean, stdin, self._secrets, **options)
        self.started.append(process)
        return process

    def __call__(self, *arguments, **options):
        """Run it to its end."""
        return self.start(*arguments, **options).wait()

    def stop(self):
        for process in self.started:
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.communicate()

    def _secrets(self):
        words = {CANARY, auth(), auth().rstrip("=")}
        if self.emulator:
            words.update(token.value for token in self.emulator.tokens.all())
            for refresh in self.emulator.oauth.refresh_tokens():
                words.add(refresh.value)
        return words


class Job(Runner):
    """Starts `run-job pull-secret`, set up to succeed unless told otherwise.

    Keywords in capitals are variables that are added, or with None left out.
    """

    name = "pull-secret"

    def environment(self, **variables):
        return {"GCP_PROJECT_ID": self.emulator.project, "CLUSTER_ID": CLUSTER,
                "PULL_SECRET_DATA": PULL_SECRET, **self.emulator.environment(),
                **variables}

    def start(self, *flags, env=None, **more):
        variables = {name: more.pop(name) for name in list(more)
                     if name.isupper() or name.endswith("_proxy")}
        env = self.environment(**variables) if env is None else env
        return super().start("run-job", self.name, *flags, env=env, **more)


class DeleteJob(Job):
    """Starts `run-job delete-pull-secret`, which needs no pull secret."""

    name = "delete-pull-secret"

    def environment(self, **variables):
        return super().environment(**{"PULL_SECRET_DATA": None, **variables})


class Applet(Runner):
    """Starts the applet `name` on the emulator's project; keywords in capitals are variables.

    Its output holds no part of a stored payload, but where may_print() allows it.
    """

    name = None

    def start(self, *words, **more):
        env = {"GCP_PROJECT_ID": self.emulator.project, **self.emulator.environment()}
        env |= {name: more.pop(name) for name in list(more) if name.isupper()}
        return super().start(self.name, *words, env=env, **more)

    def __call__(self, *words, **more):
        result = super().__call__(*words, **more)
        held = [version.data for secret in self.emulator.secretmanager.store.secrets.values()
                for version in secret.versions if len(version.data) >= 8]
        said = result.stderr + (b"" if self.may_print(result) else result.stdout)
        assert leaked(held, said) == []
        return result

    def may_print(self, _):
        """Whether a payload may be on standard output."""
        return False


class Scratch(Job):
    """Runs the job in a root folder that holds the program only, as FROM scratch."""

    def __init__(self, emulator, root):
        super().__init__(emulator)
        self.root = root
        inside = Path(str(root) + PROGRAM)
        inside.parent.mkdir(parents=True)
        shutil.copy(PROGRAM, inside)
        shutil.copy(emulator.ca_file, root / "ca.pem")

    def start(self, *flags, closed=(), **more):
        def enter():
            os.chroot(self.root)
            os.chdir("/")
            for fd in closed:
                os.close(fd)
        more.setdefault("SSL_CERT_FILE", "/ca.pem")
        return super().start(*flags, preexec_fn=enter, **more)


def together(function, rows):
    """Call function(*row) for all rows {id: row} at once; for tests that wait.

    Fails with every row that failed, by its id.
    """
    def attempt(row):
        try:
            function(*row)
        except (Exception, pytest.fail.Exception) as error:
            return error
        return None

    with ThreadPoolExecutor(max_workers=len(rows)) as pool:
        errors = dict(zip(rows, pool.map(attempt, rows.values())))
    failed = {name: error for name, error in errors.items() if error}
    for name, error in failed.items():
        print(f"--- {name}: {type(error).__name__}: {error}")
    assert not failed, f"failed: {', '.join(failed)}"


@pytest.fixture(params=["few", pytest.param("many", marks=pytest.mark.soak)])
def sample(request):
    """Thin out the rows of a large matrix: sample(rows, step) keeps each step-th.

    `make soak` keeps 16 times as many, or all: a matrix by the byte takes hours.
    """
    share = 16 if request.param == "many" else 1
    return lambda rows, step: dict(list(rows.items())[::max(1, step // share)])


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def answers(port):
    """Whether a port of 127.0.0.1 accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition, seconds=10):
    """Wait until another thread or process made something true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.01)


def waits(process):
    """Whether the process waits in the kernel."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


def stuck(process):
    """Whether it sleeps, and goes on sleeping."""
    try:
        return all(waits(process) and not time.sleep(0.02) for _ in range(5))
    except FileNotFoundError:
        return False


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """The folder of all emulators' certificates."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def start_emulator(certificates):
    """Start emulators with given options (emulator.Emulator)."""
    started = []

    def start(**options):
        emulator = Emulator(certificates, **options).start()
        started.append(emulator)
        return emulator

    yield start
    for emulator in started:
        emulator.stop()
        assert emulator.crashes == []
        assert_well_formed(emulator)


def assert_well_formed(emulator):
    """No request that came whole broke a rule of HTTP."""
    for entry in emulator.requests():
        assert entry.operation == "incomplete" or entry.problems == [], entry


@pytest.fixture
def emulator(start_emulator, request):
    """A fresh emulator, empty and without faults; of the kind that EMULATOR of the file says."""
    return start_emulator(**getattr(request.module, "EMULATOR", {}))


@pytest.fixture
def run_fleet(emulator, tmp_path):
    """Runs lists of tasks (fleet.py), and ends what is left of them."""
    from fleet import Fleet  # which takes parts of this file
    runner = Fleet(emulator, tmp_path)
    yield runner
    runner.stop()


@pytest.fixture
def run():
    """Run any applet: run("version", env={…}, stdin=b"…")."""
    runner = Runner()
    yield runner
    runner.stop()


@pytest.fixture
def start_job():
    """Make a Job for an emulator: start_job(emulator)(MAX_WAIT_TIME_SECONDS=3)."""
    jobs = []

    def make(emulator):
        jobs.append(Job(emulator))
        return jobs[-1]

    yield make
    for job in jobs:
        job.stop()


@pytest.fixture
def job(emulator, start_job):
    """Run the main job against `emulator`: job("--dry-run", CLUSTER_ID="x")."""
    return start_job(emulator)


@pytest.fixture
def delete(emulator):
    """Delete the secret of `emulator`: delete("--force", CLUSTER_ID="x")."""
    runner = DeleteJob(emulator)
    yield runner
    runner.stop()


@pytest.fixture
def scratch(emulator, tmp_path):
    """Run the main job in an empty root folder, scratch.root."""
    runner = Scratch(emulator, tmp_path / "root")
    yield runner
    runner.stop()


@contextlib.contextmanager
def silent(address, port=0):
    """Listen there, but take no more connections: who connects waits."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, port))
        listener.listen(0)
        waiting = []
        for _ in range(3):
            client = socket.socket(family)
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
            waiting.append(client)
        yield listener.getsockname()[1]
        for client in waiting:
            client.close()


@pytest.fixture
def full_backlog():
    """A port that takes no more connections."""
    with silent("127.0.0.1") as port:
        yield port


@pytest.fixture
def full_pipe():
    """The writing end of a pipe that is full and that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    yield writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def unread_terminal():
    """A terminal that nobody reads. Once there is little room, poll(2) calls it ready,
    but a write of some KiB waits in the kernel.
    """
    screen, terminal = os.openpty()
    yield terminal
    os.close(screen)
    os.close(terminal)
