"""Jobs of our manifests: each in a namespace of its own, as a person would apply them."""

import itertools
import json
import re
import shutil
import threading
from pathlib import Path

import yaml

from cluster import NODE_ADDRESS, PATIENCE, Failed, until
from emulator import errors
from emulator.federation import POOL
from emulated import PROJECT
from programs import OURS, REPORTER, TOP

FOLDER = TOP / "scripts/kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
PULL_SECRET = '{"auths":{"quay.io":{"auth":"dXNlcjpwYXNzd29yZA=="}}}'
PROXY_PORT = 3128
# All that a test adds to the manifests: whom to trust.
TRUST = {"spec": {"template": {"spec": {
    "containers": [{
        "name": "pull-secret", "env": [{"name": "SSL_CERT_FILE", "value": "/trust/root.pem"}],
        "volumeMounts": [{"name": "trust", "mountPath": "/trust", "readOnly": True}]}],
    "volumes": [{"name": "trust", "configMap": {"name": "trust"}}]}}}}
_NUMBERS = itertools.count(1)


class Jobs:
    """Makes Jobs in a cluster, with the emulator as Google."""

    def __init__(self, cluster, google, work):
        self.cluster, self.google, self.work = cluster, google, work

    def namespace(self, pull_secret=PULL_SECRET):
        """A new one that enforces the restricted standard and holds what README asks for."""
        name = f"cls-{next(_NUMBERS)}"
        self._put("/api/v1/namespaces", name, "Namespace", labels={
            f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")})
        self.add_file(name, "trust", "root.pem", Path(self.google.ca_file).read_text())
        self.add_secret(name, "pull-secret", ".dockerconfigjson", pull_secret)
        return name

    def add_file(self, namespace, name, file, text):
        """A ConfigMap with one file."""
        self._put(f"/api/v1/namespaces/{namespace}/configmaps", name, "ConfigMap",
                  data={file: text})

    def add_secret(self, namespace, name, file, text):
        """A Secret with one file."""
        self._put(f"/api/v1/namespaces/{namespace}/secrets", name, "Secret",
                  stringData={file: text})

    def add_volume(self, namespace, name, file, text):
        """A claim of a volume with one file, which many may read."""
        folder = self.work / f"volume-{namespace}"
        folder.mkdir()
        (folder / file).write_text(text)
        room = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
        self._put("/api/v1/persistentvolumes", namespace, "PersistentVolume", spec={
            **room, "capacity": {"storage": "1Mi"}, "hostPath": {"path": str(folder)}})
        self._put(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", name,
                  "PersistentVolumeClaim", spec={
                      **room, "volumeName": namespace,
                      "resources": {"requests": {"storage": "1Mi"}}})

    def _put(self, path, name, kind, labels=None, **fields):
        self.cluster.call("POST", path, {
            "apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels or {}},
            **fields})

    def apply(self, overlay, *patches, pull_secret=PULL_SECRET, namespace=None, **values):
        """`kubectl apply -k` of an overlay with the values of a cluster; returns the Job.

        In place of an overlay's name there may be a list of components. A patch is a part of
        a Job, as a strategic merge takes it. The namespace is a new one unless it is given."""
        namespace = namespace or self.namespace(pull_secret)
        folder = self.work / f"{namespace}-{next(_NUMBERS)}"
        shutil.copytree(FOLDER, folder / "kubernetes")
        values = {
            "JOB_NAME": f"pull-secret-{namespace}-1", "IMAGE": OURS, "GCP_PROJECT_ID": PROJECT,
            "CLUSTER_ID": namespace, "WORKLOAD_IDENTITY_PROVIDER": POOL,
            "HTTPS_PROXY": f"http://{NODE_ADDRESS}:{PROXY_PORT}",
            "STATUS_REPORTER_IMAGE": REPORTER, "GENERATION": '"1"', **values}
        path = folder / "kubernetes/values/values.yaml"
        path.write_text(re.sub(r"^  ([A-Z_]+):$", lambda line: f"  {line[1]}: {values.get(line[1], '')}",
                               path.read_text(), flags=re.M))
        kind = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "any"}}
        parts = {"resources": [f"kubernetes/overlays/{overlay}"]}
        if not isinstance(overlay, str):
            parts = {"resources": ["kubernetes/values", "kubernetes/base"],
                     "components": [f"kubernetes/components/{part}" for part in overlay]}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump({
            **parts, "patches": [{"target": {"kind": "Job"}, "patch": json.dumps({**kind, **patch})}
                        for patch in (TRUST, *patches)]}))
        done = self.cluster.kubectl("-n", namespace, "apply", "-k", folder)
        return Job(self.cluster, namespace, values["JOB_NAME"], values["CLUSTER_ID"],
                   done.stdout + done.stderr)


class Job:
    """One Job. said is what kubectl printed when it was applied, warnings too."""

    def __init__(self, cluster, namespace, name, cluster_id, said):
        self.cluster, self.namespace, self.name = cluster, namespace, name
        self.cluster_id, self.said = cluster_id, said

    def get(self):
        return self.cluster.get(f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{self.name}")

    def pods(self):
        """Those of this Job, the oldest first."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        found = self.cluster.get(f"{path}?labelSelector=job-name%3D{self.name}")["items"]
        return sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def condition(self, kind):
        """A condition of the Job that is true, or None."""
        found = self.get()["status"].get("conditions", [])
        return next((item for item in found
                     if item["type"] == kind and item["status"] == "True"), None)

    def finished(self):
        """Wait for its end: "Complete" or "Failed", and the condition."""
        def look():
            return next(((kind, found) for kind in ("Complete", "Failed")
                         if (found := self.condition(kind))), None)
        return until(look, self.told)

    def running(self):
        """Wait until its program runs; returns the pod."""
        def look():
            return next((pod for pod in self.pods() if state(pod).get("running")), None)
        return until(look, self.told)

    def log(self, pod=None, container="pull-secret"):
        name = (pod or self.pods()[-1])["metadata"]["name"]
        return self.cluster.kubectl("-n", self.namespace, "logs", name, "-c", container).stdout

    def told(self):
        """All there is to know, for a test that failed."""
        done = [self.cluster.kubectl("-n", self.namespace, *words).stdout for words in (
            ("get", "job,pods", "-o", "wide"), ("get", "events"))]
        for pod in self.pods():
            try:
                done.append(self.log(pod))
            except Failed as error:
                done.append(str(error))
        return "\n".join(done)


def status(pod, container="pull-secret"):
    """The status of one of a pod's containers."""
    found = pod["status"].get("containerStatuses", [])
    return next((item for item in found if item["name"] == container), {})


def state(pod, container="pull-secret"):
    """What one of a pod's containers does: {"waiting"|"running"|"terminated": …}."""
    return status(pod, container).get("state", {})


def about(job):
    """Matches the requests about the secret of a cluster."""
    return lambda request: f"hyperfleet-{job}-" in request.target + request.body.decode()


def reading(job):
    """Matches those that read a version of it."""
    return lambda request: about(job)(request) and request.raw_path.endswith(":access")


def variables(**values):
    """A patch that sets variables of the job's container."""
    return containers(env=[{"name": name, "value": value} for name, value in values.items()])


def containers(volumes=(), **main):
    return {"spec": {"template": {"spec": {
        "containers": [{"name": "pull-secret", **main}], "volumes": list(volumes)}}}}


class Hold:
    """Keeps the requests about a cluster's secret without a reply, until it is let go."""

    def __init__(self, google, name):
        self._matches = about(name)
        self.arrived, self._over = threading.Event(), threading.Event()
        google.order("secretmanager", self._match, times=None, reply=self._wait)

    def _match(self, request):
        return not self._over.is_set() and self._matches(request)

    def _wait(self, _):
        self.arrived.set()
        self._over.wait(PATIENCE)
        return errors.unavailable()

    def let_go(self):
        self._over.set()
