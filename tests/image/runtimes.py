"""Ways to run the image: podman, and by hand in a chroot with namespaces of its own."""

import os
import shutil
import signal
import subprocess
import time

ENTRYPOINT = "/usr/local/bin/pull-secret"
COMMAND = ["run-job", "pull-secret"]
EPOCH = "1700000000"  # the same for every build, to compare their bytes
PATIENCE = 120  # seconds after which anything counts as hung


def environment(**more):
    """For podman's builds: as little of the machine as can be."""
    drop = "MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES".split()
    kept = {name: value for name, value in os.environ.items() if name not in drop}
    return {**kept, "BUILDAH_ISOLATION": "chroot", "SOURCE_DATE_EPOCH": EPOCH, **more}


def run(command, cwd=None, **more):
    """The finished process, output and errors in one text."""
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment(**more), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=900,
    )


def podman(folder):
    """podman with a storage of its own, so that nobody's images are touched."""
    return ["podman", f"--root={folder}/root", f"--runroot={folder}/run", f"--tmpdir={folder}/tmp",
            "--runtime=runc", "--cgroup-manager=cgroupfs", "--storage-driver=vfs",
            "--events-backend=none"]


class Podman:
    """A real container runtime."""

    def __init__(self, tool, image):
        self.tool = tool
        self.image = image

    def options(self):
        """Read-only, without capabilities and new privileges."""
        return ["--rm", "--network=host", "--read-only", "--cap-drop=all",
                "--security-opt=no-new-privileges",
                "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]

    def command(self, user, mounts, variables, words, label):
        """What runs the image."""
        command = [*self.tool, "run", "--name", label, *self.options(), f"--user={user}"]
        for inside, (outside, mode) in mounts.items():
            command.append(f"--volume={outside}:{inside}:{mode}")
        command += [f"--env={name}={value}" for name, value in variables.items()]
        return command + [self.image] + words

    def stop(self, process, label):
        """SIGTERM to process 1 of the container."""
        del process
        done = run([*self.tool, "kill", "--signal=TERM", label])
        assert done.returncode == 0, done.stdout

    def name(self):
        """What runs the containers, and its version."""
        done = run([*self.tool, "version", "--format={{.Client.Version}}"])
        return f"podman {done.stdout.strip()} with runc"

    def why_not(self):
        """Why no container can run here; empty if one can."""
        done = run([*self.tool, "run", *self.options(), self.image, "version"])
        return "" if done.returncode == 0 else done.stdout.strip().split("\n")[-1]


class Chroot:
    """The files of the image in namespaces of their own, for machines without a runtime."""

    def __init__(self, root):
        self.root = root

    def name(self):
        """What stands in for a runtime."""
        return "a chroot with namespaces of its own"

    def command(self, user, mounts, variables, words, label):
        """The same confinement by hand; the program becomes process 1 of its namespace."""
        place = f"{self.root}.{label}"
        shutil.copytree(self.root, place)
        script = ["set -e", f"mount --bind {place} {place}"]
        for inside, (outside, mode) in mounts.items():
            target = place + inside
            if os.path.isdir(outside):
                os.makedirs(target)
            else:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "xb"):
                    pass
            script += [f"mount --bind {outside} {target}",
                       f"mount -o remount,bind,{mode} {target}"]
        script.append(f"mount -o remount,bind,ro {place}")
        chroot = [shutil.which("setpriv"), "--no-new-privs", shutil.which("chroot"),
                  f"--userspec={user}", "--groups=", place, ENTRYPOINT]
        script.append(f'exec env -i {" ".join(f"{n}={v}" for n, v in variables.items())} '
                      f'{" ".join(chroot)} "$@"')
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                "\n".join(script), "sh", *(words or COMMAND)]

    def stop(self, process, label):
        """SIGTERM to process 1 of the namespace: the only child."""
        del label
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGTERM)


def wait_until(condition):
    """Polls; fails after a long while."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to this"
        time.sleep(0.02)
