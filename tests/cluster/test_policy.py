"""What becomes of a Job whose program fails, by its podFailurePolicy."""

import os
import signal
from pathlib import Path

import pytest
import yaml

from cluster import until
from emulator import errors
from jobs import Hold, about, containers, reading, state, variables

CRASH = 128 + signal.SIGSEGV


def process_of(pod):
    """The id of the pod's program, as this process sees it."""
    for path in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            if pod["metadata"]["uid"] in path.read_text() and (
                    path.parent.joinpath("comm").read_text() == "pull-secret\n"):
                return int(path.parent.name)
        except OSError:
            continue
    return None


class Failing:
    """Jobs that fail in each way, all started at once. Each row returns a Job."""

    def __init__(self, jobs, google):
        self._jobs, self._google = jobs, google
        self.jobs = {code: getattr(self, f"_exit_{code}")() for code in (1, 2, 3, 4, 5, 6, CRASH)}

    def _exit_1(self):
        """The server fails as often as a run asks, then it is well again."""
        name = self._jobs.namespace()
        self._google.order("secretmanager", about(name), times=4, reply=errors.unavailable())
        return self._jobs.apply("gke", namespace=name)

    def _exit_2(self):
        return self._jobs.apply("gke", variables(MAX_WAIT_TIME_SECONDS="soon"))

    def _exit_3(self):
        return self._jobs.apply("gke", pull_secret='{"auths":{}}')

    def _exit_4(self):
        """Not after a wait, as for a role that is only just being granted."""
        name = self._jobs.namespace()
        self._google.order("secretmanager", about(name), times=None,
                           reply=errors.service_disabled())
        return self._jobs.apply("gke", namespace=name)

    def _exit_5(self):
        name = self._jobs.namespace()
        self._google.order("secretmanager", reading(name), times=None, tamper="flip")
        return self._jobs.apply("gke", namespace=name)

    def _exit_6(self):
        """Once the secret is stored, the result file cannot take its place."""
        name = self._jobs.namespace()

        def occupy(value):
            (folder,) = Path("/var/lib/kubelet/pods").glob(f"*/volumes/*/results-{name}")
            (folder / "result.json").mkdir(exist_ok=True)
            return value

        self._google.order("secretmanager", reading(name), times=None, tamper=occupy)
        volume = f"results-{name}"
        return self._jobs.apply("gke", variables(RESULTS_PATH="/results/result.json"), containers(
            volumes=[{"name": volume, "emptyDir": {}}],
            volumeMounts=[{"name": volume, "mountPath": "/results"}]), namespace=name)

    def _exit_139(self):
        """Its process gets SIGSEGV while it waits for a reply."""
        name = self._jobs.namespace()
        hold = Hold(self._google, name)
        job = self._jobs.apply("gke", namespace=name)
        until(hold.arrived.is_set, job.told)
        os.kill(process_of(job.pods()[0]), signal.SIGSEGV)
        hold.let_go()
        return job


@pytest.fixture(scope="module")
def failing(jobs, google):
    return Failing(jobs, google).jobs


@pytest.mark.parametrize("code", [2, 3, 4, 5, 6, CRASH])
def test_what_no_retry_helps_fails_the_job_at_once(failing, code):
    job = failing[code]
    kind, condition = job.finished()
    assert (kind, condition["reason"]) == ("Failed", "PodFailurePolicy"), job.told()
    assert f"exit code {code} matching FailJob rule at index 0" in condition["message"]
    (pod,) = job.pods()
    assert state(pod)["terminated"]["exitCode"] == code


def test_exit_code_1_is_retried(failing, google):
    job = failing[1]
    assert job.finished()[0] == "Complete", job.told()
    assert [state(pod)["terminated"]["exitCode"] for pod in job.pods()] == [1, 0]
    assert len(google.versions(job.cluster_id)) == 1


@pytest.mark.parametrize("code, said", [
    (1, "HTTP 503"), (2, "MAX_WAIT_TIME_SECONDS"), (3, "invalid pull secret"),
    (4, "SERVICE_DISABLED"), (5, "VerificationFailed: "), (6, "ReportIncomplete: "), (CRASH, "SIGSEGV")])
def test_the_termination_message_is_in_the_pod_s_status(failing, code, said):
    """As `kubectl get pod -o yaml` shows it: one line."""
    job = failing[code]
    job.finished()
    name = job.pods()[0]["metadata"]["name"]
    shown = job.cluster.kubectl("-n", job.namespace, "get", "pod", name, "-o", "yaml").stdout
    message = state(yaml.safe_load(shown))["terminated"]["message"]
    assert said in message
    assert message.count("\n") <= 1
