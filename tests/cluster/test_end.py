"""A pod that is deleted while its program runs."""

import json

from cluster import until
from jobs import PULL_SECRET, Hold, state


def test_a_deleted_pod_ends_cleanly_and_its_job_goes_on(jobs, google, cluster):
    """SIGTERM: 143, a word about what was written, and another pod that counts as no retry."""
    name = jobs.namespace()
    hold = Hold(google, name)
    job = jobs.apply("gke", namespace=name)
    pod = job.running()["metadata"]["name"]
    until(hold.arrived.is_set, job.told)
    with cluster.following("-n", name, "logs", "-f", pod) as log, cluster.following(
            "-n", name, "get", "pod", pod, "-w", "-o", "json") as watch:
        until(log.read_text, job.told)
        cluster.kubectl("-n", name, "delete", "pod", pod, "--wait=false")
        end = until(lambda: last_end(watch.read_text()), job.told)
        until(lambda: '"operation":"summary"' in log.read_text(), job.told)
        said = [json.loads(line) for line in log.read_text().splitlines()]
    hold.let_go()
    assert end["exitCode"] == 143
    assert "SIGTERM" in end["message"]
    assert said[-2]["message"] in end["message"]
    assert job.finished()[0] == "Complete", job.told()
    assert job.get()["status"].get("failed", 0) == 0
    assert google.versions(name) == [PULL_SECRET.encode()]


def last_end(text):
    """How the pod's program ended, from all that a watch has shown of it."""
    decoder, at, found = json.JSONDecoder(), 0, None
    while at < len(text):
        try:
            pod, at = decoder.raw_decode(text, at)
        except ValueError:  # not written to its end yet
            break
        at += 1
        found = state(pod).get("terminated", found)
    return found
