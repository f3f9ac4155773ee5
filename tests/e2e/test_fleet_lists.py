"""Lists of all kinds, through workers to the end: what is stored, failed, said and returned."""

import fcntl
import json
import os
import select
import signal
import stat
import subprocess

import fleet
import pytest
from conftest import auth, native, pull_secret, pull_secret_of, together, until
from fleet import Sprinkle, cluster, clusters, counts, exactly, payload, secret, stored, task

from emulator import errors

LINE_MAX = 160 * 1024
# Lines that are wrong for good, each with a part of what is said of it.
BAD = {
    "no-json": "{",
    "cut": '{"cluster_id": "bad',
    "array": '["cluster_id"]',
    "string": '"cluster_id"',
    "two-values": '{"cluster_id": "bad"} {}',
    "no-cluster": '{"pull_secret_data": {"auths": {}}}',
    "empty-object": "{}",
    "cluster-number": '{"cluster_id": 17}',
    "cluster-null": '{"cluster_id": null}',
    "cluster-empty": '{"cluster_id": ""}',
    "cluster-characters": '{"cluster_id": "bad/../worse"}',
    "secret-name": '{"cluster_id": "bad", "secret_name": "a/b"}',
    "secret-long": json.dumps({"cluster_id": "bad", "secret_name": "s" * 256}),
    "project": '{"cluster_id": "bad", "gcp_project_id": "No Project"}',
    "labels-text": '{"cluster_id": "bad", "labels": "a=b"}',
    "labels-value": '{"cluster_id": "bad", "labels": {"a": "Not Allowed"}}',
    "labels-number": '{"cluster_id": "bad", "labels": {"a": 1}}',
    "labels-reserved": '{"cluster_id": "bad", "labels": {"managed-by": "me"}}',
    "unknown": '{"cluster_id": "bad", "pull_secret": "x"}',
    "twice": '{"cluster_id": "bad", "cluster_id": "bad"}',
    "both": '{"cluster_id": "bad", "pull_secret_file": "good.json", "pull_secret_data": "x"}',
    "absolute": '{"cluster_id": "bad", "pull_secret_file": "/etc/passwd"}',
    "above": '{"cluster_id": "bad", "pull_secret_file": "../good.json"}',
    "above-inside": '{"cluster_id": "bad", "pull_secret_file": "folder/../../good.json"}',
    "link-out": '{"cluster_id": "bad", "pull_secret_file": "out.json"}',
    "missing": '{"cluster_id": "bad", "pull_secret_file": "missing.json"}',
    "folder": '{"cluster_id": "bad", "pull_secret_file": "folder"}',
    "pipe": '{"cluster_id": "bad", "pull_secret_file": "pipe"}',
    "empty-file": '{"cluster_id": "bad", "pull_secret_file": "empty.json"}',
    "data-number": '{"cluster_id": "bad", "pull_secret_data": 1}',
    "escape": '{"cluster_id": "bad\\u0000"}',
    "zero": '{"cluster_id": "bad\0"}',
    # The pull secret in the wrong place: nothing of it is said.
    "bare": payload(1),
    "cut-secret": '{"cluster_id": "bad", "pull_secret_data": ' + payload(1)[:-3],
    "secret-as-member": json.dumps({"cluster_id": "bad", payload(1): 1}),
    "secret-as-path": json.dumps({"cluster_id": "bad", "pull_secret_file": payload(1)}),
    "secret-as-project": json.dumps({"cluster_id": "bad", "gcp_project_id": payload(1)}),
    "too-long": json.dumps({"cluster_id": "bad", "pull_secret_data": "x" * LINE_MAX}),
}
# Tasks that are well formed, and fail for good in a worker.
INVALID = {
    "no-auths": json.dumps({"cluster_id": "bad", "pull_secret_data": {"nothing": 1}}),
    "invalid-file": json.dumps({"cluster_id": "bad", "pull_secret_file": "invalid.json"}),
    "data-no-json": json.dumps({"cluster_id": "bad", "pull_secret_data": "nothing"}),
}


EMULATOR = {"fast": True, "projects": ("test-project", "other-project")}


@pytest.fixture
def run_fleet(run_fleet, tmp_path):
    """Its lists lie in a folder of their own."""
    run_fleet.folder = tmp_path / "list"
    run_fleet.folder.mkdir()
    return run_fleet


@pytest.fixture
def files(run_fleet, tmp_path):
    """What lines of BAD and INVALID name, beside a good one."""
    folder = run_fleet.folder
    (folder / "folder").mkdir()
    (folder / "good.json").write_text(payload(1))
    (folder / "invalid.json").write_text('{"auths": []}')
    (folder / "empty.json").touch()
    (tmp_path / "good.json").write_text(payload(1))
    (folder / "out.json").symlink_to(tmp_path / "good.json")
    (folder / "inside.json").symlink_to("good.json")
    os.mkfifo(folder / "pipe")
    return folder


def test_bad_lines_among_good_ones(emulator, run_fleet, files, tmp_path):
    """Each is reported with its number, and stands in the list of what failed; the others
    are stored. What failed for good makes exit 7.
    """
    bad = {**BAD, **INVALID}
    rows, numbers = [], {}
    for number in range(300):
        rows.append(task(number))
        if number % 7 == 3 and len(numbers) < len(bad):
            name = list(bad)[len(numbers)]
            rows.append(bad[name])
            numbers[len(rows)] = name
    assert len(numbers) == len(bad)
    failed = tmp_path / "failed"
    result = run_fleet("--workers", 3, "--failed", failed, tasks=rows)
    assert result.code == 7, result.out
    assert stored(emulator) == exactly(range(300))
    log = result.log
    assert counts(log)["total"] == 300 + len(bad)
    assert counts(log)["succeeded"] == 300
    assert log[-1]["level"] == "error"
    assert counts(log)["failed"] == len(bad) == sum(counts(log)["failed_by_code"].values())
    said = {}
    for line in result.errors:
        if line["message"].startswith("line "):
            number = int(line["message"].split()[1].rstrip(":"))
            said[numbers[number]] = line["message"]
    assert said.keys() >= BAD.keys(), bad.keys() - said.keys()
    assert len(result.errors) == len(bad)
    # Verbatim, but for what is too long; tasks that were understood are written anew.
    left = failed.read_text().split("\n")
    understood = {json.loads(line).get("pull_secret_file") for line in left
                  if '"secret_name":"hyperfleet-bad-pull-secret"' in line}
    lost = {name for name, text in BAD.items() if text not in left and name != "too-long"
            and json.loads(text).get("pull_secret_file") not in understood}
    assert not lost
    assert stat.S_IMODE(failed.stat().st_mode) == 0o600


def test_strict(emulator, run_fleet):
    """Nothing behind the first bad line is done, and what was handed out ends."""
    rows = [task(number) for number in range(40)]
    rows[20:20] = ["", "{}"]
    result = run_fleet("--strict", "--workers", 2, tasks=rows)
    assert result.code == 2, result.out
    assert any(line["message"].startswith("line 22: ") for line in result.errors)
    done = clusters(result.log)
    assert set(done) <= {cluster(number) for number in range(20)}
    assert stored(emulator) == exactly(number for number in range(20) if cluster(number) in done)


@native  # qemu has no openat2(2)
def test_sources_projects_and_labels(emulator, run_fleet, files):
    """Inline as an object or as text, from a file, or the shared one; each line has its own
    project, name and labels.
    """
    shared = pull_secret(**{"shared.example": auth()})
    text = '{"auths": {"quay.io": {"auth": "%s"}},  "note": "\\u00e9" }' % auth()
    large = pull_secret_of(65536)
    (files / "large.json").write_text(large)
    rows = [
        {"cluster_id": "shared"},
        '{"cluster_id": "object", "pull_secret_data": %s}' % text,
        json.dumps({"cluster_id": "text", "pull_secret_data": text}),
        {"cluster_id": "file", "pull_secret_file": "good.json"},
        {"cluster_id": "link", "pull_secret_file": "inside.json"},
        {"cluster_id": "named", "secret_name": "a-name-of-its-own"},
        {"cluster_id": "elsewhere", "gcp_project_id": "other-project"},
        {"cluster_id": "large", "pull_secret_data": large},
        {"cluster_id": "large-file", "pull_secret_file": "large.json"},
        {"cluster_id": "labelled", "labels": {"team": "blue", "stage": "prod"}},
        "   ", "",
        '\t{ "cluster_id" : "spaced" } \r',
    ]
    result = run_fleet("--workers", 4, "--label", "team=red,site=x", tasks=rows,
                       PULL_SECRET_DATA=shared)
    assert result.code == 0, result.out
    assert counts(result.log)["total"] == 11

    def name(cluster_id):
        return f"hyperfleet-{cluster_id}-pull-secret"

    have = stored(emulator, "test-project")
    assert have == {
        **{name(one): [shared.encode()] for one in ("shared", "labelled", "spaced")},
        name("object"): [text.encode()], name("text"): [text.encode()],
        name("large"): [large.encode()], name("large-file"): [large.encode()],
        name("file"): [payload(1).encode()], name("link"): [payload(1).encode()],
        "a-name-of-its-own": [shared.encode()]}
    assert stored(emulator, "other-project") == {name("elsewhere"): [shared.encode()]}
    labels = emulator.secretmanager.secret(name("labelled")).fields["labels"]
    assert {"team": "blue", "stage": "prod", "site": "x"}.items() <= labels.items()
    assert labels["cluster-id"] == "labelled"
    assert emulator.secretmanager.secret(name("shared")).fields["labels"]["team"] == "red"
    projects = {line["cluster_id"]: line["gcp_project"] for line in result.log
                if line["operation"] == "completed"}
    assert projects["elsewhere"] == "other-project" and projects["shared"] == "test-project"


def test_tasks_of_one_secret_keep_their_order(emulator, run_fleet):
    """However many workers there are, and whatever strikes the first of them."""
    emulator.orders.sprinkle = Sprinkle(3, {"429": fleet.SINGLE["429"]})
    rows = [task(number, pull_secret_data=payload(100 * version + number))
            for version in range(4) for number in range(12)]
    result = run_fleet("--workers", 4, tasks=rows)
    assert result.code == 0, result.out
    assert stored(emulator) == {
        secret(number): [payload(100 * version + number).encode() for version in range(4)]
        for number in range(12)}


def test_a_list_that_is_written_slowly(emulator, run_fleet):
    """Each task is done before the next one is there, and a line may come in pieces."""
    reader, writer = os.pipe()
    process = run_fleet.start("--tasks", "-", "--workers", 2, stdin=reader)
    os.close(reader)
    for number in range(5):
        line = json.dumps(task(number)).encode()
        os.write(writer, line[:20])
        if number:
            until(lambda last=number - 1: stored(emulator).get(secret(last)))
        os.write(writer, line[20:] + b"\n")
        until(lambda now=number: stored(emulator).get(secret(now)))
    os.write(writer, json.dumps(task(5)).encode())  # no line feed
    os.close(writer)
    result = process.wait()
    assert result.code == 0, result.out
    assert clusters(result.log) == [cluster(number) for number in range(6)]
    assert stored(emulator) == exactly(range(6))


@native  # qemu has no openat2(2)
def test_no_paths_from_standard_input(emulator, run_fleet, files):
    """There is no folder that they could be beneath, unless one is named."""
    rows = json.dumps({"cluster_id": "c0", "pull_secret_file": "good.json"}).encode()
    result = run_fleet("--tasks", "-", stdin=rows)
    assert result.code == 7, result.out
    assert result.errors[0]["message"].startswith("line 1: ")
    assert stored(emulator) == {}
    result = run_fleet("--tasks", "-", "--tasks-folder", files, stdin=rows)
    assert result.code == 0, result.out
    assert stored(emulator) == {secret(0): [payload(1).encode()]}


def test_an_empty_list(emulator, run_fleet):
    result = run_fleet(tasks=["", "  "])
    assert result.code == 0, result.out
    assert len(result.warnings) == 1
    assert emulator.loop.served == 0


def test_dry_run(emulator, run_fleet, tmp_path):
    """Each task says what would be done; nothing is, and the journal has nothing of it."""
    emulator.secretmanager.put(secret(0), b"old")
    journal = tmp_path / "journal"
    result = run_fleet("--dry-run", "--workers", 2, "--journal", journal, tasks=map(task, range(4)))
    assert result.code == 0, result.out
    assert sorted(clusters(result.log, "dry-run")) == sorted(clusters(result.log))
    assert {line["message"] for line in result.log if line["operation"] == "completed"} == {
        "Nothing was changed"}
    assert stored(emulator) == {secret(0): [b"old"]}
    assert not journal.exists()


@native  # qemu has no openat2(2)
def test_what_failed_is_a_list(emulator, run_fleet, files, tmp_path):
    """Run again and again as it is, until nothing is left."""
    emulator.orders.sprinkle = Sprinkle(4, {
        name: fleet.SINGLE[name] for name in ("403", "400", "lost-reply-close", "flip")})
    emulator.order("secretmanager", lambda request: fleet.secret_of(request) == secret(7),
                   times=None, reply=errors.unavailable())
    rows = [task(number) for number in range(60)]
    rows += [{"cluster_id": cluster(number), "pull_secret_file": "good.json",
              "gcp_project_id": "other-project", "labels": {"team": f"t{number}"}}
             for number in range(60)]
    failed = tmp_path / "failed-0"
    result = run_fleet("--workers", 3, "--skip-unchanged", "--failed", failed, "--task-timeout", 2,
                       tasks=rows)
    assert result.code == 1, result.out
    emulator.orders.clear()
    left = [json.loads(line) for line in failed.read_text().splitlines()]
    assert 0 < len(left) < 60, counts(result.log)
    for number in range(1, 5):
        listing, failed = failed, tmp_path / f"failed-{number}"
        result = run_fleet("--tasks", listing, "--tasks-folder", files, "--failed", failed,
                           "--skip-unchanged")
        if result.code == 0:
            break
    assert result.code == 0, result.out
    assert failed.read_bytes() == b""
    assert stored(emulator, "test-project") == exactly(range(60))
    assert stored(emulator, "other-project") == {
        secret(number): [payload(1).encode()] for number in range(60)}
    assert all(emulator.secretmanager.secret(secret(number), "other-project")
               .fields["labels"]["team"] == f"t{number}" for number in range(60))


CODES = {  # of one fault that does not end: the exit code, and the code in the summary
    "for-good": (7, "PERMISSION_DENIED", {"reply": errors.permission_denied()}),
    "later": (1, "UNAVAILABLE", {"reply": errors.unavailable()}),
    "other-bytes": (7, "DATA_LOSS", fleet.SINGLE["flip"]),
}


@pytest.mark.parametrize("name", CODES)
def test_exit_codes(emulator, run_fleet, tmp_path, name):
    code, status, fault = CODES[name]
    emulator.order("secretmanager", lambda request: fleet.secret_of(request) == secret(3),
                   times=None, **fault)
    results = tmp_path / "result"
    result = run_fleet("--task-timeout", 3, tasks=map(task, range(6)), RESULTS_PATH=results)
    assert result.code == code, result.out
    assert counts(result.log) == {"total": 6, "succeeded": 5, "failed": 1,
                                  "failed_by_code": {status: 1}}
    assert result.error["cluster_id"] == cluster(3)
    value = json.loads(results.read_text())
    assert value["status"] == "failure" and value["reason"] == "TasksFailed"
    assert value["details"]["task_failed"] == 1
    whole = exactly(range(6))
    if name != "other-bytes":
        del whole[secret(3)]
    assert stored(emulator) == whole


def test_no_token(emulator, run_fleet, tmp_path):
    """It is the same for all tasks: none is tried with it, and all are left for later."""
    emulator.metadata.service_account = False
    failed = tmp_path / "failed"
    result = run_fleet("--failed", failed, tasks=map(task, range(20)))
    assert result.code == 4, result.out
    assert emulator.loop.served == 0
    assert len(failed.read_text().splitlines()) == 20


@native
def test_nobody_reads_the_log(emulator, run_fleet):
    """A signal ends the run all the same: what comes after a lost line waits for nobody."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = run_fleet.start("--workers", 2, tasks=map(task, range(200)), stdout=writer)
    until(lambda: not select.select([], [writer], [], 0)[1])
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait().code in (6, 128 + signal.SIGTERM)
    assert len(stored(emulator)) < 200
    os.close(reader)
    os.close(writer)


@native
def test_pace(emulator, run_fleet):
    """The project's quota is small: 429 slow down all workers, and all tasks succeed."""
    emulator.secretmanager.quota = {"write": 30}
    emulator.secretmanager.quota_seconds = 1
    result = run_fleet("--workers", 8, "--rate", 1000, tasks=map(task, range(60)))
    assert result.code == 0, result.out
    assert stored(emulator) == exactly(range(60))
    throttled = [line for line in result.warnings if line.get("http_status") == 429]
    assert len(throttled) < 60


FLAGS = [("--workers", 2), ("--shards", 2), ("--strict",), ("--rate", 1), ("--task-timeout", 1),
         ("--failed", "f"), ("--journal", "j"), ("--tasks-folder", ".")]


def test_flags_that_need_a_list(emulator, run):
    def check(*flags):
        env = {**emulator.environment(), "GCP_PROJECT_ID": "test-project", "CLUSTER_ID": "c",
               "PULL_SECRET_DATA": payload(1), "JOB_COMPLETION_INDEX": "0"}
        result = run("run-job", "pull-secret", *flags, env=env)
        assert result.code == 2, result.out
        assert "--tasks" in result.out + result.err

    together(check, {flags[0]: flags for flags in FLAGS})
    assert emulator.loop.served == 0


WRONG = [
    {"SHARDS": 2}, {"SHARDS": 2, "JOB_COMPLETION_INDEX": 2},
    {"SHARDS": 2, "JOB_COMPLETION_INDEX": "x"}, {"SHARDS": 0, "JOB_COMPLETION_INDEX": 0},
    {"SHARDS": 2, "JOB_COMPLETION_INDEX": -1}, {"WORKERS": 0}, {"WORKERS": 33}, {"RATE": 0},
    {"CLUSTER_ID": "c"}, {"SECRET_NAME": "s"}]


def test_variables_that_do_not_fit(emulator, run_fleet):
    listing = fleet.write_list(run_fleet.folder / "list", [task(0)])

    def check(variables):
        result = run_fleet("--tasks", listing, **variables)
        assert result.code == 2, result.out

    together(check, {str(variables): (variables,) for variables in WRONG})
    assert emulator.loop.served == 0


def test_a_pipe_is_a_list(emulator, run_fleet):
    """The way that a shell gives the output of a command."""
    command = subprocess.Popen(["printf", "%s\\n", *(json.dumps(task(number)) for number in range(3))],
                               stdout=subprocess.PIPE)
    result = run_fleet("--tasks", "/dev/stdin", stdin=command.stdout)
    command.stdout.close()
    assert command.wait() == 0
    assert result.code == 0, result.out
    assert stored(emulator) == exactly(range(3))
