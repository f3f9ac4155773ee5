"""The job that deletes a secret: only ours, only as it was read, and never by mistake."""

import json
import os
import re
import shutil
import signal
from urllib.parse import quote

import pytest
from conftest import (CLUSTER, LABELS, PULL_SECRET, SECRET, DeleteJob, auth, contents, native,
                      pull_secret, together, until)
from test_exactly_once import FAULTS, Place
from test_log import check as check_log
from test_main_job import hook, lines, operations
from test_result_file import read
from test_signals import interrupted

from emulator import errors
from emulator.wire import Reply

START = [
    ("start", "Starting pull secret deletion operation"),
    ("client-initialized", "Successfully initialized Secret Manager client"),
    ("get-secret", f"Reading secret: {SECRET}"),
]
DELETED = [
    *START,
    ("delete-secret", f"Deleting secret: {SECRET}"),
    ("delete-secret", "Successfully deleted secret"),
    ("completed", "Successfully deleted pull secret"),
    ("summary", "Job delete-pull-secret: 1 total, 1 succeeded, 0 failed"),
]
ABSENT = ("secret-absent", f"Secret does not exist: {SECRET}")
FAILED = ("summary", "Job delete-pull-secret: 1 total, 0 succeeded, 1 failed")
NOTHING = "; nothing was deleted"
UNKNOWN = "; it is unknown whether the secret was deleted"
FRONT_END = "front end or a proxy"


@pytest.fixture
def secret(emulator):
    """The secret that the main job left behind, with two versions."""
    return emulator.secretmanager.put(SECRET, b"older", b"newer", labels=LABELS)


@pytest.fixture
def path(tmp_path):
    """Where the result goes: alone in its folder."""
    (tmp_path / "results").mkdir()
    return tmp_path / "results" / "adapter-result.json"


@pytest.fixture
def note(tmp_path):
    """A termination log."""
    made = tmp_path / "note"
    made.touch()
    return made


def stored(emulator, name=SECRET):
    return emulator.secretmanager.secret(name) is not None


def deletes(emulator):
    return emulator.requests(operation="delete")


def failed(emulator, result, code, operation):
    """A failure, told once, that left the secret alone; its error line."""
    assert result.code == code, result.out
    check_log(result)
    assert stored(emulator)
    assert result.error["operation"] == operation
    assert lines(result)[-1] == FAILED
    assert "completed" not in result.operations
    assert "Successfully deleted" not in result.out
    assert "version" not in result.error
    return result.error


# --- the way it goes -------------------------------------------------------------


def test_the_lines_of_a_deletion(emulator, delete, secret):
    result = delete()
    assert (result.code, result.err) == (0, "")
    assert lines(result) == DELETED
    check_log(result)
    assert not stored(emulator)
    for line in result.log:
        done = line["message"] == "Successfully deleted secret"
        assert ("duration_ms" in line) == done
        assert line["level"] == "info"
        assert (line["cluster_id"], line["gcp_project"]) == (CLUSTER, emulator.project)
        assert "version" not in line


def test_it_takes_two_requests_on_one_connection(emulator, delete, secret):
    assert delete().code == 0
    base = f"/v1/projects/{emulator.project}/secrets/{SECRET}"
    assert [(entry.method, entry.target) for entry in emulator.requests("secretmanager")] == [
        ("GET", base), ("DELETE", f"{base}?etag={quote(secret.etag, safe='')}")]
    assert [entry.body for entry in emulator.requests("secretmanager")] == [b"", b""]
    assert len(emulator.connections("secretmanager")) == 1
    assert len(emulator.requests("metadata")) == 1


ETAGS = {"google": '"1645ef2b8f0f4a"', "bare": "abc", "reserved": '"a+b/c=&d?#%25 e"',
         "json": '"\\\\\\"\u00e9\u65e5"', "unreserved": '"A-z.0_9~"', "long": f'"{"x" * 100}"'}


def test_the_etag_comes_back_as_it_was_read(start_emulator):
    """Whatever is in it: it is opaque."""
    def check(etag):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, b"x", labels=LABELS).etag = etag
        result = DeleteJob(emulator)()
        assert result.code == 0, result.out
        request, = deletes(emulator)
        assert request.target.partition("?")[2] == f"etag={quote(etag, safe='')}"
        assert not stored(emulator)

    together(check, {name: (etag,) for name, etag in ETAGS.items()})


BAD_REPLIES = {
    "unnamed": lambda value: value.pop("name"),
    "another": lambda value: value.update(name=value["name"] + "-2"),
    "version": lambda value: value.update(name=value["name"] + "/versions/1"),
    "number-as-name": lambda value: value.update(name=1),
    "no-etag": lambda value: value.pop("etag"), "null": lambda value: value.update(etag=None),
    "empty": lambda value: value.update(etag=""),
    "number": lambda value: value.update(etag=1),
    "object": lambda value: value.update(etag={"etag": value["etag"]}),
    "long": lambda value: value.update(etag="x" * 128),
    "huge": lambda value: value.update(etag="x" * 20_000),
}


def test_without_name_and_etag_nothing_is_deleted(start_emulator):
    """Nor with a part of them: what is deleted is what was read, with --force, too."""
    def check(change, *flags):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, b"x", labels=LABELS)
        emulator.order("secretmanager", "get", times=None,
                       tamper=lambda value: [value, change(value)][0])
        result = DeleteJob(emulator)(*flags, MAX_WAIT_TIME_SECONDS=3)
        assert result.code in (1, 2), result.out
        assert deletes(emulator) == []
        assert stored(emulator)
        check_log(result)

    together(check, {f"{name}{flag}": (change, *flag.split())
                     for name, change in BAD_REPLIES.items() for flag in ("", " --force")})


def test_other_secrets_stay(start_emulator, start_job):
    emulator = start_emulator(projects=("test-project", "other-project"))
    manager = emulator.secretmanager
    manager.put(SECRET, b"x", labels=LABELS)
    manager.put(SECRET, b"x", labels=LABELS, project="other-project")
    manager.put(f"{SECRET}-2", b"x", labels=LABELS)
    assert DeleteJob(emulator)().code == 0
    assert list(manager.store.secrets) == [
        f"projects/{emulator.projects['other-project']}/secrets/{SECRET}",
        f"projects/{emulator.project_number}/secrets/{SECRET}-2"]


def test_names_are_those_of_the_main_job(emulator, delete):
    for flags, variables in ((["--secret-name", "mine"], {}), ([], {"SECRET_NAME": "mine"}),
                             (["--secret-name=mine", "--cluster-id", CLUSTER, "--gcp-project-id",
                               emulator.project], {"SECRET_NAME": "not-this",
                                                   "CLUSTER_ID": "c2",
                                                   "GCP_PROJECT_ID": "not-this"})):
        emulator.secretmanager.put("mine", b"x", labels=LABELS)
        result = delete(*flags, **variables)
        assert result.code == 0
        assert "Deleting secret: mine" in result.messages
        assert not stored(emulator, "mine")


def test_what_the_main_job_stored_is_deleted(emulator, job, delete):
    """And stored anew after it; twice, since nothing is left behind."""
    for _ in range(2):
        assert job().code == 0
        assert len(emulator.secretmanager.payloads(SECRET)) == 1
        assert delete().code == 0
        assert not stored(emulator)


def test_the_result(emulator, delete, secret, path, note):
    assert delete(RESULTS_PATH=path, TERMINATION_LOG_PATH=note).code == 0
    assert read(path) == {
        "status": "success", "reason": "PullSecretDeleted",
        "message": f"Deleted secret {SECRET}",
        "details": {"cluster_id": CLUSTER, "gcp_project": emulator.project},
    }
    assert note.read_text().strip() == f"PullSecretDeleted: Deleted secret {SECRET}"


def test_a_pull_secret_is_not_asked_for(delete, secret, tmp_path):
    """A variable of the main job that a pod has is no matter."""
    assert delete(PULL_SECRET_FILE=tmp_path / "missing", FAKE_PULL_SECRET="maybe").code == 0


# --- a secret that is not there --------------------------------------------------


def absent(result, value):
    """A success of its own, with a warning."""
    assert result.code == 0, result.out
    check_log(result)
    line = result.line("secret-absent")
    assert line["level"] == "warning"
    assert result.warnings == [line]
    assert result.errors == []
    assert "Successfully deleted" not in result.out
    assert (value["status"], value["reason"]) == ("success", "PullSecretAbsent")
    assert value["message"] == f"Secret {SECRET} does not exist; nothing was deleted"


def test_absent(emulator, delete, path, note):
    result = delete(RESULTS_PATH=path, TERMINATION_LOG_PATH=note)
    absent(result, read(path))
    assert lines(result)[:4] == [*START, ABSENT]
    assert lines(result)[-1] == DELETED[-1]
    assert operations(emulator) == ["get"]
    assert note.read_text().startswith("PullSecretAbsent: ")


def test_somebody_else_deletes_it_in_between(emulator, delete, secret, path, monkeypatch):
    hook(monkeypatch, emulator, "delete",
         before=lambda: emulator.secretmanager.store.remove(secret.name))
    result = delete(RESULTS_PATH=path)
    absent(result, read(path))
    assert lines(result)[:5] == [*DELETED[:4], ABSENT]
    assert operations(emulator) == ["get", "delete"]


# What is no JSON with NOT_FOUND is no proof: replies, exit codes, and a part of what is said.
NO_PROOF = {
    "html-404": (errors.html_404(), 1, FRONT_END),
    "bare-404": (Reply(404, b"", errors.API_HEADERS), (1, 2), "404"),
    "text-404": (Reply(404, b'{"error": {"status": "NOT_FOUND"}}',
                       (("Content-Type", "text/plain"),)), (1, 2), "404"),
    "json-without-status": (Reply(404, b'{"error": {"code": 404}}', errors.API_HEADERS),
                            (1, 2), "404"),
    "denied": (errors.permission_denied_old(), 4, "PERMISSION_DENIED"),
    "portal": (errors.captive_portal(), 1, ""),
    "redirect": (errors.redirect(), 1, "redirect"),
}


@pytest.mark.parametrize("operation", ["get", "delete"])
def test_no_other_reply_means_that_it_is_absent(start_emulator, tmp_path, operation):
    def check(name, reply, code, part):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, b"x", labels=LABELS)
        emulator.order("secretmanager", operation, times=None, reply=reply)
        path = tmp_path / name
        result = DeleteJob(emulator)(RESULTS_PATH=path, MAX_WAIT_TIME_SECONDS=3)
        assert result.code in (code if isinstance(code, tuple) else (code,)), result.out
        error = failed(emulator, result, result.code, f"{operation}-secret")
        assert part in error["message"] + error.get("hint", "")
        assert "secret-absent" not in result.operations
        assert json.loads(path.read_text())["status"] == "failure"
        assert operation == "delete" or deletes(emulator) == []

    together(check, {name: (name, *row) for name, row in NO_PROOF.items()})


def test_a_project_that_does_not_exist_is_not_an_absent_secret(emulator, delete, secret):
    """Google denies it; where it says NOT_FOUND, it says so of the project."""
    result = delete(GCP_PROJECT_ID="no-such-project")
    assert result.code == 4
    assert "secret-absent" not in result.operations
    assert deletes(emulator) == []


# --- permissions -----------------------------------------------------------------


@pytest.mark.parametrize("text", ["new", "old"])
@pytest.mark.parametrize("operation", ["get", "delete"])
def test_a_missing_permission_is_named(emulator, delete, secret, path, operation, text):
    emulator.secretmanager.denial_text = text
    emulator.iam.deny(f"secrets.{operation}")
    result = delete(RESULTS_PATH=path)
    error = failed(emulator, result, 4, f"{operation}-secret")
    assert (error["error_code"], error["http_status"]) == ("PERMISSION_DENIED", 403)
    assert f"secretmanager.secrets.{operation}" in error["hint"]
    for role in ("secretVersionAdder", "secretAccessor"):  # which do not hold it
        assert role not in error["hint"]
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "PermissionDenied")
    assert operations(emulator) == ["get", "delete"][:1 + (operation == "delete")]


def test_two_permissions_are_enough(emulator, delete, secret):
    emulator.iam.grant_only("secrets.get", "secrets.delete")
    assert delete().code == 0
    assert not stored(emulator)


def test_a_token_that_is_refused_is_replaced_once(emulator, delete, secret):
    """Also for the DELETE; the etag stays."""
    emulator.order("secretmanager", "delete", reply=errors.token_expired())
    assert delete().code == 0
    first, second = deletes(emulator)
    assert first.target == second.target
    assert len(emulator.requests("metadata")) == 2
    assert not stored(emulator)


# --- whose secret it is ----------------------------------------------------------


def without(name):
    return {key: value for key, value in LABELS.items() if key != name}


FOREIGN = {
    "no-labels": (None, "managed-by"), "no-managed-by": (without("managed-by"), "managed-by"),
    "no-cluster": (without("cluster-id"), "cluster-id"),
    "managed-by-another": ({**LABELS, "managed-by": "terraform"}, "managed-by"),
    "managed-by-almost": ({**LABELS, "managed-by": "hyperfleet2"}, "managed-by"),
    "managed-by-part": ({**LABELS, "managed-by": "hyperflee"}, "managed-by"),
    "another-cluster": ({**LABELS, "cluster-id": "cluster-2"}, "cluster-id"),
    "longer-cluster": ({**LABELS, "cluster-id": f"{CLUSTER}0"}, "cluster-id"),
    "shorter-cluster": ({**LABELS, "cluster-id": CLUSTER[:-1]}, "cluster-id"),
    "empty-cluster": ({**LABELS, "cluster-id": ""}, "cluster-id"),
}


@pytest.mark.parametrize("flags", [[], ["--dry-run"]], ids=["real", "dry-run"])
def test_a_secret_of_others_stays(start_emulator, tmp_path, flags):
    def check(name, labels, part):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, b"x", labels=labels)
        path = tmp_path / name
        result = DeleteJob(emulator)(*flags, RESULTS_PATH=path)
        error = failed(emulator, result, 2, "get-secret")
        assert part in error["message"]
        assert "--force" in error["hint"]
        value = json.loads(path.read_text())
        assert (value["status"], value["reason"]) == ("failure", "SecretNotOurs")
        assert operations(emulator) == ["get"]

    together(check, {name: (name, *row) for name, row in FOREIGN.items()})


# Replies to the GET that look as if the labels were there.
LOOKALIKES = {
    "annotations": {"annotations": LABELS}, "elsewhere": {"replication": {"labels": LABELS}},
    "null": {"labels": None}, "list": {"labels": [LABELS]},
    "text": {"labels": json.dumps(LABELS)},
    "other-types": {"labels": {**LABELS, "managed-by": ["hyperfleet"]}},
    "case": {"labels": {**LABELS, "managed-by": "HyperFleet"}},
    "names": {"labels": {**without("managed-by"), "Managed-By": "hyperfleet"}},
    "nul": {"labels": {**LABELS, "managed-by": "hyperfleet\0"}},
}


def test_labels_count_where_google_has_them(start_emulator):
    def check(members):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, b"x")
        emulator.order("secretmanager", "get", times=None,
                       tamper=lambda value: {**value, **members})
        result = DeleteJob(emulator)(MAX_WAIT_TIME_SECONDS=3)
        assert result.code in (1, 2), result.out
        assert deletes(emulator) == []

    together(check, {name: (members,) for name, members in LOOKALIKES.items()})


def test_labels_with_escapes_are_the_same(emulator, delete, secret):
    """\\u002d is a hyphen, to JSON."""
    def reply(request):
        whole = json.dumps(secret.to_json()).replace("managed-by", "managed\\u002dby")
        return Reply(200, whole.encode(), errors.API_HEADERS)

    emulator.order("secretmanager", "get", reply=reply)
    assert delete().code == 0


@pytest.mark.parametrize("name", FOREIGN)
def test_force(emulator, delete, path, name):
    secret = emulator.secretmanager.put(SECRET, b"x", labels=FOREIGN[name][0])
    result = delete("--force", RESULTS_PATH=path)
    said, = result.warnings
    assert (result.code, [line for line in lines(result) if line[0] != "get-secret"
                          or line[1] != said["message"]]) == (0, DELETED)
    assert "is not this cluster's: its label" in said["message"]
    assert not stored(emulator)
    assert read(path)["reason"] == "PullSecretDeleted"
    request, = deletes(emulator)
    assert dict(request.query) == {"etag": secret.etag}


def test_force_of_an_absent_secret(emulator, delete, path):
    absent(delete("--force", RESULTS_PATH=path), read(path))


@pytest.mark.parametrize("name", ["FORCE", "FORCE_DELETE", "DELETE_FORCE"])
def test_force_has_no_variable(emulator, delete, name):
    emulator.secretmanager.put(SECRET, b"x")
    failed(emulator, delete(**{name: "true"}), 2, "get-secret")


def test_force_is_not_the_main_job_s(emulator, job):
    assert job("--force").code == 2
    assert emulator.connections() == []


# --- dry run ---------------------------------------------------------------------


@pytest.mark.parametrize("flags, variables", [(["--dry-run"], {}), ([], {"DRY_RUN": "true"})],
                         ids=["flag", "variable"])
def test_dry_run(emulator, delete, secret, path, flags, variables):
    result = delete(*flags, RESULTS_PATH=path, **variables)
    assert result.code == 0
    assert ("dry-run", f"Dry run: authenticated; secret {SECRET} exists, it would be deleted"
            ) in lines(result)
    assert lines(result)[-1] == DELETED[-1]
    assert "delete-secret" not in result.operations and "completed" not in result.operations
    assert operations(emulator) == ["get"]
    assert stored(emulator)
    assert (read(path)["status"], read(path)["reason"]) == ("success", "DryRunPassed")


def test_dry_run_of_an_absent_secret(emulator, delete, path):
    result = delete("--dry-run", RESULTS_PATH=path)
    assert result.code == 0
    assert ("dry-run", f"Dry run: authenticated; secret {SECRET} does not exist, nothing would "
            "be deleted") in lines(result)
    assert read(path)["reason"] == "DryRunPassed"
    assert operations(emulator) == ["get"]


def test_dry_run_with_force(emulator, delete):
    emulator.secretmanager.put(SECRET, b"x")
    result = delete("--dry-run", "--force")
    assert result.code == 0
    assert result.line("dry-run")["message"].endswith("exists, it would be deleted")
    said, = result.warnings
    assert said["operation"] == "get-secret"
    assert said["message"].endswith("its label managed-by is missing, it should be hyperfleet")
    assert operations(emulator) == ["get"]
    assert stored(emulator)


def test_a_refused_dry_run(emulator, delete, secret):
    emulator.iam.deny("secrets.get")
    error = failed(emulator, delete("--dry-run"), 4, "get-secret")
    assert "secretmanager.secrets.get" in error["hint"]


# --- a pull secret that is set for other jobs -------------------------------------

@pytest.mark.parametrize("output", ["RESULTS_PATH", "TERMINATION_LOG_PATH"])
def test_its_file_is_not_replaced(emulator, delete, secret, path, output):
    mine = pull_secret(**{"quay.io": auth("user", "mine")})  # not looked for as a leak
    path.write_text(mine)
    result = delete(PULL_SECRET_FILE=path, **{output: path})
    assert result.code == 2
    assert f"{output}: {path} is the file of PULL_SECRET_FILE, too" in result.err
    assert path.read_text() == mine
    assert stored(emulator)


@native
def test_its_variable_is_wiped(emulator, delete, secret):
    emulator.order("secretmanager", "get", drop="uncommitted", how="hang")
    process = delete.start(PULL_SECRET_DATA=PULL_SECRET)
    until(emulator.requests)
    with open(f"/proc/{process.pid}/environ", "rb") as file:
        environ = file.read()
    interrupted(process)
    assert b"PULL_SECRET_DATA=\0" in environ and auth().encode() not in environ


# --- changed in between ----------------------------------------------------------


@pytest.mark.parametrize("flags", [[], ["--force"]], ids=["plain", "force"])
def test_a_secret_that_changed_since_it_was_read_stays(emulator, delete, secret, path,
                                                       monkeypatch, flags):
    hook(monkeypatch, emulator, "delete", before=secret.touch)
    result = delete(*flags, RESULTS_PATH=path)
    error = failed(emulator, result, 1, "delete-secret")
    assert "changed since it was read" in error["message"]
    assert UNKNOWN not in error["message"]
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "SecretChanged")
    assert operations(emulator) == ["get", "delete"]
    assert delete(*flags).code == 1  # the hook touches it again


def test_a_version_that_was_added_in_between_is_no_change(emulator, delete, secret, monkeypatch):
    """Google's etag of the secret is that of its own fields."""
    hook(monkeypatch, emulator, "delete", before=lambda: secret.add(b"newest"))
    assert delete().code == 0
    assert not stored(emulator)


# --- what breaks on the way ------------------------------------------------------


class Doomed(Place):
    """A secret of its own that is to be deleted."""

    def __init__(self, emulator, tmp_path):
        super().__init__(emulator, tmp_path, job=DeleteJob(emulator))
        emulator.secretmanager.put(self.name, b"x", labels=LABELS)

    @property
    def stored(self):
        return stored(self.emulator, self.name)

    def value(self):
        return json.loads(self.results.read_text())


REQUESTS = {"get": 1, "delete": 2}


def test_one_fault(emulator, tmp_path):
    """Both requests may be repeated; what is gone then was deleted by us."""
    def check(nth, fault):
        place = Doomed(emulator, tmp_path)
        order = place.order(nth, **fault)
        result = place.run()
        assert order.hits == 1
        assert result.code == 0, result.out
        check_log(result)
        assert not place.stored
        assert place.value()["reason"] == "PullSecretDeleted"
        assert len(result.warnings) == 1
        assert "secret-absent" not in result.operations
        assert result.operations.count("completed") == 1
        etags = {request.target for request in place.requests if request.method == "DELETE"}
        assert len(etags) == 1
        assert len(place.requests) == 3

    # The reply to DELETE is shorter than 400 bytes.
    together(check, {f"{request}-{name}": (nth, fault)
                     for request, nth in REQUESTS.items() for name, fault in FAULTS.items()
                     if nth == 1 or fault.get("cut_at") != 400})


@native
def test_every_byte_of_the_reply_to_delete(emulator, tmp_path):
    def check(at):
        place = Doomed(emulator, tmp_path)
        place.order(2, drop="cut", cut_at=at)
        result = place.run()
        assert result.code == 0, result.out
        assert place.value()["reason"] == "PullSecretDeleted"
        assert not place.stored

    together(check, {str(at): (at,) for at in range(0, 240, 2)})


def test_faults_without_end(emulator, tmp_path):
    """A success is told only if the server told it."""
    names = ("lost-request-fin", "lost-reply-close", "lost-reply-reset", "garbage-committed",
             "503", "503-committed", "429", "success-of-a-portal")

    def check(nth, fault):
        place = Doomed(emulator, tmp_path)
        place.order(nth, times=None, **fault)
        result = place.run(MAX_WAIT_TIME_SECONDS=4)
        value = place.value()
        assert result.code == 1, result.out
        check_log(result)
        assert value["status"] == "failure"
        assert "completed" not in result.operations
        if not place.stored:
            assert UNKNOWN in result.error["message"]
            assert UNKNOWN in value["message"]
        if nth == 1:
            assert place.stored
            assert UNKNOWN not in result.error["message"]

    together(check, {f"{request}-{name}": (nth, FAULTS[name])
                     for request, nth in REQUESTS.items() for name in names})


def test_silence(emulator, tmp_path):
    def check(nth, drop):
        place = Doomed(emulator, tmp_path)
        place.order(nth, drop=drop, how="hang")
        result = place.run(MAX_WAIT_TIME_SECONDS=2)
        assert result.code == 1, result.out
        assert result.error["error_code"] == "DEADLINE_EXCEEDED"
        assert place.value()["reason"] == "DeadlineExceeded"
        assert (UNKNOWN in result.error["message"]) == (nth == 2)

    together(check, {f"{request}-{drop}": (nth, drop) for request, nth in REQUESTS.items()
                     for drop in ("uncommitted", "committed")})


# After a DELETE whose reply was lost: the reply to its repetition, and how it ends.
AFTERWARDS = {
    "denied": (errors.permission_denied("secretmanager.secrets.delete"), 4, "PermissionDenied"),
    "html-404": (errors.html_404(), 1, "ServiceUnavailable"),
    "changed": (errors.etag_mismatch(), 1, "SecretChanged"),
}


@pytest.mark.parametrize("first", ["committed", "uncommitted"])
def test_what_is_unknown_stays_unknown(emulator, tmp_path, first):
    def check(reply, code, reason):
        place = Doomed(emulator, tmp_path)
        place.order(2, drop=first)
        place.order(2, times=None, reply=reply)
        result = place.run()
        assert result.code == code, result.out
        assert place.value()["reason"] == reason
        assert UNKNOWN in result.error["message"]
        assert UNKNOWN in place.value()["message"]

    together(check, AFTERWARDS)


def test_a_long_error_does_not_push_it_out(emulator, delete, secret):
    emulator.order("secretmanager", "delete", times=None,
                   reply=errors.api("UNAVAILABLE", "\u00fc\u20ac\U0001f600" * 5000))
    result = delete(MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert result.error["message"].endswith(UNKNOWN)


@native
@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")
def test_a_connection_that_breaks_while_the_request_leaves(emulator, delete, secret, path,
                                                           tmp_path):
    """The server has acted on the whole of it before the call that sent it returns."""
    emulator.order("secretmanager", "delete", drop="committed", how="rst")
    slowly = ["strace", "-o", tmp_path / "trace", "-e", "inject=sendto:delay_exit=100000"]
    result = delete(RESULTS_PATH=path, before=slowly)
    assert result.code == 0
    assert read(path)["reason"] == "PullSecretDeleted"
    assert "secret-absent" not in result.operations
    assert operations(emulator) == ["get", "delete", "delete"]


def test_a_retry_is_a_warning_of_the_deletion(emulator, delete, secret):
    emulator.order("secretmanager", "delete", drop="committed")
    result = delete()
    assert result.code == 0
    warning, = result.warnings
    assert (warning["operation"], warning["attempt"]) == ("delete-secret", 1)
    assert [line for line in lines(result) if line in DELETED] == DELETED
    assert operations(emulator) == ["get", "delete", "delete"]


# --- signals and crashes ---------------------------------------------------------


def test_a_signal_before_the_deletion(emulator, delete, secret, path):
    emulator.order("secretmanager", "get", drop="uncommitted", how="hang")
    process = delete.start(RESULTS_PATH=path)
    until(lambda: emulator.requests(operation="get"))
    result = interrupted(process)
    assert result.error["message"].endswith(NOTHING)
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "Interrupted")
    assert value["message"].endswith(NOTHING)
    assert deletes(emulator) == [] and stored(emulator)


def test_a_signal_while_waiting_for_the_token(emulator, delete, secret):
    emulator.order("metadata", drop="uncommitted", how="hang")
    process = delete.start()
    until(lambda: emulator.requests("metadata"))
    assert interrupted(process, signal.SIGINT).error["message"].endswith(NOTHING)


@pytest.mark.parametrize("drop", ["uncommitted", "committed"])
def test_a_signal_with_the_deletion_in_flight(emulator, delete, secret, path, drop):
    emulator.order("secretmanager", "delete", drop=drop, how="hang")
    process = delete.start(RESULTS_PATH=path)
    until(lambda: emulator.requests(operation="delete")
          and stored(emulator) == (drop == "uncommitted"))
    result = interrupted(process)
    assert result.error["message"].endswith(UNKNOWN)
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "Interrupted")
    assert value["message"].endswith(UNKNOWN)


@pytest.mark.parametrize("fault, end", [
    ({"reply": errors.quota_exceeded(retry_after=30)}, NOTHING),
    ({"reply": errors.unavailable(retry_after=30)}, UNKNOWN),
], ids=["refused", "open"])
def test_a_signal_in_the_back_off(emulator, delete, secret, fault, end):
    emulator.order("secretmanager", "delete", **fault)
    reader, writer = os.pipe()
    process = delete.start(stdout=writer)
    os.close(writer)
    seen = b""
    while b"retry_in_ms" not in seen:
        seen += os.read(reader, 65536)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait().code == 143
    with os.fdopen(reader, "rb") as rest:
        log = [json.loads(line) for line in (seen + rest.read()).splitlines()]
    error, = [line for line in log if line.get("error_code") == "CANCELLED"
              and line["operation"] != "summary"]
    assert error["message"].endswith(end)


@pytest.mark.parametrize("operation", ["get", "delete"])
def test_a_crash_speaks_of_no_version(emulator, delete, secret, path, note, operation):
    emulator.order("secretmanager", operation, drop="committed", how="hang")
    process = delete.start(RESULTS_PATH=path, TERMINATION_LOG_PATH=note)
    until(lambda: emulator.requests(operation=operation))
    os.kill(process.pid, signal.SIGSEGV)
    assert process.wait().code == -signal.SIGSEGV
    value = read(path)
    assert (value["status"], value["reason"]) == ("failure", "InternalError")
    assert "version" not in value["message"] + note.read_text()
    assert "it is unknown whether the secret was deleted" in value["message"]


# --- usage and configuration -----------------------------------------------------

USAGE = {
    "operand": ["x"], "unknown": ["--unknown"], "value": ["--force=maybe"],
    "main-job": ["--pull-secret-file", "x"], "fake": ["--fake-pull-secret"],
    "version": ["--secret-version", "1"],
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_usage(emulator, delete, secret, path, words):
    result = delete(*words, RESULTS_PATH=path)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("pull-secret: run-job delete-pull-secret")
    assert result.err.count("\n") == 1
    assert read(path)["reason"] == "ConfigurationInvalid"
    assert emulator.connections() == []


@pytest.mark.parametrize("variables, part", [
    ({"GCP_PROJECT_ID": None}, "GCP_PROJECT_ID"), ({"CLUSTER_ID": None}, "CLUSTER_ID"),
    ({"CLUSTER_ID": "WRONG"}, "CLUSTER_ID"), ({"SECRET_NAME": "a/b"}, "SECRET_NAME"),
    ({"SECRET_NAME": "a?b"}, "SECRET_NAME"),
], ids=["project", "cluster", "bad-cluster", "slash", "query"])
def test_configuration(emulator, delete, path, variables, part):
    result = delete(RESULTS_PATH=path, **variables)
    assert result.code == 2
    assert part in result.error["message"]
    assert result.operations == ["start", "validate-config", "summary"]
    assert read(path)["reason"] == "ConfigurationInvalid"
    assert emulator.connections() == []


def test_help(run):
    result = run("run-job", "delete-pull-secret", "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("usage: pull-secret run-job delete-pull-secret ")
    for name in ("GCP_PROJECT_ID", "CLUSTER_ID", "SECRET_NAME", "DRY_RUN", "RESULTS_PATH"):
        assert re.search(rf"\b{name}\b", result.out)
    assert "--force" in result.out
    assert "FORCE" not in result.out
    assert "PULL_SECRET_FILE" not in result.out
    assert max(len(line) for line in result.out.splitlines()) <= 80


def test_it_is_listed(run):
    assert re.search(r"^  delete-pull-secret  +\w", run("run-job").out, re.M)


# --- what cannot be told ---------------------------------------------------------


def untold(result, value=None):
    """Exit 1: a repetition finds nothing, and says so."""
    assert result.code == 1
    if value is not None:
        assert (value["status"], value["reason"]) == ("failure", "ReportIncomplete")
        assert "version" not in value["message"]
        assert "version" not in value["details"]


def test_a_result_that_cannot_be_written(emulator, delete, secret, path, note):
    emulator.order("secretmanager", "delete", delay_before=0.5)
    process = delete.start(RESULTS_PATH=path, TERMINATION_LOG_PATH=note)
    until(lambda: emulator.requests(operation="delete"))
    shutil.rmtree(path.parent)
    result = process.wait()
    untold(result)
    assert not stored(emulator)
    assert result.error["operation"] == "result-file"
    assert lines(result)[-1] == FAILED
    assert note.read_text().startswith("ReportIncomplete: ")
    path.parent.mkdir()
    absent(delete(RESULTS_PATH=path), read(path))


def lose_log(process, reader, writer, after):
    """Read the log up to a word, and no further."""
    os.close(writer)
    while after not in os.read(reader, 65536):
        pass
    os.close(reader)
    return process.wait()


def test_a_log_that_is_lost_while_it_deletes(emulator, delete, secret, path):
    reader, writer = os.pipe()
    emulator.order("secretmanager", "delete", delay_before=0.5)
    process = delete.start(stdout=writer, RESULTS_PATH=path)
    result = lose_log(process, reader, writer, b"Deleting secret")
    untold(result, read(path))
    assert not stored(emulator)
    assert "standard output" in result.err
    assert result.err.count("\n") == 1


def test_a_log_that_is_lost_before_it_deletes(emulator, delete, secret, path):
    """What it is about to do cannot be told, so it is not done."""
    reader, writer = os.pipe()
    emulator.order("secretmanager", "get", delay_before=0.5)
    process = delete.start(stdout=writer, RESULTS_PATH=path)
    result = lose_log(process, reader, writer, b"Reading secret")
    assert result.code == 1
    assert deletes(emulator) == []
    assert stored(emulator)
    assert read(path)["status"] == "failure"


@pytest.mark.parametrize("how", ["closed", "full"])
def test_without_a_log_nothing_is_sent(emulator, delete, secret, path, how):
    if how == "closed":
        result = delete(RESULTS_PATH=path, preexec_fn=lambda: os.close(1))
    else:
        with open("/dev/full", "wb") as full:
            result = delete(RESULTS_PATH=path, stdout=full)
    assert result.code == 1
    assert "standard output" in result.err
    assert emulator.connections() == []
    assert read(path)["status"] == "failure"


def test_a_place_where_no_result_can_be(emulator, delete, secret, tmp_path):
    result = delete(RESULTS_PATH=tmp_path / "missing" / "result")
    assert result.code == 2
    assert "RESULTS_PATH" in result.err
    assert emulator.connections() == []
    assert contents(tmp_path / "missing" / "result") == b""
