"""What the tests of scripts/kubernetes share: overlays, rendered by the pinned kustomize."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "scripts/kubernetes"
POOL = "//iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool-1"
VALUES = {
    "JOB_NAME": "pull-secret-cls-7-1", "IMAGE": "quay.io/somebody/pull-secret:v0.1.0",
    "GCP_PROJECT_ID": "my-project", "CLUSTER_ID": "cls-7", "SHARDS": "8",
    "WORKLOAD_IDENTITY_PROVIDER": POOL + "/providers/cluster-1",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "STATUS_REPORTER_IMAGE": "quay.io/somebody/status-reporter:v2", "GENERATION": "4",
    "GOOGLE_SERVICE_ACCOUNT": "storer@my-project.iam.gserviceaccount.com",
}


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes long; `make soak` runs it")


def components(overlay):
    """The names of an overlay's components, in order."""
    listed = yaml.safe_load((FOLDER / "overlays" / overlay / "kustomization.yaml").read_text())["components"]
    return [path.removeprefix("../../components/") for path in listed]


def parts_of(names):
    """These components, each after those that it consists of itself."""
    found = []
    for name in names:
        listed = yaml.safe_load((FOLDER / "components" / name / "kustomization.yaml").read_text()).get("components", [])
        found += [*parts_of([path.removeprefix("../") for path in listed]), name]
    return found


OVERLAYS = {path.name: components(path.name) for path in sorted((FOLDER / "overlays").iterdir())}


def fill_in(folder, values):
    """Writes values into values.yaml as a person would: behind the colons."""
    path = folder / "values/values.yaml"
    path.write_text(re.sub(r"^  ([A-Z_]+):$", lambda line: f'  {line[1]}: {quoted(values.get(line[1], ""))}'.rstrip(),
                           path.read_text(), flags=re.M))


def quoted(value):
    return f'"{value}"' if value.isdigit() else value


class Tree:
    """A copy of scripts/kubernetes, with values, that overlays can be added to."""

    def __init__(self, folder, values):
        self.folder = folder
        shutil.copytree(FOLDER, folder)
        fill_in(folder, values)
        self.rendered = {}

    def add(self, name, parts):
        (self.folder / "overlays" / name).mkdir()
        (self.folder / "overlays" / name / "kustomization.yaml").write_text(yaml.safe_dump({
            "resources": ["../../values", "../../base"],
            "components": [f"../../components/{part}" for part in parts]}))

    def build(self, path):
        return subprocess.run([TOP / "scripts/kustomize", "build", self.folder / path],
                              capture_output=True, text=True, check=False)

    def render(self, overlay):
        if overlay not in self.rendered:
            done = self.build(f"overlays/{overlay}")
            assert done.returncode == 0, done.stderr
            self.rendered[overlay] = list(yaml.safe_load_all(done.stdout))
        return self.rendered[overlay]


@pytest.fixture(scope="session", autouse=True)
def kustomize():
    """Built before two tests want it at the same time."""
    done = subprocess.run([TOP / "scripts/kustomize", "version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def tree(kustomize, tmp_path_factory):
    """With all values, the overlays that are there already rendered."""
    tree = Tree(tmp_path_factory.mktemp("tree") / "kubernetes", VALUES)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tree.render, OVERLAYS))
    return tree
