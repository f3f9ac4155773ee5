"""A machine without credentials: where they were looked for, and for how long.

In a network of its own with a default route, behind which nobody answers: so
169.254.169.254 is silent, as on a laptop. What the firmware calls the machine is
read below /sys, for which a file system in memory stands in.
"""

import contextlib
import json
import os
import pty

from conftest import PULL_SECRET, Runner, native, needs_root, together
from test_credential_types import Files

SILENCE = """
mount -t tmpfs none /sys && mkdir -p /sys/class/dmi/id || exit 99
[ -z "$1" ] || echo "$1" >/sys/class/dmi/id/product_name
shift
ip link add one type veth peer name two && ip link set two up && ip link set one up &&
    ip address add 192.0.2.2/24 dev one && ip route add default via 192.0.2.1 &&
    ip neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev one || exit 99
exec "$@"
"""
HOST = "169.254.169.254"


def on_a_machine(product=""):
    """Words that run what follows on a machine of that name."""
    return ["unshare", "--net", "--mount", "sh", "-c", SILENCE, "sh", product]


def run(words, product="", **variables):
    return Runner()(*words, before=on_a_machine(product),
                    env={"PATH": os.environ["PATH"], **variables})


@needs_root
@native
def test_the_log_of_a_laptop():
    """Three lines: what starts, what failed, what came of it."""
    result = run(["run-job", "pull-secret"], HOME="/nowhere", GCP_PROJECT_ID="project-1",
                 CLUSTER_ID="c1", PULL_SECRET_DATA=PULL_SECRET)
    assert result.code == 4
    assert result.operations == ["start", "init-client", "summary"]
    assert result.error["error_code"] == "UNAUTHENTICATED"
    for part in (f"no access token (metadata server {HOST} for 2 s, ",
                 "GOOGLE_APPLICATION_CREDENTIALS is not set, ",
                 "/nowhere/.config/gcloud/application_default_credentials.json is not there",
                 f"{HOST}:80: no answer in time"):
        assert part in result.error["message"], part
    assert "gcloud auth application-default login" in result.error["hint"]


def judge(is_cloud, product, **variables):
    """Within 4 s there is time for a second try, where there is patience for one."""
    result = run(["run-job", "pull-secret", "--timeout", "4"], product,
                 GCP_PROJECT_ID="project-1", CLUSTER_ID="c1", PULL_SECRET_DATA=PULL_SECRET,
                 **variables)
    assert len(result.warnings) >= is_cloud, result.out
    assert ("for 2 s" in result.error["message"]) == (not is_cloud), result.out
    assert result.code == (1 if is_cloud else 4), result.out
    assert "GOOGLE_APPLICATION_CREDENTIALS is not set" in (
        result.warnings or result.errors)[0]["message"]


SIGNS = {
    "firmware": (True, "Google"),
    "firmware-in-full": (True, "Google Compute Engine"),
    "another-firmware": (False, "Not Google"),
    "no-firmware": (False, ""),
}


@needs_root
@native
def test_signs_of_google_cloud():
    def check(name):
        if name in SIGNS:
            judge(*SIGNS[name])
        else:
            judge(True, "Laptop 3000", **{name: HOST})

    together(check, {name: (name,) for name in (
        *SIGNS, "KUBERNETES_SERVICE_HOST", "K_SERVICE", "CLOUD_RUN_JOB",
        "GCE_METADATA_HOST")})


def test_an_unreadable_file_is_named(emulator, start_job, tmp_path):
    """A folder cannot be read by anybody."""
    path = tmp_path / "application_default_credentials.json"
    path.mkdir()
    emulator.refuse("metadata")
    result = start_job(emulator)(CLOUDSDK_CONFIG=tmp_path, MAX_WAIT_TIME_SECONDS=2)
    assert f"{path} cannot be read" in result.warnings[0]["message"]
    assert f"{path} cannot be read" in result.error["message"]
    assert str(path) not in result.warnings[1]["message"]


@contextlib.contextmanager
def terminal():
    """A terminal, and what was written to it."""
    screen, end = pty.openpty()
    yield end, lambda: os.read(screen, 4096).decode()
    os.close(end)
    os.close(screen)


def test_who_is_asked_is_said_at_a_terminal(emulator, tmp_path):
    """What the program asks nobody for, it does not wait for."""
    key = Files(emulator, tmp_path).service_account()
    for words, said in (((), f"metadata server {emulator.metadata_host}; GOOGLE_"),
                        (("--credentials-file", key), None)):
        with terminal() as (end, screen):
            # It prints a token, so nothing is searched for one.
            result = Runner()("token", "--json", "--show-token", *words, env=emulator.environment(),
                              stderr=end)
            os.write(end, b".")
            text = screen()
        assert result.code == 0
        assert json.loads(result.out)["access_token"]
        assert text.startswith(f"pull-secret: token: waiting for {said}" if said else ".")
