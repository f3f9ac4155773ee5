"""The result file for HyperFleet's status-reporter."""

import json
import os
import resource
import shutil
import signal
import socket
import stat
import threading
from pathlib import Path

import pytest
from conftest import CLUSTER, PULL_SECRET, UNPRIVILEGED, auth, native, needs_root, pull_secret, until
from test_credential_types import Files

from emulator import errors

RESULT_MAX = 12288  # of which the room is taken


@pytest.fixture
def path(tmp_path):
    """Where the result goes: alone in its folder."""
    (tmp_path / "results").mkdir()
    return tmp_path / "results" / "adapter-result.json"


def read(path):
    """The result, checked as its reader does, and alone in its folder."""
    assert os.listdir(path.parent) == [path.name]
    data = path.read_bytes()
    assert 0 < len(data) <= 8192
    value = json.loads(data)
    assert value["status"] in ("success", "failure")
    assert value["reason"].isalnum() and value["reason"][0].isupper()
    assert len(value["reason"].encode()) <= 128
    assert 0 < len(value["message"].encode()) <= 1024
    assert value["message"] == value["message"].strip()
    assert isinstance(value["details"], dict)
    for word in (auth(), "canary"):
        assert word not in data.decode()
    return value


def test_success(emulator, job, path):
    assert job(RESULTS_PATH=path).code == 0
    version = (f"projects/{emulator.project_number}/secrets/"
               f"hyperfleet-{CLUSTER}-pull-secret/versions/1")
    assert read(path) == {
        "status": "success", "reason": "PullSecretStored",
        "message": f"Stored and verified {len(PULL_SECRET)} bytes as {version}",
        "details": {"cluster_id": CLUSTER, "gcp_project": emulator.project,
                    "version": version},
    }


def test_dry_run(job, path):
    assert job("--dry-run", RESULTS_PATH=path).code == 0
    value = read(path)
    assert (value["status"], value["reason"]) == ("success", "DryRunPassed")


def failures(emulator):
    """Name: (what to order, flags, variables, exit status, reason)."""
    def every(reply):
        return lambda: emulator.order("secretmanager", times=None, reply=reply)

    return {
        "usage": (None, ["--unknown"], {}, 2, "ConfigurationInvalid"),
        "operand": (None, ["x"], {}, 2, "ConfigurationInvalid"),
        "configuration": (None, [], {"CLUSTER_ID": "X"}, 2, "ConfigurationInvalid"),
        "no-source": (None, [], {"PULL_SECRET_DATA": None}, 2, "ConfigurationInvalid"),
        "secret": (None, [], {"PULL_SECRET_DATA": "{}"}, 3, "PullSecretInvalid"),
        "too-large": (None, [], {"PULL_SECRET_DATA": "x" * 70_000}, 3,
                      "PullSecretInvalid"),
        "no-credentials": (None, [], {"NO_GCE_CHECK": "1"}, 4, "NotAuthenticated"),
        "denied": (every(errors.permission_denied()), [], {}, 4, "PermissionDenied"),
        "disabled": (every(errors.service_disabled()), [], {}, 4, "PermissionDenied"),
        "differs": (lambda: emulator.order("secretmanager", "access", times=None,
                                           tamper="flip"), [], {}, 5,
                    "VerificationFailed"),
        "quota": (every(errors.quota_exceeded(retry_after=999)), [], {}, 1,
                  "QuotaExceeded"),
        "unavailable": (every(errors.unavailable(retry_after=999)), [], {}, 1,
                        "ServiceUnavailable"),
        "deadline": (lambda: emulator.order("secretmanager", times=None,
                                            delay_before=30), [],
                     {"MAX_WAIT_TIME_SECONDS": 1}, 1, "DeadlineExceeded"),
        "long-message": (every(errors.api("PERMISSION_DENIED", "ü€😀" * 3000)), [],
                         {}, 4, "PermissionDenied"),
    }


@pytest.mark.parametrize("name", [
    "usage", "operand", "configuration", "no-source", "secret", "too-large",
    "no-credentials", "denied", "disabled", "differs", "quota", "unavailable",
    "deadline", "long-message",
])
def test_failure(emulator, job, path, name):
    order, flags, variables, code, reason = failures(emulator)[name]
    if order:
        order()
    result = job(*flags, RESULTS_PATH=path, **variables)
    value = read(path)
    assert (result.code, value["status"], value["reason"]) == (code, "failure", reason)
    assert value["details"]["error_code"]
    assert ("version" in value["details"]) == (name == "differs")
    if result.out:
        assert result.error["message"].startswith(value["message"])
        assert value["details"].get("hint") == result.error.get("hint")


def test_by_flag(job, path):
    assert job("--results-path", path).code == 0
    assert read(path)["status"] == "success"


def test_a_usage_error_after_the_flag(job, path):
    """The flags before the wrong one still count."""
    assert job("--results-path", path, "--unknown").code == 2
    assert read(path)["reason"] == "ConfigurationInvalid"


@pytest.mark.parametrize("flags, variables", [
    (["--unknown"], {}), (["--dry-run=maybe"], {}), ([], {"DRY_RUN": "maybe"}),
    ([], {"SYNC_LABELS": "on"})], ids=str)
def test_a_usage_error_before_the_flag(job, path, flags, variables):
    """So do those after it, and the error is still the first one."""
    result = job(*flags, "--results-path", path, "--nonsense", "stray", **variables)
    assert result.code == 2
    told = read(path)
    assert told["reason"] == "ConfigurationInvalid"
    for name in [flag.partition("=")[0] for flag in flags] or variables:
        assert name in told["message"]
    assert "stray" not in result.err and "nonsense" not in result.err


def test_everybody_may_read_it(job, path):
    for umask in (0o077, 0o000, 0o777):
        assert job(RESULTS_PATH=path, umask=umask).code == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_it_is_replaced_and_never_written_into(job, path):
    """A reader that has the old file open goes on reading the old one."""
    path.write_text("old")
    with open(path, encoding="utf-8") as old:
        before = os.fstat(old.fileno()).st_ino
        assert job(RESULTS_PATH=path).code == 0
        assert old.read() == "old"
        assert path.stat().st_ino != before
    assert read(path)["status"] == "success"


def reserved(folder):
    """What is in the folder before the end: the room that was taken, hidden."""
    name, = os.listdir(folder)
    assert name.startswith(".result-")
    assert (folder / name).stat().st_blocks * 512 >= RESULT_MAX
    return folder / name


def test_a_stale_one_is_removed_at_the_start(emulator, job, path):
    """SIGKILL leaves the hidden file, and nothing that could be taken for a result."""
    path.write_text('{"status": "success"}')
    emulator.order("metadata", delay_before=30)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests("metadata"))
    reserved(path.parent)
    process.popen.send_signal(signal.SIGKILL)
    assert process.wait().code == -signal.SIGKILL
    reserved(path.parent)


def test_nothing_is_there_before_the_end(emulator, job, path):
    emulator.order("secretmanager", "access", delay_before=0.5)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests(operation="access"))
    reserved(path.parent)
    assert process.wait().code == 0
    assert read(path)["status"] == "success"


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)],
                         ids=["SIGTERM", "SIGINT"])
def test_signal(emulator, job, path, number, code):
    emulator.order("metadata", delay_before=30)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests("metadata"))
    process.popen.send_signal(number)
    assert process.wait().code == code
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "Interrupted")
    assert "no version was written" in value["message"]
    assert value["details"]["error_code"] == "CANCELLED"


# --- places where it cannot be ---------------------------------------------------

BAD_PATHS = {
    "no-folder": "missing/result.json", "below-a-file": "file/result.json",
    "trailing-slash": "results/", "a-folder": "results",
    "long": "x" * 5000, "long-name": "x" * 300,
}


@pytest.mark.parametrize("name", BAD_PATHS.values(), ids=BAD_PATHS)
def test_unusable_paths_are_told_before_anything_is_sent(emulator, job, tmp_path, name):
    (tmp_path / "results").mkdir()
    (tmp_path / "file").touch()
    result = job(RESULTS_PATH=f"{tmp_path}/{name}")
    assert result.code == 2
    assert "RESULTS_PATH" in result.err
    assert result.err.count("\n") == 1
    assert result.stdout == b""
    assert emulator.connections() == []


def test_an_unwritable_folder_is_told_before_anything_is_sent(emulator, job, path):
    path.parent.chmod(0o555)
    result = job(RESULTS_PATH=path, before=UNPRIVILEGED)
    assert result.code == 2
    assert "RESULTS_PATH" in result.err
    assert emulator.connections() == []


def make_bad(path, kind, tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    if kind == "link":
        path.symlink_to(other)
    elif kind == "link-to-nothing":
        path.symlink_to(tmp_path / "nothing")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))


@pytest.mark.parametrize("kind", ["link", "link-to-nothing", "fifo", "socket"])
def test_only_a_regular_file_is_replaced(emulator, job, path, tmp_path, kind):
    make_bad(path, kind, tmp_path)
    before = os.lstat(path)
    result = job(RESULTS_PATH=path)
    assert result.code == 2
    assert f"RESULTS_PATH: {path} is a" in result.err
    assert "no regular file" in result.err
    assert result.err.count("\n") == 1
    assert emulator.connections() == []
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert (tmp_path / "other").read_text() == "mine"
    assert os.listdir(path.parent) == [path.name]


@needs_root
@native
def test_a_device_is_not_replaced(job, path):
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    assert job(RESULTS_PATH=path).code == 2
    assert stat.S_ISCHR(os.lstat(path).st_mode)


# One that is not looked for in results, as a leak.
MINE = pull_secret(**{"quay.io": auth("user", "mine")})
INPUTS = {
    "PULL_SECRET_FILE": {"PULL_SECRET_DATA": None}, "SSL_CERT_FILE": {},
    "GOOGLE_APPLICATION_CREDENTIALS": {}, "TERMINATION_LOG_PATH": {},
}


@pytest.mark.parametrize("how", ["same-path", "hard-link", "link-to-it"])
@pytest.mark.parametrize("name", INPUTS)
def test_an_input_is_not_replaced(emulator, job, path, name, how):
    """Whatever else is wrong, and by whatever name: a file is device and inode."""
    path.write_text(MINE)
    given = path.parent / "given"
    if how == "hard-link":
        os.link(path, given)
    elif how == "link-to-it":
        given.symlink_to(path.name)
    else:
        given = path
    for flags in [], ["--unknown"]:
        result = job(*flags, RESULTS_PATH=path, **{**INPUTS[name], name: given})
        assert result.code == 2
        assert flags or f"RESULTS_PATH: {path} is the file of {name}, too" in result.err
        assert name == "TERMINATION_LOG_PATH" or path.read_text() == MINE
    assert emulator.connections() == []


@pytest.mark.parametrize("flags, variables", [
    (["--unknown"], {}), (["--unknown", "stray"], {}), (["--quiet", "--quiet"], {}),
    (["--gcp-project-id="], {}), ([], {"LOG_QUIET": "maybe"})], ids=str)
def test_an_input_that_is_named_after_an_error_is_not_replaced(job, path, flags, variables):
    path.write_text(MINE)
    result = job(*flags, "--pull-secret-file", path, RESULTS_PATH=path, PULL_SECRET_DATA=None,
                 **variables)
    assert result.code == 2
    assert path.read_text() == MINE


# None of those of the run's own account, which are looked for as leaks.
OTHER_ACCOUNT = json.dumps({"type": "authorized_user", "client_id": "c",
                            "client_secret": "s", "refresh_token": "r"})


@pytest.mark.parametrize("output", ["RESULTS_PATH", "TERMINATION_LOG_PATH"])
@pytest.mark.parametrize("variable", ["CLOUDSDK_CONFIG", "HOME"])
def test_credentials_that_no_option_names_are_not_replaced(emulator, job, tmp_path, variable,
                                                           output):
    """A run without them would go on as another account, the metadata server's."""
    folder = tmp_path if variable == "CLOUDSDK_CONFIG" else tmp_path / ".config" / "gcloud"
    folder.mkdir(parents=True, exist_ok=True)
    found = folder / "application_default_credentials.json"
    found.write_text(OTHER_ACCOUNT)
    result = job(**{variable: tmp_path, output: found})
    assert result.code == 2
    assert f"{output}: {found} is the file of gcloud's credentials, too" in result.err
    assert found.read_text() == OTHER_ACCOUNT
    assert emulator.connections() == []


def token_of_a_credential_file(files, **_):
    adc = files.external_account()
    return files.folder / "token", {"GOOGLE_APPLICATION_CREDENTIALS": adc}


def authority_of_a_credential_file(files, emulator, **_):
    path = files.folder / "ca.pem"
    path.write_text(Path(emulator.ca_file).read_text())
    adc = files.gdch()
    adc.write_text(adc.read_text().replace(str(emulator.ca_file), str(path)))
    return path, {"GOOGLE_APPLICATION_CREDENTIALS": adc}


def one_of_a_folder(files, emulator, **_):
    path = files.folder / "certificates" / "corp.pem"
    path.parent.mkdir()
    path.write_text(Path(emulator.ca_file).read_text())
    return path, {"SSL_CERT_DIR": path.parent}


FOUND = (token_of_a_credential_file, authority_of_a_credential_file, one_of_a_folder)


@pytest.mark.parametrize("output", ["RESULTS_PATH", "TERMINATION_LOG_PATH"])
@pytest.mark.parametrize("find", FOUND)
def test_a_file_that_only_reading_finds_is_not_replaced(emulator, job, tmp_path, find, output):
    """Whatever else is wrong."""
    found, variables = find(files=Files(emulator, tmp_path / "files"), emulator=emulator)
    before = found.read_text()
    other = {"RESULTS_PATH": tmp_path / "result", "TERMINATION_LOG_PATH": tmp_path / "note"}
    other["TERMINATION_LOG_PATH"].touch()
    for flags, more in ([], {}), (["--unknown"], {}), ([], {"CLUSTER_ID": "?"}):
        result = job(*flags, **{**other, **variables, **more, output: found})
        assert result.code == 2
        assert flags or more or (f"{output}: {found} is a file that is read, too"
                                 in result.error["message"])
        assert found.read_text() == before
        # The other one says why, and nothing is left in the folder.
        (told,) = {text for name, path in other.items() if name != output
                   for text in [path.read_text()]}
        assert "ConfigurationInvalid" in told
        assert not [name for name in os.listdir(found.parent) if name.startswith(".")]
    assert emulator.connections() == []


@pytest.mark.parametrize("name", ["file-before", "folder-before", "file-in-the-folder"])
def test_a_certificate_that_stands_after_a_wrong_one_is_not_replaced(emulator, job, tmp_path, name):
    """The first error is told, and what it kept from being read is still an input."""
    found, variables = one_of_a_folder(Files(emulator, tmp_path / "files"), emulator)
    if name == "file-before":
        variables["SSL_CERT_FILE"] = wrong = "/missing"
    elif name == "folder-before":
        wrong = emulator.ca_file
        variables["SSL_CERT_DIR"] = f"{wrong}:{found.parent}"
    else:
        shutil.copy(found, found.parent / "other.pem")
        wrong, found = (found.parent / name for name in os.listdir(found.parent))
        os.truncate(wrong, 17 << 20)
    before = found.read_text()
    result = job(**variables, RESULTS_PATH=found)
    assert result.code == 2
    assert ("MiB" if name == "file-in-the-folder" else str(wrong)) in result.error["message"]
    assert found.read_text() == before


def test_a_folder_that_takes_no_files(emulator, job):
    result = job(RESULTS_PATH="/proc/result")
    assert result.code == 2
    assert "RESULTS_PATH: no file can be made beside /proc/result" in result.err
    assert emulator.connections() == []


def test_the_file_on_standard_input_or_output_is_not_replaced(emulator, job, path):
    path.write_text(MINE)
    with open(path, "rb") as given:
        result = job(RESULTS_PATH=path, PULL_SECRET_DATA=None, PULL_SECRET_FILE="-",
                     stdin=given)
    assert (result.code, path.read_text()) == (2, MINE)
    for stream in "stdout", "stderr":
        with open(path, "ab") as log:
            assert job(RESULTS_PATH=path, **{stream: log}).code == 2
    assert path.read_text().startswith(MINE)
    assert emulator.connections() == []


# --- what cannot be reported -----------------------------------------------------


def check_unreported(result, value=None):
    """The rule: stored and verified, so no retry; and whatever still speaks says so."""
    assert result.code == 6
    if value is not None:
        assert (value["status"], value["reason"]) == ("failure", "ReportIncomplete")
        assert value["details"]["version"].endswith("/versions/1")
        assert f"already written: {value['details']['version']}" in value["message"]


def test_a_folder_that_goes_away(emulator, job, path):
    emulator.order("secretmanager", "access", delay_before=0.5)
    process = job.start(RESULTS_PATH=path)
    until(lambda: emulator.requests(operation="access"))
    shutil.rmtree(path.parent)
    result = process.wait()
    check_unreported(result)
    assert result.error["operation"] == "result-file"
    assert str(path) in result.error["message"]
    assert result.error["version"] in result.error["message"]
    assert result.operations[-1] == "summary"
    assert result.operations.count("summary") == 1
    assert result.log[-1]["message"].endswith("0 succeeded, 1 failed")


def on_small_volume(path):
    """Words before the program: the folder of path is a volume of 64 KiB for it."""
    folder = path.parent
    return ["unshare", "-m", "sh", "-c",
            f"mount -t tmpfs -o size=64k none {folder}; \"$@\"; code=$?\n"
            f"cp -a {folder}/. {folder}-seen; exit $code", "sh"]


def fill_volume(process, path):
    """As another program does it; the process is in a mount namespace of its own."""
    filler = os.open(f"/proc/{process.pid}/root{path.parent}/filler",
                     os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(filler, b"x" * 4096)
    os.close(filler)


@needs_root
@native
def test_a_volume_that_fills_up_has_room_for_the_result(emulator, job, path):
    emulator.order("secretmanager", "access", delay_before=1)
    process = job.start(RESULTS_PATH=path, before=on_small_volume(path))
    until(lambda: emulator.requests(operation="access"))
    fill_volume(process, path)
    assert process.wait().code == 0
    seen = path.parent.with_name("results-seen")
    assert sorted(os.listdir(seen)) == [path.name, "filler"]
    assert json.loads((seen / path.name).read_text())["status"] == "success"


@needs_root
@native
def test_a_full_volume_has_room_for_the_result_of_a_crash(emulator, job, path):
    emulator.order("metadata", delay_before=30)
    process = job.start(RESULTS_PATH=path, before=on_small_volume(path))
    until(lambda: emulator.requests("metadata"))
    fill_volume(process, path)
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    os.kill(int(child), signal.SIGSEGV)
    assert process.wait().code == 128 + signal.SIGSEGV
    seen = path.parent.with_name("results-seen")
    assert json.loads((seen / path.name).read_text())["reason"] == "InternalError"


@needs_root
@native
def test_a_volume_that_is_full_ends_the_run_before_anything_is_sent(emulator, job, path, tmp_path):
    words = on_small_volume(path)
    words[4] = words[4].replace("; \"$@\"", f"; cat /dev/zero >{path.parent}/filler; \"$@\"")
    note = tmp_path / "note"
    note.touch()
    result = job(RESULTS_PATH=path, TERMINATION_LOG_PATH=note, before=words)
    assert result.code == 1
    assert f"cannot reserve 12288 bytes for {path}" in result.err
    assert result.stdout == b""
    assert note.read_text().startswith("ReportIncomplete: cannot reserve ")
    assert os.listdir(path.parent.with_name("results-seen")) == ["filler"]
    assert emulator.connections() == []


@pytest.mark.parametrize("flags", [[], ["--dry-run"]], ids=["stored", "dry-run"])
def test_a_log_file_that_is_full_at_its_last_line(job, path, tmp_path, flags):
    """The summary is half written; by then the result said success."""
    log, limit = tmp_path / "log", 40_000
    whole = job(*flags, CLUSTER_ID="cluster-2").out
    last = len(whole.splitlines()[-1])
    log.write_bytes(b" " * (limit - len(whole) + last // 2))
    with open(log, "ab") as out:
        result = job(*flags, RESULTS_PATH=path, stdout=out, preexec_fn=lambda: (
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
    assert "completed" in log.read_text() or flags
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "ReportIncomplete")
    assert "standard output" in result.err
    if flags:
        assert result.code == 1
    else:
        check_unreported(result, value)


def test_a_relative_path(job, path):
    assert job(RESULTS_PATH=path.name, cwd=path.parent).code == 0
    assert read(path)["status"] == "success"


def test_a_lost_log_is_no_success(emulator, job, path):
    reader, writer = os.pipe()
    emulator.order("secretmanager", "addVersion", delay_before=0.5)
    process = job.start(stdout=writer, RESULTS_PATH=path)
    os.close(writer)
    while b"Adding secret version" not in os.read(reader, 65536):
        pass
    os.close(reader)
    check_unreported(process.wait(), read(path))


def test_a_closed_log_has_a_result(job, path):
    assert job(RESULTS_PATH=path, preexec_fn=lambda: os.close(1)).code == 1
    assert read(path)["status"] == "failure"


# --- the default place -----------------------------------------------------------


@needs_root
@native
def test_without_its_folder_there_is_no_result(scratch):
    before = sorted(os.listdir(scratch.root))
    assert scratch().code == 0
    assert sorted(os.listdir(scratch.root)) == before


@needs_root
@native
def test_the_default_place(scratch):
    (scratch.root / "results").mkdir()
    assert scratch().code == 0
    assert read(scratch.root / "results" / "adapter-result.json")["status"] == "success"


@needs_root
@native
def test_the_default_place_for_an_empty_variable(scratch):
    (scratch.root / "results").mkdir()
    assert scratch(RESULTS_PATH="", CLUSTER_ID="").code == 2
    value = read(scratch.root / "results" / "adapter-result.json")
    assert value["status"] == "failure"


def test_a_reader_that_polls_never_sees_a_part(emulator, job, path):
    """As fast as it can, over many runs that end in different ways."""
    seen, done = [], threading.Event()

    def poll():
        while not done.is_set():
            try:
                seen.append(path.read_bytes())
            except FileNotFoundError:
                pass

    reader = threading.Thread(target=poll)
    reader.start()
    for number in range(30):
        variables = [{}, {"CLUSTER_ID": "WRONG"}, {"PULL_SECRET_DATA": "{}"}][number % 3]
        assert job(RESULTS_PATH=path, **variables).code == (0, 2, 3)[number % 3]
    done.set()
    reader.join()
    assert len(seen) > 30
    for data in set(seen):
        assert json.loads(data)["status"] in ("success", "failure")
        assert data.endswith(b"}\n")
