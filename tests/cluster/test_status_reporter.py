"""The variant beside HyperFleet's status-reporter, for which one of ours stands in."""

import pytest

from jobs import state

PLATFORMS = ["gke-status-reporter", "outside-gke-status-reporter"]


def reported(job):
    """The condition that HyperFleet reads, once the Job has ended."""
    job.finished()
    (found,) = [item for item in job.get()["status"]["conditions"]
                if item["type"] == "Available"]
    (pod,) = job.pods()
    assert state(pod, "status-reporter")["terminated"]["exitCode"] == 0
    return found


@pytest.mark.parametrize("overlay", PLATFORMS)
def test_a_success_becomes_a_condition_of_the_job(jobs, overlay):
    job = jobs.apply(overlay)
    assert job.finished()[0] == "Complete", job.told()
    condition = reported(job)
    assert (condition["status"], condition["reason"]) == ("True", "PullSecretStored")
    assert job.cluster_id in condition["message"]


def test_a_failure_becomes_one_before_the_job_fails(jobs):
    job = jobs.apply("gke-status-reporter", pull_secret='{"auths":{}}')
    kind, condition = job.finished()
    assert (kind, condition["reason"]) == ("Failed", "PodFailurePolicy"), job.told()
    condition = reported(job)
    assert (condition["status"], condition["reason"]) == ("False", "PullSecretInvalid")
    assert state(job.pods()[0])["terminated"]["exitCode"] == 3
