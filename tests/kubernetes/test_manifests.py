"""What is under scripts/kubernetes: valid for Kubernetes, safe, and true to the program."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "scripts/kubernetes"
NODE = TOP / "build/node/kubernetes"
FILES = sorted(FOLDER.glob("*.yaml"))
MODULES = {
    "v1": "kubernetes-models/v1",
    "batch/v1": "kubernetes-models/batch/v1",
    "networking.k8s.io/v1": "kubernetes-models/networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1": "kubernetes-models/rbac.authorization.k8s.io/v1",
}
# 128 and the signal: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
CRASHES = [132, 134, 135, 136, 139, 159]
OPTIONS = {"compilerOptions": {
    "strict": True, "noEmit": True, "skipLibCheck": True, "types": [],
    "target": "es2022", "module": "nodenext", "moduleResolution": "nodenext",
}}
# Loads each document through the API's own rules: required fields, formats, enumerations.
VALIDATE = """
import { readFileSync } from "node:fs";
for (const [module, kind, file] of JSON.parse(readFileSync("list.json", "utf8"))) {
  const { [kind]: Model } = await import(module);
  new Model(JSON.parse(readFileSync(file, "utf8"))).validate();
}
"""


def documents(path):
    return [d for d in yaml.safe_load_all(path.read_text()) if d is not None]


ALL = {f"{path.name}-{d['kind']}": d for path in FILES for d in documents(path)}
JOBS = {name: d for name, d in ALL.items() if d["kind"] == "Job"}


@pytest.fixture(scope="module")
def node():
    """The official API types and a type checker, as the lock file pins them."""
    NODE.mkdir(parents=True, exist_ok=True)
    lock = Path(__file__).with_name("package-lock.json").read_text()
    if not (NODE / "done").exists() or (NODE / "done").read_text() != lock:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            (NODE / name).write_text(Path(__file__).with_name(name).read_text())
        done = subprocess.run(["npm", "ci"], cwd=NODE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (NODE / "done").write_text(lock)
    return NODE


def complaints(node, found):
    """What the API's types and rules say against documents: unknown fields, too."""
    (node / "tsconfig.json").write_text(json.dumps({**OPTIONS, "files": ["all.mts"]}))
    lines, rows = [], []
    for i, document in enumerate(found):
        module, kind = MODULES[document["apiVersion"]], document["kind"]
        lines.append(f'import type {{ I{kind} as T{i} }} from "{module}";')
        lines.append(f"export const d{i}: T{i} = {json.dumps(document)};")
        (node / f"{i}.json").write_text(json.dumps(document))
        rows.append([module, kind, f"{i}.json"])
    (node / "all.mts").write_text("\n".join(lines) + "\n")
    (node / "list.json").write_text(json.dumps(rows))
    (node / "validate.mjs").write_text(VALIDATE)
    out = ""
    for command in (["node_modules/.bin/tsc", "-p", "."], ["node", "validate.mjs"]):
        done = subprocess.run(command, cwd=node, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            out += done.stdout + done.stderr
    return out


def test_valid_for_the_api(node):
    assert len(ALL) >= 9
    assert complaints(node, list(ALL.values())) == ""


MISTAKES = {
    "backofLimit": lambda job: job["spec"].update(backofLimit=3),
    "backoffLimit": lambda job: job["spec"].update(backoffLimit="3"),
    "containers": lambda job: pod(job).pop("containers"),
    "memory": lambda job: main_container(job)["resources"]["limits"].update(memory="16 MiB"),
}


@pytest.mark.parametrize("word", MISTAKES)
def test_the_check_can_fail(node, word):
    job = json.loads(json.dumps(JOBS["job.yaml-Job"]))
    MISTAKES[word](job)
    assert word in complaints(node, [job])


def pod(job):
    return job["spec"]["template"]["spec"]


def main_container(job):
    (found,) = [c for c in pod(job)["containers"] if c["name"] == "pull-secret"]
    return found


@pytest.fixture(params=JOBS)
def job(request):
    return JOBS[request.param]


def test_restricted_pod_security(job):
    """The policy "restricted" of the Pod Security Standards."""
    security = pod(job)["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod(job)["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    for volume in pod(job)["volumes"]:
        assert set(volume) <= {"name", "secret", "emptyDir", "configMap", "projected"}


def test_the_pull_secret_is_mounted(job):
    container = main_container(job)
    variables = {e["name"]: e.get("value") for e in container["env"]}
    assert "PULL_SECRET_DATA" not in variables
    (mount,) = [m for m in container["volumeMounts"] if m["name"] == "pull-secret"]
    assert mount["readOnly"] is True
    assert variables["PULL_SECRET_FILE"].startswith(mount["mountPath"] + "/")
    names = {volume["name"] for volume in pod(job)["volumes"]}
    for one in pod(job)["containers"]:
        assert {m["name"] for m in one["volumeMounts"]} <= names


def test_ends_in_time(job):
    variables = {e["name"]: e.get("value") for e in main_container(job)["env"]}
    limit = int(variables.get("MAX_WAIT_TIME_SECONDS", "280"))
    tries = job["spec"]["backoffLimit"] + 1
    assert limit * tries < job["spec"]["activeDeadlineSeconds"]
    assert pod(job)["restartPolicy"] == "Never"


def test_exit_codes_that_no_retry_helps(job):
    """Those that the README says a Job should fail at, evicted or not."""
    rule = job["spec"]["podFailurePolicy"]["rules"][0]
    table = re.findall(r"^\| ([\d, ]+) \|.*\| (.*) \|$", (TOP / "README.md").read_text(), re.M)
    final = [int(code) for codes, what in table for code in codes.split(", ") if what.startswith("fail")]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"]["containerName"] == "pull-secret"
    assert rule["onExitCodes"]["values"] == final == [2, 3, 4, 5, 6, *CRASHES]


def test_variables_are_the_programs(job):
    help_text = subprocess.run([TOP / "bin/pull-secret", "run-job", "pull-secret", "--help"],
                               capture_output=True, text=True, check=True).stdout
    for variable in main_container(job)["env"]:
        assert re.search(rf"\b{variable['name']}\b", help_text), variable["name"]


def test_memory_fits_a_small_program(job):
    assert main_container(job)["resources"]["requests"]["memory"] == "4Mi"
    assert main_container(job)["resources"]["limits"]["memory"] == "16Mi"


def test_identity_exists(job):
    accounts = {d["metadata"]["name"] for d in ALL.values() if d["kind"] == "ServiceAccount"}
    assert pod(job)["serviceAccountName"] in accounts


def test_credentials_file_is_json():
    (found,) = [d for d in ALL.values() if d["kind"] == "ConfigMap"]
    credentials = json.loads(found["data"]["credentials.json"])
    (token,) = [v for v in pod(JOBS["job-outside-gke.yaml-Job"])["volumes"] if v["name"] == "token"]
    audience = token["projected"]["sources"][0]["serviceAccountToken"]["audience"]
    assert audience == "https:" + credentials["audience"]


def test_metadata_server_is_reachable():
    (policy,) = [d for d in ALL.values() if d["kind"] == "NetworkPolicy"]
    blocks = [to["ipBlock"]["cidr"] for rule in policy["spec"]["egress"] for to in rule.get("to", [])]
    assert "169.254.169.254/32" in blocks


def gcloud(tmp_path, *words, describe=0):
    """The calls of gcloud that scripts/kubernetes/iam makes."""
    stub = tmp_path / "gcloud"
    stub.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n'
                    f'case $* in *describe*) exit {describe} ;; esac\n')
    stub.chmod(0o755)
    done = subprocess.run([FOLDER / "iam", *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    calls = tmp_path / "calls"
    return done, calls.read_text().splitlines() if calls.exists() else []


def test_iam_grants_two_roles_on_one_secret(tmp_path):
    done, calls = gcloud(tmp_path, "p1", "serviceAccount:a@b", "s1")
    assert done.returncode == 0, done.stderr
    assert [call.split()[:4] for call in calls] == [["secrets", "add-iam-policy-binding", "s1", "--project=p1"]] * 2
    assert [re.search(r"--role=(\S+)", call).group(1) for call in calls] == [
        "roles/secretmanager.secretVersionAdder", "roles/secretmanager.secretAccessor"]


def test_iam_creates_a_role_that_creates_secrets_once(tmp_path):
    done, calls = gcloud(tmp_path, "--create", "p1", "serviceAccount:a@b", describe=1)
    assert done.returncode == 0, done.stderr
    assert "--permissions=secretmanager.secrets.create,secretmanager.secrets.get" in calls[3]
    assert "--role=projects/p1/roles/pullSecretCreator" in calls[4]
    (tmp_path / "calls").unlink()
    _, calls = gcloud(tmp_path, "--create", "p1", "serviceAccount:a@b", "s1")
    assert not [call for call in calls if "roles create" in call]
    assert calls[-1].startswith("projects add-iam-policy-binding p1")


@pytest.mark.parametrize("words", [[], ["p1"], ["--create", "p1"], ["a", "b", "c", "d"]])
def test_iam_tells_its_usage(tmp_path, words):
    done, calls = gcloud(tmp_path, *words)
    assert (done.returncode, calls) == (2, [])
    assert done.stderr.startswith("usage: iam")
