"""A machine of another architecture with a Linux kernel of its own, emulated by qemu.

Its first file system, in memory, is all there is: busybox, the program and what a
test adds. Kernel and busybox come from Debian's packages; the cache keeps them.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PATIENCE = 240  # seconds after which the guest counts as hung
# In an order in which each finds what it needs.
MODULES = ("virtio_ring", "virtio", "virtio_mmio", "failover", "net_failover", "virtio_net")


def cached_packages():
    """The folder with the unpacked packages."""
    folder = ROOT / os.environ.get("CACHE", ".cache") / "kernel-arm64"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        fetch(folder)
        (folder / "complete").touch()
    return folder


def fetch(folder):
    depends = output("apt-cache", "depends", "linux-image-cloud-arm64:arm64")
    kernel = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
    kernel = kernel if kernel.endswith(":arm64") else f"{kernel}:arm64"
    for package in (kernel, "busybox-static:arm64"):
        output("apt-get", "-q", "-o", "APT::Sandbox::User=", "download", package, cwd=folder)
    for package in folder.glob("*.deb"):
        output("dpkg-deb", "-x", package, folder)
        package.unlink()


def output(*command, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          text=True, timeout=PATIENCE, **options)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}"
    return done.stdout


class Guest:
    """files: what is added to it, by path, as bytes or a file to copy."""

    def __init__(self, files):
        packages = cached_packages()
        self.kernel, = packages.glob("boot/vmlinuz-*")
        modules = {name: path for name in MODULES
                   for path in packages.rglob(f"kernel/**/{name}.ko*")}
        assert len(modules) == len(MODULES)
        self.files = {
            "init": HERE / "init",
            "bin/busybox": packages / "bin" / "busybox",
            "modules/order": "\n".join(path.name for path in modules.values()).encode(),
            **{f"modules/{path.name}": path for path in modules.values()},
            **files,
        }

    def run(self, folder):
        """What it says between its start and its end: {part: lines}."""
        image = folder / "initramfs"
        image.write_bytes(archive(self.files))
        said = output(
            "qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72", "-m", "512",
            "-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio",
            "-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net",
            "-kernel", self.kernel, "-initrd", image,
            "-append", "console=ttyAMA0 quiet loglevel=0 panic=-1")
        (folder / "console").write_text(said)
        parts, part = {}, None
        for line in said.replace("\r", "").splitlines():
            if line.startswith("=== "):
                part = parts.setdefault(line[4:], [])
            elif part is not None:
                part.append(line)
        assert "end" in parts, said
        return parts


def archive(files):
    """A cpio archive of the "new" format (Linux, initramfs buffer format)."""
    folders = {str(parent) for name in files for parent in Path(name).parents} - {"."}
    members = [(name, 0o040755, b"") for name in sorted(folders | {"proc", "dev"})]
    members += [(name, 0o100755, data if isinstance(data, bytes) else data.read_bytes())
                for name, data in files.items()]
    members.append(("TRAILER!!!", 0, b""))
    return b"".join(member(number, *one) for number, one in enumerate(members))


def member(number, name, mode, data):
    path = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + path
    return padded(head) + padded(data)


def padded(data):
    return data + b"\0" * (-len(data) % 4)
