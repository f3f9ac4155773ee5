"""make cluster: the image and the manifests in a real Kubernetes, on this machine.

Builds what a cluster needs, then runs the tests of this folder in namespaces (mount, network,
processes, IPC, host name) and cgroups of their own. When they have ended, in whatever way, all
their processes are gone with the namespaces, and so are the mounts.
"""

import ctypes
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from programs import TOP, VERSION, CannotBuild, Programs

# Where containerd and the kubelet write whatever they are told; covered for the time being.
COVERED = ("/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers",
           "/var/log/pods")
# What the kubelet would set for the whole machine. It is shown what it wants to see instead.
TUNABLES = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10,
            "kernel/panic_on_oops": 1, "kernel/keys/root_maxkeys": 1000000,
            "kernel/keys/root_maxbytes": 25000000}
# Reaps orphans while it waits, as process 1 must.
INSIDE = """
set -eu
mount --make-rshared /
for folder in "$WORK" $COVERED; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
for tunable in $TUNABLES; do
    path=/proc/sys/${tunable%=*}
    [ "$(cat "$path")" != "${tunable#*=}" ] || continue
    echo "${tunable#*=}" >"$WORK/tunable.$(basename "$path")"
    mount --bind "$WORK/tunable.$(basename "$path")" "$path"
done
hostname node-1
ip link set lo up
status=0
scripts/pytest -p no:xdist tests/cluster "$@" || status=$?
exit "$status"
"""
NEEDED = {"containerd": "containerd", "runc": "runc", "ip": "iproute2", "musl-gcc": "musl-tools",
          "podman": "podman", "unshare": "util-linux", "openssl": "openssl"}
PR_SET_PDEATHSIG = 1
PATIENCE = 30


def why_not():
    """What is missing, or an empty text."""
    if os.geteuid() != 0:
        return "needs root: namespaces, cgroups and a container runtime"
    missing = [package for tool, package in NEEDED.items() if not shutil.which(tool)]
    if not Path("/usr/lib/cni/bridge").exists():
        missing.append("containernetworking-plugins")
    return f"needs {', '.join(missing)} (scripts/setup cluster)" if missing else ""


def hierarchies():
    """Where cgroups are mounted."""
    rows = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(row[1]) for row in rows if row[2] in ("cgroup", "cgroup2")]


def state():
    """What must be the same afterwards."""
    return {name: Path("/proc/sys", name).read_text() for name in TUNABLES}


def make_cgroup(top):
    """Make a cgroup. Where it shares out processors it gets more of them, for it stands for
    a machine; returns the one in it for all that is no pod, None if it does not."""
    top.mkdir()
    parts = top / "parts"
    for name, value in (("cpu.shares", "16384"), ("cpu.weight", "1600")):
        if (top / name).exists():
            (top / name).write_text(value)
            parts.mkdir()
            return parts
    return None


class Sandbox:
    """The namespaces and cgroups of one run."""

    def __init__(self, programs):
        self._name = f"pull-secret-cluster-{os.getpid()}"
        self._work = Path(tempfile.mkdtemp(prefix="pull-secret-cluster."))
        self._made, self._groups = [], []
        self._process = None
        self._env = {
            **os.environ, "WORK": str(self._work), "COVERED": " ".join(COVERED),
            "TUNABLES": " ".join(f"{name}={value}" for name, value in TUNABLES.items()),
            "CLUSTER_CGROUP": self._name, "KUBERNETES": str(programs.kubernetes),
            "IMAGES": ":".join(map(str, programs.images))}

    def run(self, arguments):
        """The exit status of the tests, and the line that counts them."""
        for folder in COVERED:
            self._make(Path(folder))
        for hierarchy in hierarchies():
            self._groups.append(make_cgroup(hierarchy / self._name))
        words = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork",
                 "--kill-child", "--mount-proc", "sh", "-c", INSIDE, "sh", *arguments]
        self._process = subprocess.Popen(words, cwd=TOP, env=self._env, stdout=subprocess.PIPE,
                                         preexec_fn=self._enter)
        said = b""
        while part := os.read(self._process.stdout.fileno(), 65536):
            sys.stdout.buffer.write(part)
            sys.stdout.flush()
            said = (said + part)[-65536:]
        lines = re.findall(r"^(?:=+ )?\d+ \w+.* in [0-9.]+s.*$", said.decode(errors="replace"), re.M)
        return self._process.wait(), lines[-1] if lines else ""

    def _enter(self):
        """In the child: into the cgroups, and to die when this process does."""
        for group in self._groups:
            if group:
                (group / "cgroup.procs").write_text(str(os.getpid()))
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def _make(self, folder):
        """Make a folder to mount on, and remember what was not there."""
        if not folder.exists():
            self._make(folder.parent)
            folder.mkdir()
            self._made.append(folder)

    def close(self):
        """End all processes, and remove what is left of them; not to be interrupted."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self._process:
            self._process.kill()
            self._process.stdout.close()
            self._process.wait()
        for hierarchy in hierarchies():
            _remove_cgroup(hierarchy / self._name)
        for folder in [*reversed(self._made), self._work]:
            folder.rmdir()


def _remove_cgroup(top):
    """Remove a cgroup and those below, whose last processes are ending right now."""
    end = time.monotonic() + PATIENCE
    while top.exists():
        try:
            for folder, _, _ in os.walk(top, topdown=False):
                os.rmdir(folder)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def alone():
    """Wait until no other run covers the same folders; the lock ends with this process."""
    lock = os.open("/run", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("cluster: waiting for another one on this machine to end", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def counted(line, words):
    return sum(int(number) for number in re.findall(rf"(\d+) (?:{words})", line))


def ended(number, _):
    """On a signal: out of here, and once only, for a second one would disturb the cleaning."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    problem = why_not()
    if problem:
        print(f"cluster: {problem}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGINT, ended)
    programs = Programs()
    try:
        programs.build()
    except CannotBuild as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    print(f"cluster: Kubernetes {VERSION}, its own kubelet; stand-ins: the emulator for Google, "
          "one of ours for HyperFleet's status-reporter", flush=True)
    alone()
    before = state()
    sandbox = Sandbox(programs)
    try:
        status, line = sandbox.run(sys.argv[1:])
    finally:
        sandbox.close()
    passed, skipped = counted(line, "passed"), counted(line, "skipped|xfailed")
    failed = counted(line, "failed|errors?")
    after = state()
    for name, value in before.items():
        if after[name] != value:
            print(f"FAILED: {name} of this machine has changed: {value!r}, {after[name]!r}")
            failed += 1
    if status != 0 and not failed:
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


sys.exit(main())
