"""Commands that the emulator runs: what they see, how they end, and wrong orders."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import Emulator, Fault, tryout

FOLDER = Path(__file__).resolve().parent
REAL = {  # what may be left over in a shell
    "GOOGLE_APPLICATION_CREDENTIALS": "/real.json", "CLOUDSDK_CONFIG": "/real",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": "/real", "HTTPS_PROXY": "http://real",
    "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT": "real@example.com", "https_proxy": "real",
    "ALL_PROXY": "real", "no_proxy": "localhost", "STS_ENDPOINT": "https://real",
    "SECRET_MANAGER_ENDPOINT": "https://real", "SECRET_MANAGER_CONNECT_TO": "real",
    "CLOUD_RESOURCE_MANAGER_ENDPOINT": "https://real", "GCE_METADATA_HOST": "real",
    "GCE_METADATA_IP": "real", "NO_GCE_CHECK": "true", "SSL_CERT_DIR": "/real",
    "GOOGLE_CLOUD_QUOTA_PROJECT": "real", "GOOGLE_CLOUD_UNIVERSE_DOMAIN": "real",
    "SYSTEM_ROOTS": "1", "GCP_PROJECT_ID": "real", "METADATA_SERVER_DETECTION": "real",
    "CLOUDSDK_CORE_ACCOUNT": "real\nGOOGLE_X=1"}


def start(directory, *words, options=(), env=None, **more):
    command = [sys.executable, str(FOLDER), "--directory", str(directory), *options, "--",
               *map(str, words)]
    return subprocess.Popen(command, env={**os.environ, **(env or {})}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def run(directory, *words, **more):
    process = start(directory, *words, **more)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def seen(directory, **more):
    """The environment that a command has."""
    show = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    code, out, err = run(directory, *show, **more)
    assert (code, err) == (0, "")
    return json.loads(out)


def assert_cut_off(env):
    assert "real" not in "".join(
        value for name, value in env.items() if name in REAL or name == "HOME")
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in env
    assert env["SECRET_MANAGER_ENDPOINT"].startswith("https://localhost:")
    assert env["GCE_METADATA_HOST"] == env["GCE_METADATA_IP"]
    assert env["GCP_PROJECT_ID"] == "test-project"
    assert set(REAL) & set(env) == {
        "SECRET_MANAGER_ENDPOINT", "STS_ENDPOINT", "GCE_METADATA_HOST", "GCE_METADATA_IP",
        "GCP_PROJECT_ID", "CLOUDSDK_CONFIG"} | (
            {"CLOUD_RESOURCE_MANAGER_ENDPOINT"} & set(env))


def test_a_command_sees_this_google_only(directory, tmp_path):
    home = tmp_path / "real-home"
    home.mkdir()
    env = seen(directory, env={**REAL, "HOME": str(home), "CLUSTER_ID": "c1"})
    assert_cut_off(env)
    assert env["CLUSTER_ID"] == "c1" and env["PATH"] == os.environ["PATH"]
    assert not os.path.exists(env["HOME"])  # it was there while the command ran


def test_the_environment_file_cuts_off_too(emu, tmp_path):
    (tmp_path / "env").write_text(tryout.script(tryout.variables(emu, str(tmp_path))))
    show = ". ./env; exec " + sys.executable + " -c 'import json, os;" \
        "print(json.dumps(dict(os.environ)))'"
    out = subprocess.run(["sh", "-euc", show], env={**os.environ, **REAL}, check=True,
                         cwd=tmp_path, capture_output=True, text=True).stdout
    assert_cut_off({**json.loads(out), "HOME": ""})


def test_every_variable_of_the_program_that_leads_somewhere_is_known():
    """Rows of the options' tables, but for names and files of the job itself."""
    table = (FOLDER.parents[1] / "src/job/options.c").read_text()
    shared = table[re.search(r'\{ "(--)?credentials-file"', table).start():]
    names = set(re.findall(r'\{ "[a-z0-9-]+",\s*"([A-Z0-9_]+)"', shared))
    assert {"GOOGLE_APPLICATION_CREDENTIALS", "SYSTEM_ROOTS", "NO_PROXY"} <= names
    leads = {name for name in names if not re.match("(HYPERFLEET_)?LOG_", name)}
    assert [name for name in leads if not re.fullmatch(tryout.REAL, name)] == []


def test_it_serves_before_the_command_runs(directory):
    fetch = ("import os, urllib.request as u; "
             "r = u.Request('http://' + os.environ['GCE_METADATA_HOST'] + "
             "'/computeMetadata/v1/project/project-id', "
             "headers={'Metadata-Flavor': 'Google'}); print(u.urlopen(r).read().decode())")
    assert run(directory, sys.executable, "-c", fetch,
               options=["--project", "my-project"]) == (0, "my-project\n", "")


def test_credentials_where_they_are_asked_for(directory, tmp_path):
    env = seen(directory, options=["--adc", str(tmp_path / "adc")], env=REAL)
    assert env["GOOGLE_APPLICATION_CREDENTIALS"] == str(tmp_path / "adc")


@pytest.mark.parametrize("words, code", [
    (["true"], 0), (["sh", "-c", "exit 42"], 42), (["sh", "-c", "kill -TERM $$"], 143),
    (["no-such-command"], 127), (["/dev/null"], 126)])
def test_the_exit_status_is_the_commands(directory, words, code):
    status, out, err = run(directory, *words)
    assert (status, out) == (code, "")
    assert err.startswith(f"emulator: {words[0]}: ") == (code in (126, 127))


@pytest.mark.parametrize("number", ["INT", "TERM", "HUP", "USR1"])
def test_signals_are_forwarded(directory, number):
    """Sent to the emulator alone, which waits until the command has ended."""
    command = f"trap 'echo got; exit 7' {number}; echo ready; while :; do sleep 0.01; done"
    process = start(directory, "sh", "-c", command)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, f"SIG{number}"))
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (7, "got\n", "")


COUNT = """
import signal
both = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, both)
print("ready", flush=True)
for _ in "ab":
    print(signal.sigwaitinfo(both).si_signo, flush=True)
"""


def test_the_terminal_reaches_the_command_itself(directory):
    """Its SIGINT goes to both, and is not sent a second time."""
    screen, terminal = os.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, str(FOLDER), "--directory", str(directory),
         "--", sys.executable, "-c", COUNT],
        stdin=terminal, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGSTOP)  # or two of them could become one
    os.write(screen, b"\x03")
    assert process.stdout.readline() == "2\n"
    process.send_signal(signal.SIGCONT)
    process.terminate()
    assert process.communicate(timeout=20)[0] == "15\n"
    os.close(screen)
    os.close(terminal)


def test_a_command_starts_with_signals_as_they_were(directory):
    """Python ignores SIGPIPE; what it starts must not, nor have any blocked."""
    out = run(directory, "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")[1]
    of_glibc = 1 << 31 | 1 << 32  # which ignores its own two while it starts a process
    assert [int(line.split()[1], 16) & ~of_glibc for line in out.splitlines()] == [0, 0]


# --- orders that cannot be meant ---------------------------------------------------


@pytest.mark.parametrize("fault, said", [
    ({"service": "secretmanager", "match": "acess", "drop": "idle"},
     "no operation 'acess' of secretmanager; did you mean access?"),
    ({"service": "secretmanager", "match": "addversion", "drop": "idle"},
     "no operation 'addversion' of secretmanager; did you mean addVersion"),
    ({"service": "metadata", "match": "addVersion", "drop": "idle"},
     "no operation 'addVersion' of metadata; there are: account"),
    ({"service": "federation", "match": "exchagne", "drop": "idle"},
     "no operation 'exchagne' of federation; did you mean exchange?"),
    ({"service": "secretmanger", "drop": "idle"},
     "no service 'secretmanger'; did you mean secretmanager"),
    ({"service": "oauth", "dorp": "idle"}, "no field 'dorp'; did you mean drop"),
    ({"service": "oauth", "drop": "comitted"},
     "no drop 'comitted'; did you mean committed"),
    ({"service": "oauth", "tamper": "flop"}, "no tamper 'flop'; did you mean flip?"),
    ({"service": "oauth", "reply": "unavailble"},
     "no reply named 'unavailble'; did you mean unavailable"),
    ({"service": "oauth", "reply": {"body": "x"}}, "status"),
    ({"service": "oauth", "drop": "idle", "times": "2"}, "times='2': of the wrong type"),
    ({"service": "oauth", "drop": "idle", "nth": 0}, "nth and times count from 1"),
    ({"service": "oauth", "commit": 1}, "commit=1: of the wrong type"),
    ({"service": "oauth"}, "no fault is given"),
    ({"drop": "idle"}, "service is missing")])
def test_wrong_orders_are_errors_at_once(directory, fault, said):
    with pytest.raises((TypeError, ValueError)) as refused:
        Emulator(directory).order_json(fault)
    assert said in str(refused.value)


def test_wrong_orders_on_the_command_line(directory):
    fault = json.dumps({"service": "oauth", "match": "tokne", "drop": "idle"})
    code, out, err = run(directory, "echo", "ran", options=["--fault", fault])
    assert (code, out) == (2, "")
    assert err.endswith("--fault: no operation 'tokne' of oauth; did you mean token or tokeninfo or revoke?\n")


def test_no_command(directory):
    code, out, err = run(directory)
    assert (code, out) == (2, "") and err.endswith("error: no COMMAND after --\n")


def test_an_order_in_python_names_an_operation(directory):
    emulator = Emulator(directory)
    with pytest.raises(ValueError, match="did you mean create"):
        emulator.order("secretmanager", "creat", fault=Fault(drop="idle"))
