"""A Kubernetes of one node: etcd, the API server and what it needs, containerd, a kubelet."""

import contextlib
import http.client
import json
import os
import resource
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from emulator.certificates import authority, sign

NODE = "node-1"
NODE_ADDRESS = "192.168.52.1"  # of the bridge that the pods are plugged into
PODS = "192.168.52.0/24"
SERVICES = "10.96.0.0/24"
# Service addresses that this machine itself has, so that nothing need translate them.
API, DNS = "10.96.0.1", "10.96.0.10"
ISSUER = "https://kubernetes.cluster.example"
BRIDGE = "pods"
PATIENCE = 300
TAIL = 15


class Failed(AssertionError):
    """The cluster, or a command in it, did not do what it should."""


def until(condition, what, seconds=PATIENCE, pause=0.2):
    """The first true value of condition(), or Failed with `what`, a text or a function."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise Failed(what() if callable(what) else what)
        time.sleep(pause)
    return value


class Cluster:
    """Runs in namespaces of its own, as tests/cluster/__main__.py makes them.

    kubernetes is the program that all parts are, images the archives that the node knows,
    work a folder that is lost afterwards, logs one that stays, cgroup the name of a cgroup."""

    def __init__(self, kubernetes, images, work, logs, cgroup):
        self.kubernetes, self.images = Path(kubernetes), images
        self.work, self.logs, self.cgroup = Path(work), Path(logs), cgroup
        self._processes = {}
        self._ca = None

    # --- life -----------------------------------------------------------------------

    def start(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        self.work.mkdir()
        self._network()
        self._certificates()
        self._start("etcd", [
            self.kubernetes, "etcd", f"--data-dir={self.work}/etcd", "--unsafe-no-fsync",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380"])
        self._start("kube-apiserver", self._apiserver())
        self._containerd()
        until(lambda: self._ask("get", "--raw=/readyz").returncode == 0, self.said)
        for part, more in (("kube-scheduler", []), ("kube-controller-manager", [
                "--use-service-account-credentials", f"--root-ca-file={self._ca}",
                f"--service-account-private-key-file={self.work}/accounts.key"])):
            self._start(part, [
                self.kubernetes, part, f"--kubeconfig={self._kubeconfig(part, f'/CN=system:{part}')}",
                "--leader-elect=false", *more])
        self._kubelet()
        until(self._is_ready, self.said)

    def stop(self):
        """Nothing is kept, so nothing need be put in order."""
        for part in self._processes.values():
            part.kill()
            part.wait()

    def said(self):
        """The last lines of every part's log."""
        lines = []
        for part, process in self._processes.items():
            lines.append(f"--- {part} ({'runs' if process.poll() is None else process.returncode})")
            text = (self.logs / f"{part}.log").read_text(errors="replace")
            lines += text.splitlines()[-TAIL:]
        return "\n".join(lines)

    def _start(self, part, words):
        with open(self.logs / f"{part}.log", "w", encoding="utf-8") as log:
            self._processes[part] = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    def _is_ready(self):
        return any(item["type"] == "Ready" and item["status"] == "True"
                   for node in self.get("/api/v1/nodes")["items"]
                   for item in node["status"]["conditions"])

    # --- what it needs ----------------------------------------------------------------

    def _network(self):
        # A bridge without an address of its own takes another one with every pod.
        for words in (f"link add {BRIDGE} address 02:00:00:00:00:01 type bridge", f"link set {BRIDGE} up",
                      f"addr add {NODE_ADDRESS}/24 dev {BRIDGE}", f"addr add {API}/32 dev lo",
                      f"addr add {DNS}/32 dev lo"):
            subprocess.run(["ip", *words.split()], check=True)

    def _certificates(self):
        """One authority, the server's certificate, and a key for service accounts' tokens."""
        self._ca = sign(self.work, "ca", "P-256", "/CN=cluster", extensions=authority())
        names = ["DNS:kubernetes", "DNS:kubernetes.default.svc", "DNS:localhost", "IP:127.0.0.1",
                 f"IP:{API}", f"IP:{NODE_ADDRESS}"]
        sign(self.work, "server", "P-256", "/CN=kube-apiserver", self._ca,
             [f"subjectAltName={','.join(names)}"])
        sign(self.work, "accounts", "rsa:2048", "/CN=accounts")
        self._kubeconfig("admin", "/O=system:masters/CN=admin")

    def _kubeconfig(self, name, subject):
        """Credentials of a client: a certificate. Returns the file."""
        certificate = sign(self.work, name, "P-256", subject, self._ca)
        path = self.work / f"{name}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "this",
            "contexts": [{"name": "this", "context": {"cluster": "this", "user": name}}],
            "clusters": [{"name": "this", "cluster": {
                "server": f"https://{API}", "certificate-authority": str(self._ca)}}],
            "users": [{"name": name, "user": {
                "client-certificate": str(certificate),
                "client-key": str(certificate.with_suffix(".key"))}}]}))
        return path

    def _apiserver(self):
        work = self.work
        return [
            self.kubernetes, "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={NODE_ADDRESS}", f"--bind-address={API}", "--secure-port=443",
            f"--service-cluster-ip-range={SERVICES}", "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction", f"--client-ca-file={self._ca}",
            f"--tls-cert-file={work}/server.pem", f"--tls-private-key-file={work}/server.key",
            f"--service-account-issuer={ISSUER}",
            f"--service-account-key-file={work}/accounts.key",
            f"--service-account-signing-key-file={work}/accounts.key",
            f"--kubelet-client-certificate={work}/admin.pem",
            f"--kubelet-client-key={work}/admin.key",
            "--kubelet-preferred-address-types=InternalIP"]

    def _containerd(self):
        cni = self.work / "cni"
        cni.mkdir()
        (cni / "10-pods.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0", "name": "pods", "plugins": [{
                "type": "bridge", "bridge": BRIDGE, "isDefaultGateway": True,
                "ipam": {"type": "host-local", "subnet": PODS,
                         "dataDir": f"{self.work}/addresses"}}]}))
        config = self.work / "containerd.toml"
        config.write_text(f"""\
version = 2
root = "{self.work}/containerd"
state = "/run/containerd"
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "{self.work}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:1"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{cni}"
""")
        self._start("containerd", ["containerd", "--config", config])
        ctr = ["ctr", "--address", "/run/containerd/containerd.sock", "--namespace", "k8s.io"]
        until(lambda: subprocess.run([*ctr, "version"], capture_output=True,
                                     check=False).returncode == 0, self.said)
        for image in self.images:
            subprocess.run([*ctr, "images", "import", image], check=True, capture_output=True)

    def _kubelet(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        config = self.work / "kubelet.json"
        config.write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False},
                               "x509": {"clientCAFile": str(self._ca)}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{self.cgroup}",
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "clusterDNS": [DNS], "clusterDomain": "cluster.local", "resolvConf": "",
            "failSwapOn": False, "protectKernelDefaults": True,
            "makeIPTablesUtilChains": False,
            "maxOpenFiles": min(20000, most), "oomScoreAdj": 0,
            # Nobody's full disk is this cluster's business.
            "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%",
                             "imagefs.available": "0%", "nodefs.inodesFree": "0%"},
            "imageGCHighThresholdPercent": 100, "syncFrequency": "10s"}))
        kubeconfig = self._kubeconfig("kubelet", f"/O=system:nodes/CN=system:node:{NODE}")
        self._start("kubelet", [
            self.kubernetes, "kubelet", f"--config={config}", f"--kubeconfig={kubeconfig}",
            f"--hostname-override={NODE}", f"--node-ip={NODE_ADDRESS}",
            "--volume-plugin-dir=/var/lib/kubelet/volume-plugins"])

    # --- kubectl ----------------------------------------------------------------------

    def words(self, *arguments):
        """The command line of kubectl."""
        return [str(word) for word in (
            self.kubernetes, "kubectl", f"--kubeconfig={self.work}/admin.kubeconfig", *arguments)]

    def _ask(self, *arguments, text=None):
        return subprocess.run(self.words(*arguments), input=text, capture_output=True, text=True,
                              check=False, env={**os.environ, "HOME": str(self.work)})

    def kubectl(self, *arguments, text=None):
        """Run kubectl, which must succeed; returns the finished process."""
        done = self._ask(*arguments, text=text)
        if done.returncode != 0:
            raise Failed(f"kubectl {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done

    # --- the API itself, which is quicker than a kubectl ---------------------------------

    def call(self, method, path, body=None):
        """One call, which must succeed; returns what the server said."""
        trust = ssl.create_default_context(cafile=str(self._ca))
        trust.load_cert_chain(self.work / "admin.pem", self.work / "admin.key")
        connection = http.client.HTTPSConnection(API, timeout=PATIENCE, context=trust)
        with contextlib.closing(connection):
            connection.request(method, path, body and json.dumps(body),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
        if response.status not in (200, 201):
            raise Failed(f"{method} {path}: {text}")
        return json.loads(text)

    def get(self, path):
        return self.call("GET", path)

    @contextlib.contextmanager
    def following(self, *arguments):
        """A kubectl that goes on; gives the file that it writes."""
        with tempfile.NamedTemporaryFile(dir=self.work) as out:
            command = subprocess.Popen(self.words(*arguments), stdout=out)
            try:
                yield Path(out.name)
            finally:
                command.kill()
                command.wait()
