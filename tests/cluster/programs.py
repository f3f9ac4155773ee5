"""What a cluster is made of: programs and images, built from pinned sources into the cache."""

import gzip
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
VERSION = re.search(r"\n\tk8s\.io/kubernetes v(\S+)", (HERE / "go/go.mod").read_text())[1]
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PAUSE, REPORTER = "localhost/pause:1", "localhost/status-reporter:stand-in"
OURS = "localhost/pull-secret:cluster"


class CannotBuild(Exception):
    """Says what is missing or what went wrong."""


def run(words, **more):
    """Run it; returns what it printed."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **more)
    if done.returncode != 0:
        raise CannotBuild(f"{words[0]} {words[1]}: {done.stdout.strip()[-3000:]}")
    return done.stdout


class Programs:
    """Paths of the programs, and of the archives of the images."""

    def __init__(self):
        self.kubernetes = _cached("kubernetes", "main.go", "go.mod", "go.sum")
        self._reporter = _cached("status-reporter", "status-reporter/main.go")
        self._work = TOP / "build/cluster"
        self.images = [self._work / name for name in ("pause.tar", "reporter.tar", "ours.tar")]

    def build(self):
        """Build what is not there yet. Kubernetes takes long the first time, half an hour
        on two processors."""
        self._work.mkdir(parents=True, exist_ok=True)
        minor = VERSION.split(".")[1]
        stamp = "k8s.io/component-base/version.git"
        self._go(self.kubernetes, ".", f"-X {stamp}Version=v{VERSION} -X {stamp}Major=1 "
                                       f"-X {stamp}Minor={minor}")
        self._go(self._reporter, "./status-reporter", "")
        pause = self._work / "pause"
        run(["musl-gcc", "-std=c11", "-D_GNU_SOURCE", "-Os", "-static", "-s", "-o", pause,
             HERE / "pause.c"])
        archive(self.images[0], PAUSE, pause)
        archive(self.images[1], REPORTER, self._reporter)
        self._ours()

    def _go(self, target, package, stamps):
        if target.exists():
            return
        print(f"cluster: building {target}", flush=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_suffix(".new")
        run([compiler(), "build", "-p", "2", "-trimpath", "-ldflags", f"-s -w {stamps}", "-o", fresh,
             package], cwd=HERE / "go", env={
                 **os.environ, "GOWORK": "off", "CGO_ENABLED": "0",
                 "GOFLAGS": "-mod=readonly -buildvcs=false"})
        fresh.rename(target)

    def _ours(self):
        """The image as `make image-host` makes it, with a storage that is thrown away."""
        storage = self._work / "podman"
        tool = ["podman", f"--root={storage}/root", f"--runroot={storage}/run",
                f"--tmpdir={storage}/tmp", "--runtime=runc", "--cgroup-manager=cgroupfs",
                "--storage-driver=vfs", "--events-backend=none"]
        name, tag = OURS.split("/")[1].split(":")
        env = {key: value for key, value in os.environ.items()
               if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
        env["BUILDAH_ISOLATION"] = "chroot"
        try:
            run(["make", "image-host", "IMAGE_REGISTRY=localhost", f"IMAGE_NAME={name}",
                 f"IMAGE_TAG={tag}", f"CONTAINER_TOOL={' '.join(tool)}"], cwd=TOP, env=env)
            self.images[2].unlink(missing_ok=True)
            run([*tool, "save", "--format=oci-archive", "-o", self.images[2], OURS], env=env)
        finally:
            shutil.rmtree(storage, ignore_errors=True)


def compiler():
    """The command of a Go that can build this; one before 1.21 cannot fetch what it needs,
    but as a module."""
    if not shutil.which("go"):
        raise CannotBuild("Go is needed (scripts/setup cluster)")
    major, minor = re.search(r"go(\d+)\.(\d+)", run(["go", "version"])).groups()
    if (int(major), int(minor)) >= (1, 21):
        return "go"
    module = f"golang.org/toolchain@v0.0.1-go1.24.13.linux-{ARCH}"
    told = json.loads(run(["go", "mod", "download", "-json", module], cwd=HERE / "go/toolchain",
                          env={**os.environ, "GOWORK": "off", "GOFLAGS": "-mod=readonly"}))
    # Modules have no bits that say what can be run.
    root = Path(told["Dir"])
    for program in [*root.glob("bin/*"), *root.glob("pkg/tool/*/*")]:
        program.chmod(0o555)
    return str(root / "bin/go")


def _cached(name, *sources):
    """Where a program is kept that is made of these sources."""
    digest = hashlib.sha256(b"".join((HERE / "go" / path).read_bytes() for path in sources))
    folder = TOP / os.environ.get("CACHE", ".cache") / "cluster"
    return folder / f"{name}-{digest.hexdigest()[:16]}"


def archive(path, name, program):
    """Write an OCI archive of an image with one file, its entry point."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as files:
        entry = tarfile.TarInfo(program.name)
        entry.size, entry.mode = program.stat().st_size, 0o755
        files.addfile(entry, io.BytesIO(program.read_bytes()))
    packed = gzip.compress(layer.getvalue(), mtime=0)
    kind = "application/vnd.oci.image."
    blobs = {}

    def put(data, media):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": kind + media, "digest": f"sha256:{digest}", "size": len(data)}

    config = put(_json({
        "architecture": ARCH, "os": "linux",
        "config": {"Entrypoint": [f"/{program.name}"], "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": [
            "sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()]}}), "config.v1+json")
    manifest = put(_json({
        "schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "config": config,
        "layers": [put(packed, "layer.v1.tar+gzip")]}), "manifest.v1+json")
    manifest["annotations"] = {"io.containerd.image.name": name}
    blobs["index.json"] = _json({"schemaVersion": 2, "manifests": [manifest]})
    blobs["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
    with tarfile.open(path, "w") as files:
        for inside, data in blobs.items():
            entry = tarfile.TarInfo(inside)
            entry.size = len(data)
            files.addfile(entry, io.BytesIO(data))


def _json(value):
    return json.dumps(value).encode()
