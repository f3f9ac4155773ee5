"""Labels and annotations: of a new secret, of one that exists, and whose it is."""

import json
import os
import signal

import pytest
from conftest import CLUSTER, LABELS, PULL_SECRET, SECRET, Job, native, together, until
from test_cut_connections import in_turn
from test_exactly_once import FAULTS, Place, fault_pairs, single_faults, some_or_all
from test_unanswered_add import sent

from emulator import errors

OURS = {"managed-by": "hyperfleet", "cluster-id": CLUSTER}
MANAGED = ["--require-managed"]


def fields(emulator):
    return {name: value for name, value in emulator.secretmanager.secret(SECRET).fields.items()
            if name != "replication"}


# --- given ----------------------------------------------------------------------------


def test_of_a_new_secret(emulator, job):
    emulator.iam.grant_only("secrets.create", "versions.add", "versions.access")
    result = job("--label", "team=a_b-1,empty=", ANNOTATIONS="example.com=é = 1,b=")
    assert result.code == 0, result.out
    assert fields(emulator) == {"labels": {**LABELS, "team": "a_b-1", "empty": ""},
                                "annotations": {"example.com": "é = 1", "b": ""}}
    assert sent(emulator) == ["addVersion", "create", "addVersion", "access"]


WRONG = ["=v", "k", "k=v,", ",k=v", "K=v", "1k=v", "k=V", "k=a.b", "k.a=v", "k" * 64 + "=v",
         "k=" + "v" * 64, "k =v", "é=v", "k=v=w"]
WRONG_ANNOTATIONS = ["=v", "k", "k=v,", "-k=v", "k.=v", "k" * 64 + "=v", "é=v", "a b=v"]


def test_wrong_ones(emulator):
    def check(flag, text):
        result = Job(emulator)(flag, text)
        assert result.code == 2
        assert f"{flag}=" in result.error["message"]
        assert " is not KEY=VALUE with " in result.error["message"]

    together(check, {f"label {text}": ("--label", text) for text in WRONG}
             | {f"annotation {text}": ("--annotation", text) for text in WRONG_ANNOTATIONS})
    assert emulator.requests("secretmanager") == []


@pytest.mark.parametrize("flag, text, said", [
    *(("--label", f"{name}=x", f"{name} is there twice, or one of this program's own")
      for name in LABELS),
    ("--label", "k=v,k=w", "k is there twice"),
    ("--annotation", "k=v,k=w", "k is there twice"),
    ("--label", ",".join(f"k{n}=v" for n in range(60)), "at most 59 labels"),
    ("--annotation", "k=" + "v" * 16382, "less than 16 KiB"),
])
def test_what_is_not_possible(emulator, job, flag, text, said):
    result = job(flag, text)
    assert result.code == 2
    assert said in result.error["message"]
    assert emulator.requests("secretmanager") == []


def test_as_many_as_there_can_be(emulator, job):
    most = ",".join(f"k{n}={'v' * 63}" for n in range(59))
    assert job("--label", most, "--annotation", "k=" + "v" * 16381).code == 0
    assert len(fields(emulator)["labels"]) == 64


# --- of one that exists ---------------------------------------------------------------


SYNC = ["--sync-labels", "--label", "team=new", "--annotation", "note=new"]
WANTED = {"labels": {**LABELS, "team": "new"}, "annotations": {"note": "new"}}


def drifted(emulator, **more):
    secret = emulator.secretmanager.put(SECRET, b"old")
    secret.fields |= {"labels": {**OURS, "team": "old", "theirs": "stays"},
                      "annotations": {"note": "old", "x.y": 'stays "\n\u2028é'}, **more}
    return secret


def check_synced(emulator):
    assert fields(emulator) == {
        "labels": {**WANTED["labels"], "theirs": "stays"},
        "annotations": {"note": "new", "x.y": 'stays "\n\u2028é'}}


def test_without_the_flag_they_stay(emulator, job):
    before = drifted(emulator).fields
    result = job(*SYNC[1:])
    assert result.code == 0
    assert emulator.secretmanager.secret(SECRET).fields == before
    assert sent(emulator) == ["addVersion", "access"]


def test_they_are_synced(emulator, job):
    """Those of others stay; once done there is nothing to do."""
    secret = drifted(emulator)
    emulator.iam.grant_only("versions.add", "versions.access", "secrets.get", "secrets.update")
    result = job(*SYNC)
    assert result.code == 0, result.out
    check_synced(emulator)
    assert sent(emulator) == ["addVersion", "access", "get", "patch"]
    assert result.line("sync-labels")["message"] == "Changed labels or annotations"
    assert result.warnings == []
    # Nothing new is stored for labels.
    secret.fields["labels"]["team"] = "old"
    emulator.journal.clear()
    assert job(*SYNC, "--skip-unchanged").code == 0
    assert len(secret.versions) == 2
    check_synced(emulator)
    emulator.journal.clear()
    assert job(*SYNC, "--skip-unchanged").code == 0
    assert "patch" not in sent(emulator)


def test_a_change_in_between_stays(emulator, job):
    """The etag makes it a conflict; it is read again, and sent once more."""
    secret = drifted(emulator)
    answer = emulator.secretmanager.answer

    def changing(request, operation):
        if operation == "patch" and "late" not in secret.fields["labels"]:
            secret.fields["labels"]["late"] = "stays"
            secret.touch()
        return answer(request, operation)

    emulator.secretmanager.answer = changing
    result = job(*SYNC)
    assert result.warnings == []
    assert sent(emulator) == ["addVersion", "access", "get", "patch", "get", "patch"]
    assert secret.fields["labels"] == {**WANTED["labels"], "theirs": "stays", "late": "stays"}


def test_what_cannot_be_synced_is_a_warning(start_emulator):
    def check(granted, order, said, count):
        emulator = start_emulator()
        drifted(emulator)
        emulator.iam.grant_only("versions.add", "versions.access", *granted)
        if order:
            emulator.order("secretmanager", "patch", times=9, reply=order)
        result = Job(emulator)(*SYNC)
        assert result.code == 0, result.out
        assert len(result.warnings) == 1
        assert said in str(result.warnings[0])
        assert sent(emulator).count("patch") == count

    both = ("secrets.get", "secrets.update")
    together(check, {
        "get": ((), None, "secretmanager.secrets.get", 0),
        "update": (both[:1], None, "--sync-labels needs secretmanager.secrets.update", 1),
        "conflict": (both, errors.etag_mismatch(), "etag", 2),
        "refused": (both, errors.invalid_argument("no"), "INVALID_ARGUMENT", 1),
    })


def test_a_dry_run_says_what_would_be_synced(emulator, job):
    before = drifted(emulator).fields
    result = job(*SYNC, "--dry-run")
    assert result.code == 0
    assert "would be changed" in result.line("sync-labels")["message"]
    assert emulator.secretmanager.secret(SECRET).fields == before
    assert sent(emulator) == ["get"]


# --- whose it is ----------------------------------------------------------------------


def test_a_secret_of_others_is_refused(start_emulator, tmp_path):
    """Nothing is written, and the log says which label it is."""
    def check(labels, said, flags):
        emulator = start_emulator()
        secret = emulator.secretmanager.put(SECRET, b"old", labels=labels)
        path = tmp_path / f"{len(labels)}{said[:3]}{len(flags)}"
        result = Job(emulator)(*MANAGED, *flags, RESULTS_PATH=path)
        assert result.code == 2, result.out
        assert f"is not this cluster's: its label {said}" in result.error["message"]
        assert "without --require-managed" in result.error["hint"]
        assert json.loads(path.read_text())["reason"] == "SecretNotOurs"
        assert len(secret.versions) == 1
        assert sent(emulator) == ["get"]

    together(check, {
        "none": ({}, "managed-by is missing, it should be hyperfleet", []),
        "other-program": ({**OURS, "managed-by": "x"}, "managed-by is not hyperfleet", []),
        "other-cluster": ({**OURS, "cluster-id": "x"}, f"cluster-id is not {CLUSTER}", []),
        "dry-run": ({"a": "b"}, "managed-by is missing", ["--dry-run"]),
        "sync": ({}, "managed-by is missing", ["--sync-labels", "--skip-unchanged"]),
    })


def test_ours_is_taken(emulator, job):
    emulator.secretmanager.put(SECRET, b"old", labels=OURS)
    emulator.iam.grant_only("versions.add", "versions.access", "secrets.get")
    assert job(REQUIRE_MANAGED="true").code == 0
    assert sent(emulator) == ["get", "addVersion", "access"]


def test_a_new_one_is_created_first(emulator, job):
    """An addVersion would take what somebody creates in between."""
    assert job(*MANAGED).code == 0
    assert sent(emulator) == ["get", "create", "addVersion", "access"]


def test_one_that_others_create_in_between(emulator, job):
    def creating(request, operation):
        if operation == "create":
            emulator.secretmanager.put(SECRET, labels={"managed-by": "x"})
        return answer(request, operation)

    answer, emulator.secretmanager.answer = emulator.secretmanager.answer, creating
    result = job(*MANAGED)
    assert result.code == 2
    assert sent(emulator) == ["get", "create", "get"]
    assert emulator.secretmanager.payloads(SECRET) == []


def test_one_that_cannot_be_seen_is_refused(emulator, job):
    secret = emulator.secretmanager.put(SECRET, b"old", labels=OURS)
    emulator.iam.grant_only("versions.add", "versions.access")
    result = job(*MANAGED)
    assert result.code == 4
    assert "cannot see whose the secret is" in result.error["message"]
    assert "secretmanager.secrets.get" in result.error["hint"]
    assert len(secret.versions) == 1


# --- signals, time, exactly once ------------------------------------------------------

REQUESTS = {"check": 1, "add": 2, "access": 3, "get": 4, "patch": 5}


class Syncing(Job):
    """Requires, and syncs."""

    def environment(self, **variables):
        return super().environment(**{"REQUIRE_MANAGED": "true", "SYNC_LABELS": "true",
                                      "LABELS": "team=new", **variables})


def check_fault(emulator, tmp_path, *struck):
    """struck: pairs of the number of a request and the name of its fault."""
    place = Place(emulator, tmp_path, b"old", job=Syncing(emulator))
    secret = emulator.secretmanager.secret(place.name)
    secret.fields["labels"] = dict(OURS)
    orders = [place.order(nth, **FAULTS[name]) for nth, name in struck]
    result = place.run()
    assert orders[0].hits == 1
    assert result.code == 0, result.out
    assert place.payloads == [b"old", PULL_SECRET.encode()]
    assert secret.fields["labels"] == {**LABELS, "team": "new"}


@some_or_all("lost-reply-close", "503-committed")
def test_one_fault(emulator, tmp_path, names):
    in_turn(lambda *row: check_fault(emulator, tmp_path, *row),
            single_faults(REQUESTS, names))


@native
@pytest.mark.soak
def test_two_faults(emulator, tmp_path):
    in_turn(lambda *row: check_fault(emulator, tmp_path, *row), fault_pairs(REQUESTS))


@pytest.mark.parametrize("operation", ["get", "patch"])
def test_a_signal_or_the_deadline_while_they_are_synced(start_emulator, operation):
    """Ours is verified: that is a success."""
    def check(number):
        emulator = start_emulator()
        drifted(emulator)
        order = emulator.order("secretmanager", operation, drop="uncommitted", how="hang",
                               times=None)
        process = Job(emulator).start(*SYNC, **({} if number else {"MAX_WAIT_TIME_SECONDS": 2}))
        until(lambda: order.hits)
        if number:
            os.kill(process.pid, number)
        result = process.wait()
        assert result.code == 0, result.out
        assert (f"stopped by {number.name}" if number else "DEADLINE") in str(result.warnings)

    together(check, {"signal": (signal.SIGTERM,), "deadline": (None,)})


@pytest.mark.parametrize("label", ["managed-by", "cluster-id"])
def test_labels_that_name_others_are_not_synced(emulator, job, label):
    """Else delete-pull-secret would take the secret for this cluster's."""
    others = {**LABELS, label: "others"}
    emulator.secretmanager.put(SECRET, b"old", labels=others)
    for flags in ([], ["--dry-run"]):
        result = job("--sync-labels", "--label", "team=x", *flags)
        assert result.code == 0
        assert result.line("sync-labels")["level"] == "warning"
        assert fields(emulator) == {"labels": others}
    assert "patch" not in sent(emulator)


def test_what_only_warns_waits_for_no_role(emulator, job):
    """The version is verified: nothing is gained by waiting for secrets.get."""
    emulator.secretmanager.put(SECRET, b"old", labels=LABELS)
    emulator.iam.grant_only("versions.add", "versions.access")
    result = job("--location", "us-east1", "--permission-wait", "20")
    assert result.code == 0
    assert [line["operation"] for line in result.warnings] == ["check-secret"]
    assert sent(emulator) == ["addVersion", "access", "get"]
