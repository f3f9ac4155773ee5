"""The Job in a cluster: what becomes of it, and what is stored."""

from jobs import PULL_SECRET, state


def test_the_job_completes_and_its_secret_is_stored(jobs, google):
    job = jobs.apply("gke")
    assert "Warning" not in job.said
    assert job.finished()[0] == "Complete", job.told()
    assert google.versions(job.cluster_id) == [PULL_SECRET.encode()]
    (pod,) = job.pods()
    assert state(pod)["terminated"]["exitCode"] == 0
    assert '"operation":"completed"' in job.log(pod)
