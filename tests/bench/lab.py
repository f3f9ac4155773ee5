"""Runs one program at a time against the emulator and says what it took."""

import base64
import hashlib
import os
import re
import struct
import subprocess
import threading
import time
from pathlib import Path

from emulator import Emulator

HERE = Path(__file__).resolve().parent
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
QUICK_SECONDS, QUICK_SAMPLES, SAMPLE_SECONDS = 0.02, 20, 0.1


class Failed(Exception):
    """A run that did not end with success."""


def compiled(name, folder):
    """A program of this folder; static, so that it adds next to no memory."""
    program = Path(folder) / name
    subprocess.run(["musl-gcc", "-static", "-O2", "-o", program, HERE / f"{name}.c"], check=True)
    return program


class Relay:
    """A way to a port of this machine that takes as long as one through the world."""

    def __init__(self, folder, port, milliseconds):
        self._counters = Path(folder) / f"counters-{milliseconds}"
        self._process = subprocess.Popen(
            [Path(folder) / "relay", str(port), str(milliseconds * 1000), self._counters],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self._process.stdout.readline())

    def counts(self):
        """Connections, bytes sent, bytes received and round trips since the start."""
        return struct.unpack("4q", self._counters.read_bytes())

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Lab:
    """An emulator with Google's shape of certificate chain, and relays of each distance.

    A fast one counts no requests.
    """

    def __init__(self, folder, distances, fast=False):
        self.folder = Path(folder) / ("fast" if fast else "strict")
        self.folder.mkdir()
        folder = self.folder
        self._measure = compiled("measure", folder)
        compiled("relay", folder)
        self._emulator = Emulator(folder, chain="google", fast=fast).start()
        port = self._emulator.port("secretmanager")
        self._relays = {distance: Relay(folder, port, distance)
                        for distance in distances if distance}

    def close(self):
        for relay in self._relays.values():
            relay.stop()
        self._emulator.stop()

    @property
    def own_root(self):
        """The root that the emulator's chain leads to."""
        return Path(self._emulator.ca_file).read_text()

    def put(self, cluster):
        """Let a cluster's secret exist."""
        name = f"hyperfleet-{cluster}-pull-secret"
        if not self._emulator.secretmanager.payloads(name):
            self._emulator.secretmanager.put(name, b"{}")

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def run(self, command, secret, distance=0, roots=None, cluster="", memory=False):
        """Run a command; returns its figures, times in ms and memory in KiB."""
        relay = self._relays.get(distance)
        before = relay.counts() if relay else None
        self._emulator.journal.clear()
        figures = self._measured([str(word) for word in command],
                                 self._environment(relay, secret, roots, cluster), memory)
        time.sleep(0.02)  # the journal is written after the reply
        api = self._emulator.journal.requests("secretmanager")
        figures["requests"] = len(api)
        figures["connections"] = len({entry.connection for entry in api})
        if relay:
            _, sent, received, trips = (now - then for now, then in zip(relay.counts(), before))
            figures |= {"sent": sent, "received": received, "trips": trips}
        return figures

    def _environment(self, relay, secret, roots, cluster):
        environment = {
            **self._emulator.environment(), "PATH": os.environ["PATH"],
            "GCP_PROJECT_ID": self._emulator.project, "PULL_SECRET_FILE": str(secret),
            "METADATA_SERVER_DETECTION": "assume-present"}  # which Node's client else looks for
        if relay:
            environment["SECRET_MANAGER_ENDPOINT"] = f"https://localhost:{relay.port}"
        if roots:
            environment["SSL_CERT_FILE"] = str(roots)
        if cluster:
            environment["CLUSTER_ID"] = cluster
        environment["NODE_EXTRA_CA_CERTS"] = environment["SSL_CERT_FILE"]
        return environment

    def _measured(self, command, environment, memory):
        out = self.folder / "figures"
        with open(self.folder / "output", "wb+") as output:
            process = subprocess.Popen([self._measure, out, *command], env=environment,
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            sampler = Sampler(process.pid) if memory else None
            process.wait()
            if sampler:
                sampler.stop()
            wall, cpu, peak, status = map(int, out.read_text().split())
            if status != 0:
                output.seek(-min(2000, output.tell()), os.SEEK_END)
                raise Failed(f"{' '.join(command)}: exit status {status}\n"
                             + output.read().decode(errors="replace"))
        figures = {"wall": wall / 1000, "cpu": cpu / 1000, "peak": peak}
        if sampler:
            figures |= sampler.figures()
        return figures


class Sampler:
    """Looks again and again at how much memory the children of a process have."""

    def __init__(self, pid):
        self._pid = pid
        self._all = self._first = self._other = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self):
        self._end.set()
        self._thread.join()

    def figures(self):
        """Of all processes together, of the first, and of the largest of the others."""
        return {"memory": self._all, "launcher": self._first, "worker": self._other}

    def _watch(self):
        samples = 0
        while not self._end.wait(QUICK_SECONDS if samples < QUICK_SAMPLES else SAMPLE_SECONDS):
            samples += 1
            family = descendants(self._pid)
            self._all = max(self._all, sum(map(resident, family)))
            peaks = [peak(pid) for pid in family]
            self._first = max([self._first, *peaks[:1]])
            self._other = max([self._other, *peaks[1:]])


def descendants(pid):
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [one for child in children for one in (child, *descendants(child))]


def _field(pid, file, name):
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", Path(f"/proc/{pid}/{file}").read_text(), re.M)
    except OSError:
        return None
    return int(found[1]) if found else None


def resident(pid):
    """KiB of memory; what is shared counts as a share, where the kernel tells."""
    share = _field(pid, "smaps_rollup", "Pss")
    return share if share is not None else _field(pid, "status", "VmRSS") or 0


def peak(pid):
    return _field(pid, "status", "VmHWM") or 0


def pull_secret(size):
    """A pull secret of so many bytes: registries with passwords of 500 each, and some space."""
    auth = base64.b64encode(b"user:" + hashlib.shake_256(b"bench").hexdigest(250).encode())
    entries, length = [], len('{"auths":{}}')
    while True:
        entry = f'"registry{len(entries)}.example.com":{{"auth":"{auth.decode()}"}}'
        if length + len(entry) + 1 > size:
            return f'{{"auths":{{{",".join(entries)}}}'.ljust(size - 1).encode() + b"}"
        entries.append(entry)
        length += len(entry) + 1


def bundle(own, count):
    """A CA bundle of `count` roots: the one that is needed last, those of the machine before it.

    Where these are too few, keys are changed: nobody checks how a root signed itself.
    """
    pattern = r"-----BEGIN CERTIFICATE-----\n(.*?)-----END CERTIFICATE-----\n"
    system = [base64.b64decode(text) for text in
              re.findall(pattern, SYSTEM_BUNDLE.read_text(), re.S)]
    made, turn = list(system), 0
    while len(made) < count:
        turn += 1
        for root in system:
            key = max(root.find(start) for start in (b"\x02\x82\1\1\0", b"\x02\x82\2\1\0"))
            if key > 0:
                other = struct.pack(">Q", turn * 0x0101010101010101)
                made.append(root[:key + 20] + other + root[key + 28:])
    pems = []
    for root in made[:count - 1]:
        text = base64.encodebytes(root).decode().replace("\n", "")
        lines = "\n".join(text[at:at + 64] for at in range(0, len(text), 64))
        pems.append(f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    return "".join([*pems, own]).encode()


def machine():
    """The processor, how many of its cores, and the kernel."""
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    kernel = re.match(r"[\d.]*\d", os.uname().release)[0]
    return {"cpu": names[0] if names else os.uname().machine,
            "cores": len(os.sched_getaffinity(0)), "kernel": kernel}
