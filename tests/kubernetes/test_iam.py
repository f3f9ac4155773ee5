"""The scripts that call gcloud, with a stand-in that records what it is asked."""

import os
import re
import subprocess

import pytest
from conftest import FOLDER, POOL

MEMBER = "serviceAccount:a@b"
SCOPE = ('(resource.type == "secretmanager.googleapis.com/Secret"'
         ' || resource.type == "secretmanager.googleapis.com/SecretVersion")'
         ' && resource.name.startsWith("projects/123/secrets/hyperfleet-")')


@pytest.fixture
def script(tmp_path):
    """Runs one; (exit status, standard output, its calls of gcloud as lists of words)."""
    log = tmp_path / "calls"

    def go(name, *words, there=False, fails="nothing"):
        stub = tmp_path / "gcloud"
        stub.write_text("#!/bin/sh\n"
                        f'printf "%s\\037" "$@" >>{log}; echo >>{log}\n'
                        f"case $* in *'{fails}'*) echo no >&2; exit 1 ;;\n"
                        "'projects describe'*) echo 123 ;;\n"
                        f"*describe*) exit {0 if there else 1} ;; esac\n")
        stub.chmod(0o755)
        log.write_text("")
        done = subprocess.run([FOLDER / name, *words], capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        calls = [line.split("\x1f")[:-1] for line in log.read_text().splitlines()]
        return done, calls

    return go


def grants(calls):
    """{role: (what it holds for, its condition)}"""
    found = {}
    for call in calls:
        if "add-iam-policy-binding" in call:
            flags = dict(word[2:].split("=", 1) for word in call if word.startswith("--"))
            assert flags["member"] == MEMBER
            found[flags["role"]] = (f"{call[0]} {call[2]}", flags["condition"])
    return found


ADDER, ACCESSOR = "roles/secretmanager.secretVersionAdder", "roles/secretmanager.secretAccessor"
CREATOR, DELETER = "projects/p1/roles/pullSecretCreator", "projects/p1/roles/pullSecretDeleter"


def test_iam_grants_two_roles_on_one_secret(script):
    done, calls = script("iam", "p1", MEMBER, "s1")
    assert done.returncode == 0, done.stderr
    assert grants(calls) == dict.fromkeys((ADDER, ACCESSOR), ("secrets s1", "None"))
    assert all("--project=p1" in call for call in calls)


def test_iam_grants_two_roles_on_a_project(script):
    done, calls = script("iam", "p1", MEMBER)
    assert done.returncode == 0, done.stderr
    assert grants(calls) == dict.fromkeys((ADDER, ACCESSOR), ("projects p1", "None"))


def test_iam_narrows_them_by_prefix_but_never_the_one_that_creates(script):
    """By the project's number, for secrets and versions; a colon or comma would end an expression."""
    done, calls = script("iam", "--prefix", "hyperfleet-", "--create", "p1", MEMBER)
    assert done.returncode == 0, done.stderr
    scope = f"title=secrets-hyperfleet-,expression={SCOPE}"
    assert "," not in SCOPE
    assert grants(calls) == {ADDER: ("projects p1", scope), ACCESSOR: ("projects p1", scope),
                             CREATOR: ("projects p1", "None")}


def test_iam_creates_a_role_that_creates_secrets_once(script):
    done, calls = script("iam", "--create", "p1", MEMBER, "s1")
    assert done.returncode == 0, done.stderr
    (made,) = [call for call in calls if call[:3] == ["iam", "roles", "create"]]
    assert made[3] == "pullSecretCreator"
    assert "--permissions=secretmanager.secrets.create,secretmanager.secrets.get" in made
    assert grants(calls)[CREATOR] == ("projects p1", "None")
    _, calls = script("iam", "--create", "p1", MEMBER, "s1", there=True)
    assert not [call for call in calls if "create" in call]
    assert CREATOR in grants(calls)


@pytest.mark.parametrize("words, where", [
    (["p1", MEMBER], ("projects p1", "None")), (["p1", MEMBER, "s1"], ("secrets s1", "None")),
    (["--prefix", "hyperfleet-", "p1", MEMBER], ("projects p1", f"title=secrets-hyperfleet-,expression={SCOPE}"))])
def test_iam_for_deletion_is_another_role_alone(script, words, where):
    done, calls = script("iam", "--delete", *words)
    assert done.returncode == 0, done.stderr
    (made,) = [call for call in calls if call[:3] == ["iam", "roles", "create"]]
    assert "--permissions=secretmanager.secrets.get,secretmanager.secrets.delete" in made
    assert grants(calls) == {DELETER: where}


def test_iam_stops_at_what_fails(script):
    done, calls = script("iam", "--prefix", "x", "p1", MEMBER, fails="projects describe")
    assert done.returncode == 1
    assert grants(calls) == {}
    done, calls = script("iam", "p1", MEMBER, fails=ADDER)
    assert done.returncode == 1
    assert ACCESSOR not in grants(calls)


@pytest.mark.parametrize("words", [
    [], ["p1"], ["--create", "p1"], ["a", "b", "c", "d"], ["--prefix"], ["--prefix", "", "p1", MEMBER],
    ["--prefix", 'x") || true || ("', "p1", MEMBER], ["--prefix", "a,b", "p1", MEMBER],
    ["--prefix", "a", "p1", MEMBER, "s1"], ["--create", "--delete", "p1", MEMBER], ["--dry-run", "p1", MEMBER]])
def test_iam_tells_its_usage(script, words):
    done, calls = script("iam", *words)
    assert (done.returncode, calls) == (2, [])
    assert done.stderr.startswith("usage: iam")


def flags(call):
    return dict(word[2:].split("=", 1) for word in call if word.startswith("--"))


def test_pool_trusts_two_accounts_of_one_namespace(script):
    done, calls = script("pool", "p1", "pool-1", "cluster-1", "ns", "https://issuer.example/x", "keys.json")
    assert done.returncode == 0, done.stderr
    made = [call for call in calls if "create" in call or "create-oidc" in call]
    assert [call[2:5] for call in made] == [["create", "pool-1", "--project=p1"],
                                            ["providers", "create-oidc", "cluster-1"]]
    account = "system:serviceaccount:ns:pull-secret"
    assert flags(made[1]) == {
        "project": "p1", "location": "global", "workload-identity-pool": "pool-1",
        "issuer-uri": "https://issuer.example/x", "jwk-json-path": "keys.json",
        "attribute-mapping": "google.subject=assertion.sub",
        "attribute-condition": f"assertion.sub in ['{account}', '{account}-delete']"}
    assert done.stdout.splitlines() == [f"WORKLOAD_IDENTITY_PROVIDER: {POOL}/providers/cluster-1",
                                        f"MEMBER: principal:{POOL}/subject/{account}"]


def test_pool_leaves_what_is_there_and_needs_no_keys(script):
    done, calls = script("pool", "p1", "pool-1", "cluster-1", "ns", "https://issuer.example", there=True)
    assert done.returncode == 0, done.stderr
    assert all("describe" in call for call in calls)
    done, calls = script("pool", "p1", "pool-1", "cluster-1", "ns", "https://issuer.example")
    (made,) = [call for call in calls if "create-oidc" in call]
    assert "jwk-json-path" not in flags(made)


@pytest.mark.parametrize("words", [[], ["a", "b", "c", "ns"], ["a", "b", "c", "ns", "http://issuer.example"],
                                   ["a", "b", "c", "n'", "https://issuer.example"]])
def test_pool_tells_its_usage(script, words):
    done, calls = script("pool", *words)
    assert (done.returncode, calls) == (2, [])
    assert re.match(r"usage: pool PROJECT POOL PROVIDER NAMESPACE ISSUER", done.stderr)
