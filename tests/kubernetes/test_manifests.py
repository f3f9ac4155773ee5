"""What is rendered from scripts/kubernetes: valid for Kubernetes, safe, and true to the program."""

import copy
import functools
import hashlib
import itertools
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import FOLDER, OVERLAYS, TOP, VALUES, Tree, parts_of

NODE = TOP / "build/node/kubernetes"
SUMS = TOP / "tests/kubernetes/kustomize/go.sum"
README = (TOP / "README.md").read_text().split("**On Kubernetes**")[1].split("**From a script**")[0]
MODULES = {
    "v1": "kubernetes-models/v1",
    "batch/v1": "kubernetes-models/batch/v1",
    "networking.k8s.io/v1": "kubernetes-models/networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1": "kubernetes-models/rbac.authorization.k8s.io/v1",
}
# 128 and the signal: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS.
CRASHES = [132, 134, 135, 136, 139, 159]
# How long a pod may take until its program runs: a node, the image.
START = 120
OPTIONS = {"compilerOptions": {
    "strict": True, "noEmit": True, "skipLibCheck": True, "types": [],
    "target": "es2022", "module": "nodenext", "moduleResolution": "nodenext",
}}
# Loads each document through the API's own rules: required fields, formats, enumerations.
VALIDATE = """
import { readFileSync } from "node:fs";
for (const [module, kind, file] of JSON.parse(readFileSync("list.json", "utf8"))) {
  const { [kind]: Model } = await import(module);
  try {
    new Model(JSON.parse(readFileSync(file, "utf8"))).validate();
  } catch (error) {
    console.log(String(error));
    process.exitCode = 1;
  }
}
"""

# What else can be put together: a few that have much in them, and (with -m soak) all.
PLATFORMS = {"gke": ["gke"], "outside-gke": ["federation"], "openshift": ["federation", "openshift"]}
MIXED = {
    "gke-much": ["gke", "gke-service-account", "dual-stack", "proxy", "status-reporter", "values"],
    "openshift-much": ["federation", "openshift", "impersonation", "ipv6-only", "proxy", "status-reporter", "values"],
    "openshift-fleet-much": ["federation", "openshift", "impersonation", "proxy", "fleet-secret"],
    "gke-fleet-delete": ["gke", "delete", "fleet"],
    "outside-gke-fleet-volume": ["federation", "fleet-volume"],
}
# The last component, and what may stand before it: the status-reporter speaks of one cluster.
LAST = [("values", ("", "status-reporter", "delete")), ("fleet", ("", "delete")),
        *((last, ("",)) for last in ("fleet-secret", "fleet-volume"))]
ALL = {"-".join(("all", *filter(None, words), last)): [*PLATFORMS[words[0]], *filter(None, words[1:]), last]
       for last, jobs in LAST for words in itertools.product(PLATFORMS, ("", "dual-stack", "ipv6-only"), ("", "proxy"),
                                                             jobs)}


class Case:
    """An overlay: its components and what is rendered from them."""

    def __init__(self, name, parts, found):
        self.name, self.parts, self.found = name, parts_of(parts), found
        self.job, self.policy, self.account = self.one("Job"), self.one("NetworkPolicy"), self.one("ServiceAccount")
        self.pod = self.job["spec"]["template"]["spec"]
        self.containers = {container["name"]: container for container in self.pod["containers"]}
        self.main = self.containers["pull-secret"]
        self.variables = {e["name"]: e.get("value") for e in self.main["env"]}
        self.volumes = {volume["name"]: volume for volume in self.pod["volumes"]}

    def one(self, kind):
        (document,) = [d for d in self.found if d["kind"] == kind]
        return document

    def has(self, part):
        return part in self.parts

    def egress(self):
        """(address or None for all, protocol, port) of what may be reached."""
        return {(to and to["ipBlock"]["cidr"], port["protocol"], port["port"])
                for rule in self.policy["spec"]["egress"] for to in rule.get("to", [None]) for port in rule["ports"]}


def mixed(tree, name):
    """The case of a name, which is put together unless it is there."""
    parts = {**OVERLAYS, **MIXED, **ALL}[name]
    if not (tree.folder / "overlays" / name).exists():
        tree.add(name, parts)
    return Case(name, parts, tree.render(name))


@pytest.fixture(params=[*OVERLAYS, *MIXED, *(pytest.param(name, marks=pytest.mark.soak) for name in ALL)])
def case(request, tree):
    return mixed(tree, request.param)


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


def test_valid_for_the_api(node, tree):
    found = {json.dumps(document): document for name in [*OVERLAYS, *MIXED] for document in mixed(tree, name).found}
    assert {document["kind"] for document in found.values()} == {
        "Job", "NetworkPolicy", "ServiceAccount", "ConfigMap", "Role", "RoleBinding"}
    assert complaints(node, list(found.values())) == ""


MISTAKES = {
    "backofLimit": lambda job: job["spec"].update(backofLimit=3),
    "backoffLimit": lambda job: job["spec"].update(backoffLimit="3"),
    "containers": lambda job: job["spec"]["template"]["spec"].pop("containers"),
    "memory": lambda job: job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"].update(
        memory="16 MiB"),
}


def test_the_check_can_fail(node, tree):
    (job,) = [document for document in tree.render("gke") if document["kind"] == "Job"]
    spoiled = []
    for spoil in MISTAKES.values():
        spoiled.append(copy.deepcopy(job))
        spoil(spoiled[-1])
    found = complaints(node, spoiled)
    for word in MISTAKES:
        assert word in found


def test_kustomize_is_a_pinned_v5():
    """Whose sum is in go.sum; a binary of Go's says what it was built from."""
    module = "sigs.k8s.io/kustomize/kustomize/v5"
    pins, sums = (TOP / "tests/kubernetes/kustomize/go.mod").read_bytes(), SUMS.read_bytes()
    (pin,) = re.findall(rf"^require {module} (v5\.\d+\.\d+)$".encode(), pins, re.M)
    (known,) = re.findall(rf"^{module} {pin.decode()} (h1:\S+)$".encode(), sums, re.M)
    built = TOP / os.environ.get("CACHE", ".cache") / f"kustomize-{hashlib.sha256(pins + sums).hexdigest()[:16]}"
    assert b"\t".join((module.encode(), pin, known)) in built.read_bytes()


def test_there_is_an_overlay_for_each_environment():
    one = {tuple(parts[:-1]) for parts in OVERLAYS.values() if parts[-1] == "values"}
    assert {("gke",), ("federation",), ("federation", "openshift"), ("gke", "dual-stack"), ("gke", "ipv6-only"),
            ("gke", "proxy"), ("gke", "status-reporter"), ("gke", "delete")} <= one
    many = [parts[:-1] for parts in OVERLAYS.values() if parts[-1] == "fleet"]
    assert sorted(many) == sorted(PLATFORMS.values())
    assert len(one) + len(many) == len(OVERLAYS)
    used = {part for parts in [*OVERLAYS.values(), *MIXED.values()] for part in parts_of(parts)}
    assert used == {path.name for path in (FOLDER / "components").iterdir()}


def scalars(found, path=()):
    """(path, text) of everything that is not a key."""
    if isinstance(found, (dict, list)):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from scalars(value, (*path, key))
    else:
        yield path, str(found)


def test_every_value_arrives_and_no_placeholder_stays(case):
    texts = [text for path, text in scalars(case.found) if not ("env" in path and path[-1] == "name")]
    for name in VALUES:
        assert not [text for text in texts if name in text], name
    assert case.job["metadata"]["name"] == VALUES["JOB_NAME"]
    assert case.main["image"] == VALUES["IMAGE"]
    given, other = ("SHARDS", "CLUSTER_ID") if case.has("fleet") else ("CLUSTER_ID", "SHARDS")
    for name in ("GCP_PROJECT_ID", given):
        assert case.variables[name] == VALUES[name]
    assert other not in case.variables
    assert case.variables.get("HTTPS_PROXY") == (VALUES["HTTPS_PROXY"] if case.has("proxy") else None)
    assert "values" not in {document["metadata"]["name"] for document in case.found}


NEEDS = {"gke": ["JOB_NAME", "IMAGE", "GCP_PROJECT_ID", "CLUSTER_ID"], "outside-gke": ["WORKLOAD_IDENTITY_PROVIDER"],
         "gke-fleet": ["SHARDS"], "gke-proxy": ["HTTPS_PROXY"],
         "gke-status-reporter": ["STATUS_REPORTER_IMAGE", "GENERATION"],
         "gke-account": ["GOOGLE_SERVICE_ACCOUNT"], "impersonation": ["GOOGLE_SERVICE_ACCOUNT"]}


@pytest.mark.parametrize("overlay, name", [(overlay, name) for overlay, names in NEEDS.items() for name in names])
def test_a_value_that_is_missing_is_named(tmp_path, overlay, name):
    """As they are shipped all are; nothing is rendered."""
    tree = Tree(tmp_path / "kubernetes", {key: value for key, value in VALUES.items() if key != name})
    tree.add("gke-account", ["gke", "gke-service-account", "values"])
    tree.add("impersonation", ["federation", "impersonation", "values"])
    done = tree.build(f"overlays/{overlay}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"fieldPath `data.{name}` is missing for replacement source ConfigMap" in done.stderr


def test_no_value_is_shipped_and_none_is_elsewhere():
    values = yaml.safe_load((FOLDER / "values/values.yaml").read_text())["data"]
    assert values == dict.fromkeys(VALUES)
    assert {name for names in NEEDS.values() for name in names} == set(VALUES)
    (words,) = [re.search(r"ConfigMap … values", (FOLDER / "values/values.yaml").read_text())]
    assert words


def test_the_base_alone_is_refused(tree):
    """By Kubernetes, because of the Job's name, before anything of it runs."""
    (job,) = [d for d in yaml.safe_load_all(tree.build("base").stdout) if d["kind"] == "Job"]
    assert job["metadata"]["name"] == "JOB_NAME"
    assert not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", job["metadata"]["name"])


def test_restricted_pod_security(case):
    """The policy "restricted" of the Pod Security Standards."""
    security = case.pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in case.containers.values():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    for volume in case.volumes.values():
        assert len(volume) == 2
        assert set(volume) <= {"name", "secret", "emptyDir", "configMap", "projected", "persistentVolumeClaim"}


def test_user(case):
    """The image's own, but for OpenShift, which refuses what is not in the namespace's range."""
    found = {key: value for path, value in scalars(case.pod) for key in path if str(key).startswith(("runAs", "fsG"))}
    if case.has("openshift"):
        assert found == {"runAsNonRoot": "True"}
    else:
        assert found == {"runAsNonRoot": "True", "runAsUser": "65532", "runAsGroup": "65532", "fsGroup": "65532"}


def test_the_pull_secret_is_mounted_where_it_is_stored(case):
    assert "PULL_SECRET_DATA" not in case.variables
    if case.has("delete"):
        assert case.main["args"] == ["run-job", "delete-pull-secret"]
        assert "PULL_SECRET_FILE" not in case.variables
        assert "SKIP_UNCHANGED" not in case.variables
        assert "pull-secret" not in case.volumes
    elif case.has("fleet-secret"):
        assert case.main["args"] == ["run-job", "pull-secret"]
        assert "PULL_SECRET_FILE" not in case.variables
        assert case.variables["SKIP_UNCHANGED"] == "true"
        assert "pull-secret" not in case.volumes
    else:
        assert case.main["args"] == ["run-job", "pull-secret"]
        (mount,) = [m for m in case.main["volumeMounts"] if m["name"] == "pull-secret"]
        assert mount["readOnly"] is True
        assert case.variables["PULL_SECRET_FILE"].startswith(mount["mountPath"] + "/")
        assert case.variables["SKIP_UNCHANGED"] == "true"
        # Whoever runs it has the group fsGroup.
        assert case.volumes["pull-secret"]["secret"]["defaultMode"] == 0o440
    for container in case.containers.values():
        assert {m["name"] for m in container["volumeMounts"]} <= set(case.volumes)


def test_a_list_is_mounted_in_parts(case):
    """One with pull secrets in it is a Secret; its parts are as many as indexes, and all run at once."""
    spec = case.job["spec"]
    if not case.has("fleet"):
        assert "TASKS_FILE" not in case.variables
        assert not {"completionMode", "completions", "parallelism", "maxFailedIndexes"} & set(spec)
        return
    assert (spec["completionMode"], str(spec["completions"])) == ("Indexed", case.variables["SHARDS"])
    assert spec["completions"] == spec["parallelism"] == spec["maxFailedIndexes"] == int(VALUES["SHARDS"])
    # Kubernetes sets it.
    assert "JOB_COMPLETION_INDEX" not in case.variables
    assert 1 < int(case.variables["WORKERS"]) <= 32
    (mount,) = [m for m in case.main["volumeMounts"] if m["name"] == "tasks"]
    assert mount["readOnly"] is True
    assert case.variables["TASKS_FILE"] == mount["mountPath"] + "/tasks.ndjson"
    volume = case.volumes["tasks"]
    if case.has("fleet-volume"):
        assert volume["persistentVolumeClaim"] == {"claimName": "pull-secret-tasks", "readOnly": True}
    elif case.has("fleet-secret"):
        assert volume["secret"] == {"secretName": "pull-secret-tasks", "defaultMode": 0o440}
    else:
        assert volume["configMap"] == {"name": "pull-secret-tasks"}


def test_only_the_status_reporter_has_a_token_of_the_api(case):
    assert case.pod["automountServiceAccountToken"] is False
    assert case.account["automountServiceAccountToken"] is False
    tokens = {name: source["serviceAccountToken"] for name, volume in case.volumes.items()
              for source in volume.get("projected", {}).get("sources", []) if "serviceAccountToken" in source}
    # One for the API has no audience; what Google gets is worth nothing there.
    (api, *more) = [name for name, token in tokens.items() if "audience" not in token] or [None]
    assert not more
    assert (api is not None) == case.has("status-reporter")
    if api:
        mounts = {(name, m["mountPath"]) for name, container in case.containers.items()
                  for m in container["volumeMounts"] if m["name"] == api}
        assert mounts == {("status-reporter", "/var/run/secrets/kubernetes.io/serviceaccount")}
        sources = case.volumes[api]["projected"]["sources"]
        assert [next(iter(source)) for source in sources] == ["serviceAccountToken", "configMap", "downwardAPI"]
        assert sources[1]["configMap"] == {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}


def test_status_reporter_reads_what_the_job_writes(case):
    if not case.has("status-reporter"):
        assert set(case.containers) == {"pull-secret"}
        return
    reporter = {e["name"]: e.get("value") for e in case.containers["status-reporter"]["env"]}
    assert reporter["RESULTS_PATH"] == case.variables["RESULTS_PATH"]
    for container in case.containers.values():
        assert {"name": "results", "mountPath": "/results"} in container["volumeMounts"]
    assert reporter["ADAPTER_CONTAINER_NAME"] == "pull-secret"
    assert reporter["JOB_NAME"] == VALUES["JOB_NAME"]
    assert case.containers["status-reporter"]["image"] == VALUES["STATUS_REPORTER_IMAGE"]
    metadata = case.job["metadata"]
    assert metadata["labels"]["hyperfleet.io/cluster-id"] == VALUES["CLUSTER_ID"]
    assert case.job["spec"]["template"]["metadata"]["labels"]["hyperfleet.io/cluster-id"] == VALUES["CLUSTER_ID"]
    assert metadata["annotations"]["hyperfleet.io/generation"] == VALUES["GENERATION"]
    assert [subject["name"] for subject in case.one("RoleBinding")["subjects"]] == [case.account["metadata"]["name"]]
    assert case.one("RoleBinding")["roleRef"]["name"] == case.one("Role")["metadata"]["name"]


def test_ends_in_time(case):
    """All tries, their ends and the pauses between them, a start before each."""
    assert case.pod["restartPolicy"] == "Never"
    if case.has("fleet"):
        # The tasks have the limit; 10,000 new secrets at ten write requests a second fit many times.
        assert "MAX_WAIT_TIME_SECONDS" not in case.variables
        assert int(case.variables["PERMISSION_WAIT_SECONDS"]) == 180 <= int(case.variables["TASK_TIMEOUT_SECONDS"]) - 60
        assert case.job["spec"]["activeDeadlineSeconds"] >= 20 * 3 * 10_000 / 10
        # The program's own 20 s for what is under way, and some to end the rest.
        assert case.pod["terminationGracePeriodSeconds"] == 30
        return
    limit = int(case.variables["MAX_WAIT_TIME_SECONDS"])
    assert int(case.variables["PERMISSION_WAIT_SECONDS"]) == 180 <= limit - 60
    end = case.pod["terminationGracePeriodSeconds"]
    retries = case.job["spec"]["backoffLimit"]
    pauses = sum(10 * 2 ** i for i in range(retries))
    if case.has("status-reporter"):
        # It gives up later than the job, and is still there to say so.
        reporter = {e["name"]: e.get("value") for e in case.containers["status-reporter"]["env"]}
        assert limit + end <= int(reporter["MAX_WAIT_TIME_SECONDS"])
        limit = int(reporter["MAX_WAIT_TIME_SECONDS"])
    assert (retries + 1) * (START * len(case.containers) + limit + end) + pauses <= \
        case.job["spec"]["activeDeadlineSeconds"]


def test_what_is_retried(case):
    """What the README's table of exit codes says that a Job should do."""
    table = re.findall(r"^\| ([\d, ]+) \|.*\| (.*) \|$", (TOP / "README.md").read_text(), re.M)
    codes = {int(code): what.split(",")[0] for codes, what in table for code in codes.split(", ")}
    # Of these, 7 is only that of a list; an index fails alone.
    final = [code for code, what in codes.items() if what == "fail" and (code != 7 or case.has("fleet"))]
    assert final == [2, 3, 4, 5, 6, *([7] if case.has("fleet") else []), *CRASHES]
    assert [code for code, what in codes.items() if what == "retry"] == [1, 130, 143]
    main = {"containerName": "pull-secret", "operator": "In"}
    assert case.job["spec"]["podFailurePolicy"]["rules"] == [
        {"action": "FailIndex" if case.has("fleet") else "FailJob", "onExitCodes": {**main, "values": final}},
        {"action": "Ignore", "onExitCodes": {**main, "values": [130, 143]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
    # Exit code 1: the status-reporter speaks of one pod, an index has tries of its own.
    limit = {name: value for name, value in case.job["spec"].items() if name.startswith("backoffLimit")}
    assert limit == ({"backoffLimitPerIndex": 3} if case.has("fleet") else
                     {"backoffLimit": 0 if case.has("status-reporter") else 3})


@functools.lru_cache
def help_of(*words):
    return subprocess.run([TOP / "bin/pull-secret", *words, "--help"],
                          capture_output=True, text=True, check=True).stdout


def test_variables_are_the_programs(case):
    for name in case.variables:
        assert re.search(rf"\b{name}\b", help_of(*case.main["args"])), name


def test_memory_fits_a_small_program(case):
    memory = {what: amount["memory"] for what, amount in case.main["resources"].items()}
    # Processes of a list share the program's pages, and have their own data.
    assert memory == ({"requests": "8Mi", "limits": "32Mi"} if case.has("fleet") else
                      {"requests": "4Mi", "limits": "16Mi"})


def test_identity(case):
    assert case.pod["serviceAccountName"] == case.account["metadata"]["name"]
    assert case.account["metadata"]["name"] == ("pull-secret-delete" if case.has("delete") else "pull-secret")
    annotations = case.account["metadata"].get("annotations", {})
    assert annotations == ({"iam.gke.io/gcp-service-account": VALUES["GOOGLE_SERVICE_ACCOUNT"]}
                           if case.has("gke-service-account") else {})
    assert case.variables.get("CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT") == (
        VALUES["GOOGLE_SERVICE_ACCOUNT"] if case.has("impersonation") else None)


def test_federation(case):
    """Outside GKE: the token that the credential file names is mounted, for the same provider."""
    if not case.has("federation"):
        assert "ConfigMap" not in {document["kind"] for document in case.found}
        assert "GOOGLE_APPLICATION_CREDENTIALS" not in case.variables
        return
    credentials = json.loads(case.one("ConfigMap")["data"]["credentials.json"])
    assert credentials["audience"] == VALUES["WORKLOAD_IDENTITY_PROVIDER"]
    (source,) = case.volumes["token"]["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == "https:" + credentials["audience"]
    (mount,) = [m for m in case.main["volumeMounts"] if m["name"] == "token"]
    assert credentials["credential_source"]["file"] == f"{mount['mountPath']}/{source['serviceAccountToken']['path']}"
    (mount,) = [m for m in case.main["volumeMounts"] if m["name"] == "credentials"]
    assert case.variables["GOOGLE_APPLICATION_CREDENTIALS"] == mount["mountPath"] + "/credentials.json"
    assert case.variables["NO_GCE_CHECK"] == "true"


def test_egress(case):
    """Nothing comes in; what goes out is DNS, Google or the proxy, and what the environment has."""
    spec = case.policy["spec"]
    assert spec["podSelector"]["matchLabels"].items() <= \
        case.job["spec"]["template"]["metadata"]["labels"].items()
    assert (spec["policyTypes"], spec["ingress"]) == (["Ingress", "Egress"], [])
    assert case.policy["metadata"]["name"] == case.account["metadata"]["name"]
    dns = [53, 5353] if case.has("openshift") else [53]
    expected = {(None, protocol, port) for protocol in ("UDP", "TCP") for port in dns}
    if case.has("proxy"):
        expected |= {(None, "TCP", 3128)}
    else:
        expected |= {("0.0.0.0/0", "TCP", 443)} if not case.has("ipv6-only") else set()
        expected |= {("::/0", "TCP", 443)} if case.has("ipv6-only") or case.has("dual-stack") else set()
    if case.has("gke"):
        expected |= {(address, "TCP", port) for address in ("169.254.169.254/32", "fd20:ce::254/128")
                     for port in (80, 8080)}
        expected |= {("169.254.169.252/32", "TCP", port) for port in (987, 988)}
    if case.has("status-reporter"):
        expected |= {(None, "TCP", 443), (None, "TCP", 6443)}
    assert case.egress() == expected


def test_metadata_server_is_not_let_out_by_the_way(case):
    for rule in case.policy["spec"]["egress"]:
        for to in rule.get("to", []):
            if to["ipBlock"]["cidr"].endswith("/0"):
                assert to["ipBlock"]["except"] in (["169.254.0.0/16"], ["fe80::/10", "fd20:ce::/64"])


def test_heads_tell_the_command():
    """Each overlay says how it is applied, and what for."""
    for overlay in OVERLAYS:
        head = (FOLDER / "overlays" / overlay / "kustomization.yaml").read_text().splitlines()[:3]
        assert re.match(r"# [A-Z].*\.$", head[0])
        assert head[2] == f"#   kubectl -n NAMESPACE apply -k scripts/kubernetes/overlays/{overlay}"


def wanted(parts):
    """The values that components ask for."""
    return {source for part in parts_of(parts) for source in re.findall(
        r"^    fieldPath: data\.(\w+)$", (FOLDER / "components" / part / "kustomization.yaml").read_text(), re.M)}


def test_readme_lists_the_overlays_and_what_they_need():
    common = re.search(r"values, besides (.*) \|", README)[1]
    assert set(re.findall(r"`(\w+)`", common)) == wanted(["values"])
    # A list has no one cluster: its row says so.
    listed = {}
    for names, values in re.findall(r"^\| (`[a-z0-9`, -]+`) \| .* \|(.*)\|$", README.split("An overlay is")[0], re.M):
        for name in re.findall(r"`([a-z0-9-]+)`", names):
            listed[name] = set(re.findall(r"`(\w+)`", values))
    assert listed == {name: wanted(parts) ^ wanted(["values"]) for name, parts in OVERLAYS.items()}


def test_readme_commands(tree):
    """What it applies is there; what it runs takes these words."""
    commands = re.findall(r"^    (\S.*)$", README, re.M)
    assert commands[0] == "cd scripts/kubernetes"
    applied = [line.rpartition(" -k ")[2] for line in commands if " apply -k " in line]
    assert applied == ["overlays/gke", "overlays/gke-fleet"]
    assert all(tree.build(overlay).returncode == 0 for overlay in applied)
    secret, *lists = [line for line in commands if " create " in line]
    case = Case("gke", OVERLAYS["gke"], tree.render("gke"))
    mounted = case.volumes["pull-secret"]["secret"]
    assert f"secret generic {mounted['secretName']} --from-file={mounted['items'][0]['key']}=" in secret
    for name, line in zip(("gke-fleet", *["openshift-fleet-much"] * 2), lists, strict=True):
        case = mixed(tree, name)
        volume = case.volumes["tasks"]
        kind, name = (("configmap", volume["configMap"]["name"]) if "configMap" in volume else
                      ("secret generic", volume["secret"]["secretName"]))
        assert f" create {kind} {name} --from-file={case.variables['TASKS_FILE'].rpartition('/')[2]}=" in line
    for line in re.findall(r"^\| `((?:iam|pool) .*?)` \|", README, re.M) + [c[2:] for c in commands if c[:2] == "./"]:
        done = subprocess.run([FOLDER / line.split()[0]], capture_output=True, text=True, check=False)
        usage = set(re.findall(r"--\w+|[A-Z]{4,}", done.stderr.split("\n\n")[0]))
        assert set(re.findall(r"--\w+|[A-Z]{4,}", line)) <= usage, line


def of_readme(folder, tree, tmp_path, parts):
    """The case of a folder whose kustomization.yaml stands in README."""
    (block,) = re.findall(rf"^    # {folder}/kustomization.yaml\n((?:    .*\n)+)", README, re.M)
    own = Tree(tmp_path / "scripts/kubernetes", {})
    path = tmp_path / folder
    path.mkdir(parents=True)
    (path / "kustomization.yaml").write_text(re.sub("^    ", "", block, flags=re.M))
    (path / "values.yaml").write_text((tree.folder / "values/values.yaml").read_text())
    done = own.build(path)
    assert done.returncode == 0, done.stderr
    return Case("own", parts, list(yaml.safe_load_all(done.stdout)))


def test_readme_folder_for_a_cluster_is_an_overlay(tree, tmp_path):
    case = of_readme("clusters/cls-abc123", tree, tmp_path, ["gke", "dual-stack"])
    assert case.variables["SECRET_NAME"] == "pull-secret-of-cls-abc123"
    assert case.job["metadata"]["name"] == VALUES["JOB_NAME"]
    assert ("::/0", "TCP", 443) in case.egress()


def test_readme_folder_for_a_list_is_an_overlay(tree, tmp_path):
    case = of_readme("clusters/all", tree, tmp_path, ["gke", "fleet-secret"])
    assert case.volumes["tasks"]["secret"]["secretName"] == "pull-secret-tasks"
