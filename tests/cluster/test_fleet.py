"""A list of clusters on an Indexed Job, each pod with its part of the list."""

import hashlib
import json

import pytest

from emulated import PROJECT
from emulator import errors
from jobs import PULL_SECRET, about, state

SHARDS = 8


def shard(cluster_id):
    """The index that a cluster belongs to, by the rule of README."""
    name = f"projects/{PROJECT}/secrets/hyperfleet-{cluster_id}-pull-secret"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % SHARDS


def apply(jobs, overlay, ids):
    """A Job in the namespace that these clusters are named after."""
    return jobs.apply(overlay, namespace=ids[0].rpartition("-")[0], SHARDS=f'"{SHARDS}"')


def start(jobs, overlay, ids):
    """A Job over a list of these clusters."""
    jobs.add_file(ids[0].rpartition("-")[0], "pull-secret-tasks", "tasks.ndjson", "".join(
        json.dumps({"cluster_id": cluster_id}) + "\n" for cluster_id in ids))
    return apply(jobs, overlay, ids)


@pytest.fixture
def clusters(jobs):
    """Makes ids of so many clusters."""
    def make(count):
        name = jobs.namespace()
        return [f"{name}-{number}" for number in range(count)]
    return make


def test_one_index_fails_for_good_and_the_others_are_finished(jobs, google, clusters):
    """40 clusters in 8 parts; of one cluster nothing can be stored."""
    ids = clusters(40)
    google.order("secretmanager", about(ids[13]), times=None, reply=errors.service_disabled())
    job = start(jobs, "gke-fleet", ids)
    kind, condition = job.finished()
    assert (kind, condition["reason"]) == ("Failed", "FailedIndexes"), job.told()
    bad = shard(ids[13])
    status = job.get()["status"]
    assert status["failedIndexes"] == str(bad)
    assert (status["succeeded"], status["failed"]) == (SHARDS - 1, 1)
    stored = {cluster_id: google.versions(cluster_id) for cluster_id in ids}
    assert stored.pop(ids[13]) is None
    assert set(map(tuple, stored.values())) == {(PULL_SECRET.encode(),)}
    ends = {int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]):
            state(pod)["terminated"] for pod in job.pods()}
    assert {index: end["exitCode"] for index, end in ends.items()} == {
        index: 7 if index == bad else 0 for index in range(SHARDS)}
    assert "1 failed" in ends[bad]["message"]


@pytest.mark.parametrize("overlay", ["outside-gke-fleet", "openshift-fleet"])
def test_on_other_platforms(jobs, google, clusters, overlay):
    ids = clusters(16)
    job = start(jobs, overlay, ids)
    assert "Warning" not in job.said
    assert job.finished()[0] == "Complete", job.told()
    assert [google.versions(cluster_id) for cluster_id in ids] == [[PULL_SECRET.encode()]] * 16


@pytest.mark.parametrize("last, add", [
    ("fleet-secret", "add_secret"), ("fleet-volume", "add_volume")])
def test_a_list_that_brings_pull_secrets_of_its_own(jobs, google, clusters, last, add):
    ids = clusters(16)
    own = {cluster_id: PULL_SECRET.replace("quay.io", f"{cluster_id}.example")
           for cluster_id in ids}
    getattr(jobs, add)(ids[0].rpartition("-")[0], "pull-secret-tasks", "tasks.ndjson", "".join(
        f'{{"cluster_id":"{cluster_id}","pull_secret_data":{text}}}\n'
        for cluster_id, text in own.items()))
    job = apply(jobs, ["gke", last], ids)
    assert "Warning" not in job.said
    assert job.finished()[0] == "Complete", job.told()
    assert {cluster_id: google.versions(cluster_id) for cluster_id in ids} == {
        cluster_id: [text.encode()] for cluster_id, text in own.items()}
